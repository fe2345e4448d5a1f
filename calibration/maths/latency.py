"""How late a camera's pictures are against the arms, and how late a follower is behind its leader. Pure.

Between two pictures stamped t₁ and t₂ joint j turned by q_j(t₂ − L) − q_j(t₁ − L), L the lag looked for. How much each part of
the picture moves with each joint is not known, so for every L the motion seen in each part is fitted by a weighted sum of the
joints' turns (least squares), and the likeliest lag makes Σ n·log(what is left over) the least: a part that follows the
joints to a thousandth counts for more than one that sees an operator walk by. Using the whole interval between two pictures,
and not its middle, is what makes the answer finer than a picture's period.

Joints that swing in one rhythm, each in its own phase, hide the lag: sin(ω(t − L)) is a weighted sum of sin ωt and cos ωt
whatever L is, and what decides is then how little the picture is such a sum. Each part has a lag of its own in that, so how far
the parts disagree tells it: they did by 22 ms where the answer was off by 16, by 1 to 5 where it was off by less than 1.

A camera that an arm carries sees a wide swing as no sum of the joints' turns, but as one of its gripper's own turn and way
(`carried`): where the arm's geometry is known, that is what is fitted.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from calibration.maths.carried import path
from station.clock import NS_PER_MS
from station.errors import MeasurementPoor

Array = NDArray[np.float64]
Times = NDArray[np.int64]
Range = tuple[float, float]

Expected = Callable[[float, slice], Array]
"""What a lag (ms) makes one expect in a part of the recording: each joint's turn between two pictures, (M, D)."""

COARSE_MS, STEP_MS = 5.0, 1.0
LEAST_CORRELATION = 0.8
WORST_MS = 8.0
"""What the quarters of a recording may leave uncertain: half a picture's period at 60 a second."""
_QUARTERS = 4
_NEAR_MS = 20.0
_PARTS_NEAR_MS = 60.0
_INDEPENDENT_PARTS = 4
"""Neighbouring parts see the same things move: so many say something of their own."""
_FEWEST_PICTURES = 24
_PICTURES_A_JOINT = 6
LEAST_TRAVEL_RAD = 0.05
_LEAST_MOTION_PX = 0.05
"""RMS of a part of the picture below which it stands still: corners are followed about so well."""
_PERFECT = 1e-6
"""No part may follow better than this share of its motion left over, or it would be all that counts."""
_SWING = (
    "Next: nothing else should move in view; let the arm swing wider, each joint in a rhythm of its own, not in circles"
)


class Lag(NamedTuple):
    """One measured lag."""

    lag_ms: float
    """Positive: late."""
    uncertainty_ms: float
    """Of what the quarters of the recording say by themselves, and the parts of the picture, whichever disagree more."""
    correlation: float
    """Of the part of the picture that follows best."""


class _Seen(NamedTuple):
    """What moved. (M, P) each: M intervals, P parts."""

    value: Array
    there: Array
    """1 where it was seen, 0 where not; the value is then 0."""
    forwards: bool
    """It may not move against what it follows: half a swing late is not the other way round."""


class _Fit(NamedTuple):
    """What one lag leaves over. Per part (P,), weights (D, P)."""

    left_over: Array
    weights: Array


def camera_lag(
    arm_at_ns: Times,
    joint_rad: Array,
    picture_at_ns: Times,
    motion: Array,
    carried: tuple[Array, Array] | None = None,
    range_ms: Range = (-100.0, 400.0),
) -> Lag:
    """A camera's latency: joint positions (N,) or (N, D) at N times, and motion[i] seen between pictures i and i + 1.

    motion: (M − 1,) or (M − 1, P) of M pictures, signed, of P parts of the picture; NaN where nothing was seen.
    carried: rotations (N, 3, 3) and positions (N, 3), m, of the gripper that carries the camera, at the same N times.
    Raises MeasurementPoor if there are too few pictures, hardly any motion, or no clear best lag.
    """
    joints = np.asarray(joint_rad, np.float64).reshape(len(arm_at_ns), -1)
    swung = np.ptp(joints, axis=0) > LEAST_TRAVEL_RAD if len(joints) else np.zeros(joints.shape[1], np.bool_)
    fewest = max(_FEWEST_PICTURES, _PICTURES_A_JOINT * int(swung.sum()))
    if len(picture_at_ns) < fewest or not swung.any():
        raise MeasurementPoor(
            f"{len(picture_at_ns)} pictures while {int(swung.sum())} joints moved by more than "
            f"{np.degrees(LEAST_TRAVEL_RAD):.0f}°: {fewest} pictures and a joint are needed. "
            "Next: let the arm swing in front of the camera for ten seconds"
        )
    start_ns = int(arm_at_ns[0])
    arm_ms, picture_ms = (arm_at_ns - start_ns) / NS_PER_MS, (picture_at_ns - start_ns) / NS_PER_MS
    paths = joints[:, swung].T
    inside = (picture_ms[:-1] - range_ms[1] >= arm_ms[0]) & (picture_ms[1:] - range_ms[0] <= arm_ms[-1])
    first, last = picture_ms[:-1][inside], picture_ms[1:][inside]
    seen = _moving(np.asarray(motion, np.float64).reshape(len(inside), -1)[inside], fewest)

    gripper = path(arm_ms, *carried) if carried is not None else None

    def expected(lag_ms: float, part: slice) -> Array:
        before, after = first[part] - lag_ms, last[part] - lag_ms
        if gripper is not None:
            return gripper.moved(before, after)
        return np.stack([np.interp(after, arm_ms, turns) - np.interp(before, arm_ms, turns) for turns in paths], axis=1)

    return _best(expected, seen, range_ms, "the pictures' motion does not follow the arm's")


