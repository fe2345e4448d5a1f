"""Torque goes off for the second request alone: the pilot's own rule, whatever a terminal asks."""

import pytest

from station.bus.requests import Done, Engage, Hold, Park, Refused, Reply, TorqueLeave, TorqueOff
from station.control.leave import CONFIRM_NS, Confirmations
from tests.station.control.stage import Stage, done


def parked(stage: Stage, *arms: str, confirmation: str = "") -> Reply:
    stage.answers.clear()
    stage.request(Park(release=True, arms=arms, confirmation=confirmation))
    assert stage.run(20, stage.answered)
    return stage.answers[-1]


@pytest.fixture
def stage() -> Stage:
    made = Stage()
    made.run(0.5)
    made.request(Engage("leader"))
    assert made.run(20, made.answered)
    return made


def offs(stage: Stage) -> list[str]:
    return [arm for arm, request in stage.requests if isinstance(request, TorqueOff)]


def test_asked_once_it_parks_and_says_what_it_would_let_go_of(stage: Stage) -> None:
    first = parked(stage, "follower_left")
    assert "torque stays on until follower_left is asked for once more" in done(first).detail
    assert done(first).token
    assert offs(stage) == []
    stage.run(1)
    assert stage.followers["follower_left"].torque


def test_asked_twice_each_arm_gets_a_leave_of_its_own(stage: Stage) -> None:
    first = parked(stage)
    assert parked(stage, confirmation=done(first).token) == Done("parked and released")
    assert offs(stage) == ["follower_left", "follower_right"]
    leaves = [request.number for _, request in stage.requests if isinstance(request, TorqueLeave)]
    used = [request.leave for _, request in stage.requests if isinstance(request, TorqueOff)]
    assert leaves == used and len(set(used)) == 2


def test_a_confirmation_is_good_once(stage: Stage) -> None:
    first = parked(stage, "follower_left")
    parked(stage, "follower_left", confirmation=done(first).token)
    again = parked(stage, "follower_right", confirmation=done(first).token)
    assert isinstance(again, Refused) and "no arm is let go of" in again.why
    assert offs(stage) == ["follower_left"]


@pytest.mark.parametrize("arms", [("follower_right",), ()])
def test_a_confirmation_is_for_the_arms_it_was_given_for(stage: Stage, arms: tuple[str, ...]) -> None:
    first = parked(stage, "follower_left")
    again = parked(stage, *arms, confirmation=done(first).token)
    assert isinstance(again, Refused) and "not for follower_right" in again.why
    assert offs(stage) == []


@pytest.mark.parametrize("token", ["x", " ", "0" * 32])
def test_a_confirmation_nobody_gave(stage: Stage, token: str) -> None:
    assert isinstance(parked(stage, "follower_left", confirmation=token), Refused)
    assert offs(stage) == []


def test_a_hold_on_the_way_lets_go_of_nothing(stage: Stage) -> None:
    first = parked(stage, "follower_left")
    stage.answers.clear()
    stage.request(Engage("leader"))
    assert stage.run(20, stage.answered)
    stage.answers.clear()
    stage.request(Park(release=True, arms=("follower_left",), confirmation=done(first).token))
    stage.run(0.05)
    stage.request(Hold("no"))
    stage.run(5)
    assert offs(stage) == []
    assert isinstance(parked(stage, "follower_left", confirmation=done(first).token), Refused)


def test_a_confirmation_grows_old() -> None:
    given = Confirmations()
    old, young = given.give(["a"], 0), given.give(["a"], 1)
    assert "older than 2 minutes" in given.take(old, ["a"], CONFIRM_NS + 1)
    assert given.take(young, ["a"], CONFIRM_NS + 1) == ""
