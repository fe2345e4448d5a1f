"""The last check's file: whatever stands in it, a rig whose result cannot be read must be checked."""

from pathlib import Path

import pytest

from station.files import check_results
from station.files.check_results import CheckResult, Finding, StoredCheck

CHECK = StoredCheck("abc", 1000.0, CheckResult("warn", (Finding("cam_high", "shift", "warn", 3.0, "mm", 1.5, "look"),)))


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


def test_what_is_stored_is_the_last() -> None:
    check_results.store("aloha", CHECK)
    assert check_results.last("aloha") == CHECK
    assert check_results.due("aloha", "abc", 1000.0 + 3600, 8.0) == ""


@pytest.mark.parametrize(
    "raw",
    [
        b"[" * 100_000, b'{"rig_sha256":"a","at_s":' + b"1" * 5000 + b"}", b"\xff", b"", b"{}",
        b'{"rig_sha256":"a","at_s":1e308,"result":{"verdict":"pass","findings":[]}}',
        b'{"rig_sha256":"a","at_s":1,"result":{"verdict":"pass","findings":[{"device":"d","name":"n","verdict":"pass",'
        b'"value":1e300,"unit":"","limit":null,"next":""}]}}',
    ],
)  # fmt: skip
def test_what_cannot_be_read_or_cannot_be_must_be_checked_again(raw: bytes) -> None:
    check_results.store("aloha", CHECK)
    check_results.path_of("aloha").write_bytes(raw)
    assert check_results.last("aloha") is None
    assert check_results.due("aloha", "abc", 1000.0, 8.0) == "this rig has not been checked"
