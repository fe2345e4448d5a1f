"""From rows to a training set's frames: at a rate, with an action for each. Pure.

Frame k of a stretch stands for the time k / rate_hz after the stretch's first row. What was observed then is the newest row at or
before it: causal, at most a row old. Its action is that of the stretch of rows up to the next frame, [r, r′): by default the last row
of it, r′ − 1, for goals are absolute and a goal that the follower is to reach by the next frame is what was asked for last (the first
row's misses it by 1.2° at 5 Hz where the last row's misses it by 0.2°). A frame whose stretch of rows is not all there is left out.
"""

from fractions import Fraction
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from station.datasets.rows_kept import Stretch

ActionAt = Literal["last", "first"]
"""Which row of the rows up to the next frame gives the action."""
Representation = Literal["absolute", "step-delta", "relative"]
"""`relative`, of fingertips alone: the goal as it is seen from where they are at the frame."""


class Frames(NamedTuple):
    """Rows of the episode, by frame."""

    rows: NDArray[np.int64]
    """(N,) whose observation it is."""
    action_rows: NDArray[np.int64]
    """(N,) whose action it is."""
    ends: NDArray[np.int64]
    """(N,) where the rows that the frame stands for end."""


def frames_of(stretch: Stretch, tick_hz: float, rate_hz: float, at: ActionAt = "last") -> Frames:
    """The frames of a stretch: frame n stands for rows from ⌊n · tick_hz / rate_hz⌋ of it on.

    Raises ValueError if `rate_hz` is above the grid's: nothing is made up between two rows.
    """
    step = Fraction(tick_hz).limit_denominator(1000) / Fraction(rate_hz).limit_denominator(1000)
    if step < 1:
        raise ValueError(f"{rate_hz:g} frames a second out of {tick_hz:g} rows")
    length = stretch.end - stretch.first
    most = length * step.denominator // step.numerator + 2
    starts = np.arange(most, dtype=np.int64) * step.numerator // step.denominator
    starts = starts[starts <= length]
    if len(starts) < 2:
        return Frames(*(np.empty(0, np.int64) for _ in range(3)))
    rows, ends = starts[:-1] + stretch.first, starts[1:] + stretch.first
    return Frames(rows, ends - 1 if at == "last" else rows, ends)


def any_between(flags: NDArray[np.bool_], frames: Frames) -> NDArray[np.bool_]:
    """(N,) is the flag set in any row that the frame stands for?"""
    counts = np.concatenate([[0], np.cumsum(flags)])
    return np.asarray(counts[frames.ends] > counts[frames.rows])


def represented(action: NDArray[np.float32], units: tuple[str, ...], how: Representation) -> NDArray[np.float32]:
    """(N, D) absolute goals of all frames → (N′, D) actions as they are exported.

    step-delta: a[k + 1] − a[k] of joints, at the frames that are kept (never a sum of other deltas); grippers (unit 1) stay absolute,
    as of frame k. There is one frame fewer: the last goal has no next one.
    """
    if how == "absolute":
        return action
    delta = np.diff(action, axis=0)
    grippers = np.array([unit == "1" for unit in units])
    return np.asarray(np.where(grippers, action[:-1], delta), np.float32)
