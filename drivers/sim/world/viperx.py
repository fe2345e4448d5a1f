"""The ViperX 300 6DOF with ALOHA's fingers as MuJoCo bodies, its joints driven as its servos drive them.

Offsets, masses, inertias and ranges are those of Interbotix's `vx300s.urdf.xacro`, the inertias turned to their principal axes; the
fingers' mesh and the wrist camera are those of ALOHA's simulation (tonyzhaozh/act). How joints are driven is neither's: there a policy
writes set-points straight to them (a forearm roll of kp 10 against 30 N·m of friction hardly moves); here gains and friction are a
servo's, forces are what it can give, and the fingers, which a linkage couples on the real gripper, are coupled by an equality and may
close as far as it.
"""

from typing import Any, NamedTuple

import mujoco

from drivers.sim.world.motors import add_motor, couple_fingers

Vector3 = tuple[float, float, float]
Quaternion = tuple[float, float, float, float]
"""w, x, y, z."""

GRIPPER_NM_PER_A, GRIPPER_STALL_MA = 1.78, 2300.0
"""Its servo: XM430-W350 4.1 N·m at 2.3 A (Robotis e-Manual)."""
PINCH_M = 0.138
"""Where the fingers grip, along the gripper link's x."""
GRIPPING = {"condim": 4, "solimp": (2, 1, 0.01, 0.5, 2), "solref": (0.01, 1)}
"""The contact of what grips and what is gripped: it resists turning too, and gives a little."""

_STRAIGHT, _QUARTER, _HALF = (1.0, 0.0, 0.0, 0.0), (0.707107, 0.0, 0.0, 0.707107), (0.0, 1.0, 0.0, 0.0)
"""How a mesh lies in its link: as it is, turned by a quarter about z, by a half about x."""
_FRICTION_NM = 0.3
_FINGERS = {"left": 1.0, "right": -1.0}
"""Which way along y each opens."""
_FINGER_EULER_RAD = (3.14, 1.57, 0.0)
_FINGER_TRAVEL_M, _FINGER_ARMATURE_KG, _FINGER_FRICTION_N = 0.06, 0.3, 0.5
_FINGER_KP_N_M, _FINGER_KV_N_S_M, _FINGER_FORCE_N = 4000.0, 120.0, 40.0
_WRIST_CAMERA_M, _WRIST_FOVY_DEG = (-0.1, 0.0, 0.16), 20.0


class Motor(NamedTuple):
    """What turns a joint: one servo, or two side by side. Stiff as a Dynamixel with its default P gain, damped against overshoot."""

    kp_nm_rad: float
    kv_nm_s_rad: float
    armature_kg_m2: float
    nm_per_a: float = 2.41
    """Stall torque over stall current (Robotis e-Manual): XM540-W270 10.6 N·m at 4.4 A, XM430-W350 4.1 N·m at 2.3 A."""
    stall_a: float = 4.4
    servos: int = 1

    @property
    def stall_nm(self) -> float:
        """The most it can give."""
        return self.stall_a * self.nm_per_a * self.servos


class Body(NamedTuple):
    """A rigid piece: where it stands on the one before it, its mass, and the moments of inertia about its principal axes."""

    name: str
    offset_m: Vector3
    mass_kg: float
    centre_m: Vector3
    axes_wxyz: Quaternion
    moments_kg_m2: Vector3
    meshes: tuple[tuple[str, Vector3, Quaternion], ...]
    """Name, place and turn of each."""


class Joint(NamedTuple):
    """A hinge, what it carries, and what turns it."""

    name: str
    axis: tuple[int, int, int]
    lower_rad: float
    upper_rad: float
    motor: Motor
    body: Body


