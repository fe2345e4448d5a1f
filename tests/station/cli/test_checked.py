"""The check that opens a session: run when due, refused on fail, overridden for a reason that is kept."""

import json
import time
from pathlib import Path

import pytest

from station.cli.checked import last_check, session_check
from station.errors import CheckFailed
from station.files import check_results
from station.files.check_results import CheckResult, Finding, StoredCheck
from station.rig.file import Safety
from station.rig.rig import Rig

RIG = Rig("r", Path("no-such-rig.yaml"), "abc", 50.0, 3.0, Path("/data"), "jpeg", (), (), Safety(), None)
SLIPPED = Finding("follower_left", "zero elbow", "fail", 3.04, "°", 0.9, "`station calibrate arms`")


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


def store(verdict: str, hours_ago: float = 0.1, sha256: str = "abc") -> None:
    findings = (SLIPPED,) if verdict == "fail" else ()
    result = CheckResult(verdict, findings)  # type: ignore[arg-type]
    check_results.store("r", StoredCheck(sha256, time.time() - 3600 * hours_ago, result))


@pytest.mark.parametrize("verdict", ["pass", "warn"])
def test_a_check_that_still_counts_is_not_made_again(verdict: str) -> None:
    store(verdict)
    kept = json.loads(session_check(RIG, ""))
    assert (kept["verdict"], kept["override"]) == (verdict, "")
    assert kept["at_s"] == pytest.approx(time.time() - 360, abs=60)
    assert json.loads(session_check(RIG, "nothing to override"))["override"] == ""


@pytest.mark.parametrize(("hours_ago", "sha256"), [(9.0, "abc"), (0.1, "another rig file")])
def test_one_that_no_longer_counts_is_made_again_and_without_a_result_nothing_is_recorded(
    hours_ago: float, sha256: str, capfd: pytest.CaptureFixture[str]
) -> None:
    store("pass", hours_ago, sha256)
    with pytest.raises(CheckFailed, match=r"ended without a result: .*no-such-rig\.yaml.*station check"):
        session_check(RIG, "a reason does not help here")
    assert "checking now" in capfd.readouterr().out


def test_a_failed_check_refuses_names_what_failed_and_is_overridden_for_a_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def checks_again(_rig: Rig, before: StoredCheck) -> StoredCheck:
        return before

    monkeypatch.setattr("station.cli.checked._run", checks_again)
    store("fail")
    with pytest.raises(CheckFailed, match=r"follower_left: zero elbow 3\.04 °. Next: .*calibrate arms.*--override"):
        session_check(RIG, "")
    kept = json.loads(session_check(RIG, "the last episode of the day"))
    assert (kept["verdict"], kept["override"]) == ("fail", "the last episode of the day")
    assert kept["findings"][0]["value"] == 3.04
    assert json.loads(session_check(RIG, "", refuses=False))["verdict"] == "fail"


def test_where_nobody_checks_the_last_one_of_this_rig_file_is_told() -> None:
    assert last_check(RIG) == ""
    store("warn", hours_ago=50)
    assert json.loads(last_check(RIG))["verdict"] == "warn"
    store("pass", sha256="another")
    assert last_check(RIG) == ""
