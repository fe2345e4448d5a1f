"""Rows to frames at a rate: causal, complete, and nothing made up."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.datasets.frames import any_between, frames_of, represented
from station.datasets.rows_kept import Stretch


def test_at_the_rows_own_rate_each_row_is_a_frame_with_its_own_action() -> None:
    frames = frames_of(Stretch(10, 20), 50.0, 50.0)
    assert frames.rows.tolist() == frames.action_rows.tolist() == list(range(10, 20))


def test_a_fifth_of_the_rate_takes_the_last_goal_before_the_next_frame() -> None:
    frames = frames_of(Stretch(10, 33), 50.0, 10.0)
    assert frames.rows.tolist() == [10, 15, 20, 25]  # rows 30 to 32 are no whole frame
    assert frames.action_rows.tolist() == [14, 19, 24, 29]
    assert frames_of(Stretch(10, 33), 50.0, 10.0, "first").action_rows.tolist() == [10, 15, 20, 25]


@given(
    st.integers(0, 1000),
    st.integers(1, 400),
    st.sampled_from([50.0, 30.0, 100.0, 33.0]),
    st.sampled_from([5.0, 10.0, 25.0, 30.0, 29.97, 50.0]),
)
def test_every_frame_is_the_newest_row_at_its_time_and_its_action_comes_before_the_next(
    first: int, length: int, tick_hz: float, rate_hz: float
) -> None:
    if rate_hz > tick_hz:
        with pytest.raises(ValueError, match="frames a second"):
            frames_of(Stretch(first, first + length), tick_hz, rate_hz)
        return
    frames = frames_of(Stretch(first, first + length), tick_hz, rate_hz)
    time = np.arange(len(frames.rows)) / rate_hz
    age = time - (frames.rows - first) / tick_hz
    assert (age > -1e-9).all() and (age < 1 / tick_hz + 1e-9).all()
    assert (frames.action_rows >= frames.rows).all()
    assert (frames.action_rows[:-1] < frames.rows[1:]).all()
    assert (frames.ends <= first + length).all()
    # one frame more would need rows that are not there
    assert (len(frames.rows) + 1) / rate_hz > length / tick_hz - 1 / tick_hz


def test_step_deltas_are_of_the_kept_goals_and_add_up_to_them() -> None:
    goals = np.cumsum(np.arange(12, dtype=np.float32).reshape(6, 2), axis=0)
    delta = represented(goals, ("rad", "1"), "step-delta")
    assert len(delta) == 5
    np.testing.assert_allclose(goals[0, 0] + np.cumsum(delta[:, 0]), goals[1:, 0])
    np.testing.assert_array_equal(delta[:, 1], goals[:-1, 1])  # a gripper stays absolute
    np.testing.assert_array_equal(represented(goals, ("rad", "1"), "absolute"), goals)


def test_a_flag_is_set_for_a_frame_if_it_is_for_any_of_its_rows() -> None:
    flags = np.zeros(20, bool)
    flags[7] = True
    assert any_between(flags, frames_of(Stretch(0, 20), 50.0, 10.0)).tolist() == [False, True, False, False]
