"""How late a camera's pictures are against the arms, and how late a follower is behind its leader. Pure.

Each joint j moves through a known path. Between two pictures stamped t₁ and t₂ it went S_j(t₂ − L) − S_j(t₁ − L), S_j the
length of its path so far. How much of the picture a joint moves is not known (a waist much, a wrist little), so the motion seen
is fitted by a weighted sum of the joints' ways for every L: the best correlation tells L. Using the whole interval of each
picture, and not its middle, is what makes the answer finer than a picture's period.
"""

from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from station.clock import NS_PER_MS
from station.errors import MeasurementPoor

Array = NDArray[np.float64]
Times = NDArray[np.int64]
Gray = NDArray[np.uint8]

Expected = Callable[[float, slice], Array]
"""What a lag (ms) makes one expect in a part of the recording: each joint's way between two pictures, (M, D)."""

STEP_MS = 1.0
LEAST_CORRELATION = 0.8
_PARTS = 4
_FEWEST_PICTURES = 24
_PICTURES_A_JOINT = 6
_LEAST_TRAVEL_RAD = 0.05


class Lag(NamedTuple):
    """One measured lag."""

    lag_ms: float
    """Positive: late."""
    uncertainty_ms: float
    """Half the range of what the quarters of the recording say by themselves, over √4."""
    correlation: float


def picture_motion(before: Gray, after: Gray) -> float:
    """How much moved between two pictures: mean length of the dense optical flow (DIS), px."""
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST).calc(
        before, after, np.zeros((*before.shape, 2), np.float32)
    )
    return float(np.mean(np.linalg.norm(flow, axis=2)))


def camera_lag(
    arm_at_ns: Times,
    joint_rad: Array,
    picture_at_ns: Times,
    motion: Array,
    range_ms: tuple[float, float] = (-100.0, 400.0),
) -> Lag:
    """A camera's latency: joint positions (N,) or (N, D) at N times, and motion[i] seen between pictures i and i + 1 (M − 1 of M).

    Raises MeasurementPoor if there are too few pictures, hardly any motion, or no clear best lag.
    """
    joints = np.asarray(joint_rad, np.float64).reshape(len(arm_at_ns), -1)
    swung = np.ptp(joints, axis=0) > _LEAST_TRAVEL_RAD if len(joints) else np.zeros(joints.shape[1], np.bool_)
    fewest = max(_FEWEST_PICTURES, _PICTURES_A_JOINT * int(swung.sum()))
    if len(picture_at_ns) < fewest or not swung.any():
        raise MeasurementPoor(
            f"{len(picture_at_ns)} pictures while {int(swung.sum())} joints moved by more than "
            f"{np.degrees(_LEAST_TRAVEL_RAD):.0f}°: {fewest} pictures and a joint are needed. "
            "Next: let the arm swing in front of the camera for ten seconds"
        )
    start_ns = int(arm_at_ns[0])
    arm_ms, picture_ms = (arm_at_ns - start_ns) / NS_PER_MS, (picture_at_ns - start_ns) / NS_PER_MS
    ways = np.concatenate(
        (np.zeros((1, int(swung.sum()))), np.cumsum(np.abs(np.diff(joints[:, swung], axis=0)), axis=0))
    )
    inside = (picture_ms[:-1] - range_ms[1] >= arm_ms[0]) & (picture_ms[1:] - range_ms[0] <= arm_ms[-1])
    first, last, seen = picture_ms[:-1][inside], picture_ms[1:][inside], np.asarray(motion, np.float64)[inside]

    def expected(lag_ms: float, part: slice) -> Array:
        before, after = first[part] - lag_ms, last[part] - lag_ms
        return np.stack([np.interp(after, arm_ms, way) - np.interp(before, arm_ms, way) for way in ways.T], axis=1)

    return _best(expected, seen, range_ms, "the pictures' motion does not follow the arm's")


def follower_lag(
    leader_at_ns: Times, leader: Array, follower_at_ns: Times, follower: Array, longest_ms: float = 500.0
) -> Lag | None:
    """How late one follower's joint is behind its leader's, from positions (N,), (M,); None if the leader hardly moved it."""
    if float(np.ptp(leader)) < _LEAST_TRAVEL_RAD:
        return None
    start_ns = int(leader_at_ns[0])
    leader_ms, follower_ms = (leader_at_ns - start_ns) / NS_PER_MS, (follower_at_ns - start_ns) / NS_PER_MS
    step = 20.0
    grid = np.arange(max(leader_ms[0] + longest_ms, follower_ms[0]), min(leader_ms[-1], follower_ms[-1]), step)
    if len(grid) < 40:
        return None
    seen = np.diff(np.interp(grid, follower_ms, follower))

    def expected(lag_ms: float, part: slice) -> Array:
        times = grid[:-1][part] - lag_ms
        return (np.interp(times + step, leader_ms, leader) - np.interp(times, leader_ms, leader))[:, None]

    try:
        return _best(expected, seen, (0.0, longest_ms), "the follower does not follow")
    except MeasurementPoor:
        return None


def _best(expected: Expected, seen: Array, range_ms: tuple[float, float], poor: str) -> Lag:
    everything = slice(0, len(seen))
    lag, correlation = _peak(expected, seen, everything, range_ms)
    if correlation < LEAST_CORRELATION:
        raise MeasurementPoor(
            f"{poor} (correlation {correlation:.2f}, {LEAST_CORRELATION} is needed). "
            "Next: nothing else should move in view; let the arm swing wider, at changing speed"
        )
    weights = _weights(expected(lag, everything), seen)

    def weighted(lag_ms: float, part: slice) -> Array:
        return (expected(lag_ms, part) @ weights)[:, None]

    size = len(seen) // _PARTS
    near = (max(range_ms[0], lag - 40), min(range_ms[1], lag + 40))
    parts = [_peak(weighted, seen, slice(i * size, (i + 1) * size), near)[0] for i in range(_PARTS)]
    return Lag(lag, float(np.ptp(parts)) / 2 / float(np.sqrt(_PARTS)), correlation)


def _peak(expected: Expected, seen: Array, part: slice, range_ms: tuple[float, float]) -> tuple[float, float]:
    """The lag with the best correlation on a grid of 1 ms, refined by a parabola through its neighbours."""
    lags = np.arange(range_ms[0], range_ms[1] + STEP_MS / 2, STEP_MS)
    scores = np.array([_correlation(expected(lag, part), seen[part]) for lag in lags])
    top = int(np.argmax(scores))
    if not 0 < top < len(lags) - 1:
        return float(lags[top]), float(scores[top])
    low, mid, high = scores[top - 1 : top + 2]
    bend = low - 2 * mid + high
    shift = 0.5 * (low - high) / bend if bend < 0 else 0.0
    return float(lags[top] + STEP_MS * shift), float(mid)


def _weights(ways: Array, seen: Array) -> Array:
    """How much of the motion seen (M,) each way (M, D) explains, less a constant. (D,) One way alone counts as it is."""
    if ways.shape[1] == 1:
        return np.ones(1)
    return np.asarray(np.linalg.lstsq(ways - ways.mean(axis=0), seen - seen.mean(), rcond=1e-6)[0], np.float64)


def _correlation(ways: Array, seen: Array) -> float:
    a, b = ways @ _weights(ways, seen), seen
    a, b = a - a.mean(), b - b.mean()
    scale = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / scale if scale > 1e-12 else 0.0
