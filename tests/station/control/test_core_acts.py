"""The pilot's core: parking, torque, what only somebody beside an arm may ask of it, and whose doing a hold is."""

from collections.abc import Callable

import msgspec
import pytest

from station.bus.messages import Fault, StreamDescription
from station.bus.messages.arms import ArmMode
from station.bus.messages.commanding import Doer
from station.bus.requests import (
    ActLeave,
    Disengage,
    Done,
    Engage,
    Hold,
    OperatorAct,
    Park,
    Perform,
    Recover,
    Refused,
    TorqueOff,
)
from tests.station.control.engaged import engaged, released
from tests.station.control.stage import ARM, DIMENSIONS, Stage, refused


def test_park_ramps_to_the_sleep_pose_and_keeps_torque() -> None:
    stage = engaged()
    stage.request(Park())
    assert stage.run(10, stage.answered)
    assert stage.answers == [Done("parked; torque stays on")]
    stage.run(0.3)
    assert (stage.state.state, stage.state.why) == ("idle", "parked")
    for follower in stage.followers.values():
        assert follower.pose == pytest.approx((0.0, 1.2, 0.0), abs=0.05)
        assert follower.torque


def test_release_takes_torque_off_the_arms_named_only() -> None:
    stage = engaged()
    stage.request(Park())
    stage.run(10, stage.answered)
    stage.answers.clear()
    assert released(stage, "follower_left") == Done("parked and released")
    assert [arm for arm, request in stage.requests if isinstance(request, TorqueOff)] == ["follower_left"]
    assert released(stage) == Done("parked and released")
    assert [arm for arm, request in stage.requests if isinstance(request, TorqueOff)] == [
        "follower_left",
        "follower_right",
    ]
    stage.answers.clear()
    stage.request(Park())
    assert stage.answers == [Done("no arm has torque: nothing to park")]
    stage.request(Park(arms=("nobody",)))
    assert "nobody is no arm" in refused(stage.answers[-1])


@pytest.mark.parametrize("node", ["leader_left", "follower_right"])
def test_an_arm_with_a_fault_is_engaged_by_nothing(node: str) -> None:
    stage = Stage()
    stage.run(0.1)
    faulty = msgspec.structs.replace(ARM, faults=(Fault("waist: Homing Offset is 1024", "set it to 0"),))
    stage.core.described(node, faulty)
    stage.request(Engage("leader"))
    assert stage.answers == [Refused(f"{node} is not engaged: waist: Homing Offset is 1024. Next: set it to 0")]
    assert (stage.state.state, stage.requests) == ("idle", [])
    stage.core.described(node, ARM)
    stage.answers.clear()
    stage.request(Engage("leader"))
    assert stage.run(10, stage.answered)
    assert stage.state.state == "engaged"


def test_an_act_is_one_the_arm_has_and_never_done_while_arms_are_commanded() -> None:
    stage = engaged()
    stage.request(OperatorAct("follower_left", "guide"))
    assert "no guide while arms are commanded" in refused(stage.answers.pop())
    stage.request(Disengage())
    stage.answers.clear()
    stage.request(OperatorAct("follower_left", "dance"))
    assert "knows no act dance; it has recover, guide" in refused(stage.answers.pop())
    stage.request(Recover("follower_up"))
    assert "is no arm" in refused(stage.answers.pop())
    stage.request(Recover("follower_left"))
    assert "nothing to recover" in refused(stage.answers.pop())
    stage.request(OperatorAct("follower_left", "guide"))
    stage.run(0.01)
    assert stage.answers == [Done()]
    leave, perform = (request for _, request in stage.requests[-2:])
    assert isinstance(leave, ActLeave) and isinstance(perform, Perform)
    assert (leave.act, perform.act, perform.leave) == ("guide", "guide", leave.number)


def stand(stage: Stage, node: str, mode: ArmMode, why: str = "", next_: str = "") -> None:
    """The arm's process says how it stands."""
    stage.followers[node].condition = (mode, why, next_)
    stage.run(0.05)