CHAIN = (
    Joint(
        "waist", (0, 0, 1), -3.14158, 3.14158, Motor(600, 24, 0.1),
        Body(
            "shoulder_link", (0, 0, 0.079), 0.798614, (0.000259233, -3.3552e-06, 0.0116129),
            (-0.476119, 0.476083, 0.52279, 0.522826), (0.00120156, 0.00113744, 0.0009388),
            (("vx300s_2_shoulder", (0, 0, -0.003), _QUARTER),),
        ),
    ),
    Joint(
        "shoulder", (0, 1, 0), -1.85005, 1.25664, Motor(1600, 56, 0.1, servos=2),
        Body(
            "upper_arm_link", (0, 0, 0.04805), 0.792592, (0.0206949, 4e-10, 0.226459),
            (0, 0.0728458, 0, 0.997343), (0.00911338, 0.008925, 0.000759317),
            (("vx300s_3_upper_arm", (0, 0, 0), _QUARTER),),
        ),
    ),
    Joint(
        "elbow", (0, 1, 0), -1.76278, 1.6057, Motor(800, 28, 0.1, servos=2),
        Body(
            "upper_forearm_link", (0.05955, 0, 0.3), 0.322228, (0.105723, 0, 0),
            (-0.000621631, 0.704724, 0.0105292, 0.709403), (0.00144107, 0.00134228, 0.000152047),
            (("vx300s_4_upper_forearm", (0, 0, 0), _STRAIGHT),),
        ),
    ),
    Joint(
        "forearm_roll", (1, 0, 0), -3.14158, 3.14158, Motor(200, 6, 0.04),
        Body(
            "lower_forearm_link", (0.2, 0, 0), 0.414823, (0.0513477, 0.00680462, 0),
            (-0.702604, -0.0796724, -0.702604, 0.0796724), (0.0005911, 0.000546493, 0.000155707),
            (("vx300s_5_lower_forearm", (0, 0, 0), _HALF),),
        ),
    ),
    Joint(
        "wrist_angle", (0, 1, 0), -1.8675, 2.23402, Motor(300, 9, 0.04),
        Body(
            "wrist_link", (0.1, 0, 0), 0.115395, (0.046743, -7.6652e-06, 0.010565),
            (-0.00100191, 0.544586, 0.0026583, 0.8387), (5.45707e-05, 4.63101e-05, 4.32692e-05),
            (("vx300s_6_wrist", (0, 0, 0), _QUARTER),),
        ),
    ),
    Joint(
        "wrist_rotate", (1, 0, 0), -3.14158, 3.14158, Motor(100, 3, 0.02, nm_per_a=1.78, stall_a=2.3),
        Body(
            "gripper_link", (0.069744, 0, 0), 0.251652, (0.0395662, -2.56311e-07, 0.00400649),
            (0.62033, 0.619916, -0.339682, 0.339869), (0.000689546, 0.000650316, 0.000468142),
            (("vx300s_7_gripper", (-0.02, 0, 0), _QUARTER), ("vx300s_9_gripper_bar", (-0.020175, 0, 0), _QUARTER)),
        ),
    ),
)  # fmt: skip
_PROPELLER = Body(
    "gripper_prop_link", (0.0485, 0, 0), 0.008009, (0.002378, 2.85e-08, 0),
    (0, 0, 0.897698, 0.440611), (4.2979e-06, 2.8868e-06, 1.5314e-06),
    (("vx300s_8_gripper_prop", (-0.0685, 0, 0), _QUARTER),),
)  # fmt: skip
_FINGER = {
    "left": Body(
        "left_finger_link", (0.0687, 0, 0), 0.034796, (0.017344, -0.0060692, 0),
        (0.449364, 0.449364, -0.54596, -0.54596), (2.48003e-05, 1.417e-05, 1.20797e-05), (),
    ),
    "right": Body(
        "right_finger_link", (0.0687, 0, 0), 0.034796, (0.017344, 0.0060692, 0),
        (0.44937, -0.44937, 0.545955, -0.545955), (2.48002e-05, 1.417e-05, 1.20798e-05), (),
    ),
}  # fmt: skip

JOINTS = tuple(joint.name for joint in CHAIN)
MOTORS = tuple(joint.motor for joint in CHAIN)
BASE_MESH = "vx300s_1_base"
_FINGER_MESH = {side: f"vx300s_10_custom_finger_{side}" for side in _FINGERS}
MESHES = (
    BASE_MESH,
    *(mesh for body in (*(joint.body for joint in CHAIN), _PROPELLER) for mesh, _, _ in body.meshes),
    *_FINGER_MESH.values(),
)
"""Every mesh that `add` speaks of."""


