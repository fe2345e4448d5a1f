"""The arm: its geometry, its limits, its hand.

Geometry: Franka Robotics, "Denavit-Hartenberg parameters" (FCI documentation). Limits of position, velocity and acceleration: "Limits for
Franka Research 3" there; how fast a joint may be near its ends: libfranka, `rate_limiting.h`. FER (Panda) has other ones, and another
robot server: docs/reference/untested-on-metal.md says what it would take.
"""

import math
from typing import Literal, NamedTuple

from station.bus.messages.arms import Chain, Hinge

ModelName = Literal["fr3"]
GRIPPER = "gripper"
JOINTS = tuple(f"joint_{number}" for number in range(1, 8))
SERVER_VERSION = 10
"""Of the robot's server, which the library from the package index speaks: system 5.9 and later."""
_RIGHT = math.pi / 2
START_RAD = (0.0, 0.0, 0.0, -_RIGHT, 0.0, _RIGHT, 0.0)
"""Where an episode usually begins, and GELLO's calibration pose: the hand looks down, turned by an eighth."""
ACCELERATION_RAD_S2 = 10.0
_MARGIN_RAD, _MARGIN_RAD_S = 0.1, 0.1
"""So far inside the robot's own limits: there the tracker begins to push back."""
_ENDS_RAD = (
    (-2.7437, 2.7437),
    (-1.7837, 1.7837),
    (-2.9007, 2.9007),
    (-3.0421, -0.1518),
    (-2.8065, 2.8065),
    (0.5445, 4.5169),
    (-3.0159, 3.0159),
)
_MOST_RAD_S = (2.62, 2.62, 2.62, 2.62, 5.26, 4.18, 5.26)
REACH_RAD = tuple((low + _MARGIN_RAD, high - _MARGIN_RAD) for low, high in _ENDS_RAD)
VELOCITY_RAD_S = tuple(most - _MARGIN_RAD_S for most in _MOST_RAD_S)
TORQUE_NM = (87.0, 87.0, 87.0, 87.0, 12.0, 12.0, 12.0)
"""The most a joint's motor has."""


class Approach(NamedTuple):
    """How fast a joint may go towards its end: sqrt(`brakes` · way left) − `offset`."""

    offset_rad_s: float
    brakes_rad_s2: float


APPROACH = (
    Approach(0.30, 12.0),
    Approach(0.20, 5.17),
    Approach(0.20, 7.0),
    Approach(0.30, 8.0),
    Approach(0.35, 34.0),
    Approach(0.35, 11.0),
    Approach(0.35, 34.0),
)
_PLACES = (
    ((0, 0, 0.333), (0, 0, 0)),
    ((0, 0, 0), (-_RIGHT, 0, 0)),
    ((0, -0.316, 0), (_RIGHT, 0, 0)),
    ((0.0825, 0, 0), (_RIGHT, 0, 0)),
    ((-0.0825, 0.384, 0), (-_RIGHT, 0, 0)),
    ((0, 0, 0), (_RIGHT, 0, 0)),
    ((0.088, 0, 0), (_RIGHT, 0, 0)),
)
_FLANGE_M = 0.107
"""From the last joint's origin."""


def chain(tip_m: float) -> Chain:
    """Its geometry, to a point `tip_m` before its flange. The hand sits turned by an eighth, as Franka mounts it."""
    hinges = tuple(Hinge(name, *place) for name, place in zip(JOINTS, _PLACES, strict=True))
    return Chain(hinges, (0, 0, _FLANGE_M + tip_m), (math.pi, -_RIGHT, -math.pi / 4))


class GripperModel(NamedTuple):
    """What is on the flange."""

    name: str
    tip_m: float
    """From the flange to between its fingertips."""
    width_m: float
    """Between its fingers, open; where it was never homed it does not know."""


GripperKind = Literal["none", "franka"]
GRIPPERS: dict[GripperKind, GripperModel] = {"franka": GripperModel("Franka Hand", 0.1034, 0.08)}