@pytest.mark.parametrize("mode", ["stopped", "guiding"])
def test_an_arm_that_is_stopped_or_guided_holds_all_and_is_engaged_by_nobody(mode: ArmMode) -> None:
    stage = engaged()
    stand(stage, "follower_left", mode, "protective stop", "look at it, then recover")
    assert (stage.state.state, stage.state.holds) == ("hold", 1)
    assert stage.state.why == f"follower_left is {mode}: protective stop: look at it, then recover"
    (arm, _) = stage.state.arms
    assert (arm.mode, arm.why, arm.next) == (mode, "protective stop", "look at it, then recover")
    assert stage.sent_to("follower_right")[-1].hold
    stage.answers.clear()
    for request in (Engage("leader"), Park()):
        stage.request(request)
        assert refused(stage.answers.pop()).startswith(f"follower_left is {mode}: protective stop")
    stand(stage, "follower_left", "ready")
    stage.run(2)
    assert stage.state.state == "hold", "that it is over commands nothing"


def test_a_stopped_arm_is_recovered_and_engaged_by_nobody() -> None:
    stage = engaged()
    stand(stage, "follower_left", "stopped", "reflex")
    stage.answers.clear()
    stage.request(Recover("follower_left"))
    stage.run(0.05)
    assert stage.answers == [Done()]
    leave, perform = (request for _, request in stage.requests[-2:])
    assert isinstance(leave, ActLeave) and isinstance(perform, Perform)
    assert (leave.act, perform.act, perform.leave) == ("recover", "recover", leave.number)
    stand(stage, "follower_left", "ready")
    stage.run(2)
    assert stage.state.state == "hold"


def test_an_arm_without_a_pose_is_not_parked() -> None:
    stage = engaged()
    stage.request(Disengage())
    stage.answers.clear()
    joints = [msgspec.structs.replace(d, sleep=None) for d in DIMENSIONS]
    about = msgspec.structs.replace(ARM, streams=(StreamDescription("arm_state", 200.0, tuple(joints)),))
    stage.core.described("follower_left", about)
    stage.request(Park())
    assert "follower_left describes no sleep pose" in refused(stage.answers.pop())


def _silent(stage: Stage) -> None:
    stage.silent.add("follower_left")
    stage.run(1)


def _barred(stage: Stage) -> None:
    stage.followers["follower_left"].condition = ("stopped", "protective stop", "release it")
    stage.run(0.1)


def _gives_up(stage: Stage) -> None:
    stage.hold_setpoint("policy", "starved")


def _pressed(stage: Stage) -> None:
    held = msgspec.structs.replace(
        stage.followers["follower_left"].applied(stage.now_ns), hold=True, why="0.7 rad behind its goal", pressed=True
    )
    stage.core.applied("follower_left", held, stage.now_ns)


def _asked(stage: Stage) -> None:
    stage.request(Hold(""))


@pytest.mark.parametrize(
    ("what", "doer"),
    [(_silent, "station"), (_barred, "station"), (_gives_up, "source"), (_pressed, "source"), (_asked, "operator")],
)
def test_a_hold_says_whose_doing_it_is_until_somebody_commands_again(what: Callable[[Stage], None], doer: Doer) -> None:
    stage = Stage("left")
    stage.setpoints["policy"] = (0.1, 0.1, 0.5)
    stage.run(0.1)
    stage.request(Engage("policy"))
    assert stage.run(10, stage.answered) and stage.state.state == "engaged"
    assert stage.state.held_by == "", "nothing holds"
    what(stage)
    state = stage.state
    assert (state.state, state.held_by, state.asked) == ("hold", doer, doer == "operator")
    if doer != "operator":  # what holds already keeps its cause and its doer
        stage.request(Hold("and the operator asks, too"))
        assert (stage.state.held_by, stage.state.why) == (doer, state.why)
    stage.request(Disengage())
    assert stage.state.held_by == ""
