"""A short stall is a pause, not an end: pilot and gates together."""

from typing import Literal

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from station.bus.requests import Disengage, Done, Engage, Hold
from station.safety.pace import SLACK_NS
from tests.station.control.engaged import engaged
from tests.station.control.stage import LIMITS, MS, PERIOD_NS, Pose, Stage


def pause(stage: Stage, ms: int, *silent: str) -> None:
    stage.silent |= set(silent)
    stage.run(ms / 1e3)
    stage.silent -= set(silent)


def test_a_leader_silent_for_a_moment_stops_both_arms_which_then_go_on() -> None:
    stage = engaged()
    stage.leaders = dict.fromkeys(stage.leaders, (0.3, 0.4, 0.5))
    stage.run(1)
    pause(stage, 160, "leader_left")
    assert stage.state.stalled
    assert all(follower.gate.stalled for follower in stage.followers.values()), "both decelerate, not its own alone"
    stage.leaders = dict.fromkeys(stage.leaders, (0.4, 0.5, 0.5))
    stage.run(1)
    state = stage.state
    assert (state.state, state.source, state.why, state.holds) == ("engaged", "leader", "", 0)
    assert (state.stalled, state.stalls) == (False, 1)
    assert 140 <= state.longest_stall_ms <= 190
    assert all(follower.pose == (0.4, 0.5, 0.5) for follower in stage.followers.values())


def test_a_silent_follower_is_a_stall_of_all() -> None:
    stage = engaged()
    pause(stage, 200, "follower_right")
    assert stage.followers["follower_left"].gate.stalled
    stage.run(0.5)
    assert (stage.state.state, stage.state.stalls) == ("engaged", 1)


def test_the_whole_computer_stops_and_everybody_goes_on() -> None:
    stage = engaged()
    stage.stop(120)
    stage.run(0.5)
    assert (stage.state.state, stage.state.stalls, stage.state.holds) == ("engaged", 1, 0)
    assert not any(follower.gate.stalled for follower in stage.followers.values())


def test_twice_within_two_seconds_holds() -> None:
    stage = engaged()
    stage.stop(120)
    stage.run(1.5)
    assert (stage.state.state, stage.state.holds) == ("engaged", 0)
    stage.stop(120)
    stage.run(0.1)
    assert stage.state.state == "hold"
    assert "again within 2 s" in stage.state.why


def test_a_policy_that_is_silent_for_a_moment_goes_on_and_one_that_asks_to_hold_does_not() -> None:
    stage = Stage("left-")
    stage.setpoints["policy"] = (0.1, 0.1, 0.5)
    stage.request(Engage("policy"))
    stage.run(10, stage.answered)
    pause(stage, 150, "policy")
    stage.run(0.5)
    assert (stage.state.state, stage.state.stalls) == ("engaged", 1)
    stage.run(3)
    stage.silent.add("policy")
    stage.run(0.15)
    assert stage.state.stalled
    stage.hold_setpoint("policy", "starved")
    stage.silent.clear()
    stage.run(0.5)
    assert (stage.state.state, stage.state.why) == ("hold", "policy asks to hold: starved")


def test_hold_asked_for_in_a_stall_stays() -> None:
    stage = engaged()
    pause(stage, 150, "leader_left")
    stage.request(Hold("the operator pressed hold"))
    stage.run(1)
    assert (stage.state.state, stage.state.why) == ("hold", "the operator pressed hold")
    assert all(follower.gate.holding for follower in stage.followers.values())


def test_another_life_of_a_leader_a_follower_or_a_policy_holds() -> None:
    for node in ("leader_left", "follower_right"):
        stage = engaged()
        pause(stage, 150, node)
        stage.lives[node] = 7
        stage.run(0.1)
        assert (stage.state.state, stage.state.why) == ("hold", f"{node} was restarted")
    stage = Stage("left-")
    stage.setpoints["policy"] = (0.1, 0.1, 0.5)
    stage.request(Engage("policy"))
    stage.run(10, stage.answered)
    stage.lives["policy"] = 7
    stage.run(0.1)
    assert (stage.state.state, stage.state.why) == ("hold", "policy was restarted")


def test_a_leader_that_went_far_meanwhile_holds() -> None:
    stage = engaged()
    pause(stage, 150, "leader_left")
    stage.leaders["leader_left"] = (1.0, 0.2, 0.5)
    stage.run(0.1)
    assert stage.state.state == "hold"
    assert "after a stall waist is 0.90 rad from what leader asks" in stage.state.why


def test_a_hand_over_that_stalls_goes_on() -> None:
    stage = Stage("left", pose=(-0.6, 0.2, 0.5))
    stage.run(0.1)
    stage.request(Engage("leader"))
    stage.run(0.5)
    assert stage.state.state == "aligning"
    pause(stage, 150, "leader_left")
    assert stage.run(5, stage.answered)
    assert stage.answers == [Done("leader commands")]
    assert stage.state.stalls == 1


Source = Literal["leader", "policy"]


