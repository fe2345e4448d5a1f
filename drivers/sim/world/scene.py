"""The MuJoCo scene: gym-aloha's bimanual ViperX with a cube on a table, its joints driven as the servos drive them.

The meshes, masses and cameras are gym-aloha's. Three things are not, because its joints are tuned for a policy that
writes set-points to them directly, not for servos:
  - joint gains and friction (its forearm roll has kp 10 against 30 N·m of friction and hardly moves);
  - the fingers, which a linkage couples on the real gripper, are coupled by an equality and may close as far as it;
  - force limits are what the servos can give.
"""

from importlib.resources import as_file, files
from typing import Any, NamedTuple

import mujoco
import numpy as np
from numpy.typing import NDArray

from drivers.sim.world import board
from drivers.sim.world.linkage import VX300S

SIDES = ("left", "right")
JOINTS = ("waist", "shoulder", "elbow", "forearm_roll", "wrist_angle", "wrist_rotate")
SLEEP_RAD = (0.0, -1.7, 1.55, 0.12, 0.65, 0.0)
"""Where a limp ViperX rests: ALOHA's sleep pose."""
START_RAD = (0.0, -0.96, 1.16, 0.0, -0.3, 0.0)
"""ALOHA's START_ARM_POSE."""
GRIPPER_CLOSED_RAD, GRIPPER_OPEN_RAD = -0.6213, 1.4910
"""ALOHA's PUPPET_GRIPPER_JOINT_CLOSE and _OPEN."""
CUBE_HALF_M = 0.02
TIMESTEP_S = 0.002
PINCH_M = 0.138
"""Where the fingers grip, along the gripper link's x."""

_CLEAR_M = 0.08
_SAG_RAD_S = 0.5
_NM_PER_A = {
    "waist": 2.41,
    "shoulder": 2.41,
    "elbow": 2.41,
    "forearm_roll": 2.41,
    "wrist_angle": 2.41,
    "wrist_rotate": 1.78,
}
"""Stall torque over stall current (Robotis e-Manual): XM540-W270 10.6 N·m at 4.4 A, XM430-W350 4.1 N·m at 2.3 A."""
_GRIPPER_NM_PER_A, _GRIPPER_STALL_MA = 1.78, 2300.0
_SERVOS = {"shoulder": 2, "elbow": 2}
_STALL_A = {"wrist_rotate": 2.3}
_GAINS = {
    "waist": (600.0, 24.0, 0.1),
    "shoulder": (1600.0, 56.0, 0.1),
    "elbow": (800.0, 28.0, 0.1),
    "forearm_roll": (200.0, 6.0, 0.04),
    "wrist_angle": (300.0, 9.0, 0.04),
    "wrist_rotate": (100.0, 3.0, 0.02),
}
"""kp N·m/rad, kv N·m·s/rad, armature kg·m²: stiff as a Dynamixel with its default P gain, damped against overshoot."""
_FRICTION_NM = 0.3
_MARKS_A_SHADE, _MARK_SHADES = 70, (0.4, 0.65, 0.9)
_TENT = np.array([[0, 1, 4], [1, 2, 4], [2, 3, 4], [3, 0, 4]])
"""Triangles of a mark: four corners and a middle that is a hair higher, for a mesh must not be flat."""
_FINGER_KP, _FINGER_KV, _FINGER_ARMATURE, _FINGER_FRICTION_N = 4000.0, 120.0, 0.3, 0.5


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
    def handed_over(self) -> bool:
        """The left gripper has it, the right one does not, and it is off the table."""
        return self.touches["left"] and not self.touches["right"] and not self.on_table


def _spec() -> Any:
    with as_file(files("gym_aloha") / "assets") as assets:
        spec = mujoco.MjSpec.from_file(str(assets / "bimanual_viperx_transfer_cube.xml"))
        _drive_as_servos(spec)
        _mark_table(spec)
        board.add(spec)
        spec.compile()  # reads the meshes while the folder is certainly there
        return spec


