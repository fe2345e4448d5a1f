"""The physics of the scene: goals in; joint states, and the truth about the cube, out."""

from typing import NamedTuple

import mujoco
import numpy as np
from numpy.typing import NDArray

from drivers.sim.world.linkage import VX300S
from drivers.sim.world.model import CUBE, CUBE_HALF_M, SIDES, TABLE, TIMESTEP_S, scene_model
from drivers.sim.world.viperx import GRIPPER_NM_PER_A, GRIPPER_STALL_MA, JOINTS, MOTORS, arm_name

SLEEP_RAD = (0.0, -1.7, 1.55, 0.12, 0.65, 0.0)
"""Where a limp ViperX rests: ALOHA's sleep pose."""
START_RAD = (0.0, -0.96, 1.16, 0.0, -0.3, 0.0)
"""ALOHA's START_ARM_POSE."""
GRIPPER_CLOSED_RAD, GRIPPER_OPEN_RAD = -0.6213, 1.4910
"""ALOHA's PUPPET_GRIPPER_JOINT_CLOSE and _OPEN."""
_CLEAR_M = 0.08
_SAG_RAD_S = 0.5


class JointState(NamedTuple):
    """One follower's seven servos as joints: six joints (rad), then the gripper servo's angle. (7,) each."""

    position_rad: tuple[float, ...]
    velocity_rad_s: tuple[float, ...]
    current_ma: tuple[float, ...]


class Truth(NamedTuple):
    """What is really the case with the cube."""

    position_m: tuple[float, ...]
    quaternion_wxyz: tuple[float, ...]
    touches: dict[str, bool]
    """Per side: both fingers touch it."""
    on_table: bool

    @property
    def done(self) -> bool:
        """It is handed over: the left gripper has it, the right one does not, and it is off the table."""
        return self.touches["left"] and not self.touches["right"] and not self.on_table


