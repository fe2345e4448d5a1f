"""The scenes `pick…`: one arm, or two, at a table with a cube on it, seen from the front, from above and from their wrists."""

from typing import Any

import mujoco

from drivers.sim.world import board, links
from drivers.sim.world.links import TIP_M, Robot
from drivers.sim.world.model import TABLE, empty, lay_cube, mark_table, set_table
from drivers.sim.world.viperx import Vector3

PICKS = "right"
"""The side whose arm picks."""
_RIGHT_M: Vector3 = (-0.45, 0.6, 0.0)
"""It stands at the table's left end and reaches along it; a second one stands at the other end (`Robot.left_m`) and reaches towards it."""
_PLACES: tuple[tuple[str, Vector3, str], ...] = (
    ("front", (0.75, 0.15, 0.55), "looked_at"),
    ("above", (0.25, 0.62, 0.95), "looked_at"),
)
_LOOKED_AT_M: Vector3 = (-0.04, 0.63, 0.17)
_FOVY_DEG = 58.0


def scene_spec(robot: Robot) -> Any:
    """The whole scene (MjSpec), to be compiled, or changed first."""
    spec = empty()
    set_table(spec)
    spec.worldbody.add_body(name="looked_at", pos=_LOOKED_AT_M)
    for name, from_m, at in _PLACES:
        spec.worldbody.add_camera(
            name=name, pos=from_m, fovy=_FOVY_DEG, mode=mujoco.mjtCamLight.mjCAMLIGHT_TARGETBODY, targetbody=at
        )
    for side in robot.sides:
        _stand(spec, robot, side)
        links.drive(spec, robot, side)
    lay_cube(spec)
    mark_table(spec)
    board.add(spec)
    return spec


def scene_model(robot: Robot) -> Any:
    """The compiled scene (MjModel)."""
    return scene_spec(robot).compile()


def arm_model(robot: Robot, side: str) -> Any:
    """One arm alone where it stands in the scene (MjModel): its joints, and a site `pinch` between its fingertips."""
    spec = empty()
    _stand(spec, robot, side)
    for finger in ("left_finger", "right_finger"):
        spec.delete(spec.joint(f"{robot.arm(side)}/{finger}"))
    spec.body(f"{robot.arm(side)}/palm").add_site(name="pinch", pos=(0, 0, TIP_M))
    return spec.compile()


def _stand(spec: Any, robot: Robot, side: str) -> None:
    base_m, yaw_rad = (_RIGHT_M, 0.0) if side == PICKS else (robot.left_m, 3.1416)
    links.add(spec, robot, side, base_m, robot.yaw_rad + yaw_rad)


__all__ = ["PICKS", "TABLE", "arm_model", "scene_model", "scene_spec"]
