"""Where a fixed camera stands, from a board whose place is known, and how far it has moved since. Pure."""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from calibration.cameras.board import Board, View
from calibration.maths import poses
from calibration.maths.lens import Lens
from calibration.maths.poses import Pose
from station.errors import MeasurementPoor

Array = NDArray[np.float64]

WORST_FIT_PX = 1.5
"""A board that reprojects worse is not flat, not the one described, or seen through another lens."""


STILL_MM, STILL_DEG = 3.0, 1.0
"""How far two single pictures of a board that stands still may put it apart; noise is 0.3 mm and 0.1° at 0.8 m."""


class Sighting(NamedTuple):
    """The board as a camera sees it."""

    camera_from_board: Pose
    rms_px: float


class Drift(NamedTuple):
    """How far a camera moved against where it stood."""

    mm: float
    deg: float


def board_pose(view: View, board: Board, lens: Lens) -> Sighting:
    """Where the board is in the camera's frame, from one view. Raises MeasurementPoor as `board_pose_of` does."""
    return board_pose_of([view], board, lens)


def board_pose_of(views: Sequence[View], board: Board, lens: Lens) -> Sighting:
    """The pose that fits several views of a board and a camera which both stand still, and its RMS, px.

    Both poses that a plane allows (Collins and Bartoli, Infinitesimal plane-based pose estimation, 2014: OpenCV's IPPE) are refined on
    the corners' reprojection (Levenberg–Marquardt); the better one is taken. Raises MeasurementPoor if the corners give no pose, or
    reproject more than `WORST_FIT_PX` off.
    """
    objects = np.concatenate([view.object_m(board) for view in views])
    images = np.concatenate([view.corners_px for view in views])
    count, turns, shifts, _ = cv2.solvePnPGeneric(
        objects, images, lens.matrix, lens.distortion, flags=cv2.SOLVEPNP_IPPE
    )
    if not count:
        raise MeasurementPoor("the board's corners give no pose. Next: show the whole board, tilted by 20° or more")
    fits = [
        _refined(objects, images, lens, np.asarray(turn), np.asarray(shift))
        for turn, shift in zip(turns, shifts, strict=True)
    ]
    best = min(fits, key=lambda fit: fit.rms_px)
    if best.rms_px > WORST_FIT_PX:
        raise MeasurementPoor(
            f"the board reprojects {best.rms_px:.1f} px off, at most {WORST_FIT_PX} px is believed. Next: check that the board is "
            "flat, its squares measure what is given, and the camera's intrinsics are its own"
        )
    return best


def refuse_moving(views: Sequence[View], board: Board, lens: Lens) -> None:
    """Raises MeasurementPoor if the first and the last of some views of a still board do not show it in one place."""
    first, last = (board_pose(view, board, lens).camera_from_board for view in (views[0], views[-1]))
    mm, deg = poses.distance_mm(first, last), poses.angle_deg(first, last)
    if mm > STILL_MM or deg > STILL_DEG:
        raise MeasurementPoor(
            f"the board moved by {mm:.1f} mm, {deg:.1f}° while it was measured. Next: put it down, let go of it, and measure again"
        )


def _refined(objects: Array, images: Array, lens: Lens, first_turn: Array, first_shift: Array) -> Sighting:
    turn, shift = cv2.solvePnPRefineLM(objects, images, lens.matrix, lens.distortion, first_turn, first_shift)
    pixels, _ = cv2.projectPoints(objects, turn, shift, lens.matrix, lens.distortion)
    error = np.linalg.norm(pixels.reshape(-1, 2) - images, axis=1)
    return Sighting(poses.from_vectors(np.asarray(turn), np.asarray(shift)), float(np.sqrt(np.mean(error**2))))


def drift(stored: Pose, now: Pose) -> Drift:
    """How far the camera moved, mm and degrees: both poses parent_from_camera, of one parent."""
    return Drift(poses.distance_mm(stored, now), poses.angle_deg(stored, now))
