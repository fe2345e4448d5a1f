"""The gate: what it refuses, when it holds, what it takes to go on."""

import contextlib
import itertools
from collections.abc import Sequence
from math import inf, nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.bus.messages import Command, Dimension
from station.errors import CommandRefused
from station.rig.file import Safety
from station.safety import Gate
from station.safety.pace import LONGEST_STEP_NS, SLACK_NS

MS = 1_000_000
ARM = (
    Dimension("waist", "rad", -2.0, 2.0, effort_unit="mA", overload=2000.0),
    Dimension("elbow", "rad", -1.5, 1.5, effort_unit="mA", overload=2000.0),
    Dimension("gripper", "1", 0.0, 1.0, rad_per_unit=1.7, compliant=True, effort_unit="mA", overload=1000.0),
)
Goal = tuple[float, ...]
Reading = Sequence[float | None]
HOME = (0.0, 0.0, 0.5)
CALM = (100.0, 100.0, 100.0)
T0 = 10_000 * MS


def command(goal: Goal, at_ns: int, sequence: int = 0, hold: bool = False, **more: Any) -> Command:
    return Command("follower_left", "leader", -1, sequence, at_ns, goal, hold, **more)


class Arm:
    """An arm behind a gate, with its own time; it is where its goal is unless told otherwise."""

    def __init__(self, **safety: float) -> None:
        self.now_ns = T0
        self.gate = Gate(ARM, Safety(**safety))
        self.gate.reset(HOME, self.now_ns)
        self.numbers = itertools.count()

    def ask(self, goal: Goal, dt_ms: float = 5, **more: Any) -> Goal | None:
        self.now_ns += round(dt_ms * MS)
        return self.gate.command(command(goal, self.now_ns, next(self.numbers), **more), self.now_ns)

    def tick(self, measured: Reading | None = None, current: Reading = CALM, dt_ms: float = 5) -> Goal | None:
        self.now_ns += round(dt_ms * MS)
        return self.gate.tick(self.now_ns, self.gate.goal if measured is None else measured, current)

    def follow(self) -> "Arm":
        self.gate.resume()
        self.ask(HOME)
        assert self.gate.following
        return self

    def run_at(self, speed: float, seconds: float) -> None:
        """Move the waist at `speed` rad/s, reading in between."""
        x = self.gate.goal[0]
        for k in range(1, round(seconds / 0.005) + 1):
            self.ask((x + speed * k * 0.005, 0.0, 0.5))
            assert self.gate.tick(self.now_ns, self.gate.goal, CALM) is None


def test_a_fresh_gate_waits_for_an_operator() -> None:
    arm = Arm()
    with pytest.raises(CommandRefused, match="waiting for an operator"):
        arm.ask(HOME)
    arm.gate.resume()
    assert arm.ask(HOME) == HOME
    assert arm.gate.holding == ""


def test_before_reset_nothing_passes_and_nothing_is_written() -> None:
    gate = Gate(ARM, Safety())
    with pytest.raises(CommandRefused, match="has not been opened"):
        gate.command(command(HOME, T0), T0)
    with pytest.raises(CommandRefused, match="cannot resume"):
        gate.resume()
    assert gate.tick(T0, (None,) * 3, (None,) * 3) is None


def test_closed_by_torque_off() -> None:
    arm = Arm().follow()
    arm.gate.close("torque is off")
    assert arm.gate.holding == "torque is off"
    assert arm.tick((1.0, 1.0, 1.0)) is None
    with pytest.raises(CommandRefused, match="torque is off"):
        arm.ask(HOME)


def test_it_starts_from_readings_only() -> None:
    with pytest.raises(CommandRefused, match="readings are needed"):
        Gate(ARM, Safety()).reset((0.0, nan, 0.0), T0)


