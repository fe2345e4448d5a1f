"""Leaders go along while a policy commands, and the operator takes over and hands back."""

from typing import Literal

import pytest

from station.bus.requests import Disengage, Done, DriveLeaders, Engage, Hold, Refused, TorqueOff, TorqueOn
from station.control.gesture import TOGETHER_NS, WITHIN_NS, Closing
from station.control.hands import FELT_NS
from station.rig.file import Teleop
from tests.station.control.stage import MS, Pose, Stage, refused

AIM = (0.6, -0.4, 0.7, -0.5, 0.3, 0.2)


@pytest.fixture
def stage() -> Stage:
    stage = Stage()
    stage.setpoints["policy"] = AIM
    stage.run(0.3)
    stage.request(DriveLeaders(True))
    assert isinstance(stage.answers.pop(), Done)
    stage.request(Engage("policy"))
    assert stage.run(10, stage.answered)
    assert isinstance(stage.answers[0], Done)
    assert stage.run(10, lambda: met(stage)), {n: a.pose for n, a in stage.leader_hosts.items()}
    stage.answers.clear()
    return stage


def met(stage: Stage) -> bool:
    pairs = zip(stage.leader_hosts.values(), stage.followers.values(), strict=True)
    return all(
        leader.torque and max(abs(a - b) for a, b in zip(leader.pose[:2], follower.pose[:2], strict=True)) < 0.02
        for leader, follower in pairs
    )


def goals(stage: Stage, node: str) -> list[tuple[int, Pose]]:
    return [(at, command.goal) for at, command in stage.commands if command.arm == node and not command.hold]


def test_leaders_ramp_to_their_followers_and_follow(stage: Stage) -> None:
    stage.setpoints["policy"] = (*(value + 0.2 for value in AIM[:5]), 0.2)
    assert stage.run(5, lambda: met(stage) and stage.followers["follower_left"].pose[0] > 0.75)
    assert {command.source for command in stage.sent_to("leader_left")} == {"policy"} | {
        command.source for command in stage.sent_to("leader_left") if command.hold
    }
    assert not [why for arm in stage.leader_hosts.values() for why in arm.refusals]
    assert stage.state.source == "policy"


def test_at_take_over_leaders_go_limp_where_the_followers_are_and_keep_torque_otherwise(stage: Stage) -> None:
    for node, arm in stage.leader_hosts.items():
        stage.leaders[node] = arm.pose  # the operator's hands close around them
    before = {node: arm.pose for node, arm in stage.followers.items()}
    stage.request(Engage("leader", held=True))
    assert stage.run(5, stage.answered)
    assert isinstance(stage.answers.pop(), Done)
    assert not any(arm.torque for arm in stage.leader_hosts.values())
    assert {arm for arm, request in stage.requests if isinstance(request, TorqueOff)} == set(stage.leader_hosts)
    for node, arm in stage.followers.items():
        assert max(abs(a - b) for a, b in zip(arm.pose[:2], before[node][:2], strict=True)) < 0.05, "aligned: all stand"
    stage.request(Engage("policy"))
    assert stage.run(10, stage.answered)
    assert stage.run(10, lambda: met(stage))
    stage.request(Hold("enough"))
    stage.run(0.5)
    assert all(arm.torque and arm.gate.holding for arm in stage.leader_hosts.values())
    stage.request(Disengage())
    stage.run(0.5)
    assert all(arm.torque for arm in stage.leader_hosts.values()), "nobody may be holding them"


def test_a_leader_held_against_its_will_is_left_where_it_is(stage: Stage) -> None:
    arm = stage.leader_hosts["leader_left"]
    arm.gate.hold("pulled away from its goal")
    stage.run(0.5)
    sent = len(stage.sent_to("leader_left"))
    stage.run(1)
    assert len(stage.sent_to("leader_left")) == sent
    assert (stage.state.state, stage.state.source) == ("engaged", "policy")


def test_a_leader_that_can_only_be_read_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage("left")
    stage.setpoints["policy"] = AIM[:3]
    stage.run(0.3)
    stage.core.arms.leaders["leader_left"].drivable = False
    monkeypatch.setattr(stage.core, "described", lambda *_: None)
    stage.request(Engage("policy"))
    assert stage.run(10, stage.answered)
    stage.run(1)
    assert not stage.sent_to("leader_left")
    assert not stage.leader_hosts["leader_left"].torque


