"""ALOHA's start sequence on real gates: start pose, grippers closed by hand, leaders let go, leaders command."""

import itertools

import pytest

from station.bus.messages import Description, StreamDescription
from station.bus.requests import Disengage, Done, Engage, Hold, Opening, Refused, TorqueOff, TorqueOn
from tests.station.control import stage as stages
from tests.station.control.engaged import released
from tests.station.control.stage import DIMENSIONS, Stage, refused

START = (0.3, 0.5)


def grip(stage: Stage, gripper: float, pose: tuple[float, float] = START) -> None:
    """Both hands at `pose`, grippers at `gripper`."""
    stage.leaders = dict.fromkeys(stage.leaders, (*pose, gripper))


def waiting(torque: bool = True) -> Stage:
    stage = Stage(torque=torque)
    stage.run(0.1)
    stage.request(Opening())
    assert stage.run(10, lambda: stage.state.state == "waiting")
    return stage


@pytest.mark.slow
def test_everybody_goes_to_the_start_pose_slowly_and_waits_there() -> None:
    stage = waiting(torque=False)
    for host in (*stage.followers.values(), *stage.leader_hosts.values()):
        assert host.pose[:2] == pytest.approx(START, abs=0.05)
        assert host.torque
        assert not host.refusals
    assert stage.state.source == "opening"
    assert stage.state.stiff == ("leader_left", "leader_right")
    asked = dict(stage.requests[:4])
    assert asked["leader_left"] == TorqueOn(("gripper",))
    assert asked["follower_left"] == TorqueOn()
    steps = [c.goal[0] for c in stage.sent_to("leader_left") if not c.hold]
    assert max(abs(b - a) for a, b in itertools.pairwise(steps)) <= 0.7 * 0.025 + 1e-9
    stage.run(30)
    assert (stage.state.state, stage.answers) == ("waiting", [])
    assert not any(host.gate.holding for host in stage.leader_hosts.values())


def test_closing_both_grippers_gives_the_leaders_away_and_they_command() -> None:
    stage = waiting()
    grip(stage, 0.5)
    stage.run(0.5)
    assert "close both grippers" in stage.state.why
    stage.leaders["leader_left"] = (*START, 0.1)
    stage.run(0.5)
    assert stage.state.why == "close both grippers to start (open: leader_right)"
    assert set(stage.state.stiff) == {"leader_left", "leader_right"}
    grip(stage, 0.1)
    assert stage.run(5, stage.answered)
    assert stage.answers == [Done("leader commands")]
    assert (stage.state.state, stage.state.source, stage.state.stiff) == ("engaged", "leader", ())
    assert {arm for arm, request in stage.requests if isinstance(request, TorqueOff)} == {"leader_left", "leader_right"}
    assert not any(follower.refusals for follower in stage.followers.values())


def test_grippers_that_rest_closed_start_nothing() -> None:
    stage = Stage()
    grip(stage, 0.0, (0.1, 0.2))
    stage.run(0.1)
    stage.request(Opening())
    assert stage.run(10, lambda: stage.state.state == "waiting")
    stage.run(5)
    assert (stage.state.state, stage.state.source) == ("waiting", "opening")
    assert "open and close both grippers" in stage.state.why
    grip(stage, 0.9)
    stage.run(0.1)
    grip(stage, 0.0)
    assert stage.run(5, stage.answered)
    assert stage.state.state == "engaged"


@pytest.mark.parametrize("request_", [Hold("wait"), Disengage()])
def test_it_can_be_ended_and_begun_again_with_stiff_leaders(request_: Hold | Disengage) -> None:
    stage = waiting()
    stage.request(request_)
    assert isinstance(stage.answers[0], Refused)
    stage.answers.clear()
    stage.run(0.5)
    assert all(host.gate.holding and host.torque for host in stage.leader_hosts.values())
    stage.request(Engage("leader"))
    assert "leader_left is stiff" in refused(stage.answers.pop())
    stage.request(Opening())
    assert stage.run(10, lambda: stage.state.state == "waiting")
    grip(stage, 0.9)
    stage.run(0.1)
    grip(stage, 0.1)
    assert stage.run(5, stage.answered)
    assert stage.state.state == "engaged"


def test_stiff_leaders_can_be_parked_and_released() -> None:
    stage = waiting()
    stage.request(Hold("enough"))
    assert released(stage, "leader_left") == Done("parked and released")
    assert not stage.leader_hosts["leader_left"].torque
    assert stage.leader_hosts["leader_right"].torque


@pytest.mark.parametrize("node", ["leader_left", "follower_right"])
def test_an_arm_that_falls_silent_while_waiting_holds_all(node: str) -> None:
    stage = waiting()
    stage.silent.add(node)
    assert stage.run(2, stage.answered)
    assert stage.state.state == "hold"
    assert f"{node} has been silent" in stage.state.why


def test_a_leader_that_keeps_its_torque_holds_all() -> None:
    stage = waiting()
    stage.leader_hosts["leader_right"].keeps_torque = "its servo does not answer"
    grip(stage, 0.9)
    stage.run(0.1)
    grip(stage, 0.1)
    assert stage.run(2, stage.answered)
    assert "leader_right keeps its torque: its servo does not answer" in refused(stage.answers[0])
    assert stage.state.state == "hold"


def test_hands_that_take_the_leaders_far_away_are_told_and_the_arms_hold() -> None:
    stage = waiting()
    grip(stage, 0.9, (-1.0, 0.5))
    stage.run(0.1)
    grip(stage, 0.1, (-1.0, 0.5))
    assert stage.run(5, stage.answered)
    assert "0.8 rad" in refused(stage.answers[0])
    assert stage.state.state == "hold"


def test_leaders_that_can_only_be_read_engage_plainly_unless_the_start_sequence_is_needed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read_only = Description("gello", "1", "50", (StreamDescription("arm_state", 200.0, DIMENSIONS),), "read-only")
    stage = Stage("left")
    stage.run(0.1)
    stage.core.described("leader_left", read_only)
    stage.request(Opening())
    assert "leader_left can only be read" in refused(stage.answers.pop())
    stage.request(Opening(needed=False))
    assert stage.run(5, lambda: stage.state.state == "engaged")
    assert not any(isinstance(request, TorqueOn) for arm, request in stage.requests if arm == "leader_left")
    # not described yet when it is asked: it must not be driven either
    monkeypatch.setattr(stages, "ARM", read_only)
    early = Stage("left")
    early.request(Opening())
    assert early.run(3, early.answered)
    assert "can only be read" in refused(early.answers[0])
    assert early.requests == []