def _mark_table(spec: Any) -> None:
    """Lay flat marks on the table: a plain one tells a calibration check nothing about where a camera is.

    One mesh per shade, for without a GPU a texture, or a geom for each mark, costs more than the rest of the picture.
    """
    random = np.random.default_rng(1)
    for number, shade in enumerate(_MARK_SHADES):
        corners = np.concatenate([_mark(random) for _ in range(_MARKS_A_SHADE)])
        first = 5 * np.arange(_MARKS_A_SHADE)[:, None, None]
        mesh = spec.add_mesh(name=f"marks_{number}", inertia=mujoco.mjtMeshInertia.mjMESH_INERTIA_SHELL)
        mesh.uservert, mesh.userface = corners.ravel().tolist(), (first + _TENT).ravel().tolist()
        spec.worldbody.add_geom(
            type=mujoco.mjtGeom.mjGEOM_MESH, meshname=f"marks_{number}", rgba=(shade, shade, 0.9 * shade, 1),
            contype=0, conaffinity=0,
        )  # fmt: skip


def _mark(random: np.random.Generator) -> NDArray[np.float64]:
    """Corners and middle of one mark, hardly above the table, m. (5, 3)"""
    middle = np.array([random.uniform(-0.58, 0.58), random.uniform(0.24, 0.96), 0.0004])
    (half_x, half_y), yaw = random.uniform(0.005, 0.016, 2), random.uniform(0, np.pi)
    square = np.array([[-half_x, -half_y], [half_x, -half_y], [half_x, half_y], [-half_x, half_y]])
    turn = np.array([[np.cos(yaw), -np.sin(yaw)], [np.sin(yaw), np.cos(yaw)]])
    tent = np.concatenate([np.column_stack([square @ turn.T, np.full(4, -0.0002)]), np.zeros((1, 3))])
    return np.asarray(middle + tent, np.float64)


def _drive_as_servos(spec: Any) -> None:
    for side in SIDES:
        arm = f"vx300s_{side}"
        for name in JOINTS:
            joint = spec.joint(f"{arm}/{name}")
            joint.frictionloss, joint.armature = _FRICTION_NM, _GAINS[name][2]
        for finger, (low, high) in (("left_finger", (0.0, 0.06)), ("right_finger", (-0.06, 0.0))):
            joint = spec.joint(f"{arm}/{finger}")
            joint.frictionloss, joint.armature, joint.range = _FINGER_FRICTION_N, _FINGER_ARMATURE, (low, high)
        spec.add_exclude(bodyname1=f"{arm}/left_finger_link", bodyname2=f"{arm}/right_finger_link")
        coupled = spec.add_equality(type=mujoco.mjtEq.mjEQ_JOINT, objtype=mujoco.mjtObj.mjOBJ_JOINT)
        coupled.name1, coupled.name2 = f"{arm}/right_finger", f"{arm}/left_finger"
        coupled.data[:5] = (0, -1, 0, 0, 0)
        coupled.solref = (0.005, 1)
    for actuator in spec.actuators:
        _tune(actuator)
    spec.option.timestep = TIMESTEP_S
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    spec.option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
    spec.option.impratio = 10  # a held cube does not creep
    spec.visual.quality.offsamples = 0  # multisampling more than doubles a picture's cost without a GPU


def _tune(actuator: Any) -> None:
    name = actuator.target.partition("/")[2]
    if name in _GAINS:
        kp, kv, _ = _GAINS[name]
        limit = _STALL_A.get(name, 4.4) * _NM_PER_A[name] * _SERVOS.get(name, 1)
    else:
        kp, kv, limit = _FINGER_KP, _FINGER_KV, 40.0
        actuator.ctrlrange = (0.0, 0.06) if name == "left_finger" else (-0.06, 0.0)
    actuator.gainprm[0], actuator.biasprm[1], actuator.biasprm[2] = kp, -kp, -kv
    actuator.forcelimited, actuator.forcerange = True, (-limit, limit)


def scene_model() -> Any:
    """The compiled scene (MjModel)."""
    return _spec().compile()


