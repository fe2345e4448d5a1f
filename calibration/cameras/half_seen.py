"""Why the board is not found in a picture that shows one: another pattern, other counts, other sizes, another dictionary. Pure.

Costs some tenths of a second; called only where the board was not found. Markers are recognised by their bits whatever the
board; their numbers and places tell which board they are on.
"""

from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from calibration.cameras.board import DICTIONARY, Board

Array = NDArray[np.float64]
Gray = NDArray[np.uint8]

_OTHERS = (
    "DICT_4X4_250",
    "DICT_6X6_250",
    "DICT_7X7_250",
    "DICT_ARUCO_ORIGINAL",
    "DICT_APRILTAG_36h11",
    "DICT_5X5_1000",
)
_FEWEST = 4
"""Markers by which a board is told; fewer may be anything."""
_FIT = 0.06
"""Of a square: how far markers' middles may be from where a board puts them, RMS, the lens's bend included."""
_SIZE_OFF = 0.04
"""How far markers over squares may be from the rig file's."""
_COUNTS = range(3, 25)


class Unseen(NamedTuple):
    """Why."""

    reason: str
    wrong: bool
    """Another board than the rig file's: no other view will be better."""


def why(gray: Gray, board: Board) -> Unseen:
    """Why `board` was not found in a picture."""
    seen = _markers(gray, DICTIONARY)
    if len(seen) < _FEWEST:
        return _without_markers(gray, board, len(seen))
    mine = {number: corners for number, corners in seen.items() if number < len(board.aruco.getIds())}
    fit = _best(seen)
    if fit is None:
        return Unseen(f"{len(seen)} markers were seen, but not on one flat board: is it bent, or are there two?", False)
    legacy, across, ratio = fit
    here = _as_mine(mine, board)
    if not here and legacy and across == board.squares_x:
        return Unseen(
            f"{len(seen)} of the board's markers were seen, in an older OpenCV's pattern (its first square white: "
            "`setLegacyPattern`). Next: print the board anew with `station calibrate board`", True,
        )  # fmt: skip
    if not here or len(mine) < len(seen):
        older = " in an older OpenCV's pattern" if legacy else ""
        return Unseen(
            f"{len(seen)} markers were seen, of a board of {across} squares across{older} (the highest number is {max(seen)}), "
            f"the rig file says {board.squares_x} × {board.squares_y}. Next: correct `squares_x` and `squares_y` under `board:`, "
            "or print the board anew with `station calibrate board`", True,
        )  # fmt: skip
    asked = board.marker_m / board.square_m
    if abs(ratio - asked) > _SIZE_OFF:
        return Unseen(
            f"{len(seen)} markers were seen, {100 * ratio:.0f} % as wide as their squares, the rig file says {100 * asked:.0f} %. "
            "Next: measure both and correct `square_m` and `marker_m` under `board:`", True,
        )  # fmt: skip
    return Unseen(
        f"{len(seen)} of {len(board.aruco.getIds())} markers were seen, but too few of the corners between them: show more of it, "
        "nearer, in focus and held still", False,
    )  # fmt: skip


def _without_markers(gray: Gray, board: Board, count: int) -> Unseen:
    for name in _OTHERS:
        others = len(_markers(gray, name))
        if others >= _FEWEST and others > count:
            return Unseen(
                f"{others} markers of another dictionary were seen ({name}), the board's are {DICTIONARY}. Next: print the board with "
                "`station calibrate board`", True,
            )  # fmt: skip
    mirrored = len(_markers(np.ascontiguousarray(gray[:, ::-1]), DICTIONARY))
    if mirrored >= _FEWEST and mirrored > count:
        return Unseen(
            "the picture, or the board, is mirrored. Next: switch the camera's mirroring off, or print the board anew",
            True,
        )
    if _is_chessboard(gray, board):
        return Unseen(
            "squares were seen and no markers: bring it nearer and into focus; if it is a chessboard without markers, print one with "
            "`station calibrate board`", False,
        )  # fmt: skip
    few = f"{count} of its markers were seen" if count else "the board was not seen"
    return Unseen(f"{few}: show all of it, nearer, well lit and held still", False)


def _markers(gray: Gray, name: str) -> dict[int, Array]:
    """Number → corners (4, 2)."""
    dictionary = cv2.aruco.getPredefinedDictionary(getattr(cv2.aruco, name))
    corners, ids, _ = cv2.aruco.ArucoDetector(dictionary).detectMarkers(gray)
    if ids is None:
        return {}
    return {
        int(number): np.asarray(square, np.float64).reshape(4, 2)
        for number, square in zip(np.ravel(ids), corners, strict=True)
    }


def _best(seen: dict[int, Array]) -> tuple[bool, int, float] | None:
    """(older pattern?, squares across, marker over square) of the board on which the markers seen lie; None if on none."""
    fits = []
    for across in _COUNTS:
        for legacy in (False, True):
            off, ratio = _fit(seen, _middles(seen, across, legacy))
            fits.append((off, legacy, across, ratio))
    off, legacy, across, ratio = min(fits)
    return (legacy, across, ratio) if off < _FIT else None


def _as_mine(seen: dict[int, Array], board: Board) -> bool:
    return len(seen) >= _FEWEST and _fit(seen, _middles(seen, board.squares_x, False))[0] < _FIT


def _middles(seen: dict[int, Array], across: int, legacy: bool) -> Array:
    """Where a board's pattern puts the markers' middles, in squares. (N, 2)

    Row by row in the white squares. The first square is black, in the older pattern white (of boards with an even number of rows).
    """
    found = []
    first, other = ((across + 1) // 2, across // 2) if legacy else (across // 2, (across + 1) // 2)
    for number in seen:
        pair, rest = divmod(number, first + other)
        second_row = rest >= first
        place = rest - first if second_row else rest
        white_first = legacy != second_row
        found.append((2 * place + (0 if white_first else 1) + 0.5, 2 * pair + second_row + 0.5))
    return np.array(found)


def _fit(seen: dict[int, Array], middles: Array) -> tuple[float, float]:
    """How far the markers seen are from these middles (RMS, in squares), and how wide they are in squares."""
    pixels = np.array([corners.mean(axis=0) for corners in seen.values()])
    if np.linalg.matrix_rank(middles - middles.mean(axis=0), tol=0.5) < 2:
        return np.inf, 0.0
    homography, _ = cv2.findHomography(pixels, middles, 0)
    if homography is None:
        return np.inf, 0.0
    there = cv2.perspectiveTransform(pixels[None], homography)[0]
    off = float(np.sqrt(np.mean(np.sum((there - middles) ** 2, axis=1))))
    corners = cv2.perspectiveTransform(np.concatenate(list(seen.values()))[None], homography)[0].reshape(-1, 4, 2)
    return off, float(np.median(np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2)))


def _is_chessboard(gray: Gray, board: Board) -> bool:
    sizes = {(board.squares_x - 1, board.squares_y - 1), (8, 6), (9, 6), (7, 5), (8, 5), (7, 7)}
    return any(_chessboard(gray, size) for size in sizes)


def _chessboard(gray: Gray, size: tuple[int, int]) -> bool:
    flags: Any = cv2.CALIB_CB_FAST_CHECK | cv2.CALIB_CB_ADAPTIVE_THRESH
    return bool(cv2.findChessboardCorners(gray, size, flags=flags)[0])
