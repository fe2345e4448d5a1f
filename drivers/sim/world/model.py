"""The scene's model: two ViperX with a cube on a table between them, three lights, and the places a camera may look from.

The places of table, arms, lights and cameras are those of ALOHA's simulation (tonyzhaozh/act); the meshes and their licences are in
assets/. Marks on the table and a board to calibrate with are the station's.
"""

from collections.abc import Sequence
from importlib.resources import files
from typing import Any, NamedTuple

import mujoco
import numpy as np
from numpy.typing import NDArray

from drivers.sim.world import board, viperx
from drivers.sim.world.viperx import Vector3

SIDES = ("left", "right")
CUBE = "cube"
CUBE_HALF_M = 0.02
TABLE = "table"
TABLE_MESH = "tabletop"
TIMESTEP_S = 0.002

_ASSETS = files("drivers.sim.world") / "assets"
_M_PER_MM = 0.001
_BASES: dict[str, tuple[Vector3, float]] = {"left": ((-0.469, 0.5, 0), 0.0), "right": ((0.469, 0.5, 0), 3.1416)}
"""Where each arm stands on the table, and its yaw: they face each other."""
_TABLE_M = (0.0, 0.6, 0.0)
_LIGHTS: tuple[tuple[Vector3, Vector3], ...] = (
    ((-1, -1, 1), (1, 1, -1)),
    ((1, -1, 1), (-1, 1, -1)),
    ((0, 1, 1), (0, -1, -1)),
)
"""Where from and which way they shine."""
_MARKS_A_SHADE, _MARK_SHADES = 70, (0.4, 0.65, 0.9)
_TENT = np.array([[0, 1, 4], [1, 2, 4], [2, 3, 4], [3, 0, 4]])
"""Triangles of a mark: four corners and a middle that is a hair higher, for a mesh must not be flat."""


class _Place(NamedTuple):
    """A fixed camera, and the body it looks at."""

    name: str
    from_m: Vector3
    at: str = TABLE


_PLACES = (
    _Place("left_pillar", (-0.5, 0.2, 0.6)),
    _Place("right_pillar", (0.5, 0.2, 0.6)),
    _Place("top", (0, 0.6, 0.8)),
    _Place("angle", (0, 0, 0.6)),
    _Place("front_close", (0, 0.2, 0.4), f"{viperx.arm_name('left')}/camera_focus"),
)
_FOVY_DEG = 78.0


def scene_spec() -> Any:
    """The whole scene (MjSpec), to be compiled, or changed first."""
    spec = empty(viperx.MESHES)
    set_table(spec)
    for place in _PLACES:
        spec.worldbody.add_camera(
            name=place.name, pos=place.from_m, fovy=_FOVY_DEG, mode=mujoco.mjtCamLight.mjCAMLIGHT_TARGETBODY, targetbody=place.at
        )  # fmt: skip
    for side in SIDES:
        viperx.add(spec, side, *_BASES[side])
        viperx.drive(spec, side)
    lay_cube(spec)
    mark_table(spec)
    board.add(spec)
    return spec


def scene_model() -> Any:
    """The compiled scene (MjModel)."""
    return scene_spec().compile()


def arm_model(side: str) -> Any:
    """One arm alone where it stands in the scene (MjModel): six joints, and a site `pinch` between its fingertips."""
    spec = empty(viperx.MESHES)
    viperx.add(spec, side, *_BASES[side])
    for finger in ("left_finger", "right_finger"):
        spec.delete(spec.joint(f"{viperx.arm_name(side)}/{finger}"))
    spec.body(f"{viperx.arm_name(side)}/gripper_link").add_site(name="pinch", pos=(viperx.PINCH_M, 0, 0))
    return spec.compile()


def empty(meshes: Sequence[str] = ()) -> Any:
    """Nothing but the table's mesh and these, and how physics and pictures are made."""
    spec = mujoco.MjSpec()
    spec.compiler.degree = False
    names = (TABLE_MESH, *meshes)
    spec.assets = {f"{name}.stl": (_ASSETS / f"{name}.stl").read_bytes() for name in names}
    for name in names:
        spec.add_mesh(name=name, file=f"{name}.stl", scale=(_M_PER_MM,) * 3)
    spec.option.timestep = TIMESTEP_S
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    spec.option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
    spec.option.impratio = 10  # a held cube does not creep
    spec.visual.map.znear = 0.1
    spec.visual.headlight.ambient = (0.4, 0.4, 0.4)
    spec.visual.quality.offsamples = 0  # multisampling more than doubles a picture's cost without a GPU
    spec.visual.quality.shadowsize = 0  # nobody draws shadows: no memory for them
    return spec


def set_table(spec: Any) -> None:
    """The table and its lights."""
    for position, direction in _LIGHTS:
        spec.worldbody.add_light(
            type=mujoco.mjtLightType.mjLIGHT_DIRECTIONAL, pos=position, dir=direction, diffuse=(0.3, 0.3, 0.3), specular=(0.3, 0.3, 0.3)
        )  # fmt: skip
    table = spec.worldbody.add_body(name=TABLE, pos=_TABLE_M)
    table.add_geom(
        name=TABLE, type=mujoco.mjtGeom.mjGEOM_MESH, meshname=TABLE_MESH, mass=0, group=1, rgba=(0.2, 0.2, 0.2, 1)
    )


def lay_cube(spec: Any) -> None:
    """A cube that moves freely."""
    cube = spec.worldbody.add_body(
        name=CUBE, pos=(0.2, 0.5, 0.05), mass=0.05, ipos=(0, 0, 0), inertia=(0.002, 0.002, 0.002), explicitinertial=1
    )
    cube.add_joint(name=CUBE, type=mujoco.mjtJoint.mjJNT_FREE, frictionloss=0.01)
    cube.add_geom(
        name=CUBE, type=mujoco.mjtGeom.mjGEOM_BOX, size=(CUBE_HALF_M,) * 3, rgba=(1, 0, 0, 1), **viperx.GRIPPING
    )


def mark_table(spec: Any) -> None:
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