class Rig(RuleBasedStateMachine):
    """Leaders, a policy, pilot and gates; anything may be silent, restarted, blocked or away for a while."""

    @initialize(source=st.sampled_from(["leader", "policy"]))
    def engage(self, source: Source) -> None:
        self.stage = Stage("left", "right", torque=False)
        self.stage.setpoints["policy"] = (0.1, 0.2, 0.5) * 2
        self.stage.run(0.1)
        self.ended = False
        """Has anything happened that no arm may go on from by itself?"""
        self.ways: dict[str, list[tuple[int, Pose]]] = {}
        self.begin(source)

    def begin(self, source: Source) -> None:
        self.source = source
        self.stage.answers.clear()
        self.stage.request(Engage(source))
        assert self.stage.run(10, self.stage.answered)
        self.ended = not isinstance(self.stage.answers[0], Done)
        if self.ended:
            self.stage.request(Disengage())

    def needed(self) -> list[str]:
        return [*self.stage.followers, *(self.stage.leaders if self.source == "leader" else ["policy"])]

    @rule(ms=st.integers(0, 400))
    def go_on(self, ms: int) -> None:
        self.move_on(ms)

    @rule(ms=st.integers(5, 450), which=st.integers(0, 3), gap_ms=st.integers(0, 2500))
    def be_silent(self, ms: int, which: int, gap_ms: int) -> None:
        self.move_on(gap_ms)
        node = self.needed()[which % len(self.needed())]
        self.stage.silent.add(node)
        self.move_on(ms)
        self.stage.silent.discard(node)
        self.move_on(30)
        # a period of 5 ms, a leader's 2, a policy's 20 and a watch of 25 ms are what a silence may be longer than it seems
        self.ended |= ms > LIMITS.resume_ms + 30

    @rule(ms=st.integers(5, 450))
    def stop(self, ms: int) -> None:
        self.stage.stop(ms)
        self.move_on(30)
        self.ended |= ms > LIMITS.resume_ms

    @rule(leader=st.integers(0, 1), to=st.tuples(st.floats(-2, 2), st.floats(-1, 1), st.floats(0, 1)))
    def move(self, leader: int, to: Pose) -> None:
        self.stage.leaders[list(self.stage.leaders)[leader]] = to
        self.stage.setpoints["policy"] = to * 2

    @rule(which=st.integers(0, 3))
    def restart(self, which: int) -> None:
        node = self.needed()[which % len(self.needed())]
        self.stage.lives[node] = self.stage.lives.get(node, 0) + 1
        self.move_on(60)
        self.ended = True

    @rule(what=st.sampled_from(["hold", "watchdog", "torque", "starved"]))
    def end(self, what: str) -> None:
        follower = self.stage.followers["follower_left"]
        if what == "hold":
            self.stage.request(Hold("x"))
        elif what == "watchdog":
            follower.gate.hold("the servos' own watchdog ran out")
        elif what == "torque":
            follower.torque = False
            follower.gate.close("torque is off")
        elif self.source == "policy":
            self.stage.hold_setpoint("policy", "starved")
        else:
            return
        self.move_on(60)
        self.ended = True

    @precondition(lambda self: self.ended)
    @rule(source=st.sampled_from(["leader", "policy"]))
    def act(self, source: Source) -> None:
        """An operator's."""
        self.move_on(600)
        for node in self.stage.leaders:
            follower = self.stage.followers[node.replace("leader", "follower")]
            self.stage.leaders[node] = follower.pose
        self.move_on(50)
        self.begin(source)

    def move_on(self, ms: int) -> None:
        for _ in range(round(ms / 5)):
            before = {node: follower.gate.goal for node, follower in self.stage.followers.items()}
            self.stage.run(0.005)
            self.never_too_fast(before)

    def never_too_fast(self, before: dict[str, Pose]) -> None:
        for node, follower in self.stage.followers.items():
            way = self.ways.setdefault(node, [])
            way.append((self.stage.now_ns, follower.gate.goal or before[node]))
            del way[:-60]
            if not goal_known(way):
                continue
            at_ns, goals = np.array([at_ns for at_ns, _ in way]), np.array([goal[:2] for _, goal in way])
            bounds = LIMITS.velocity_rad_s * (at_ns[-1] - at_ns[:-1] + SLACK_NS) / 1e9
            assert (abs(goals[-1] - goals[:-1]).max(axis=1, initial=0.0) <= bounds + 1e-9).all()

    @invariant()
    def nothing_goes_on_by_itself_from_an_end(self) -> None:
        if not hasattr(self, "stage") or not self.ended:
            return
        assert self.stage.state.state in ("hold", "idle")
        assert all(f.gate.holding for f in self.stage.followers.values())


def goal_known(way: list[tuple[int, Pose]]) -> bool:
    return all(goal for _, goal in way)


@pytest.mark.slow
@pytest.mark.timeout(300)  # minutes of a rig's time, and a busy computer is slow, not wrong
def test_never_faster_than_the_limits_and_never_on_by_itself_when_a_condition_fails() -> None:
    run_state_machine_as_test(
        Rig,
        settings=settings(
            max_examples=30, stateful_step_count=20, phases=[Phase.explicit, Phase.reuse, Phase.generate]
        ),
    )


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.integers(1, 29), st.sampled_from(["leader_left", "leader_right", "follower_left", "follower_right", "all"]))
def test_any_single_silence_below_resume_ms_is_no_hold(tens_ms: int, who: str) -> None:
    stage = engaged()
    stage.run(0.02)
    if who == "all":
        stage.stop(tens_ms * 10 - 10)
    else:
        pause(stage, tens_ms * 10 - 10, who)
    stage.run(0.3)
    assert (stage.state.state, stage.state.holds) == ("engaged", 0)
    assert not stage.state.stalled
    assert PERIOD_NS == 5 * MS