def arm_name(side: str) -> str:
    """What the names of an arm's bodies, joints and motors begin with, followed by a slash; its base is called so."""
    return f"vx300s_{side}"


def add(spec: Any, side: str, base_m: Vector3, yaw_rad: float) -> None:
    """Put an arm that nothing drives yet into a scene that has `MESHES`: links, fingers and wrist camera `<side>_wrist`."""
    arm = arm_name(side)
    body = spec.worldbody.add_body(name=arm, pos=base_m, euler=(0, 0, yaw_rad))
    body.add_geom(type=mujoco.mjtGeom.mjGEOM_MESH, meshname=BASE_MESH, quat=_QUARTER, mass=0, contype=0, conaffinity=0)
    for joint in CHAIN:
        body = _add_body(body, arm, joint.body)
        body.add_joint(
            name=f"{arm}/{joint.name}", axis=joint.axis, range=(joint.lower_rad, joint.upper_rad), limited=1,
            armature=joint.motor.armature_kg_m2, frictionloss=_FRICTION_NM,
        )  # fmt: skip
    focus = body.add_body(name=f"{arm}/camera_focus", pos=(0.15, 0, 0.01))
    body.add_camera(
        name=f"{side}_wrist", pos=_WRIST_CAMERA_M, fovy=_WRIST_FOVY_DEG, targetbody=focus.name,
        mode=mujoco.mjtCamLight.mjCAMLIGHT_TARGETBODY,
    )  # fmt: skip
    _add_body(body, arm, _PROPELLER)
    for finger, way in _FINGERS.items():
        _add_finger(body, arm, finger, way)


def _add_body(parent: Any, arm: str, body: Body) -> Any:
    added = parent.add_body(
        name=f"{arm}/{body.name}", pos=body.offset_m, mass=body.mass_kg, ipos=body.centre_m, iquat=body.axes_wxyz,
        inertia=body.moments_kg_m2, explicitinertial=1,
    )  # fmt: skip
    for mesh, offset_m, turn in body.meshes:
        added.add_geom(type=mujoco.mjtGeom.mjGEOM_MESH, meshname=mesh, pos=offset_m, quat=turn)
    return added


def _add_finger(gripper: Any, arm: str, finger: str, way: float) -> None:
    body = _add_body(gripper, arm, _FINGER[finger])
    body.add_geom(
        name=f"{arm}/{finger}_finger", type=mujoco.mjtGeom.mjGEOM_MESH, meshname=_FINGER_MESH[finger],
        pos=(0.005, -0.052 * way, 0), euler=_FINGER_EULER_RAD, **GRIPPING,
    )  # fmt: skip
    body.add_joint(
        name=f"{arm}/{finger}_finger", type=mujoco.mjtJoint.mjJNT_SLIDE, axis=(0, 1, 0), range=_travel_m(way), limited=1,
        armature=_FINGER_ARMATURE_KG, frictionloss=_FINGER_FRICTION_N,
    )  # fmt: skip


def _travel_m(way: float) -> tuple[float, float]:
    end_m = way * _FINGER_TRAVEL_M
    return min(0.0, end_m), max(0.0, end_m)


def drive(spec: Any, side: str) -> None:
    """Give an arm its servos: a position actuator per joint and finger, named as the joint, and the linkage of the fingers."""
    arm = arm_name(side)
    for joint in CHAIN:
        motor, stall_nm = joint.motor, joint.motor.stall_nm
        add_motor(
            spec,
            f"{arm}/{joint.name}",
            motor.kp_nm_rad,
            motor.kv_nm_s_rad,
            (joint.lower_rad, joint.upper_rad),
            stall_nm,
        )
    for finger, way in _FINGERS.items():
        add_motor(spec, f"{arm}/{finger}_finger", _FINGER_KP_N_M, _FINGER_KV_N_S_M, _travel_m(way), _FINGER_FORCE_N)
    couple_fingers(spec, arm)
