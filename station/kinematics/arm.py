"""Forward and inverse kinematics of one arm, from a MuJoCo model of it. Pure: no clock, no socket, no file.

Poses are of one *frame* (a site of the model, such as the point between the fingertips) in the model's world:
position p ∈ R³ (m) and unit quaternion (w, x, y, z). Inverse kinematics is mink's: in every iteration the quadratic
program

    min_Δq  ‖J(q) Δq − e‖²_W + (μ + λ‖e‖²_W) ‖Δq‖²     with   e = log(T(q)⁻¹ T*),   q_min ≤ q + Δq ≤ q_max

is solved by DAQP, so a solution never leaves the joint limits, and an unreachable target gives the nearest pose.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import mink
import mujoco
import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]

_ROTATION_M_PER_RAD = 0.3
"""How much a radian of rotation error weighs against a metre: about the lever of a hand."""
_DAMPING = 1e-6
"""μ: what is left of the damping near the target, where steps may be as long as they like."""
_FAR_DAMPING = 1e-2
"""λ (Levenberg–Marquardt, as mink has it): far away a step through a singular wrist would land in another branch, and there against a
joint limit. Without it 9 of 3001 targets within 0.4 rad a joint were missed, with it none, in fewer iterations (4.5, 5.1).
"""


class Pose(NamedTuple):
    """A frame in the model's world."""

    position_m: Vector
    """(3,)"""
    quaternion_wxyz: Vector
    """(4,), unit length."""


class Solution(NamedTuple):
    """What inverse kinematics found: always within the limits, exact or as near as it came."""

    joints_rad: Vector
    """(D,)"""
    position_error_m: float
    rotation_error_rad: float

    def reached(self, tolerance_m: float = 1e-3, tolerance_rad: float = 1e-2) -> bool:
        """Is it the target, within tolerance?"""
        return self.position_error_m <= tolerance_m and self.rotation_error_rad <= tolerance_rad


class Kinematics:
    """One arm. Not thread-safe: it keeps MuJoCo's working memory."""

    def __init__(self, model: Any, frame: str) -> None:
        """`model` (MjModel) has the arm's hinges and no other joint; `frame` names a site of it.

        Raises ValueError for any other model: a joint too many would be moved to reach the target.
        """
        if model.nq != model.nv or any(kind != mujoco.mjtJoint.mjJNT_HINGE for kind in model.jnt_type):
            raise ValueError("the model must have the arm's hinge joints and nothing else that moves")
        if mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_SITE, frame) < 0:
            raise ValueError(f"the model has no site {frame!r}")
        self._model, self._frame = model, frame
        self._configuration = mink.Configuration(model)
        self._task = mink.FrameTask(
            frame, "site", position_cost=1.0, orientation_cost=_ROTATION_M_PER_RAD, lm_damping=_FAR_DAMPING
        )
        self._limits = [mink.ConfigurationLimit(model, gain=1.0)]
        self.joints: tuple[str, ...] = tuple(model.joint(i).name for i in range(model.njnt))
        self.lower_rad: Vector = np.where(model.jnt_limited, model.jnt_range[:, 0], -np.inf)
        self.upper_rad: Vector = np.where(model.jnt_limited, model.jnt_range[:, 1], np.inf)

    def forward(self, joints_rad: Sequence[float] | Vector) -> Pose:
        """The frame's pose at these joints. (D,)"""
        self._configuration.update(np.asarray(joints_rad, dtype=np.float64))
        pose = self._configuration.get_transform_frame_to_world(self._frame, "site")
        return Pose(pose.translation(), pose.rotation().wxyz)

    def inverse(self, target: Pose, start_rad: Sequence[float] | Vector, iterations: int = 100) -> Solution:
        """Joints that bring the frame to `target`, searched from `start_rad` (which decides between branches). (D,)

        Stops at 0.01 mm and 0.01 mrad, or after `iterations`; the caller asks `reached()`.
        """
        start = np.clip(np.asarray(start_rad, dtype=np.float64), self.lower_rad, self.upper_rad)
        self._configuration.update(start)
        self._task.set_target(
            mink.SE3.from_rotation_and_translation(
                mink.SO3(np.asarray(target.quaternion_wxyz)), np.asarray(target.position_m)
            )
        )
        for _ in range(iterations):
            position, rotation = self._error()
            if position < 1e-5 and rotation < 1e-5:
                break
            step = mink.solve_ik(self._configuration, [self._task], 1.0, "daqp", damping=_DAMPING, limits=self._limits)
            joints = np.clip(self._configuration.q + step, self.lower_rad, self.upper_rad)
            self._configuration.update(joints)
        return Solution(self._configuration.q.copy(), *self._error())

    def _error(self) -> tuple[float, float]:
        error = self._task.compute_error(self._configuration)
        return float(np.linalg.norm(error[:3])), float(np.linalg.norm(error[3:]))