def without_ticks(arm_at_ns: Times, joint_rad: Array, half_ms: float = 70.0) -> Array:
    """A swinging arm's joints (N, D) between its encoders' ticks: a parabola through `half_ms` before and after, as late as they were.

    A tick of 1.5 mrad is a hundredth of what a joint turns between two pictures, and was worth 5 to 9 ms of a lag. A mean would
    flatten a quick swing, each joint's otherwise. Near the ends of the record the stretch is shorter, never lopsided.
    """
    at_ms = (arm_at_ns - arm_at_ns[0]) / NS_PER_MS
    half = np.minimum(half_ms, np.minimum(at_ms, at_ms[-1] - at_ms))
    steps = np.linspace(-1.0, 1.0, 21)
    weights = np.linalg.pinv(np.vander(steps, 3))[-1]
    around = at_ms + steps[:, None] * half
    return np.stack([weights @ np.interp(around, at_ms, joint) for joint in joint_rad.T], axis=1)


def follower_lag(
    leader_at_ns: Times, leader: Array, follower_at_ns: Times, follower: Array, longest_ms: float = 500.0
) -> Lag | None:
    """How late one follower's joint is behind its leader's, ms, from positions (N,) at N times and (M,) at M, rad.

    The lag at which the follower's turns over 20 ms are best explained by the leader's, as in `camera_lag` with one part. None if the
    leader hardly moved it, the records share less than 0.8 s, or no lag between 0 and `longest_ms` stands out.
    """
    if float(np.ptp(leader)) < LEAST_TRAVEL_RAD:
        return None
    start_ns = int(leader_at_ns[0])
    leader_ms, follower_ms = (leader_at_ns - start_ns) / NS_PER_MS, (follower_at_ns - start_ns) / NS_PER_MS
    step = 20.0
    grid = np.arange(max(leader_ms[0] + longest_ms, follower_ms[0]), min(leader_ms[-1], follower_ms[-1]), step)
    if len(grid) < 40:
        return None
    turned = np.diff(np.interp(grid, follower_ms, follower))[:, None]

    def expected(lag_ms: float, part: slice) -> Array:
        times = grid[:-1][part] - lag_ms
        return (np.interp(times + step, leader_ms, leader) - np.interp(times, leader_ms, leader))[:, None]

    try:
        return _best(
            expected, _Seen(turned, np.ones_like(turned), True), (0.0, longest_ms), "the follower does not follow"
        )
    except MeasurementPoor:
        return None


def _moving(motion: Array, fewest: int) -> _Seen:
    """The parts of the picture that were seen often enough, and moved."""
    there = np.isfinite(motion)
    often = there.sum(axis=0) >= fewest
    value, there = np.where(there, motion, 0.0)[:, often], there[:, often].astype(np.float64)
    moves = (value**2).sum(axis=0) > there.sum(axis=0) * _LEAST_MOTION_PX**2
    return _Seen(value[:, moves], there[:, moves], False)


