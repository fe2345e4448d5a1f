"""Targets between goals: no faster than the limit, never beyond what was asked, still where nothing more comes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.devices.networked.track import LONGEST_S, LONGEST_STEP_S, Track

MOST = (3.14, 2.09)
CYCLE_S = 0.002

steps = st.lists(st.tuples(st.floats(0.0, 0.3), st.floats(-6, 6), st.floats(-6, 6)), min_size=1, max_size=40)


@given(steps, st.floats(0.001, 0.02))
def test_no_joint_is_faster_than_its_limit_nor_leaves_the_span_of_what_was_asked(
    asked: list[tuple[float, float, float]], cycle_s: float
) -> None:
    start = (0.5, -0.5)
    track, now, before = Track(start, MOST, 0.0), 0.0, list(start)
    low, high = list(start), list(start)
    for wait_s, *goal in asked:
        track.aim(goal, now)
        low, high = list(map(min, low, goal)), list(map(max, high, goal))
        end = now + wait_s
        while now < end:
            now += cycle_s
            here = track.at(now)
            for joint, most in enumerate(MOST):
                assert abs(here[joint] - before[joint]) <= most * cycle_s + 1e-9
                assert low[joint] - 1e-9 <= here[joint] <= high[joint] + 1e-9
            before = here


def test_it_ends_at_the_last_goal_and_stands() -> None:
    track = Track((0.0, 0.0), MOST, 0.0)
    track.aim((0.05, -0.02), 0.0)
    now = 0.0
    while not track.stands:
        now += CYCLE_S
        track.at(now)
        assert now < 2 * LONGEST_S
    assert track.at(now + 10) == pytest.approx((0.05, -0.02))


def test_it_is_one_interval_behind_an_even_motion() -> None:
    track, velocity, every_s = Track((0.0, 0.0), MOST, 0.0), 0.5, 0.01
    now, here, behind = 0.0, [0.0, 0.0], []
    for n in range(300):
        track.aim((velocity * n * every_s, 0.0), n * every_s)
        for _ in range(5):
            now += CYCLE_S
            here = track.at(now)
            behind.append(now - here[0] / velocity)
    assert 0 < max(behind[500:]) <= 2 * every_s


def test_a_cycle_that_was_late_gives_the_lost_time_up() -> None:
    track = Track((0.0, 0.0), MOST, 0.0)
    track.aim((2.0, 0.0), 0.0)
    assert track.at(0.5)[0] <= MOST[0] * LONGEST_STEP_S + 1e-12