class Scene:
    """The physics: goals in, joint states and the truth about the cube out. Knows no clock: `step` is told how far."""

    def __init__(self) -> None:
        self.model = scene_model()
        self.data = mujoco.MjData(self.model)
        self._joints = {side: [self.model.joint(f"{arm_name(side)}/{name}") for name in JOINTS] for side in SIDES}
        self._qpos = {side: np.array([joint.qposadr[0] for joint in joints]) for side, joints in self._joints.items()}
        self._dof = {side: np.array([joint.dofadr[0] for joint in joints]) for side, joints in self._joints.items()}
        self._ctrl = {
            side: np.array([self.model.actuator(f"{arm_name(side)}/{name}").id for name in JOINTS]) for side in SIDES
        }
        self._fingers = {
            side: [self.model.actuator(f"{arm_name(side)}/{f}_finger").id for f in ("left", "right")] for side in SIDES
        }
        self._finger = {side: self.model.joint(f"{arm_name(side)}/left_finger") for side in SIDES}
        self._cube = self.model.joint(CUBE)
        self._box = self.model.geom(CUBE).id
        self._finger_geoms = {
            self.model.geom(f"{arm_name(side)}/{f}_finger").id: (side, f) for side in SIDES for f in ("left", "right")
        }
        self._table = self.model.geom(TABLE).id
        self._goals: dict[str, list[float | None]] = {side: [None] * 7 for side in SIDES}
        self._limit_ma: dict[str, float | None] = dict.fromkeys(SIDES)
        for side in SIDES:
            self._rest(side)
        self.place_cube(0.15, 0.5, 0.0)

    def _rest(self, side: str) -> None:
        finger_m = VX300S.finger_m(GRIPPER_CLOSED_RAD)
        self.data.qpos[self._qpos[side]] = SLEEP_RAD
        self.data.ctrl[self._ctrl[side]] = SLEEP_RAD
        left, right = self._fingers[side]
        self.data.ctrl[left], self.data.ctrl[right] = finger_m, -finger_m
        for name, sign in (("left_finger", 1), ("right_finger", -1)):
            self.data.qpos[self.model.joint(f"{arm_name(side)}/{name}").qposadr[0]] = sign * finger_m

    @property
    def time_s(self) -> float:
        """Physics time."""
        return float(self.data.time)

    def set_goal(self, side: str, joint: int, goal_rad: float | None) -> None:
        """What servo `joint` (0…5 the arm's, 6 the gripper's) is to do; None is limp. Safe from another thread."""
        self._goals[side][joint] = goal_rad

    def set_current_limit(self, side: str, limit_ma: float | None) -> None:
        """How hard the gripper may squeeze."""
        self._limit_ma[side] = limit_ma

    def place_cube(self, x_m: float, y_m: float, yaw_rad: float) -> None:
        """Put the cube on the table, at rest."""
        address, dof = self._cube.qposadr[0], self._cube.dofadr[0]
        self.data.qpos[address : address + 7] = (x_m, y_m, CUBE_HALF_M, np.cos(yaw_rad / 2), 0, 0, np.sin(yaw_rad / 2))
        self.data.qvel[dof : dof + 6] = 0
        mujoco.mj_forward(self.model, self.data)

    def step(self, steps: int) -> None:
        """Go `steps` × 2 ms on towards the goals as they stand."""
        for side in SIDES:
            self._aim(side, steps * TIMESTEP_S)
        mujoco.mj_step(self.model, self.data, steps)

    def _aim(self, side: str, dt_s: float) -> None:
        """Goals to set-points. A limp joint sinks slowly onto its rest; a limp gripper stays as it is."""
        ctrl, goals = self.data.ctrl, self._goals[side]
        for index, actuator in enumerate(self._ctrl[side]):
            goal = goals[index]
            if goal is None:
                most = _SAG_RAD_S * dt_s
                ctrl[actuator] += min(most, max(-most, SLEEP_RAD[index] - ctrl[actuator]))
            else:
                ctrl[actuator] = goal
        left, right = self._fingers[side]
        angle = self._gripper_rad(side)
        goal = goals[6]
        finger_m = self._finger_m(side) if goal is None else VX300S.finger_m(min(1.5, max(-1.5, goal)))
        ctrl[left], ctrl[right] = finger_m, -finger_m
        limit_ma = self._limit_ma[side] or GRIPPER_STALL_MA
        force_n = limit_ma / 1000 * GRIPPER_NM_PER_A / (2 * VX300S.m_per_rad(angle))
        self.model.actuator_forcerange[[left, right]] = (-force_n, force_n)

    def _finger_m(self, side: str) -> float:
        return max(1e-3, float(self.data.qpos[self._finger[side].qposadr[0]]))

    def _gripper_rad(self, side: str) -> float:
        return VX300S.angle_rad(self._finger_m(side))

    def joints(self, side: str) -> JointState:
        """Where one follower's joints are."""
        position = self.data.qpos[self._qpos[side]].tolist()
        velocity = self.data.qvel[self._dof[side]].tolist()
        force = self.data.actuator_force[self._ctrl[side]].tolist()
        current = [1000 * f / motor.nm_per_a / motor.servos for f, motor in zip(force, MOTORS, strict=True)]
        angle = self._gripper_rad(side)
        ratio = VX300S.m_per_rad(angle)
        finger_force = float(
            self.data.actuator_force[self._fingers[side][0]] - self.data.actuator_force[self._fingers[side][1]]
        )
        position.append(angle)
        velocity.append(float(self.data.qvel[self._finger[side].dofadr[0]]) / ratio)
        current.append(1000 * finger_force * ratio / GRIPPER_NM_PER_A)
        for index, goal in enumerate(self._goals[side]):
            if goal is None:
                current[index] = 0.0
        return JointState(tuple(position), tuple(velocity), tuple(current))

    def setpoint(self, side: str) -> list[float]:
        """A follower's pose as a hand would ask for it: six joints, gripper servo 0 closed … 1 open. (7,)"""
        *joints, angle = self.joints(side).position_rad
        gripper = (angle - GRIPPER_CLOSED_RAD) / (GRIPPER_OPEN_RAD - GRIPPER_CLOSED_RAD)
        return [*joints, min(1.0, max(0.0, gripper))]

    def clear_of(self, x_m: float, y_m: float) -> bool:
        """Is no hand within reach of that place on the table?"""
        here = (x_m, y_m, CUBE_HALF_M)
        tips = (self.data.body(f"{arm_name(side)}/camera_focus").xpos for side in SIDES)
        return all(float(np.linalg.norm(tip - here)) > _CLEAR_M for tip in tips)

    @property
    def views(self) -> tuple[str, ...]:
        """The names of its cameras, in the model's order."""
        return tuple(self.model.camera(i).name for i in range(self.model.ncam))

    def qpos(self) -> NDArray[np.float64]:
        """Everything a camera needs to draw the scene. (nq,)"""
        return np.array(self.data.qpos)

    def truth(self) -> Truth:
        """Where the cube is and who touches it."""
        address = self._cube.qposadr[0]
        pose = self.data.qpos[address : address + 7].tolist()
        touched = set()
        on_table = False
        for first, second in self.data.contact.geom.tolist():
            if self._box not in (first, second):
                continue
            other = second if first == self._box else first
            touched.add(self._finger_geoms.get(other))
            on_table |= other == self._table
        touches = {side: {(side, "left"), (side, "right")} <= touched for side in SIDES}
        return Truth(tuple(pose[:3]), tuple(pose[3:]), touches, on_table)
