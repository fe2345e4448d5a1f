"""The pilot's core on real gates: hand-overs, holds, refusals, every kind of rig."""

import itertools
from math import nan

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from station.bus.messages import Setpoint, SourceName
from station.bus.requests import (
    Disengage,
    Done,
    Engage,
    Hold,
    Park,
    PilotRequest,
    Refused,
    TorqueOn,
)
from tests.station.control.engaged import engaged
from tests.station.control.stage import MS, Pose, Stage, refused


def test_engaging_gives_torque_aligns_and_then_follows_sample_by_sample() -> None:
    stage = engaged(torque=False)
    assert [(arm, type(request)) for arm, request in stage.requests][:2] == [
        ("follower_left", TorqueOn),
        ("follower_right", TorqueOn),
    ]
    stage.commands.clear()
    stage.leaders["leader_left"] = (0.105, 0.2, 0.5)
    stage.run(0.005)
    [(at_ns, left), (_, right)] = stage.commands
    assert (left.arm, left.source, left.tick, left.goal) == ("follower_left", "leader", -1, (0.105, 0.2, 0.5))
    assert left.setpoint_at_ns == at_ns - 2 * MS
    assert left.setpoint_sequence == stage._sequence
    assert right.arm == "follower_right"
    stage.run(0.05)
    assert stage.followers["follower_left"].pose == (0.105, 0.2, 0.5)
    assert not any(follower.refusals for follower in stage.followers.values())


def test_the_ramp_is_slow_and_setpoints_are_the_leaders_samples() -> None:
    stage = Stage("left", pose=(-0.6, 0.2, 0.5))
    stage.run(0.1)
    stage.request(Engage("leader"))
    stage.run(0.5)
    assert (stage.state.state, stage.state.source) == ("aligning", "leader")
    ramp = [command for command in stage.sent_to("follower_left") if not command.hold]
    for one, two in itertools.pairwise(ramp):
        assert abs(two.goal[0] - one.goal[0]) <= 0.7 * 0.005 + 1e-9
        assert two.setpoint_at_ns > one.setpoint_at_ns
        assert two.setpoint_sequence == one.setpoint_sequence + 1
    assert stage.run(5, stage.answered)
    assert stage.state.state == "engaged"


def test_too_far_apart_is_refused_and_nothing_moves() -> None:
    stage = Stage(pose=(0.1, -1.0, 0.5))
    stage.run(0.1)
    stage.request(Engage("leader"))
    [answer] = stage.answers
    assert answer == Refused(
        "leader_left.elbow is 1.20 rad above follower_left.elbow: lower it until they differ by less than 0.8 rad, "
        "then engage again"
    )
    stage.run(0.5)
    assert (stage.commands, stage.requests, stage.state.state) == ([], [], "idle")
    arm = stage.state.arms[0]
    assert arm.worst_joint == "elbow"
    assert arm.difference_rad == pytest.approx(1.2)


def test_arrival_is_measured() -> None:
    stage = Stage("left", sag=0.05)
    stage.run(0.1)
    stage.followers["follower_left"].stuck = True
    stage.leaders["leader_left"] = (0.4, 0.2, 0.5)
    stage.request(Engage("leader"))
    stage.run(5)
    assert (stage.state.state, stage.state.source) == ("aligning", "leader")
    stage.followers["follower_left"].stuck = False
    stage.run(1, stage.answered)
    assert stage.state.state == "engaged", "a sag of 0.05 rad is no obstacle"


def test_an_arm_that_never_arrives_ends_in_hold() -> None:
    stage = Stage("left")
    stage.run(0.1)
    stage.followers["follower_left"].stuck = True
    stage.leaders["leader_left"] = (0.4, 0.2, 0.5)
    stage.request(Engage("leader"))
    assert stage.run(26, stage.answered)
    assert "follower_left did not arrive within 25 s" in refused(stage.answers[0])
    assert stage.state.state == "hold"


