"""Grippers: the travel a sweep shows, against the travel that the arm's driver describes. Pure."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from station.bus.messages import GripperFacts
from station.errors import MeasurementPoor
from station.files.calibration_files import GripperRange
from station.kinematics.linkage import finger_m

Array = NDArray[np.float64]

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
            "fingers, or correct what the rig file says of the gripper"
        )
    if high - low > _MOST_SHARE * travel:
        raise MeasurementPoor(
            f"{what} moved over {np.degrees(high - low):.0f}°, its travel should be {np.degrees(travel):.0f}°: it is another gripper or "
            "another generation's, or its horn slipped while it was moved, which is not kept. Next: correct what the rig file says of the "
            "gripper; look whether the horn is tight"
        )
    return (high, low) if expected.open_rad > expected.close_rad else (low, high)


def measured_range(open_rad: float, close_rad: float, facts: GripperFacts, expected: GripperRange) -> GripperRange:
    """The travel with its finger positions: by the linkage, or in proportion to the expected travel where the gripper has none."""
    if facts.linkage is not None:
        at_m = [finger_m(angle, *facts.linkage) for angle in (open_rad, close_rad)]
        return GripperRange(open_rad, close_rad, *at_m)
    m_per_rad = (expected.open_m - expected.close_m) / (expected.open_rad - expected.close_rad)
    at_m = [expected.close_m + m_per_rad * (angle - expected.close_rad) for angle in (open_rad, close_rad)]
    return GripperRange(open_rad, close_rad, *at_m)


def shortfall(open_rad: float, close_rad: float, expected: GripperRange) -> Shortfall:
    """Compare a measured travel with the expected one."""
    travel = expected.open_rad - expected.close_rad
    short_open = (expected.open_rad - open_rad) / travel
    short_close = (close_rad - expected.close_rad) / travel
    return Shortfall(100 * short_open, 100 * short_close, 100 * (short_open + short_close))
