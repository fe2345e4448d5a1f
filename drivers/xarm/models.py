"""The arms by name: their geometry, their limits, how their controllers name them.

Geometry: UFACTORY's URDF (xarm_description, default kinematics). Limits: the joint limits in its Python SDK
(`x_config.Robot.JOINT_LIMITS`) and the models' data sheets. Older makes of the xArm 6 and 7 count a joint the other way round; the
controller says which make it has.
"""

import math
from typing import Literal, NamedTuple

from station.bus.messages.arms import Chain, Hinge

ModelName = Literal["xarm5", "xarm6", "xarm7", "uf850", "lite6"]
GRIPPER = "gripper"
_WHOLE, _RIGHT = 2 * math.pi, math.pi / 2
VELOCITY_RAD_S = math.pi
"""Of every joint of every model."""
ACCELERATION_RAD_S2 = 20.0
"""The most the controller takes for a planned motion."""
REPORT_HZ, OLD_REPORT_HZ = 200.0, 100.0
"""How often a controller tells of itself; with a firmware before 2.1."""

Place = tuple[tuple[float, float, float], tuple[float, float, float]]
"""xyz (m) and roll, pitch, yaw of a joint on the link before it."""
_UP, _LEFT, _TURN_RIGHT = (0.0, 0.0, 0.0), (-_RIGHT, 0.0, 0.0), (_RIGHT, 0.0, 0.0)


class Model(NamedTuple):
    """One arm."""

    places: tuple[Place, ...]
    reach_rad: tuple[tuple[float, float], ...]
    start_rad: tuple[float, ...]
    """Where an episode usually begins: the gripper looks down, in front of the base."""
    kind: int
    """`robot_type` of the make whose joints turn as `places` says."""

    @property
    def joints(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(f"joint_{number}" for number in range(1, len(self.places) + 1))

    def chain(self, tip_m: float) -> Chain:
        """Its geometry, to a point `tip_m` before its flange."""
        hinges = tuple(Hinge(name, *place) for name, place in zip(self.joints, self.places, strict=True))
        return Chain(hinges, (0, 0, tip_m), (math.pi, -_RIGHT, 0))


_SHOULDER, _ELBOW, _WRIST = (-2.059488, 2.094395), (-3.92699, 0.191986), (-1.692969, math.pi)
_ANY = (-_WHOLE, _WHOLE)
MODELS: dict[ModelName, Model] = {
    "xarm5": Model(
        (((0, 0, 0.267), _UP), ((0, 0, 0), _LEFT), ((0.0535, -0.2845, 0), _UP), ((0.0775, 0.3425, 0), _UP), ((0.076, 0.097, 0), _LEFT)),
        (_ANY, _SHOULDER, _ELBOW, _WRIST, _ANY), (0, 0, -1.1, 1.1, 0), 5,
    ),
    "xarm6": Model(
        (((0, 0, 0.267), _UP), ((0, 0, 0), _LEFT), ((0.0535, -0.2845, 0), _UP), ((0.0775, 0.3425, 0), _LEFT), ((0, 0, 0), _TURN_RIGHT),
         ((0.076, 0.097, 0), _LEFT)),
        (_ANY, _SHOULDER, _ELBOW, _ANY, _WRIST, _ANY), (0, 0, -1.1, 0, 1.1, 0), 6,
    ),
    "xarm7": Model(
        (((0, 0, 0.267), _UP), ((0, 0, 0), _LEFT), ((0, -0.293, 0), _TURN_RIGHT), ((0.0525, 0, 0), _TURN_RIGHT),
         ((0.0775, -0.3425, 0), _TURN_RIGHT), ((0, 0, 0), _TURN_RIGHT), ((0.076, 0.097, 0), _LEFT)),
        (_ANY, _SHOULDER, _ANY, (-0.191986, 3.92699), _ANY, _WRIST, _ANY), (0, 0, 0, 1.1, 0, 1.1, 0), 7,
    ),
    "uf850": Model(
        (((0, 0, 0.364), _UP), ((0, 0, 0), (_RIGHT, -_RIGHT, 0)), ((0.39, 0, 0), (-math.pi, 0, -_RIGHT)), ((0.15, 0.426, 0), _LEFT),
         ((0, 0, 0), _LEFT), ((0, -0.09, 0), _TURN_RIGHT)),
        (_ANY, (-2.303834, 2.303834), (-4.223696, 0.061086), _ANY, (-2.164208, 2.164208), _ANY), (0, 0.2, -1.0, 0, -1.2, 0), 12,
    ),
    "lite6": Model(
        (((0, 0, 0.2435), _UP), ((0, 0, 0), (_RIGHT, -_RIGHT, math.pi)), ((0.2002, 0, 0), (-math.pi, 0, _RIGHT)),
         ((0.087, -0.22761, 0), _TURN_RIGHT), ((0, 0, 0), _TURN_RIGHT), ((0, 0.0625, 0), _LEFT)),
        (_ANY, (-2.617993, 2.617993), (-0.061086, 5.235987), _ANY, (-2.164208, 2.164208), _ANY), (0, 0.2, 1.0, 0, 0.8, 0), 9,
    ),
}  # fmt: skip


class GripperModel(NamedTuple):
    """A gripper of UFACTORY's, or of Robotiq's on its flange."""

    name: str
    tip_m: float
    """From the flange to between its fingertips."""


GripperKind = Literal["none", "xarm", "lite6", "robotiq_2f85", "robotiq_2f140"]
GRIPPERS: dict[GripperKind, GripperModel] = {
    "xarm": GripperModel("xArm Gripper", 0.172),
    "lite6": GripperModel("Lite 6 Gripper, open or closed", 0.06),
    "robotiq_2f85": GripperModel("Robotiq 2F-85", 0.163),
    "robotiq_2f140": GripperModel("Robotiq 2F-140", 0.244),
}
