"""GELLO leaders: offsets and signs from a known pose, without rounding blindly. Pure.

A GELLO's servos sit on their horns in quarter turns, so a true offset is a multiple of π/2 plus what the print and the
operator's hand add. Rounding alone would hide a pose held 40° off; here what is left after rounding is measured, told, and
above `doubtful` nothing is stored.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from calibration.arms.zeros import resting, wrap
from station.errors import MeasurementPoor

Array = NDArray[np.float64]

QUARTER = np.pi / 2
GOOD_RAD = np.radians(5.0)
"""Below this the hand that held the pose explains what is left."""
DOUBTFUL_RAD = np.radians(15.0)
"""Above this the quarter turn itself is in doubt."""
_EXACT_RAD = 1e-3
SWING_RAD = np.radians(15.0)
"""A joint must be turned at least this far for its sign to be read from it."""


class Offsets(NamedTuple):
    """The outcome. Shapes: (D,)."""

    offsets_rad: Array
    """Whole quarter turns, in (−π, π]."""
    residual_rad: Array
    """Measured offset minus the quarter turn: a finding, never dropped."""

    @property
    def doubtful(self) -> list[int]:
        """Joints (from 0) whose quarter turn is in doubt."""
        return [int(joint) for joint in np.flatnonzero(np.abs(self.residual_rad) > DOUBTFUL_RAD)]


def pose(start_rad: Array) -> Array:
    """Where the device is to be held, rad: in the pose `start_rad` where its follower's episodes start, if every joint of that stands on
    a quarter turn, which an eye can tell from a ruler's edge; else with every joint at 0. (D,)
    """
    quarters = np.round(start_rad / QUARTER) * QUARTER
    return quarters if bool(np.all(np.abs(start_rad - quarters) < _EXACT_RAD)) else np.zeros(len(start_rad))


def offsets(readings_rad: Array, pose_rad: Array, signs: Array, what: str = "the GELLO") -> Offsets:
    """Offsets from servo angles (N, D) while the device rests in the known pose (D,). Raises MeasurementPoor if it moved."""
    measured = wrap(resting(readings_rad, what) - signs * pose_rad)
    quarter = np.round(measured / QUARTER) * QUARTER
    return Offsets(wrap(quarter), measured - quarter)


def refuse_doubtful(found: Offsets, joints: tuple[str, ...]) -> None:
    """Raises MeasurementPoor naming every joint whose quarter turn is in doubt."""
    if found.doubtful:
        named = ", ".join(f"{joints[n]} {np.degrees(found.residual_rad[n]):+.1f}°" for n in found.doubtful)
        raise MeasurementPoor(
            f"these joints are too far from a quarter turn: {named}; within ±{np.degrees(DOUBTFUL_RAD):.0f}° is believed. "
            "Next: hold the device in the pose of the picture and measure again; if it stays, the horn sits off its quarter turn"
        )


def sign(angles_rad: Array, joint: str) -> int:
    """The sign of one joint from its servo's angles (N,) while the operator turned it in its positive direction.

    Raises MeasurementPoor if it was turned too little, or back and forth.
    """
    steps = wrap(np.diff(np.asarray(angles_rad, np.float64)))
    swing = float(steps.sum())
    if abs(swing) < SWING_RAD or abs(swing) < 0.7 * float(np.abs(steps).sum()):
        raise MeasurementPoor(
            f"{joint} was turned by {np.degrees(swing):.1f}° net of {np.degrees(np.abs(steps).sum()):.1f}°; one steady turn of "
            f"{np.degrees(SWING_RAD):.0f}° or more is needed. Next: turn it once, slowly, in the direction of the arrow"
        )
    return 1 if swing > 0 else -1
