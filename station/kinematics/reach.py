"""Following a moving target with one arm: never beyond its limits, never faster than allowed, calm near singularities.

Pure: the time since the last step is an argument. In every step the quadratic program

    min_Δq  ‖J(q) Δq − log(T(q)⁻¹ T*)‖²_W + λ²‖Δq‖²
    with    max(q_min, q_last − v·dt) ≤ q + Δq ≤ min(q_max, q_last + v·dt)

is solved up to `ITERATIONS` times within the same window around the step's start, so that the result is exact where it
can be and still no joint steps further than v·dt. λ² has two parts. One grows as the smallest singular value σ of the
weighted Jacobian falls below ε: λ₀² (1 − (σ/ε)²) (Nakamura and Hanafusa, "Inverse kinematic solutions with singularity
robustness", 1986). The other is Levenberg's and Marquardt's: an iterate that comes no nearer is not taken and the next
one damped more, so that an arm whose target is out of reach comes to rest at the nearest pose instead of thrashing.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import mink
import numpy as np
from numpy.typing import NDArray

from station.kinematics.arm import Kinematics, Pose

Vector = NDArray[np.float64]

ITERATIONS = 5
_CLOSE_M, _CLOSE_RAD = 2e-4, 2e-3
"""A step ends early when it is this near."""
_ROTATION_M_PER_RAD = 0.3
_SINGULAR = 0.02
"""ε: below this smallest singular value the damping sets in. The ViperX has 0.05 to 0.1 in the middle of its workspace
and 0.012 in ALOHA's start pose."""
_DAMPING_MOST = 3e-3
_TRUST_LEAST, _TRUST_FLOOR, _TRUST_MOST = 1e-6, 1e-4, 10.0
_WEIGHTS = np.array([1, 1, 1, _ROTATION_M_PER_RAD, _ROTATION_M_PER_RAD, _ROTATION_M_PER_RAD])


class Reached(NamedTuple):
    """Where one step came to."""

    joints_rad: Vector
    """(D,)"""
    pose: Pose
    """Of the frame at these joints: what is really asked for, whatever was wished."""
    position_error_m: float
    rotation_error_rad: float
    """To the target after the workspace's bounds were kept."""
    damped: bool
    """Near a singularity: the target is approached slowly."""


class Workspace(NamedTuple):
    """A box in the model's world that the frame stays in."""

    lower_m: tuple[float, float, float]
    upper_m: tuple[float, float, float]

    def clip(self, pose: Pose) -> Pose:
        """The nearest pose inside: each coordinate into the box, the orientation as it is."""
        return Pose(np.clip(pose.position_m, self.lower_m, self.upper_m), pose.quaternion_wxyz)


class _Window(mink.Limit):
    """Joints stay between `lower` and `upper`, (D,) each, whatever dt is."""

    def __init__(self, size: int) -> None:
        self.lower = np.zeros(size)
        self.upper = np.zeros(size)
        self._sides = np.vstack([np.eye(size), -np.eye(size)])

    def compute_qp_inequalities(self, configuration: Any, dt: float) -> Any:
        del dt
        room = np.hstack([self.upper - configuration.q, configuration.q - self.lower])
        return mink.Constraint(self._sides, np.maximum(room, 0.0))


class Reach:
    """One arm that follows. Not thread-safe: it keeps MuJoCo's working memory."""

    def __init__(self, model: Any, frame: str, velocity_rad_s: Sequence[float], workspace: Workspace) -> None:
        """`model` as for `Kinematics` (else ValueError); `velocity_rad_s` (D,) bounds each joint."""
        self.kinematics = Kinematics(model, frame)
        self._frame, self._workspace = frame, workspace
        self._velocity = np.asarray(velocity_rad_s, dtype=np.float64)
        self._configuration = mink.Configuration(model)
        self._task = mink.FrameTask(frame, "site", position_cost=1.0, orientation_cost=_ROTATION_M_PER_RAD)
        self._window = _Window(len(self._velocity))
        self._trust = _TRUST_LEAST

    def step(self, target: Pose, joints_rad: Sequence[float] | Vector, dt_s: float) -> Reached:
        """From `joints_rad` (D,) as near to `target` as `dt_s` allows."""
        lower, upper = self.kinematics.lower_rad, self.kinematics.upper_rad
        start = np.clip(np.asarray(joints_rad, dtype=np.float64), lower, upper)
        reach = self._velocity * max(0.0, dt_s)
        self._window.lower, self._window.upper = np.maximum(lower, start - reach), np.minimum(upper, start + reach)
        wanted = self._workspace.clip(target)
        rotation = mink.SO3(np.asarray(wanted.quaternion_wxyz))
        self._task.set_target(mink.SE3.from_rotation_and_translation(rotation, np.asarray(wanted.position_m)))
        self._configuration.update(start)
        cost, self._trust = self._cost(), max(_TRUST_LEAST, self._trust / 10)
        for _ in range(ITERATIONS):
            position, angle = self._error()
            if position < _CLOSE_M and angle < _CLOSE_RAD:
                break
            cost = self._improve(cost)
        joints = self._configuration.q.copy()
        return Reached(joints, self.kinematics.forward(joints), *self._error(), self._singular() > 0)

    def _improve(self, cost: float) -> float:
        """One Levenberg-Marquardt trial: taken if it lowers the cost, else the next one is damped more."""
        before = self._configuration.q.copy()
        damping = self._trust + self._singular()
        try:
            move = mink.solve_ik(self._configuration, [self._task], 1.0, "daqp", damping=damping, limits=[self._window])
        except mink.NoSolutionFound:  # numerically stuck in a corner of the window: stay
            return cost
        self._configuration.update(np.clip(before + move, self._window.lower, self._window.upper))
        after = self._cost()
        if after < cost:
            self._trust = max(_TRUST_LEAST, self._trust / 10)
            return after
        self._configuration.update(before)
        self._trust = min(_TRUST_MOST, max(self._trust, _TRUST_FLOOR) * 10)
        return cost

    def _cost(self) -> float:
        error = self._task.compute_error(self._configuration) * _WEIGHTS
        return float(error @ error)

    def _error(self) -> tuple[float, float]:
        error = self._task.compute_error(self._configuration)
        return float(np.linalg.norm(error[:3])), float(np.linalg.norm(error[3:]))

    def _singular(self) -> float:
        jacobian = self._configuration.get_frame_jacobian(self._frame, "site") * _WEIGHTS[:, None]
        smallest = float(np.linalg.svd(jacobian, compute_uv=False)[-1])
        return max(0.0, _DAMPING_MOST**2 * (1 - (smallest / _SINGULAR) ** 2))