@pytest.mark.parametrize(
    ("goal", "why"),
    [((nan, 0.0, 0.5), "waist = nan"), ((0.0, inf, 0.5), "elbow = inf"), ((0.0, 0.0), "2 numbers"), ((), "0 numbers")],
)
def test_what_is_no_goal_is_refused(goal: Goal, why: str) -> None:
    arm = Arm().follow()
    with pytest.raises(CommandRefused, match=why):
        arm.ask(goal)
    assert arm.gate.goal == HOME


def test_stale_future_repeated_and_backward_setpoints_are_refused() -> None:
    arm = Arm().follow()
    now = arm.now_ns + 5 * MS
    for at_ns, why in (
        (now - 101 * MS, "101 ms old"),
        (now + 26 * MS, "in the future"),
        (arm.now_ns, "sent twice"),
        (arm.now_ns - MS, "out of order"),
    ):
        with pytest.raises(CommandRefused, match=why):
            arm.gate.command(command(HOME, at_ns), now)
    assert arm.gate.command(command(HOME, now), now) == HOME


def test_the_first_command_must_be_aligned() -> None:
    arm = Arm()
    arm.gate.resume()
    with pytest.raises(CommandRefused, match=r"gripper: the first command of leader is 0\.85 rad"):
        arm.ask((0.0, 0.0, 1.0))
    assert arm.ask((0.1, 0.0, 0.5)) is not None
    assert arm.ask((0.9, 0.0, 0.5)) is not None, "later ones are only limited"
    assert arm.gate.limited


def test_late_delivery_is_no_acceleration() -> None:
    arm = Arm().follow()
    arm.run_at(1.5, 0.2)
    x, t = arm.gate.goal[0], arm.now_ns
    for k in range(1, 6):  # five asks 5 ms apart arrive together, 25 ms late
        goal = (x + 1.5 * 0.005 * k, 0.0, 0.5)
        assert arm.gate.command(command(goal, t + 5 * MS * k), t + 25 * MS + k) == goal


def test_setpoints_that_claim_more_time_than_went_by_gain_nothing() -> None:
    arm = Arm().follow()
    start, now = arm.now_ns, arm.now_ns
    for k in range(1, 400):
        now += MS // 10
        at = min(start + k * 5 * MS, now + 25 * MS)
        try:
            arm.gate.command(command((2.0, 0.0, 0.5), at), now)
        except CommandRefused:
            continue
    assert arm.gate.goal[0] <= 3.14 * ((now - start + SLACK_NS) / 1e9) + 1e-9


def test_starvation_decelerates_and_latches() -> None:
    arm = Arm().follow()
    arm.run_at(2.0, 0.3)
    for _ in range(60):
        assert arm.tick() is None
        assert arm.gate.holding == ""
    for _ in range(20):
        arm.tick()
    assert arm.gate.holding == "no command for 305 ms"
    standing = arm.gate.goal
    with pytest.raises(CommandRefused, match="holding: no command"):
        arm.ask(standing)
    arm.gate.resume()
    assert arm.ask(standing) == standing


def test_refused_commands_do_not_keep_it_alive() -> None:
    arm = Arm().follow()
    for _ in range(70):
        with pytest.raises(CommandRefused):
            arm.ask((nan, 0.0, 0.5))
        arm.tick(dt_ms=0)
    assert arm.gate.holding == "no command for 305 ms"


def test_an_operators_act_does_not_keep() -> None:
    arm = Arm()
    arm.gate.resume()
    for _ in range(200):
        assert arm.tick() is None
        assert arm.gate.holding == ""
    for _ in range(10):
        arm.tick()
    assert arm.gate.holding == "resumed, but no command came for 1 s"


def test_a_hold_is_obeyed_whatever_else_the_command_says() -> None:
    arm = Arm().follow()
    arm.run_at(3.0, 0.2)
    assert arm.gate.command(command((nan,), 0, hold=True, why="the operator said so"), arm.now_ns) is None
    assert arm.gate.holding == "the operator said so"
    goals = [goal for goal in (arm.tick() for _ in range(20)) if goal is not None]
    assert 4 <= len(goals) <= 6, "3 rad/s at 100 rad/s² takes 30 ms"
    assert arm.tick() is None


