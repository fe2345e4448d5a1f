"""The scene `pick`: one UR5e at a table with a cube on it, seen from the front, from above and from its wrist."""

from typing import Any

import mujoco

from drivers.sim.world import board, ur5e
from drivers.sim.world.model import TABLE, empty, lay_cube, mark_table, set_table
from drivers.sim.world.viperx import Vector3

SIDES = ("right",)
_BASE_M: Vector3 = (-0.45, 0.6, 0.0)
_YAW_RAD = 3.1416
"""It stands at the table's left end and reaches along it."""
_PLACES: tuple[tuple[str, Vector3, str], ...] = (
    ("front", (0.75, 0.15, 0.55), "looked_at"),
    ("above", (0.25, 0.62, 0.95), "looked_at"),
)
_LOOKED_AT_M: Vector3 = (-0.04, 0.63, 0.17)
_FOVY_DEG = 58.0


def scene_spec() -> Any:
    """The whole scene (MjSpec), to be compiled, or changed first."""
    spec = empty()
    set_table(spec)
    spec.worldbody.add_body(name="looked_at", pos=_LOOKED_AT_M)
    for name, from_m, at in _PLACES:
        spec.worldbody.add_camera(
            name=name, pos=from_m, fovy=_FOVY_DEG, mode=mujoco.mjtCamLight.mjCAMLIGHT_TARGETBODY, targetbody=at
        )
    for side in SIDES:
        ur5e.add(spec, side, _BASE_M, _YAW_RAD)
        ur5e.drive(spec, side)
    lay_cube(spec)
    mark_table(spec)
    board.add(spec)
    return spec


def scene_model() -> Any:
    """The compiled scene (MjModel)."""
    return scene_spec().compile()


def arm_model(side: str) -> Any:
    """One arm alone where it stands in the scene (MjModel): six joints, and a site `pinch` between its fingertips."""
    spec = empty()
    ur5e.add(spec, side, _BASE_M, _YAW_RAD)
    for finger in ("left_finger", "right_finger"):
        spec.delete(spec.joint(f"{ur5e.arm_name(side)}/{finger}"))
    spec.body(f"{ur5e.arm_name(side)}/palm").add_site(name="pinch", pos=(0, 0, ur5e.TIP_M))
    return spec.compile()


__all__ = ["SIDES", "TABLE", "arm_model", "scene_model", "scene_spec"]
