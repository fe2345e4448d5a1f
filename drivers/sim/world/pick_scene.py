"""The physics of a scene `pick…`: goals in; joint states, and the truth about the cube, out."""

import mujoco
import numpy as np
from numpy.typing import NDArray

from drivers.sim.world.links import FORCE_N, STROKE_M, Robot
from drivers.sim.world.model import CUBE, CUBE_HALF_M, TABLE
from drivers.sim.world.pick_model import SIDES, scene_model
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
        return self.touches[SIDES[0]] and not self.on_table and self.position_m[2] > CUBE_HALF_M + _LIFTED_M


class PickScene:
    """The physics of one arm and a cube. Knows no clock: `step` is told how far."""

    def __init__(self, robot: Robot) -> None:
        self.robot, self.model = robot, scene_model(robot)
        self.data = mujoco.MjData(self.model)
        self._arm = robot.arm(SIDES[0])
        joints = [self.model.joint(f"{self._arm}/{name}") for name in robot.joints]
        self._qpos = np.array([joint.qposadr[0] for joint in joints])
        self._dof = np.array([joint.dofadr[0] for joint in joints])
        self._ctrl = np.array([self.model.actuator(f"{self._arm}/{name}").id for name in robot.joints])
        self._fingers = [self.model.actuator(f"{self._arm}/{name}_finger").id for name in _TOUCHED]
        self._finger = self.model.joint(f"{self._arm}/left_finger")
        self._cube = self.model.joint(CUBE)
        self._box, self._table = self.model.geom(CUBE).id, self.model.geom(TABLE).id
        self._pads = {self.model.geom(f"{self._arm}/{name}_finger").id: name for name in _TOUCHED}
        self._goal: list[float] = [*robot.start_rad, 1.0]
        self._force_n = FORCE_N
        self.data.qpos[self._qpos] = self.data.ctrl[self._ctrl] = robot.start_rad
        for name, way in zip(_TOUCHED, (1, -1), strict=True):
            self.data.qpos[self.model.joint(f"{self._arm}/{name}_finger").qposadr[0]] = way * STROKE_M
        self.place_cube(0.15, 0.65, 0.0)

    def set_goal(self, joint: int, goal: float) -> None:
        """What a joint is to do (rad), or −1, the gripper (0 closed to 1 open). Safe from another thread."""
        self._goal[joint] = goal

    def set_force(self, share: float) -> None:
        """How hard the gripper may squeeze, of what it can."""
        self._force_n = FORCE_N * max(0.05, min(1.0, share))

    def place_cube(self, x_m: float, y_m: float, yaw_rad: float) -> None:
        """Put the cube on the table, at rest."""
        address, dof = self._cube.qposadr[0], self._cube.dofadr[0]
        self.data.qpos[address : address + 7] = (x_m, y_m, CUBE_HALF_M, np.cos(yaw_rad / 2), 0, 0, np.sin(yaw_rad / 2))
        self.data.qvel[dof : dof + 6] = 0
        mujoco.mj_forward(self.model, self.data)

    def step(self, steps: int) -> None:
        """Go `steps` × 2 ms on towards the goals as they stand; between two calls they move in a line."""
        finger_m = STROKE_M * self._goal[-1]
        left, right = self._fingers
        self.model.actuator_forcerange[[left, right]] = (-self._force_n, self._force_n)
        begin, end = self.data.ctrl[self._ctrl].copy(), np.array(self._goal[:-1])
        self.data.ctrl[left], self.data.ctrl[right] = finger_m, -finger_m
        for step in range(1, steps + 1):
            self.data.ctrl[self._ctrl] = begin + (end - begin) * step / steps
            mujoco.mj_step(self.model, self.data)

    @property
    def time_s(self) -> float:
        """Physics time."""
        return float(self.data.time)

    def joints(self, side: str) -> JointState:  # noqa: ARG002
        """Where its joints are; the last is the gripper's opening. Currents are in mA."""
        position = [*self.data.qpos[self._qpos].tolist(), float(self.data.qpos[self._finger.qposadr[0]]) / STROKE_M]
        velocity = [*self.data.qvel[self._dof].tolist(), float(self.data.qvel[self._finger.dofadr[0]]) / STROKE_M]
        current = [*(1000 * _A_PER_NM * self.data.actuator_force[self._ctrl]).tolist(), 0.0]
        return JointState(tuple(position), tuple(velocity), tuple(current))

    def torques_nm(self) -> tuple[float, ...]:
        """What its motors give just now, gripper left out."""
        return tuple(self.data.actuator_force[self._ctrl].tolist())

    def setpoint(self, side: str) -> list[float]:
        """Its pose as a hand would ask for it: its joints, gripper 0 closed to 1 open. (D,)"""
        *joints, opening = self.joints(side).position_rad
        return [*joints, min(1.0, max(0.0, opening))]

    def clear_of(self, x_m: float, y_m: float) -> bool:
        """Is the gripper away from that place on the table?"""
        tip = self.data.body(f"{self._arm}/camera_focus").xpos
        return float(np.linalg.norm(tip - (x_m, y_m, CUBE_HALF_M))) > _CLEAR_M

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
            touched.add(self._pads.get(other))
            on_table |= other == self._table
        touches = {"left": False, SIDES[0]: set(_TOUCHED) <= touched}
        return PickTruth(tuple(pose[:3]), tuple(pose[3:]), touches, on_table)
