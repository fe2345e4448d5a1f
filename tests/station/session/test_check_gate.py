"""No sitting on real arms while a check is due, or has failed and nobody answers for that; simulated rigs are only told."""

import json
import time
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest

from station.bus.requests import Done, Engage, OpenSession, Refused, Start
from station.files import check_results
from station.files.check_results import FAILED, CheckResult, Finding, StoredCheck
from station.rig.rig import Device
from station.runtime.sitting import Sitting
from station.session.check_gate import CheckStanding
from station.session.disk import SessionDisk
from tests.station.session.world import RIG, World

SLIPPED = Finding("follower_left", "zero elbow", "fail", 3.04, "°", 0.9, "`station calibrate arms`")
REAL = msgspec.structs.replace(RIG, devices=(Device("follower_left", "follower", "x:Y", None, at="/dev/ttyDXL"),))
OLD = "the last check is 9.0 h old, 8 h is the limit"
FAIL = CheckStanding(FAILED, StoredCheck("", 5.0, CheckResult("fail", (SLIPPED,))))
PASS = CheckStanding("", StoredCheck("", 5.0, CheckResult("pass", ())))


def asked(standing: CheckStanding, asks: OpenSession, person: str = "ada", rig: object = REAL) -> World:
    world = World(rig=rig)  # type: ignore[arg-type]
    world.standing = standing
    world.press(asks, person=person)
    return world


@pytest.mark.parametrize("due", [OLD, "this rig has not been checked", "the rig file has changed since the last check"])
@pytest.mark.parametrize("override", ["", "no reason stands in for a check"])
@pytest.mark.parametrize("source", ["leader", "vr", "policy"])
def test_while_a_check_is_due_nobody_opens_a_sitting(due: str, override: str, source: str) -> None:
    world = asked(CheckStanding(due, PASS.last), OpenSession("pick", override=override, source=source))  # type: ignore[arg-type]
    (refused,) = world.replies
    assert isinstance(refused, Refused) and refused.needs == "check"
    assert refused.why.startswith(due) and "Next: `station check --rig r.yaml`" in refused.why
    assert world.phase() == "ended" and not world.pilot_asked


def test_after_a_failed_check_a_reason_and_a_name_open_it_and_are_in_the_episode() -> None:
    (refused,) = asked(FAIL, OpenSession("pick")).replies
    assert isinstance(refused, Refused) and refused.needs == "check"
    assert "follower_left: zero elbow 3.04 °. Next: `station calibrate arms`" in refused.why
    (nobody,) = asked(FAIL, OpenSession("pick", override="the last of today"), person="").replies
    assert isinstance(nobody, Refused) and "--operator" in nobody.why
    for operator, by in (("", "ada"), ("bob", "bob")):
        world = asked(FAIL, OpenSession("pick", operator=operator, override="the last of today"))
        world.pilot_asked.pop()[1](Done())
        world.press(Start(1.0))
        kept = json.loads(world.sync_asked.pop()[0].info.check_result)  # type: ignore[union-attr]
        assert (kept["verdict"], kept["override"], kept["override_by"]) == ("fail", "the last of today", by)


def test_a_simulated_rig_is_told_and_opened() -> None:
    for standing in (FAIL, CheckStanding(OLD, None)):
        world = asked(standing, OpenSession("pick"), rig=RIG)
        assert world.pilot_asked.pop()[0] == Engage("leader")
        assert world.core.state().check_due == standing.due


def test_a_check_that_counts_opens_it_and_an_override_of_nothing_is_not_kept() -> None:
    world = asked(PASS, OpenSession("pick", override="to be sure"))
    world.pilot_asked.pop()[1](Done())
    world.press(Start(1.0))
    kept = json.loads(world.sync_asked.pop()[0].info.check_result)  # type: ignore[union-attr]
    assert (kept["verdict"], kept["override"], kept["override_by"]) == ("pass", "", "")


def test_every_state_says_how_the_check_stands_a_second_later_at_most() -> None:
    world = World(rig=REAL)
    world.standing = CheckStanding(OLD, None)
    world.time(10**9)
    assert world.core.state().check_due == OLD
    world.standing = PASS
    world.time(2 * 10**9)
    assert world.core.state().check_due == ""


def test_a_sitting_that_is_open_goes_on_although_a_check_falls_due_and_its_next_life_knows_the_check() -> None:
    world = asked(PASS, OpenSession("pick"))
    world.pilot_asked.pop()[1](Done())
    world.standing = CheckStanding(OLD, PASS.last)
    world.time(3 * 10**9)
    world.press(Start(1.0))
    assert world.sync_asked
    left = world.core.sitting()
    assert isinstance(left, Sitting) and json.loads(left.check_result)["verdict"] == "pass"


def test_the_disk_tells_a_check_of_this_rig_file_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    disk = SessionDisk(REAL, SimpleNamespace())  # type: ignore[arg-type]
    assert disk.check() == CheckStanding("this rig has not been checked", None)
    another = StoredCheck("another", time.time(), CheckResult("pass", ()))
    check_results.store("r", another)
    assert disk.check() == CheckStanding("the rig file has changed since the last check", None)
    ours = StoredCheck(REAL.sha256, time.time(), CheckResult("pass", ()))
    check_results.store("r", ours)
    assert disk.check() == CheckStanding("", ours)