@pytest.mark.parametrize(
    ("silent", "why"),
    [
        ("leader_right", "leader_right has not said what it is"),
        ("follower_left", "follower_left has not said what it is"),
    ],
)
def test_what_was_never_heard_is_named(silent: str, why: str) -> None:
    stage = Stage()
    stage.silent.add(silent)
    stage.request(Engage("leader"))
    assert stage.run(3, stage.answered)
    assert why in refused(stage.answers[0])
    assert stage.commands == []


def test_a_silent_leader_puts_everybody_in_hold_until_an_operator_engages_again() -> None:
    stage = engaged()
    stage.silent.add("leader_left")
    stage.run(0.4)
    assert (stage.state.state, stage.state.holds) == ("hold", 1)
    assert stage.state.why.startswith("leader_left has been silent for 3")
    assert all(follower.gate.holding for follower in stage.followers.values())
    stage.silent.clear()
    stage.commands.clear()
    stage.run(1)
    assert (stage.state.state, stage.commands) == ("hold", [])
    stage.request(Engage("leader"))
    assert stage.run(5, stage.answered)
    assert stage.state.state == "engaged"


def test_a_silent_follower_holds_all() -> None:
    stage = engaged()
    stage.silent.add("follower_right")
    stage.run(0.6)
    assert stage.state.state == "hold"
    assert "follower_right has been silent for 3" in stage.state.why
    assert stage.followers["follower_left"].gate.holding


def test_one_gate_that_holds_holds_all() -> None:
    stage = engaged()
    stage.followers["follower_left"].gate.hold("elbow near overload")
    stage.run(0.02)
    assert stage.state.why == "follower_left holds: elbow near overload"
    stage.run(0.02)
    assert stage.followers["follower_right"].gate.holding == "follower_left holds: elbow near overload"


def test_lost_torque_holds_all() -> None:
    stage = engaged()
    stage.followers["follower_left"].torque = False
    stage.run(0.02)
    assert "follower_left has lost its torque" in stage.state.why


def test_hold_and_disengage_are_requests() -> None:
    stage = engaged()
    stage.request(Hold("the operator pressed hold"))
    assert (stage.state.state, stage.state.why) == ("hold", "the operator pressed hold")
    stage.request(Disengage())
    assert (stage.state.state, stage.state.source) == ("idle", "none")
    stage.run(1)
    assert stage.followers["follower_left"].gate.holding == "the operator pressed hold"
    assert stage.state.holds == 1


def test_disengage_leaves_the_arms_holding() -> None:
    stage = engaged()
    stage.request(Disengage())
    stage.run(0.5)
    assert stage.state.state == "idle"
    assert all(follower.gate.holding for follower in stage.followers.values())
    assert stage.state.holds == 0


def test_a_hold_during_alignment_refuses_who_waits() -> None:
    stage = Stage("left", pose=(-0.6, 0.2, 0.5))
    stage.run(0.1)
    stage.request(Engage("leader"))
    stage.run(0.3)
    stage.request(Engage("leader"))
    assert "already aligning with leader" in refused(stage.answers.pop())
    stage.request(Hold(""))
    assert stage.answers == [Refused("stopped: the operator asked to hold"), Done()]


