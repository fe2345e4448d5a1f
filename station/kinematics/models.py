"""Kinematic models of the arms the station knows, as chains of hinges without meshes or masses. Pure.

A chain is some ten numbers, so it is built here and needs no file; the tests compare it with the full simulation model.
"""

from typing import Any, NamedTuple

import mujoco
import numpy as np

from station.errors import StationError

FRAME = "pinch"
"""The site between the fingertips: x out of the gripper, z up when the arm lies level."""


class Hinge(NamedTuple):
    """One joint: where it stands on the link before it, and the axis it turns about."""

    name: str
    offset_m: tuple[float, float, float]
    axis: tuple[int, int, int]


class Chain(NamedTuple):
    """An arm."""

    hinges: tuple[Hinge, ...]
    pinch_m: float
    """From the last hinge to the fingertips, along its x."""


VX300S = Chain(
    (
        Hinge("waist", (0, 0, 0.079), (0, 0, 1)),
        Hinge("shoulder", (0, 0, 0.04805), (0, 1, 0)),
        Hinge("elbow", (0.05955, 0, 0.3), (0, 1, 0)),
        Hinge("forearm_roll", (0.2, 0, 0), (1, 0, 0)),
        Hinge("wrist_angle", (0.1, 0, 0), (0, 1, 0)),
        Hinge("wrist_rotate", (0.069744, 0, 0), (1, 0, 0)),
    ),
    0.138,
)
"""ViperX 300 6DOF: Interbotix's `vx300s.urdf.xacro`; `pinch_m` is where ALOHA's fingers meet."""

CHAINS = {"vx300s": VX300S}


def chain_model(
    model: str,
    lower_rad: tuple[float, ...],
    upper_rad: tuple[float, ...],
    base_xyz_m: tuple[float, float, float] = (0, 0, 0),
    base_rpy_rad: tuple[float, float, float] = (0, 0, 0),
) -> Any:
    """The arm (MjModel) on its base in the rig frame, with these joint limits, (D,) each, and a site `FRAME`.

    Raises StationError for an arm whose chain is not known, or has another number of joints.
    """
    chain = CHAINS.get(model)
    if chain is None:
        raise StationError(
            f"no kinematic model of {model!r}; known are {', '.join(CHAINS)}. "
            "Next: add its chain to station/kinematics/models.py"
        )
    if len(lower_rad) != len(chain.hinges) or len(upper_rad) != len(chain.hinges):
        raise StationError(
            f"a {model} has {len(chain.hinges)} joints, its driver describes {len(lower_rad)}. Next: correct model: in the rig file"
        )
    spec = mujoco.MjSpec()
    spec.compiler.degree = False
    body = spec.worldbody.add_body(name="base", pos=base_xyz_m, quat=rpy_to_wxyz(base_rpy_rad))
    for hinge, lower, upper in zip(chain.hinges, lower_rad, upper_rad, strict=True):
        body = body.add_body(name=hinge.name, pos=hinge.offset_m)
        body.add_joint(
            name=hinge.name, type=mujoco.mjtJoint.mjJNT_HINGE, axis=hinge.axis, limited=1, range=(lower, upper)
        )
        body.mass, body.inertia, body.explicitinertial = 1.0, (1, 1, 1), 1  # MuJoCo wants some; kinematics uses none
    body.add_site(name=FRAME, pos=(chain.pinch_m, 0, 0))
    return spec.compile()


def rpy_to_wxyz(rpy_rad: tuple[float, float, float]) -> tuple[float, float, float, float]:
    """Roll, pitch, yaw about fixed x, y, z (as URDF has it) as a unit quaternion."""
    half = [angle / 2 for angle in rpy_rad]
    cr, cp, cy = (float(np.cos(angle)) for angle in half)
    sr, sp, sy = (float(np.sin(angle)) for angle in half)
    return (
        cr * cp * cy + sr * sp * sy,
        sr * cp * cy - cr * sp * sy,
        cr * sp * cy + sr * cp * sy,
        cr * cp * sy - sr * sp * cy,
    )