def _best(expected: Expected, seen: _Seen, range_ms: Range, poor: str) -> Lag:
    everything = slice(0, len(seen.value))
    counts, moved = seen.there.sum(axis=0), (seen.value**2).sum(axis=0)

    def likelihood(lag_ms: float) -> float:
        left = _fit(expected(lag_ms, everything), seen).left_over
        return -float(counts @ np.log(left / moved + _PERFECT))

    if not moved.size or not moved.all():
        raise MeasurementPoor(f"{poor}: nothing moves in view. {_SWING}")
    lag = _peak(likelihood, range_ms, COARSE_MS)
    lag = _peak(likelihood, (lag - 2 * COARSE_MS, lag + 2 * COARSE_MS), STEP_MS)
    if not range_ms[0] + COARSE_MS < lag < range_ms[1] - COARSE_MS and range_ms[0] < 0:
        raise MeasurementPoor(f"{poor} within {range_ms[0]:.0f} to {range_ms[1]:.0f} ms. {_SWING}")
    fit = _fit(expected(lag, everything), seen)
    correlation = float(np.sqrt(max(0.0, 1 - np.min(fit.left_over / moved))))
    if correlation < LEAST_CORRELATION:
        raise MeasurementPoor(f"{poor} (correlation {correlation:.2f}, {LEAST_CORRELATION} is needed). {_SWING}")
    noise = (fit.left_over + _PERFECT * moved) / counts
    uncertain_ms = max(_quarters_ms(expected, seen, fit.weights, noise, lag), _parts_ms(expected, seen, lag))
    if uncertain_ms > WORST_MS:
        raise MeasurementPoor(
            f"{poor} clearly: {lag:.0f} ± {uncertain_ms:.0f} ms, at most ± {WORST_MS:g} ms is believed. {_SWING}"
        )
    return Lag(lag, uncertain_ms, correlation)


def _parts_ms(expected: Expected, seen: _Seen, lag: float) -> float:
    """How far the parts of the picture disagree: the deviation of their own lags, over √(independent parts), ms.

    A part counts as much as its own lag is clear: by how fast what is left over grows around it.
    """
    lags = np.arange(lag - _PARTS_NEAR_MS, lag + _PARTS_NEAR_MS + COARSE_MS / 2, COARSE_MS)
    left = np.array([_fit(expected(float(each), slice(0, len(seen.value))), seen).left_over for each in lags])
    least = np.argmin(left, axis=0)
    within, parts = np.clip(least, 1, len(lags) - 2), np.arange(left.shape[1])
    before, there, after = left[within - 1, parts], left[within, parts], left[within + 1, parts]
    bend = before - 2 * there + after
    clear = (least == within) & (bend > 0) & (there > 0)
    if not clear.any():
        return 0.0
    own = lags[within[clear]] + COARSE_MS * (before - after)[clear] / (2 * bend[clear])
    weight = seen.there.sum(axis=0)[clear] * bend[clear] / there[clear]
    mean = np.average(own, weights=weight)
    return float(np.sqrt(np.average((own - mean) ** 2, weights=weight) / _INDEPENDENT_PARTS))


def _quarters_ms(expected: Expected, seen: _Seen, weights: Array, noise: Array, lag: float) -> float:
    """How far the quarters of a recording disagree: half the range of their lags, over √4, ms."""
    size = len(seen.value) // _QUARTERS
    found = []
    for quarter in (slice(number * size, (number + 1) * size) for number in range(_QUARTERS)):

        def closeness(lag_ms: float, quarter: slice = quarter) -> float:
            off = (seen.value[quarter] - expected(lag_ms, quarter) @ weights) * seen.there[quarter]
            return -float(((off**2).sum(axis=0) / noise).sum())

        found.append(_peak(closeness, (lag - _NEAR_MS, lag + _NEAR_MS), STEP_MS))
    return float(np.ptp(found)) / 2 / float(np.sqrt(_QUARTERS))


def _peak(score: Callable[[float], float], range_ms: Range, step_ms: float) -> float:
    """The lag with the best score on a grid, refined by a parabola through its neighbours."""
    lags = np.arange(range_ms[0], range_ms[1] + step_ms / 2, step_ms)
    scores = np.array([score(float(lag)) for lag in lags])
    top = int(np.argmax(scores))
    if not 0 < top < len(lags) - 1:
        return float(lags[top])
    low, mid, high = scores[top - 1 : top + 2]
    bend = low - 2 * mid + high
    shift = 0.5 * (low - high) / bend if bend < 0 else 0.0
    return float(lags[top] + step_ms * shift)


def _fit(ways: Array, seen: _Seen) -> _Fit:
    """How each part's motion (M, P) is made of the joints' turns (M, D), where it was seen."""
    squares = np.einsum("mi,mj,mp->pij", ways, ways, seen.there, optimize=True)
    # a joint that moved only while a part was not seen has no weight there
    squares += (1e-9 * np.trace(squares, axis1=1, axis2=2)[:, None, None] + 1e-30) * np.eye(ways.shape[1])
    weights = np.linalg.solve(squares, (ways.T @ seen.value).T[:, :, None])[:, :, 0].T
    if seen.forwards:
        weights = np.maximum(weights, 0.0)
    left_over = (((seen.value - ways @ weights) * seen.there) ** 2).sum(axis=0)
    return _Fit(left_over, weights)
