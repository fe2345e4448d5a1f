"""Kinematic models of arms out of the chains that their drivers describe: hinges without meshes or masses. Pure."""

from typing import Any

import mujoco
import numpy as np

from station.bus.messages import Chain
from station.errors import StationError
from station.kinematics.chains import FRAME
from station.rig.geometry import ArmGeometry

_TURN_RAD = 2 * np.pi


def chain_model(
    chain: Chain,
    lower_rad: tuple[float, ...],
    upper_rad: tuple[float, ...],
    base_xyz_m: tuple[float, float, float] = (0, 0, 0),
    base_rpy_rad: tuple[float, float, float] = (0, 0, 0),
) -> Any:
    """The arm (MjModel) on its base in the rig frame, with these joint limits, (D,) each, and a site `FRAME`.

    Raises StationError for limits of another number of joints.
    """
    if len(lower_rad) != len(chain.hinges) or len(upper_rad) != len(chain.hinges):
        raise StationError(
            f"the chain has {len(chain.hinges)} hinges, and the arm's driver describes {len(lower_rad)} joints. "
            "Next: correct the driver's description"
        )
    spec = mujoco.MjSpec()
    spec.compiler.degree = False
    body = spec.worldbody.add_body(name="base", pos=base_xyz_m, quat=rpy_to_wxyz(base_rpy_rad))
    for hinge, lower, upper in zip(chain.hinges, lower_rad, upper_rad, strict=True):
        body = body.add_body(name=hinge.name, pos=hinge.xyz_m, quat=rpy_to_wxyz(hinge.rpy_rad))
        body.add_joint(
            name=hinge.name, type=mujoco.mjtJoint.mjJNT_HINGE, axis=hinge.axis, limited=1, range=(lower, upper)
        )
        body.mass, body.inertia, body.explicitinertial = 1.0, (1, 1, 1), 1  # MuJoCo wants some; kinematics uses none
    body.add_site(name=FRAME, pos=chain.tip_xyz_m, quat=rpy_to_wxyz(chain.tip_rpy_rad))
    return spec.compile()


def recorded_model(arm: ArmGeometry) -> Any:
    """The arm (MjModel) of an episode's attribute `kinematics`, in the rig frame.

    Its limits are whole turns: only for forward kinematics.
    """
    turns = (_TURN_RAD,) * len(arm.chain.hinges)
    lower = tuple(-turn for turn in turns)
    return chain_model(arm.chain, lower, turns, arm.base.xyz_m, arm.base.rpy_rad)


def rpy_to_wxyz(rpy_rad: tuple[float, float, float]) -> tuple[float, float, float, float]:
    """Roll, pitch, yaw (rad) about fixed x, y, z, as URDF has it, as a unit quaternion w, x, y, z: that of Rz(yaw)·Ry(pitch)·Rx(roll)."""
    half = [angle / 2 for angle in rpy_rad]
    cr, cp, cy = (float(np.cos(angle)) for angle in half)
    sr, sp, sy = (float(np.sin(angle)) for angle in half)
    return (
        cr * cp * cy + sr * sp * sy,
        sr * cp * cy - cr * sp * sy,
        cr * sp * cy + sr * cp * sy,
        cr * cp * sy - sr * sp * cy,
    )
