"""An arm with a two-finger gripper as MuJoCo bodies: tubes where its links are, driven as its controller drives it.

The gripper has the stroke, the length and the force of a Robotiq 2F-85, whatever the arm; its pads move on straight lines, which
linkages nearly do.
"""

from typing import Any, NamedTuple

import mujoco

from drivers.sim.world.motors import add_motor, couple_fingers
from drivers.sim.world.viperx import GRIPPING, Quaternion, Vector3

SILVER, DARK, BLUE = (0.75, 0.77, 0.8, 1), (0.25, 0.26, 0.28, 1), (0.35, 0.6, 0.8, 1)
_PAD = (0.12, 0.12, 0.13, 1)


class Tube(NamedTuple):
    """One capsule of a link."""

    begin_m: Vector3
    end_m: Vector3
    radius_m: float
    rgba: tuple[float, float, float, float] = SILVER


class Link(NamedTuple):
    """A joint that turns about z, and what it carries."""

    name: str
    offset_m: Vector3
    turn: Quaternion
    lower_rad: float
    upper_rad: float
    most_nm: float
    kp_nm_rad: float
    kv_nm_s_rad: float
    mass_kg: float
    centre_m: Vector3
    tubes: tuple[Tube, ...]


TIP_M = 0.15
"""From the flange to the middle of the pads."""
STROKE_M = 0.0425
"""Of each finger, from the middle."""
FORCE_N = 60.0
"""Of each, at most; a 2F-85 has 20 to 235 N."""
_FINGERS = {"left": 1.0, "right": -1.0}
_FINGER_KP_N_M, _FINGER_KV_N_S_M = 6000.0, 150.0


class Robot(NamedTuple):
    """One make of arm."""

    name: str
    chain: tuple[Link, ...]
    foot: Tube
    start_rad: tuple[float, ...]
    """Where it stands when the world begins, and where an episode does: the gripper looks down."""
    yaw_rad: float
    """How its foot is turned at the table's left end, so that it reaches along the table."""
    palm_yaw_rad: float
    """How the gripper is turned on the flange: its x then points down when the arm lies level."""
    flange_m: float = 0.0
    """Where its flange is on the last link."""
    sides: tuple[str, ...] = ("right",)
    """Those it stands on in its scene; the right one picks."""
    left_m: Vector3 = (0.55, 0.95, 0.0)
    """Where a second one stands: at the table's other end, further back, so that it reaches past the first."""

    @property
    def joints(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(link.name for link in self.chain)

    def arm(self, side: str) -> str:
        """What the names of an arm's bodies, joints and motors begin with, followed by a slash; its base is called so."""
        return f"{self.name}_{side}"


def add(spec: Any, robot: Robot, side: str, base_m: Vector3, yaw_rad: float) -> None:
    """Put an arm that nothing drives yet into a scene: links, gripper, wrist camera `<side>_wrist`."""
    arm = robot.arm(side)
    body = spec.worldbody.add_body(name=arm, pos=base_m, euler=(0, 0, yaw_rad))
    _add_tube(body, robot.foot)
    for link in robot.chain:
        body = body.add_body(name=f"{arm}/{link.name}_link", pos=link.offset_m, quat=link.turn)
        body.mass, body.ipos, body.inertia, body.explicitinertial = link.mass_kg, link.centre_m, (0.02, 0.02, 0.02), 1
        body.gravcomp = 1  # its controller knows the weights, and carries them
        body.add_joint(
            name=f"{arm}/{link.name}",
            axis=(0, 0, 1),
            range=(link.lower_rad, link.upper_rad),
            limited=1,
            armature=0.3,
            damping=1.0,
        )
        for tube in link.tubes:
            _add_tube(body, tube)
    _add_gripper(body, arm, side, robot)


def _add_tube(body: Any, tube: Tube) -> None:
    body.add_geom(
        type=mujoco.mjtGeom.mjGEOM_CAPSULE, fromto=(*tube.begin_m, *tube.end_m), size=(tube.radius_m, 0, 0), rgba=tube.rgba,
        mass=0, contype=0, conaffinity=0,
    )  # fmt: skip


def _add_gripper(last: Any, arm: str, side: str, robot: Robot) -> None:
    palm = last.add_body(name=f"{arm}/palm", pos=(0, 0, robot.flange_m), euler=(0, 0, robot.palm_yaw_rad))
    palm.mass, palm.ipos, palm.inertia, palm.explicitinertial, palm.gravcomp = (
        0.8,
        (0, 0, 0.05),
        (0.001, 0.001, 0.001),
        1,
        1,
    )
    palm.add_geom(
        type=mujoco.mjtGeom.mjGEOM_BOX,
        size=(0.035, 0.055, 0.035),
        pos=(0, 0, 0.045),
        rgba=DARK,
        mass=0,
        contype=0,
        conaffinity=0,
    )
    focus = palm.add_body(name=f"{arm}/camera_focus", pos=(0, 0, TIP_M))
    palm.add_camera(
        name=f"{side}_wrist",
        pos=(-0.11, 0, -0.02),
        fovy=60,
        targetbody=focus.name,
        mode=mujoco.mjtCamLight.mjCAMLIGHT_TARGETBODY,
    )
    for finger, way in _FINGERS.items():
        body = palm.add_body(name=f"{arm}/{finger}_finger_link", pos=(0, 0.006 * way, 0.08))
        body.mass, body.ipos, body.inertia, body.explicitinertial, body.gravcomp = (
            0.06,
            (0, 0, 0.04),
            (1e-4, 1e-4, 1e-4),
            1,
            1,
        )
        body.add_joint(
            name=f"{arm}/{finger}_finger", type=mujoco.mjtJoint.mjJNT_SLIDE, axis=(0, 1, 0), range=_travel_m(way), limited=1,
            armature=0.3, frictionloss=0.5,
        )  # fmt: skip
        body.add_geom(type=mujoco.mjtGeom.mjGEOM_BOX, size=(0.012, 0.007, 0.03), pos=(0, 0.008 * way, 0.02), rgba=DARK, mass=0,
                      contype=0, conaffinity=0)  # fmt: skip
        body.add_geom(
            name=f"{arm}/{finger}_finger", type=mujoco.mjtGeom.mjGEOM_BOX, size=(0.011, 0.006, 0.024), pos=(0, 0, 0.068), rgba=_PAD,
            mass=0, **GRIPPING,
        )  # fmt: skip


def _travel_m(way: float) -> tuple[float, float]:
    return min(0.0, STROKE_M * way), max(0.0, STROKE_M * way)


def drive(spec: Any, robot: Robot, side: str) -> None:
    """Give an arm its motors: a position actuator per joint and finger, named as the joint, and the linkage of the fingers."""
    arm = robot.arm(side)
    for link in robot.chain:
        add_motor(
            spec, f"{arm}/{link.name}", link.kp_nm_rad, link.kv_nm_s_rad, (link.lower_rad, link.upper_rad), link.most_nm
        )
    for finger, way in _FINGERS.items():
        add_motor(spec, f"{arm}/{finger}_finger", _FINGER_KP_N_M, _FINGER_KV_N_S_M, _travel_m(way), FORCE_N)
    couple_fingers(spec, arm)
