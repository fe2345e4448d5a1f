"""MuJoCo models of the arms the station knows, built from their chains: hinges without meshes or masses. Pure."""

from typing import Any

import mujoco
import numpy as np

from station.errors import StationError
from station.kinematics.chains import CHAINS, FRAME


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
            "Next: add its chain to station/kinematics/chains.py"
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
