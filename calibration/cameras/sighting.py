"""Finding the board in a picture, its corners to a few hundredths of a pixel. Pure.

OpenCV names the markers and gives the corners roughly. Its sub-pixel refinement looks for a saddle in a window, and where
squares are 20 pixels small the markers' edges pull at it by 0.1 px, always the same way: enough to misplace a camera by
millimetres. So each corner is refined by laying the board itself (squares and markers) over the picture: a least-squares
alignment of a patch drawn through the homography of its neighbours, with brightness and contrast free (Lucas and Kanade,
An iterative image registration technique, 1981).
"""

from functools import cache
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from calibration.cameras.board import Board, View

Array = NDArray[np.float64]
Gray = NDArray[np.uint8]

FEWEST_CORNERS = 8
"""A view with fewer says too little about where the board is."""
_PX_PER_SQUARE = 112
"""Of the rendered board."""
_OVER = 4
"""Samples per pixel and axis when a patch is drawn."""
_NEIGHBOURS = 9
_ROUNDS = 2
_STEPS = 12
_LONGEST_STEP_PX = 2.0
_FIT = 0.9
"""Correlation of picture and patch below which a corner is hidden, or another thing."""
_BLUR_PX = 0.7


class _Patch(NamedTuple):
    """A corner's surroundings as they should look: values and their gradients, (S, S) each."""

    value: Array
    dx: Array
    dy: Array


def find(gray: Gray, board: Board) -> View | None:
    """The board in a grey picture, every corner that is seen; None if fewer than 8 are."""
    rough = roughly(gray, board)
    if len(rough) < FEWEST_CORNERS:
        return None
    picture = gray.astype(np.float32)
    for _ in range(_ROUNDS):
        rough = _refined(picture, rough, board)
        if len(rough) < FEWEST_CORNERS:
            return None
    ids = np.array(sorted(rough), np.int64)
    height, width = gray.shape
    return View(np.array([rough[int(number)] for number in ids]), ids, width, height)


def roughly(gray: Gray, board: Board) -> dict[int, Array]:
    """Corners by OpenCV, at the picture's size or, if that misses some, at twice the size (small markers)."""
    once = _detect(gray, board)
    if len(once) == len(board.corners_m):
        return once
    twice = _detect(np.asarray(cv2.resize(gray, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC), np.uint8), board)
    return {number: (point + 0.5) / 2 - 0.5 for number, point in twice.items()} if len(twice) > len(once) else once


def _detect(gray: Gray, board: Board) -> dict[int, Array]:
    corners, ids, _, _ = cv2.aruco.CharucoDetector(board.aruco).detectBoard(gray)
    if ids is None:
        return {}
    points = np.asarray(corners, np.float64).reshape(-1, 2)
    return {int(number): point for number, point in zip(np.ravel(ids), points, strict=True)}


def _refined(picture: NDArray[np.float32], rough: dict[int, Array], board: Board) -> dict[int, Array]:
    """Every corner of the board that its neighbours put inside the picture, aligned; those that do not fit left out."""
    known = np.array(sorted(rough))
    places, pixels = board.corners_m[known, :2], np.array([rough[int(number)] for number in known])
    found: dict[int, Array] = {}
    for number, place in enumerate(board.corners_m[:, :2]):
        near = np.argsort(np.sum((places - place) ** 2, axis=1))[:_NEIGHBOURS]
        homography, _ = cv2.findHomography(places[near], pixels[near], 0)
        if homography is None:
            continue
        point = rough.get(number, _through(np.asarray(homography, np.float64), place[None])[0])
        aligned = _aligned(picture, point, place, np.asarray(homography, np.float64), board)
        if aligned is not None:
            found[number] = aligned
    return found