def test_policy_for_all_arms_in_the_rigs_order_and_its_hand_over_from_the_leaders() -> None:
    stage = engaged()
    stage.setpoints["policy"] = (0.3, 0.0, 0.1, -0.4, 1.0, 0.9)
    stage.request(Engage("policy"))
    assert stage.run(10, stage.answered)
    assert (stage.state.state, stage.state.source) == ("engaged", "policy")
    stage.run(1)
    assert stage.followers["follower_left"].pose == (0.3, 0.0, 0.1)
    assert stage.followers["follower_right"].pose == (-0.4, 1.0, 0.9)
    last = stage.sent_to("follower_right")[-1]
    assert (last.source, last.tick, last.setpoint_sequence) == ("policy", stage._sequence // 4, stage._sequence // 4)
    assert not any(follower.refusals for follower in stage.followers.values())
    stage.answers.clear()
    stage.leaders = dict.fromkeys(stage.leaders, (0.2, 0.6, 0.5))
    stage.request(Engage("leader"))
    assert stage.run(10, stage.answered)
    assert (stage.state.state, stage.state.source) == ("engaged", "leader")


def test_a_refused_hand_over_leaves_the_one_who_commands() -> None:
    stage = engaged()
    stage.request(Engage("policy"))
    stage.run(1)
    assert stage.state.source == "leader"
    assert stage.run(3, stage.answered)
    assert "policy asks for nothing" in refused(stage.answers[0])
    assert (stage.state.state, stage.state.source) == ("engaged", "leader")


@pytest.mark.parametrize("goal", [None, (nan,) * 3, (0.0,) * 4])
def test_a_starved_policy_holds(goal: Pose | None) -> None:
    stage = Stage("left-")
    stage.setpoints["policy"] = (0.1, 0.1, 0.5)
    stage.request(Engage("policy"))
    stage.run(10, stage.answered)
    assert (stage.state.state, stage.state.source) == ("engaged", "policy")
    stage.setpoints["policy"] = goal
    stage.run(0.4)
    assert stage.state.state == "hold"
    assert "policy has asked for nothing for 3" in stage.state.why


def test_a_policy_may_ask_to_hold() -> None:
    stage = Stage("left-")
    stage.setpoints["policy"] = (0.1, 0.1, 0.5)
    stage.request(Engage("policy"))
    stage.run(10, stage.answered)
    stage.core.asked("policy", Setpoint("policy", 9, stage.now_ns, (), hold=True, why="empty"), 9, stage.now_ns)
    assert stage.state.why == "policy asks to hold: empty"


def test_rigs_of_one_side_and_of_sides_without_a_leader() -> None:
    stage = engaged("left", "right-")
    assert {command.arm for _, command in stage.commands} == {"follower_left"}
    alone = Stage("left-")
    alone.request(Engage("leader"))
    assert alone.answers == [Refused("rig bench has no follower that leader could command")]
    listening = Stage("-left")
    listening.run(1)
    assert listening.state.arms == ()


@pytest.mark.parametrize("source", ["none", "hold", "park"])
def test_only_sources_command(source: SourceName) -> None:
    stage = Stage()
    stage.request(Engage(source))
    assert "cannot command" in refused(stage.answers[0])


def test_engaging_twice_is_done_already() -> None:
    stage = engaged()
    stage.request(Engage("leader"))
    assert stage.answers == [Done("leader commands already")]


acts = st.sampled_from(["engage", "policy", "hold", "disengage", "park", "mute", "unmute", "gate", "move", "stuck"])


@pytest.mark.slow
@settings(max_examples=25, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(st.lists(st.tuples(acts, st.integers(0, 120), st.integers(0, 3)), max_size=12))
def test_whatever_happens_every_request_is_answered_once_and_arms_hold_unless_engaged(
    story: list[tuple[str, int, int]],
) -> None:
    stage = Stage(torque=False)
    stage.setpoints["policy"] = (0.1, 0.1, 0.5) * 2
    nodes = [*stage.leaders, *stage.followers]
    asked = 0
    for act, periods, which in story:
        requests: dict[str, PilotRequest] = {
            "engage": Engage("leader"),
            "policy": Engage("policy"),
            "hold": Hold("x"),
            "disengage": Disengage(),
            "park": Park(),
        }
        if act in requests:
            stage.request(requests[act])
            asked += 1
        elif act == "mute":
            stage.silent.add(nodes[which])
        elif act == "unmute":
            stage.silent.clear()
        elif act == "gate":
            stage.followers[nodes[2 + which % 2]].gate.hold("a reason")
        elif act == "move":
            stage.leaders[nodes[which % 2]] = (0.3 * which, 0.2, 0.5)
        else:
            follower = stage.followers[nodes[2 + which % 2]]
            follower.stuck = not follower.stuck
        stage.run(periods * 0.005)
    stage.silent.clear()
    stage.run(30, lambda: len(stage.answers) >= asked and stage.state.state in ("idle", "engaged", "hold"))
    stage.run(1)
    assert len(stage.answers) == asked
    state = stage.state.state
    assert state in ("idle", "engaged", "hold")
    for follower in stage.followers.values():
        assert bool(follower.gate.holding) == (state != "engaged")