def test_closing_both_grippers_takes_over(stage: Stage) -> None:
    assert all(host.free == ("gripper",) for host in stage.leader_hosts.values())
    for node in stage.leaders:
        grip(stage, node, 0.9)
    stage.run(1)
    grip(stage, "leader_left", 0.05)
    stage.run(0.5)
    assert stage.state.source == "policy", "one hand is not enough"
    grip(stage, "leader_right", 0.05)
    assert stage.run(5, lambda: stage.state.source == "leader" and stage.state.state == "engaged")


def grip(stage: Stage, node: str, gripper: float) -> None:
    """A hand on the gripper, which is limp."""
    stage.leaders[node] = (*stage.leader_hosts[node].pose[:2], gripper)


def feel(
    closing: Closing, node: str, pairs: list[tuple[float, float]], begin_ns: int = 0, step_ns: int = 20 * MS
) -> list[bool]:
    return [closing.felt(node, *pair, begin_ns + i * step_ns) for i, pair in enumerate(pairs)]


def closing_hand(follower: float = 0.8) -> list[tuple[float, float]]:
    return [(1.0 - i / 20, follower) for i in range(21)]


def test_the_gesture_is_felt_once_and_only_by_all() -> None:
    closing = Closing(["a", "b"])
    assert not any(feel(closing, "a", closing_hand()))
    assert feel(closing, "b", closing_hand(), 300 * MS).count(True) == 1
    assert not any(feel(closing, "b", [(0.0, 0.8)] * 50, 1000 * MS))


