"""Grippers: the travel a sweep shows, against the generation's constants and the linkage's formula. Pure.

Source of the constants: `constants.py` of tonyzhaozh/aloha, MarkFzp/mobile-aloha, Interbotix/aloha; of the linkage, with
horn h and arm L: position = h·sin θ + √(L² − h²·cos² θ): `xs_sdk_obj.cpp` of interbotix_ros_core.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from station.errors import MeasurementPoor
from station.files.calibration_files import GripperRange

Array = NDArray[np.float64]

LINKAGES_M = {"vx300s": (0.022, 0.036), "wx250s": (0.014, 0.024)}
"""Horn radius and arm length."""
EXPECTED: dict[tuple[str, str], GripperRange] = {
    ("leader", "aloha1"): GripperRange(0.3083, -0.6842, 0.02417, 0.01244),
    ("leader", "mobile"): GripperRange(-0.8, -1.65, 0.02417, 0.01244),
    ("leader", "aloha2"): GripperRange(0.8298, -0.0552, 0.0323, 0.0185),
    ("follower", "aloha1"): GripperRange(1.4910, -0.6213, 0.05800, 0.01844),
    ("follower", "mobile"): GripperRange(1.4910, -0.6213, 0.05800, 0.01844),
    ("follower", "aloha2"): GripperRange(1.6214, 0.6197, 0.0579, 0.0440),
}
_END_SHARE = 0.05
_LEAST_SHARE = 0.7
"""Of the expected travel. Below it was no whole sweep, or another generation's constants (aloha1's follower travels twice aloha2's)."""

_MOST_SHARE = 1.3
"""Of the expected travel: stops are a little beyond what drivers use."""


class Shortfall(NamedTuple):
    """How a measured travel differs from the expected one, in percent of the expected travel."""

    open_percent: float
    """Positive: opens less far than expected."""
    close_percent: float
    """Positive: closes less far than expected."""
    travel_percent: float
    """Positive: the whole travel is shorter than expected."""


def expected(settings: object, role: str) -> GripperRange | None:
    """The travel to compare with: the rig file's own, else the generation's; None where neither is known."""
    own = getattr(settings, "gripper", None)
    if own is not None:
        return GripperRange(*settings.travel(role))  # type: ignore[attr-defined]
    if getattr(settings, "model", "") not in LINKAGES_M:
        return None
    return EXPECTED.get((role, getattr(settings, "generation", None) or "aloha1"))


def position_m(angle_rad: float, model: str) -> float:
    """The finger's position by the linkage of `vx300s` or `wx250s`, m."""
    horn, arm = LINKAGES_M[model]
    return float(horn * np.sin(angle_rad) + np.sqrt(arm**2 - (horn * np.cos(angle_rad)) ** 2))


def sweep(angles_rad: Array, expected: GripperRange, what: str) -> tuple[float, float]:
    """(open, close) servo angles of a gripper moved between its stops: the medians of the outer 5 % on each side.

    Raises MeasurementPoor if it was moved over so little of the expected travel that a hand stopped before the fingers did, or
    over so much that it is another: drivers take what was measured for 0 and 1.
    """
    ordered = np.sort(np.asarray(angles_rad, np.float64))
    count = max(1, int(len(ordered) * _END_SHARE))
    low, high = (float(np.median(ordered[:count])), float(np.median(ordered[-count:]))) if len(ordered) else (0.0, 0.0)
    travel = abs(expected.open_rad - expected.close_rad)
    if high - low < _LEAST_SHARE * travel:
        raise MeasurementPoor(
            f"{what} moved over {np.degrees(high - low):.0f}° of {np.degrees(travel):.0f}° only, which is not kept. "
            "Next: open and close it to its stops all the while it is measured; if it cannot, look for what blocks the "
            "fingers, or correct `generation` (or `gripper`) in the rig file"
        )
    if high - low > _MOST_SHARE * travel:
        raise MeasurementPoor(
            f"{what} moved over {np.degrees(high - low):.0f}°, its travel should be {np.degrees(travel):.0f}°: it is another gripper or "
            "another generation's, or its horn slipped while it was moved, which is not kept. Next: correct `generation` (or `gripper`) in "
            "the rig file; look whether the horn is tight"
        )
    return (high, low) if expected.open_rad > expected.close_rad else (low, high)


def measured_range(open_rad: float, close_rad: float, settings: object, expected: GripperRange) -> GripperRange:
    """The travel with its finger positions: by the linkage, or in proportion where the arm has none."""
    model = str(getattr(settings, "model", ""))
    if model in LINKAGES_M:
        return GripperRange(open_rad, close_rad, position_m(open_rad, model), position_m(close_rad, model))
    m_per_rad = (expected.open_m - expected.close_m) / (expected.open_rad - expected.close_rad)
    at_m = [expected.close_m + m_per_rad * (angle - expected.close_rad) for angle in (open_rad, close_rad)]
    return GripperRange(open_rad, close_rad, *at_m)


def shortfall(open_rad: float, close_rad: float, expected: GripperRange) -> Shortfall:
    """Compare a measured travel with the expected one."""
    travel = expected.open_rad - expected.close_rad
    short_open = (expected.open_rad - open_rad) / travel
    short_close = (close_rad - expected.close_rad) / travel
    return Shortfall(100 * short_open, 100 * short_close, 100 * (short_open + short_close))


def linkage_error_mm(expected: GripperRange, model: str) -> float:
    """Largest disagreement of a table's finger positions with the linkage's formula: tells constants of another generation."""
    return 1000 * max(
        abs(position_m(expected.open_rad, model) - expected.open_m),
        abs(position_m(expected.close_rad, model) - expected.close_m),
    )
