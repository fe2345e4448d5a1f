"""Never faster than `velocity_rad_s`, but for one step of slack: over every window, whatever comes in."""

import contextlib

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from station.clock import NS_PER_S
from station.errors import CommandRefused
from station.safety.pace import LONGEST_STEP_NS, SLACK_NS, Pace
from tests.station.safety.test_gate import ARM, CALM, HOME, MS, Arm, command

US = 1000


class Burst:
    """An arm's gate under commands of any rate; every goal that was written, with its time."""

    def __init__(self, velocity: float) -> None:
        self.arm = Arm(velocity_rad_s=velocity, acceleration_rad_s2=1e5).follow()
        self.goals = [(self.arm.now_ns, self.arm.gate.goal)]

    def feed(self, count: int, every_us: int, claimed_us: int, to: float, read: bool) -> None:
        """So many commands, each `every_us` after the one before, that claim to be `claimed_us` apart."""
        arm = self.arm
        at_ns = arm.now_ns
        for _ in range(count):
            arm.now_ns += every_us * US
            at_ns = min(max(at_ns + claimed_us * US, arm.now_ns - 99 * MS), arm.now_ns + 25 * MS)
            with contextlib.suppress(CommandRefused):
                self.note(arm.gate.command(command((to, -to, 0.5 + to / 4), at_ns, next(arm.numbers)), arm.now_ns))
            if read:
                self.note(arm.gate.tick(arm.now_ns, arm.gate.goal, CALM))
            if arm.gate.holding:
                arm.gate.reset(arm.gate.goal, arm.now_ns)
                arm.gate.resume()

    def note(self, goal: tuple[float, ...] | None) -> None:
        if goal is not None:
            self.goals.append((self.arm.now_ns, goal))

    def slack_s(self, velocity: float) -> float:
        """The largest excess over all windows: max over s ≤ t of |goal(t) − goal(s)| / v − (t − s), s.

        A goal stands until the next one: the window that tells most begins right before one.
        """
        worst = 0.0
        for place, dimension in enumerate(ARM):
            for sign in (1, -1):
                lowest, stood = float("inf"), self.goals[0][1][place]
                for at_ns, goal in self.goals:
                    # lead(t) = ± goal/v − t, and its largest rise
                    scale = sign * dimension.rad_per_unit / velocity
                    lowest = min(lowest, stood * scale - at_ns / NS_PER_S)
                    worst = max(worst, goal[place] * scale - at_ns / NS_PER_S - lowest)
                    stood = goal[place]
        return worst


bursts = st.lists(
    st.tuples(
        st.integers(1, 300), st.sampled_from([1, 10, 100, 500, 1000, 5000, 20_000, 90_000]) | st.integers(1, 50_000),
        st.sampled_from([1, 5000, 25_000]) | st.integers(0, 99_000), st.floats(-2, 2), st.booleans(),
    ),
    min_size=1, max_size=12,
)  # fmt: skip


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@example([(20, 5000, 5000, 0.0, True), (500, 100, 5000, 2.0, False), (500, 100, 5000, -2.0, True)], 3.14)
@given(bursts, st.floats(0.2, 5.0))
def test_over_every_window_a_goal_moves_no_further_than_velocity_times_window_and_slack(
    story: list[tuple[int, int, int, float, bool]], velocity: float
) -> None:
    burst = Burst(velocity)
    for part in story:
        burst.feed(*part)
    assert burst.slack_s(velocity) <= SLACK_NS / NS_PER_S + 1e-6


def test_the_bound_is_reached_and_it_is_what_the_readme_says() -> None:
    """10⁴ commands a second after a pause."""
    burst = Burst(3.14)
    burst.feed(20, 5000, 5000, 0.0, True)
    burst.arm.now_ns += 60 * MS
    burst.feed(500, 100, 5000, 2.0, False)
    assert 0.95 * SLACK_NS / NS_PER_S < burst.slack_s(3.14) <= SLACK_NS / NS_PER_S + 1e-6
    begin_ns = burst.goals[20][0] + 60 * MS
    end = [goal[0] for at_ns, goal in burst.goals if at_ns <= begin_ns + 50 * MS][-1]
    assert 3.14 * 1.4 < end / 0.05 <= 3.14 * 1.5 + 1e-6
    assert SLACK_NS == LONGEST_STEP_NS == 25 * MS


def test_a_gate_that_was_just_opened_has_nothing_saved_up() -> None:
    arm = Arm()
    arm.gate.resume()
    goals = []
    for _ in range(100):
        arm.now_ns += 100 * US
        with contextlib.suppress(CommandRefused):
            goals.append(arm.gate.command(command((0.1, 0.0, 0.5), arm.now_ns, next(arm.numbers)), arm.now_ns))
    assert goals[-1] is not None
    assert abs(goals[-1][0] - HOME[0]) <= 3.14 * 0.01 + 1e-9


def test_time_that_runs_backwards_gives_nothing() -> None:
    pace = Pace()
    pace.begin(1000 * MS)
    assert pace.take(20 * MS, 1010 * MS) == 10 * MS
    assert pace.take(20 * MS, 900 * MS) == 0
    assert pace.take(20 * MS, 1010 * MS) == 0
    assert pace.take(90 * MS, 2000 * MS) == LONGEST_STEP_NS