def test_too_slow_or_not_together_is_no_gesture() -> None:
    slow = Closing(["a"])
    assert not any(feel(slow, "a", closing_hand(), step_ns=WITHIN_NS // 5))
    apart = Closing(["a", "b"])
    feel(apart, "a", closing_hand())
    assert not any(feel(apart, "b", closing_hand(), TOGETHER_NS + 1000 * MS))


def test_a_gripper_that_only_goes_along_with_its_follower_is_no_gesture() -> None:
    closing = Closing(["a"])
    assert not any(feel(closing, "a", [(1.0 - i / 20, max(0.0, 0.9 - i / 20)) for i in range(21)]))


def test_a_take_over_before_the_leaders_are_there_says_that_they_are_on_their_way() -> None:
    stage = Stage()
    stage.setpoints["policy"] = (1.5, *AIM[1:])
    stage.run(0.3)
    stage.request(DriveLeaders(True))
    stage.answers.clear()
    stage.request(Engage("policy"))
    assert stage.run(10, stage.answered)
    for node, arm in stage.leader_hosts.items():
        arm.pose = (0.0,) * len(arm.pose)
        stage.leaders[node] = arm.pose
    stage.answers.clear()
    stage.request(Engage("leader", held=True))
    assert stage.run(1, stage.answered)
    refused = stage.answers.pop()
    assert isinstance(refused, Refused) and "rad below" in refused.why
    assert "on its way to its follower" in refused.why, refused.why
    assert stage.state.source == "policy", "the policy goes on"


def test_a_leader_that_can_only_be_read_is_named_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage("left")
    stage.setpoints["policy"] = (1.5, *AIM[1:3])
    stage.run(0.3)
    stage.core.arms.leaders["leader_left"].drivable = False
    monkeypatch.setattr(stage.core, "described", lambda *_: None)
    stage.request(Engage("policy"))
    assert stage.run(10, stage.answered)
    stage.answers.clear()
    stage.request(Engage("leader"))
    assert stage.run(1, stage.answered)
    assert "can only be read" in refused(stage.answers.pop())


def test_a_leader_never_goes_limp_by_a_key_alone(stage: Stage) -> None:
    stage.request(Engage("leader"))
    assert stage.run(1, stage.answered)
    why = refused(stage.answers.pop())
    assert "no hand is felt on it" in why
    assert "I hold the leaders" in why
    assert stage.state.source == "policy", "the policy goes on"
    assert all(arm.torque for arm in stage.leader_hosts.values())


def test_hands_that_are_felt_on_every_leader_take_over_with_the_key(stage: Stage) -> None:
    for count, node in enumerate(stage.leaders):
        stage.request(Engage("leader"))
        assert isinstance(stage.answers.pop(), Refused), f"only {count} of the hands are felt"
        move_its_gripper(stage, node)
    stage.request(Engage("leader"))
    assert stage.run(5, stage.answered)
    assert isinstance(stage.answers.pop(), Done)
    assert not any(arm.torque for arm in stage.leader_hosts.values())


def test_a_hand_that_was_felt_long_ago_may_have_gone(stage: Stage) -> None:
    for node in stage.leaders:
        move_its_gripper(stage, node)
    stage.run(FELT_NS / 1e9 + 0.5)
    stage.request(Engage("leader"))
    assert isinstance(stage.answers.pop(), Refused)


def test_a_policy_that_was_held_leaves_leaders_that_still_need_a_hand(stage: Stage) -> None:
    stage.request(Hold("enough"))
    stage.run(0.5)
    stage.answers.clear()
    stage.request(Engage("leader"))
    assert isinstance(stage.answers.pop(), Refused)
    assert all(arm.torque for arm in stage.leader_hosts.values())


def test_leaders_are_driven_gently_and_only_when_somebody_said_so(stage: Stage) -> None:
    asked = [request for arm, request in stage.requests if arm in stage.leaders and isinstance(request, TorqueOn)]
    assert {request.gentle for request in asked} == {True}
    followers = [request for arm, request in stage.requests if arm in stage.followers and isinstance(request, TorqueOn)]
    assert {request.gentle for request in followers} == {False}


@pytest.mark.parametrize("setting", ["ask", "on", "off"])
def test_the_rig_file_says_whether_leaders_go_along_before_anybody_was_asked(
    setting: Literal["ask", "on", "off"],
) -> None:
    stage = Stage(teleop=Teleop(driven_leaders=setting))
    stage.setpoints["policy"] = AIM
    stage.run(0.3)
    stage.request(Engage("policy"))
    assert stage.run(10, stage.answered)
    stage.run(1)
    assert all(arm.torque == (setting == "on") for arm in stage.leader_hosts.values())
    assert stage.state.drivable == ("leader_left", "leader_right")
    stage.answers.clear()
    stage.request(DriveLeaders(True))
    assert isinstance(stage.answers.pop(), Refused if setting == "off" else Done)
    assert stage.state.along == (setting != "off")


def test_leaders_that_are_to_stay_hold_where_they_are_and_keep_their_torque(stage: Stage) -> None:
    stage.request(DriveLeaders(False))
    stage.run(0.5)
    assert all(arm.torque and arm.gate.holding for arm in stage.leader_hosts.values())
    assert (stage.state.state, stage.state.source) == ("engaged", "policy")


def test_an_arm_that_one_hand_could_not_stop_does_not_go_along(stage: Stage) -> None:
    leader = stage.core.arms.leaders["leader_left"]
    leader.gentle = ""
    assert stage.state.drivable == ("leader_right",)
    assert "no way in which one hand could stop it" in stage.core._mirror.why_apart("leader_left")


def test_which_joint_of_a_leader_is_to_go_which_way_is_told_until_it_fits() -> None:
    stage = Stage("left")
    stage.setpoints["policy"] = (1.5, *AIM[1:3])
    stage.run(0.3)
    stage.request(Engage("policy"))
    assert stage.run(10, stage.answered)
    stage.run(3)
    told = []
    for waist in (0.0, 0.3, 0.65, 0.8):
        stage.leaders["leader_left"] = (waist, 0.2, 0.5)
        stage.run(1)
        told.append(stage.state.to_fit)
    assert told == [
        "leader_left: raise waist by 85°",
        "leader_left: raise waist by 70°",
        "leader_left: raise waist by 50°",
        "",
    ]


def move_its_gripper(stage: Stage, node: str) -> None:
    """A hand on it."""
    for gripper in (0.5, 0.6, 0.75):
        grip(stage, node, gripper)
        stage.run(0.1)
