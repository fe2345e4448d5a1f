"""In which direction a hand is to move a joint, in words for whoever stands behind the arm. Pure.

A joint that turns its link about the link's own length is told as a turn, any other by where the fingertips go.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from station.bus.messages import Chain, Dimension
from station.kinematics.chains import fingertips

Array = NDArray[np.float64]

ROOM_RAD = float(np.radians(20.0))
"""How far a joint should have room to be moved: beyond what counts, and no more than a hand does at once."""
_STEP_RAD = 1e-4
_LEVER_M = 0.06
"""Fingertips nearer to the axis than that hardly move."""
_ALONG = 0.95
"""Cosine from which on an axis lies along its link, or upright."""
_WAYS = (("forward", "back"), ("to its left", "to its right"), ("up", "down"))
"""Along x, y and z of the arm's base, as they point and against it."""


class Asked(NamedTuple):
    """What a hand is asked to do with one joint."""

    words: str
    """After "move its waist" or "move its gripper"."""
    sign: int
    """Of what its reading must then change by."""


def gripper(aperture: float) -> Asked:
    """The way in which it has room: opened, unless it is open."""
    return Asked("open", 1) if aperture < 0.5 else Asked("closed", -1)


def with_room(dimension: Dimension, at_rad: float) -> int:
    """The direction, 1 or −1, in which a joint has room; its positive one if both have."""
    return -1 if at_rad + ROOM_RAD > dimension.upper and at_rad - ROOM_RAD >= dimension.lower else 1


def joint(place: int, sign: int, joints_rad: Array, chain: Chain | None) -> Asked:
    """Joint `place` in the direction `sign`, of an arm that stands at joints_rad (J,); where no chain fits, by the sign alone."""
    by_sign = Asked("in its positive direction" if sign > 0 else "in its negative direction", sign)
    if chain is None or len(chain.hinges) != len(joints_rad):
        return by_sign
    axis = np.array(chain.hinges[place].axis)
    upright = _cosine(axis, np.array([0.0, 0.0, 1.0]))
    along = _cosine(axis, np.array(chain.hinges[place + 1].xyz_m if place + 1 < len(joints_rad) else chain.tip_xyz_m))
    if abs(along) > _ALONG and not (place == 0 and abs(upright) > _ALONG):
        turn = "clockwise" if sign * along > 0 else "anticlockwise"
        return Asked(f"{turn}, seen along the arm towards its fingers", sign)
    way = sign * _rate(chain, joints_rad, place)
    if float(np.linalg.norm(way)) < _LEVER_M:
        return by_sign
    most = int(np.argmax(np.abs(way)))
    return Asked(f"so that its fingers go {_WAYS[most][0 if way[most] > 0 else 1]}", sign)


def _cosine(one: Array, other: Array) -> float:
    length = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / length if length else 0.0


def _rate(chain: Chain, joints_rad: Array, place: int) -> Array:
    """How the fingertips go, in the frame of the arm's base, m/rad. (3,)"""
    poses = np.stack([joints_rad, joints_rad])
    poses[1, place] += _STEP_RAD
    here, there = fingertips(chain, poses)
    return np.asarray((there - here) / _STEP_RAD)