def arm_model(side: str) -> Any:
    """One arm alone where it stands in the scene: six joints, and a site `pinch` between its fingertips."""
    spec = _spec()
    for key in list(spec.keys):
        spec.delete(key)
    for equality in list(spec.equalities):
        spec.delete(equality)
    for actuator in list(spec.actuators):
        spec.delete(actuator)
    for exclude in list(spec.excludes):
        spec.delete(exclude)
    other = SIDES[1 - SIDES.index(side)]
    for camera in list(spec.cameras):
        spec.delete(camera)
    for body in ("box", board.NAME, f"vx300s_{other}"):
        spec.delete(spec.body(body))
    for finger in ("left_finger", "right_finger"):
        spec.delete(spec.joint(f"vx300s_{side}/{finger}"))
    spec.body(f"vx300s_{side}/gripper_link").add_site(name="pinch", pos=(PINCH_M, 0, 0))
    return spec.compile()


class Scene:
    """The physics: goals in, joint states and the truth about the cube out. Knows no clock: `step` is told how far."""

    def __init__(self) -> None:
        self.model = scene_model()
        self.data = mujoco.MjData(self.model)
        self._joints = {side: [self.model.joint(f"vx300s_{side}/{name}") for name in JOINTS] for side in SIDES}
        self._qpos = {side: np.array([joint.qposadr[0] for joint in joints]) for side, joints in self._joints.items()}
        self._dof = {side: np.array([joint.dofadr[0] for joint in joints]) for side, joints in self._joints.items()}
        self._ctrl = {side: np.array([self._actuator(f"vx300s_{side}/{name}") for name in JOINTS]) for side in SIDES}
        self._fingers = {
            side: [self._actuator(f"vx300s_{side}/{f}_finger") for f in ("left", "right")] for side in SIDES
        }
        self._finger = {side: self.model.joint(f"vx300s_{side}/left_finger") for side in SIDES}
        self._cube = self.model.joint("red_box_joint")
        self._box = self.model.geom("red_box").id
        self._finger_geoms = {
            self.model.geom(f"vx300s_{side}/10_{f}_gripper_finger").id: (side, f)
            for side in SIDES
            for f in ("left", "right")
        }
        self._table = self.model.geom("table").id
        self._goals: dict[str, list[float | None]] = {side: [None] * 7 for side in SIDES}
        self._limit_ma: dict[str, float | None] = dict.fromkeys(SIDES)
        for side in SIDES:
            self._rest(side)
        self.place_cube(0.15, 0.5, 0.0)

    def _actuator(self, joint: str) -> int:
        wanted = self.model.joint(joint).id
        return next(i for i in range(self.model.nu) if self.model.actuator_trnid[i, 0] == wanted)

    def _rest(self, side: str) -> None:
        finger_m = VX300S.finger_m(GRIPPER_CLOSED_RAD)
        self.data.qpos[self._qpos[side]] = SLEEP_RAD
        self.data.ctrl[self._ctrl[side]] = SLEEP_RAD
        left, right = self._fingers[side]
        self.data.ctrl[left], self.data.ctrl[right] = finger_m, -finger_m
        for name, sign in (("left_finger", 1), ("right_finger", -1)):
            self.data.qpos[self.model.joint(f"vx300s_{side}/{name}").qposadr[0]] = sign * finger_m

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
        limit_ma = self._limit_ma[side] or _GRIPPER_STALL_MA
        force_n = limit_ma / 1000 * _GRIPPER_NM_PER_A / (2 * VX300S.m_per_rad(angle))
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
        current = [1000 * f / _NM_PER_A[name] / _SERVOS.get(name, 1) for f, name in zip(force, JOINTS, strict=True)]
        angle = self._gripper_rad(side)
        ratio = VX300S.m_per_rad(angle)
        finger_force = float(
            self.data.actuator_force[self._fingers[side][0]] - self.data.actuator_force[self._fingers[side][1]]
        )
        position.append(angle)
        velocity.append(float(self.data.qvel[self._finger[side].dofadr[0]]) / ratio)
        current.append(1000 * finger_force * ratio / _GRIPPER_NM_PER_A)
        for index, goal in enumerate(self._goals[side]):
            if goal is None:
                current[index] = 0.0
        return JointState(tuple(position), tuple(velocity), tuple(current))

    def clear_of(self, x_m: float, y_m: float) -> bool:
        """Is no hand within reach of that place on the table?"""
        here = (x_m, y_m, CUBE_HALF_M)
        tips = (self.data.body(f"vx300s_{side}/camera_focus").xpos for side in SIDES)
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