def test_no_resume_while_it_still_slows_down() -> None:
    arm = Arm().follow()
    arm.run_at(3.0, 0.2)
    arm.gate.hold("stop")
    with pytest.raises(CommandRefused, match="still slowing down"):
        arm.gate.resume()
    for _ in range(20):
        arm.tick()
    arm.gate.resume()


def test_the_first_reason_stays() -> None:
    arm = Arm().follow()
    arm.gate.hold("one")
    arm.gate.hold("two")
    assert arm.gate.holding == "one"


def divergence(arm: Arm, measured: Reading, seconds: float = 0.35, current: Reading = CALM) -> None:
    for _ in range(round(seconds / 0.005)):
        if not arm.gate.holding:
            arm.ask(arm.gate.goal, dt_ms=2)
        arm.tick(measured, current, dt_ms=3)


def test_a_blocked_arm_holds_where_it_is() -> None:
    arm = Arm().follow()
    arm.run_at(1.0, 0.5)
    stuck = (arm.gate.goal[0] - 0.7, 0.05, 0.9)
    divergence(arm, stuck)
    assert "waist more than 0.6 rad from the goal" in arm.gate.holding
    before, fastest = arm.gate.goal, 0.0
    for _ in range(600):
        goal = arm.tick(stuck)
        if goal is not None:
            fastest = max(fastest, abs(goal[0] - before[0]) / 0.005)
            before = goal
    assert arm.gate.goal == (stuck[0], 0.05, 0.5), "joints come back to the measured pose, the gripper keeps its grip"
    assert fastest == pytest.approx(0.5, abs=0.01)


def test_a_short_divergence_and_a_compliant_gripper_are_nothing() -> None:
    arm = Arm().follow()
    divergence(arm, (0.7, 0.0, 0.5), seconds=0.28)
    divergence(arm, HOME, seconds=0.02)
    divergence(arm, (0.7, 0.0, 0.5), seconds=0.28)
    divergence(arm, (0.0, 0.0, 1.0), seconds=1.0)
    assert arm.gate.holding == ""


def test_overload_holds_and_backs_off_only_what_is_overloaded() -> None:
    arm = Arm().follow()
    where = (0.02, 0.01, 0.7)
    divergence(arm, where, seconds=0.1, current=(100.0, 100.0, -950.0))
    assert arm.gate.warnings == ("gripper near overload: 950 of 1000 mA",)
    assert arm.gate.holding == ""
    divergence(arm, where, seconds=3.0, current=(100.0, 100.0, -950.0))
    assert "gripper near overload" in arm.gate.holding
    assert arm.gate.goal == (0.0, 0.0, 0.7)


def test_one_silent_servo_is_no_number_and_holds_after_half_a_second() -> None:
    arm = Arm().follow()
    divergence(arm, (0.0, None, 0.5), seconds=0.45, current=(100.0, None, 100.0))
    assert arm.gate.holding == ""
    divergence(arm, (0.0, None, 0.5), seconds=0.1, current=(100.0, None, 100.0))
    assert "elbow silent" in arm.gate.holding
    arm.gate.resume()
    arm.tick((0.0, None, 0.5))
    assert "elbow silent" in arm.gate.holding, "what is still wrong latches again"
    arm.tick(HOME)
    arm.gate.resume()
    arm.tick(HOME)
    assert arm.gate.holding == ""


def test_a_held_arm_that_is_pushed_away_gives_way_once() -> None:
    arm = Arm()
    for _ in range(800):
        arm.tick((0.8, 0.0, 0.5))
    assert arm.gate.goal[0] == 0.8
    for _ in range(800):
        arm.tick((1.6, 0.0, 0.5))
    assert arm.gate.goal[0] == 0.8


