"""The check that opens a session: run where the session wants one, and what was asked is asked again."""

import time
from pathlib import Path

import pytest

from station.cli.checked import asked_again, run_check
from station.errors import CheckDue, CheckFailed
from station.files import check_results
from station.files.check_results import CheckResult, StoredCheck
from station.rig.file import Safety
from station.rig.rig import Rig

RIG = Rig("r", Path("no-such-rig.yaml"), "abc", 50.0, 3.0, Path("/data"), "jpeg", (), (), Safety(), None)
PASS = StoredCheck("abc", time.time(), CheckResult("pass", ()))


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


class Session:
    """Refuses until there is a check."""

    def __init__(self) -> None:
        self.asked = 0

    def open(self) -> str:
        self.asked += 1
        if check_results.last("r") is None:
            raise CheckDue("this rig has not been checked, so no sitting is opened. Next: check")
        return "opened"


def test_what_needs_a_check_is_asked_again_after_it(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("station.cli.checked._run", lambda rig: check_results.store(rig.name, PASS))
    session = Session()
    assert asked_again(RIG, session.open) == "opened"
    assert session.asked == 2
    assert "this rig has not been checked, so no sitting is opened: checking now" in capfd.readouterr().out


def test_what_fails_once_more_says_why_and_nobody_goes_in_circles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("station.cli.checked._run", lambda rig: check_results.store(rig.name, PASS))
    asked = []

    def failing() -> None:
        asked.append(1)
        raise CheckDue("the check of r failed")

    with pytest.raises(CheckDue, match="failed"):
        asked_again(RIG, failing)
    assert len(asked) == 2


@pytest.mark.slow
@pytest.mark.parametrize("before", [None, PASS])
def test_a_check_that_ends_without_a_result_says_why(before: StoredCheck | None) -> None:
    if before is not None:
        check_results.store("r", before)
    with pytest.raises(CheckFailed, match=r"ended without a result: .*no-such-rig\.yaml.*station check"):
        run_check(RIG, "the last check is old")
