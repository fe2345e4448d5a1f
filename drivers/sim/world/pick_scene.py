"""The physics of a scene `pick…`: goals in; joint states, and the truth about the cube, out."""

from typing import Any

import mujoco
import numpy as np
from numpy.typing import NDArray

from drivers.sim.world.links import FORCE_N, STROKE_M, Robot
from drivers.sim.world.model import CUBE, CUBE_HALF_M, TABLE
from drivers.sim.world.pick_model import PICKS, scene_model
from drivers.sim.world.scene import JointState, Truth

_A_PER_NM = 0.1
"""Joint currents are told as if every motor and gear gave 10 N·m for an ampere: their real constants are the maker's."""
_CLEAR_M = 0.12
_LIFTED_M = 0.05
_TOUCHED = ("left", "right")


class PickTruth(Truth):
    """What is really the case with the cube of this scene."""

    @property
    def done(self) -> bool:
        """The gripper has it, well above the table."""
        return self.touches[PICKS] and not self.on_table and self.position_m[2] > CUBE_HALF_M + _LIFTED_M


class _Side:
    """One arm's places in the model."""

    def __init__(self, model: Any, robot: Robot, side: str) -> None:
        self.name = robot.arm(side)
        joints = [model.joint(f"{self.name}/{name}") for name in robot.joints]
        self.qpos = np.array([joint.qposadr[0] for joint in joints])
        self.dof = np.array([joint.dofadr[0] for joint in joints])
        self.ctrl = np.array([model.actuator(f"{self.name}/{name}").id for name in robot.joints])
        self.fingers = [model.actuator(f"{self.name}/{name}_finger").id for name in _TOUCHED]
        self.finger = model.joint(f"{self.name}/left_finger")
        self.pads = {model.geom(f"{self.name}/{name}_finger").id for name in _TOUCHED}
        self.goal: list[float] = [*robot.start_rad, 1.0]
        self.force_n = FORCE_N


class PickScene:
    """The physics of one arm, or two, and a cube. Knows no clock: `step` is told how far."""

    def __init__(self, robot: Robot) -> None:
        self.robot, self.model = robot, scene_model(robot)
        self.data = mujoco.MjData(self.model)
        self._sides = {side: _Side(self.model, robot, side) for side in robot.sides}
        self._cube = self.model.joint(CUBE)
        self._box, self._table = self.model.geom(CUBE).id, self.model.geom(TABLE).id
        for arm in self._sides.values():
            self.data.qpos[arm.qpos] = self.data.ctrl[arm.ctrl] = robot.start_rad
            for name, way in zip(_TOUCHED, (1, -1), strict=True):
                self.data.qpos[self.model.joint(f"{arm.name}/{name}_finger").qposadr[0]] = way * STROKE_M
        self.place_cube(0.15, 0.65, 0.0)

    def set_goal(self, side: str, joint: int, goal: float) -> None:
        """What a joint is to do (rad), or −1, the gripper (0 closed to 1 open). Safe from another thread."""
        self._sides[side].goal[joint] = goal

    def set_force(self, side: str, share: float) -> None:
        """How hard the gripper may squeeze, of what it can."""
        self._sides[side].force_n = FORCE_N * max(0.05, min(1.0, share))

    def place_cube(self, x_m: float, y_m: float, yaw_rad: float) -> None:
        """Put the cube on the table, at rest."""
        address, dof = self._cube.qposadr[0], self._cube.dofadr[0]
        self.data.qpos[address : address + 7] = (x_m, y_m, CUBE_HALF_M, np.cos(yaw_rad / 2), 0, 0, np.sin(yaw_rad / 2))
        self.data.qvel[dof : dof + 6] = 0
        mujoco.mj_forward(self.model, self.data)

    def step(self, steps: int) -> None:
        """Go `steps` × 2 ms on towards the goals as they stand; between two calls they move in a line."""
        lines = [self._aim(arm) for arm in self._sides.values()]
        for step in range(1, steps + 1):
            for ctrl, begin, end in lines:
                self.data.ctrl[ctrl] = begin + (end - begin) * step / steps
            mujoco.mj_step(self.model, self.data)

    def _aim(self, arm: _Side) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
        """Its motors, where they are told to be, and where they are to be told."""
        left, right = arm.fingers
        self.model.actuator_forcerange[[left, right]] = (-arm.force_n, arm.force_n)
        finger_m = STROKE_M * arm.goal[-1]
        self.data.ctrl[left], self.data.ctrl[right] = finger_m, -finger_m
        return arm.ctrl, self.data.ctrl[arm.ctrl].copy(), np.array(arm.goal[:-1])

    @property
    def time_s(self) -> float:
        """Physics time."""
        return float(self.data.time)

    def joints(self, side: str) -> JointState:
        """Where its joints are; the last is the gripper's opening. Currents are in mA."""
        arm = self._sides[side]
        position = [*self.data.qpos[arm.qpos].tolist(), float(self.data.qpos[arm.finger.qposadr[0]]) / STROKE_M]
        velocity = [*self.data.qvel[arm.dof].tolist(), float(self.data.qvel[arm.finger.dofadr[0]]) / STROKE_M]
        current = [*(1000 * _A_PER_NM * self.data.actuator_force[arm.ctrl]).tolist(), 0.0]
        return JointState(tuple(position), tuple(velocity), tuple(current))

    def torques_nm(self, side: str) -> tuple[float, ...]:
        """What its motors give just now, gripper left out."""
        return tuple(self.data.actuator_force[self._sides[side].ctrl].tolist())

    def setpoint(self, side: str) -> list[float]:
        """Its pose as a hand would ask for it: its joints, gripper 0 closed to 1 open. (D,)"""
        *joints, opening = self.joints(side).position_rad
        return [*joints, min(1.0, max(0.0, opening))]

    def clear_of(self, x_m: float, y_m: float) -> bool:
        """Is every gripper away from that place on the table?"""
        tips = (self.data.body(f"{arm.name}/camera_focus").xpos for arm in self._sides.values())
        return all(float(np.linalg.norm(tip - (x_m, y_m, CUBE_HALF_M))) > _CLEAR_M for tip in tips)

    @property
    def views(self) -> tuple[str, ...]:
        """The names of its cameras, in the model's order."""
        return tuple(self.model.camera(i).name for i in range(self.model.ncam))

    def qpos(self) -> NDArray[np.float64]:
        """Everything a camera needs to draw the scene. (nq,)"""
        return np.array(self.data.qpos)

    def truth(self) -> PickTruth:
        """Where the cube is and who touches it."""
        address = self._cube.qposadr[0]
        pose = self.data.qpos[address : address + 7].tolist()
        touched, on_table = set(), False
        for first, second in self.data.contact.geom.tolist():
            if self._box not in (first, second):
                continue
            other = second if first == self._box else first
            touched.add(other)
            on_table |= other == self._table
        touches = {"left": False} | {side: arm.pads <= touched for side, arm in self._sides.items()}
        return PickTruth(tuple(pose[:3]), tuple(pose[3:]), touches, on_table)
