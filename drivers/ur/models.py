"""The arms by name: their geometry, their limits, their controller's rate.

Geometry: Universal Robots, "DH Parameters for calculations of kinematics and dynamics". Limits: the models' technical specifications; the
safety configuration of a robot may be tighter, and only its pendant shows it.
"""

import math
from typing import Literal, NamedTuple

from station.bus.messages.arms import Chain, Hinge

ModelName = Literal["ur3", "ur5", "ur10", "ur3e", "ur5e", "ur10e", "ur16e", "ur20", "ur30"]

GRIPPER = "gripper"
JOINTS = ("shoulder_pan", "shoulder_lift", "elbow", "wrist_1", "wrist_2", "wrist_3")
START_RAD = (0.0, -math.pi / 2, math.pi / 2, -math.pi / 2, -math.pi / 2, 0.0)
"""Where an episode usually begins, and GELLO's calibration pose: the gripper looks down."""
REACH_RAD = (2 * math.pi, 2 * math.pi, math.pi, 2 * math.pi, 2 * math.pi, 2 * math.pi)
"""Each joint turns so far both ways. The elbow could, too; beyond half a turn it would be inside the arm."""
ACCELERATION_RAD_S2 = 40.0
"""Of goals. UR states none for `servoj`: twice what its own moves may have is asked of nobody."""
_TURN = math.pi / 180


class Model(NamedTuple):
    """One arm."""

    d_m: tuple[float, float, float, float]
    """DH offsets d1, d4, d5, d6."""
    a_m: tuple[float, float]
    """DH lengths of upper arm and forearm, as positive numbers."""
    velocity_rad_s: tuple[float, ...]
    """(6,)"""
    e_series: bool = True

    @property
    def controller_hz(self) -> int:
        """How often its controller takes a new target."""
        return 500 if self.e_series else 125

    def chain(self, tip_m: float) -> Chain:
        """Its geometry, to a point `tip_m` before its flange."""
        (d1, d4, d5, d6), (upper, fore), right = self.d_m, self.a_m, math.pi / 2
        hinges = (
            Hinge(JOINTS[0], (0, 0, d1)),
            Hinge(JOINTS[1], (0, 0, 0), (right, 0, 0)),
            Hinge(JOINTS[2], (-upper, 0, 0)),
            Hinge(JOINTS[3], (-fore, 0, d4)),
            Hinge(JOINTS[4], (0, -d5, 0), (right, 0, 0)),
            Hinge(JOINTS[5], (0, d6, 0), (-right, 0, 0)),
        )
        return Chain(hinges, (0, 0, tip_m), (0, -right, 0))


def _speeds(*degrees_s: float) -> tuple[float, ...]:
    return tuple(value * _TURN for value in degrees_s)


_SMALL, _MIDDLE = _speeds(180, 180, 180, 360, 360, 360), _speeds(180, 180, 180, 180, 180, 180)
_LARGE, _HEAVY = _speeds(120, 120, 180, 180, 180, 180), _speeds(120, 120, 150, 210, 210, 210)
MODELS: dict[ModelName, Model] = {
    "ur3": Model((0.1519, 0.11235, 0.08535, 0.0819), (0.24365, 0.21325), _SMALL, e_series=False),
    "ur5": Model((0.089159, 0.10915, 0.09465, 0.0823), (0.425, 0.39225), _MIDDLE, e_series=False),
    "ur10": Model((0.1273, 0.163941, 0.1157, 0.0922), (0.612, 0.5723), _LARGE, e_series=False),
    "ur3e": Model((0.15185, 0.13105, 0.08535, 0.0921), (0.24355, 0.2132), _SMALL),
    "ur5e": Model((0.1625, 0.1333, 0.0997, 0.0996), (0.425, 0.3922), _MIDDLE),
    "ur10e": Model((0.1807, 0.17415, 0.11985, 0.11655), (0.6127, 0.57155), _LARGE),
    "ur16e": Model((0.1807, 0.17415, 0.11985, 0.11655), (0.4784, 0.36), _LARGE),
    "ur20": Model((0.2363, 0.2010, 0.1593, 0.1543), (0.8620, 0.7287), _HEAVY),
    "ur30": Model((0.2363, 0.2010, 0.1593, 0.1543), (0.6370, 0.5037), _HEAVY),
}


class GripperModel(NamedTuple):
    """A gripper of Robotiq's."""

    name: str
    tip_m: float
    """From the flange to between its fingertips, closed."""
    width_m: float


GripperKind = Literal["none", "robotiq_2f85", "robotiq_2f140", "robotiq_hande"]
GRIPPERS: dict[GripperKind, GripperModel] = {
    "robotiq_2f85": GripperModel("Robotiq 2F-85", 0.163, 0.085),
    "robotiq_2f140": GripperModel("Robotiq 2F-140", 0.244, 0.140),
    "robotiq_hande": GripperModel("Robotiq Hand-E", 0.157, 0.050),
}
