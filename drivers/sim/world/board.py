"""A ChArUco board that somebody holds before the scene's cameras, or lays onto the table.

Its frame is OpenCV's: origin at the corner of the first square, x along the wide side, y along the other, z into the board.
Printed in any size, it has 9 × 6 squares and markers of three quarters of a square, as `station calibrate board` prints it.
"""

from typing import Any

import cv2
import mujoco
import numpy as np
from numpy.typing import NDArray

NAME = "board"
SQUARES = (9, 6)
MARKER_SHARE = 0.75
_RIM = 0.5
"""White around it, squares."""
_THICK_M = 0.001
"""Half of it."""
_TEXELS = 64
"""A square's side."""
_WHITE = 235
_SHOWN, _HIDDEN = 0, 5
"""Geom groups: MuJoCo draws the first three."""


def add(spec: Any) -> None:
    """Put a board into the scene, which nothing touches and nobody sees until it is shown."""
    picture = _picture()
    texture = spec.add_texture(name=NAME, type=mujoco.mjtTexture.mjTEXTURE_2D, nchannel=3)
    texture.width, texture.height, texture.data = picture.shape[1], picture.shape[0], picture.tobytes()
    material = spec.add_material(name=NAME, texrepeat=(1, 1), emission=0.4)
    material.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = NAME
    body = spec.worldbody.add_body(name=NAME, mocap=True)
    body.add_geom(  # tiny: the scene's extent, and with it what is too near to be drawn, must stay what it was
        name=NAME, type=mujoco.mjtGeom.mjGEOM_BOX, size=(0.001, 0.001, 0.001), quat=(0, 1, 0, 0), material=NAME, group=_HIDDEN,
        contype=0, conaffinity=0,
    )  # fmt: skip


def show(model: Any, data: Any, board: NDArray[np.float64]) -> None:
    """Draw it from now on as the request `ShowBoard` says: x y z (m), quaternion w x y z, a square's side (m). (8,)"""
    geom, side_m = model.geom(NAME).id, float(board[7])
    model.geom_group[geom] = _SHOWN if side_m else _HIDDEN
    if not side_m:
        return
    mocap = model.body(NAME).mocapid[0]
    half = np.array((*(side_m * np.array(SQUARES) / 2), _THICK_M))
    middle = np.empty(3)
    mujoco.mju_rotVecQuat(middle, half, board[3:7])
    data.mocap_pos[mocap], data.mocap_quat[mocap] = board[:3] + middle, board[3:7]
    model.geom_size[geom] = half + _RIM * side_m * np.array((1.0, 1.0, 0.0))


def _picture() -> NDArray[np.uint8]:
    """RGB."""
    dictionary = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_5X5_100)
    drawn = cv2.aruco.CharucoBoard(SQUARES, 1.0, MARKER_SHARE, dictionary).generateImage(
        (SQUARES[0] * _TEXELS, SQUARES[1] * _TEXELS), marginSize=0
    )
    rim = round(_RIM * _TEXELS)
    whole = cv2.copyMakeBorder(np.minimum(drawn, _WHITE), rim, rim, rim, rim, cv2.BORDER_CONSTANT, value=(_WHITE,))
    return np.asarray(cv2.cvtColor(whole, cv2.COLOR_GRAY2RGB), np.uint8)