def _aligned(picture: NDArray[np.float32], point: Array, place: Array, homography: Array, board: Board) -> Array | None:
    """One corner, by Gauss–Newton on shift, gain and offset; None if it leaves the picture, runs away or does not look like it."""
    half = _half_patch(place, homography, board)
    patch = _drawn(place, homography, half, board)
    size, shift = (2 * half + 1, 2 * half + 1), np.zeros(2)
    height, width = picture.shape
    for _ in range(_STEPS):
        centre = point + shift
        if not (half + 1 <= centre[0] < width - half - 2 and half + 1 <= centre[1] < height - half - 2):
            return None
        seen = _sampled(picture, centre, size)
        columns = np.stack([patch.value.ravel(), np.ones(patch.value.size), patch.dx.ravel(), patch.dy.ravel()], axis=1)
        gain, _, a, b = np.linalg.lstsq(columns, seen.ravel(), rcond=None)[0]
        if gain < 1e-3:
            return None
        step = -np.array([a, b]) / gain
        shift = shift + np.clip(step, -0.7, 0.7)
        if float(np.linalg.norm(shift)) > _LONGEST_STEP_PX:
            return None
        if float(np.linalg.norm(step)) < 1e-3:
            break
    correlation = float(np.corrcoef(patch.value.ravel(), seen.ravel())[0, 1])
    return point + shift if correlation > _FIT else None


def _sampled(picture: NDArray[np.float32], centre: Array, size: tuple[int, int]) -> Array:
    half = size[0] // 2
    steps = np.arange(-half, half + 1, dtype=np.float32)
    x, y = np.meshgrid(steps + np.float32(centre[0]), steps + np.float32(centre[1]))
    return np.asarray(cv2.remap(picture, x, y, cv2.INTER_CUBIC), np.float64)


def _half_patch(place: Array, homography: Array, board: Board) -> int:
    """Half the patch's side, px: most of the way to the neighbouring corners, at most 12."""
    sides = board.square_m * np.array([[1.0, 0], [0, 1.0], [-1.0, 0], [0, -1.0]])
    distances = np.linalg.norm(_through(homography, place + sides) - _through(homography, place[None]), axis=1)
    return int(np.clip(0.7 * distances.min(), 4, 12))


def _drawn(place: Array, homography: Array, half: int, board: Board) -> _Patch:
    """The board around a corner as the picture should show it, with one pixel of rim for the gradients."""
    count = 2 * half + 3
    fine: Array = (np.arange(count * _OVER, dtype=np.float64) + 0.5) / _OVER - 0.5 - (half + 1)
    x, y = np.meshgrid(fine, fine)
    pixels = _through(homography, place[None]) + np.stack([x.ravel(), y.ravel()], axis=1).astype(np.float64)
    back = np.asarray(np.linalg.inv(homography), np.float64)
    spots = _through(back, pixels) / board.square_m * _PX_PER_SQUARE + _PX_PER_SQUARE - 0.5
    u, v = (spots[:, axis].reshape(x.shape).astype(np.float32) for axis in (0, 1))
    shown = cv2.remap(_texture(board), u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    blurred = cv2.GaussianBlur(shown, (0, 0), _BLUR_PX * _OVER)
    value = np.asarray(blurred.reshape(count, _OVER, count, _OVER).mean(axis=(1, 3)), np.float64)
    dy, dx = np.gradient(value, axis=0), np.gradient(value, axis=1)
    inner = slice(1, -1)
    return _Patch(value[inner, inner], dx[inner, inner], dy[inner, inner])


@cache
def _texture(board: Board) -> NDArray[np.float32]:
    """The rendered board with a white rim of one square."""
    size = (board.squares_x * _PX_PER_SQUARE, board.squares_y * _PX_PER_SQUARE)
    drawn = board.aruco.generateImage(size, marginSize=0)
    rim = _PX_PER_SQUARE
    whole = cv2.copyMakeBorder(drawn, rim, rim, rim, rim, cv2.BORDER_CONSTANT, value=255)
    return np.asarray(whole, np.float32)


def _through(homography: Array, points: Array) -> Array:
    """Points (N, 2) through a homography."""
    mapped = np.concatenate([points, np.ones((len(points), 1))], axis=1) @ homography.T
    return mapped[:, :2] / mapped[:, 2:]