numbers = st.floats(-3, 3) | st.sampled_from([nan, inf, -inf, 1e300, -0.0])
asks = st.tuples(
    st.just("ask"),
    st.lists(numbers, min_size=3, max_size=3).map(tuple) | st.lists(numbers, max_size=5).map(tuple),
    st.integers(-200, 200) | st.integers(-(10**9), 10**9) | st.just(0),  # setpoint_at against now, ms
    st.booleans(),
)
ticks = st.tuples(st.just("tick"), st.tuples(*[st.none() | st.floats(-3, 3)] * 3), st.sampled_from([0.0, 3000.0]))
drift = st.tuples(st.just("drift"), st.floats(-3, 3), st.integers(1, 40), st.integers(1, 12))
events = st.lists(
    st.tuples(st.integers(0, 30) | st.sampled_from([-500, 1500]), asks | ticks | drift | st.just(("resume",))),
    max_size=80,
)


class Fuzzed:
    """A gate fed with anything, its outputs noted with the latest time they can have had."""

    def __init__(self, safety: Safety) -> None:
        self.gate = Gate(ARM, safety)
        self.now = self.latest = T0
        self.gate.reset(HOME, T0)
        self.outputs: list[tuple[int, Goal, Goal]] = [(T0, HOME, (0.0,) * 3)]

    def advance(self, ms: int) -> None:
        self.now += ms * MS
        self.latest = max(self.latest, self.now)

    def note(self, goal: Goal | None) -> None:
        if goal is not None:
            self.outputs.append((self.latest, goal, self.gate.velocity))

    def feed(self, event: tuple[Any, ...]) -> None:
        if event[0] == "ask":
            self.note(self.gate.command(command(event[1], self.now + event[2] * MS, hold=event[3]), self.now))
        elif event[0] == "tick":
            self.note(self.gate.tick(self.now, event[1], (event[2],) * 3))
        elif event[0] == "resume":
            self.gate.resume()
        else:
            for _ in range(event[2]):
                self.advance(event[3])
                goal = (self.gate.goal[0] + event[1] * 0.1, event[1], 0.5)
                self.note(self.gate.command(command(goal, self.now), self.now))
                self.note(self.gate.tick(self.now, self.gate.goal, CALM))


@pytest.mark.slow
@given(events, st.floats(0.5, 5), st.floats(2, 200))
def test_whatever_comes_in_what_goes_out_is_within_the_limits(
    stream: list[tuple[int, tuple[Any, ...]]], velocity: float, acceleration: float
) -> None:
    fuzzed = Fuzzed(Safety(velocity_rad_s=velocity, acceleration_rad_s2=acceleration))
    for dt_ms, event in stream:
        fuzzed.advance(dt_ms)
        with contextlib.suppress(CommandRefused):
            fuzzed.feed(event)
    for (t1, goal1, v1), (t2, goal2, v2) in itertools.pairwise(fuzzed.outputs):
        check_pair(t2 - t1, goal1, goal2, v1, v2, velocity, acceleration)
    first = fuzzed.outputs[0]
    for last in fuzzed.outputs[1:]:
        for i, dimension in enumerate(ARM):
            way = abs(last[1][i] - first[1][i]) * dimension.rad_per_unit
            assert way <= velocity * (last[0] - first[0] + SLACK_NS) / 1e9 + 1e-9


def check_pair(dt_ns: int, goal1: Goal, goal2: Goal, v1: Goal, v2: Goal, velocity: float, acceleration: float) -> None:
    longest_s = (dt_ns + SLACK_NS) / 1e9
    for i, dimension in enumerate(ARM):
        scale = dimension.rad_per_unit
        assert dimension.lower <= goal2[i] <= dimension.upper
        assert abs(goal2[i] - goal1[i]) * scale <= velocity * LONGEST_STEP_NS / 1e9 + 1e-9
        assert abs(v2[i]) * scale <= velocity + 1e-6
        assert abs(v2[i] - v1[i]) * scale <= acceleration * longest_s + 1e-6
