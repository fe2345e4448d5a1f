"""A pinhole with distortion, and its fit to views of the board (Zhang's method as OpenCV's `calibrateCamera` does it). Pure."""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from calibration.cameras.board import Board, View

Array = NDArray[np.float64]


class Lens(NamedTuple):
    """A pinhole with distortion (k1, k2, p1, p2, k3)."""

    matrix: Array  # (3, 3)
    distortion: Array  # (5,)

    def project(self, points_m: Array) -> Array:
        """Pixels of points in the camera's frame (z ahead), by Brown and Conrady's model as OpenCV has it. (N, 3) → (N, 2)"""
        zero = np.zeros(3)
        return np.asarray(cv2.projectPoints(points_m, zero, zero, self.matrix, self.distortion)[0], np.float64).reshape(
            -1, 2
        )

    @property
    def numbers(self) -> Array:
        """fx, fy, cx, cy, px. (4,)"""
        return self.matrix[(0, 1, 0, 1), (0, 1, 2, 2)]


class Fit(NamedTuple):
    """A lens fitted to some views, and what that left over."""

    lens: Lens
    rms_px: float
    views_px: Array
    """RMS of each view. (V,)"""
    turns: tuple[Array, ...]
    """The board's pose in each view: rotation vectors, and translations (m). (3,) each"""
    shifts_m: tuple[Array, ...]
    deviations_px: Array
    """Standard deviations of fx, fy, cx, cy as the fit estimates them. (4,)"""

    def tilts_deg(self) -> Array:
        """The board's tilt in each view, about the picture's y and x, degrees. (V, 2)"""
        normals = np.stack([np.asarray(cv2.Rodrigues(turn)[0], np.float64)[:, 2] for turn in self.turns])
        towards = normals * np.where(normals[:, 2:] < 0, -1.0, 1.0)
        return np.asarray(np.degrees(np.arctan2(towards[:, :2], towards[:, 2:])), np.float64)


def fit(views: Sequence[View], board: Board) -> Fit:
    """Fit a lens to V views of one size, at least three of them tilted differently, by the least squares of all corners' reprojection.

    Zhang, A flexible new technique for camera calibration, 2000; OpenCV's `calibrateCameraExtended` with its five coefficients.
    """
    objects = [view.object_m(board).astype(np.float32) for view in views]
    images = [view.corners_px.astype(np.float32) for view in views]
    size = (views[0].width, views[0].height)
    rms, matrix, distortion, turns, shifts, deviations, _, errors = cv2.calibrateCameraExtended(
        objects, images, size, np.eye(3), np.zeros(5)
    )
    lens = Lens(np.asarray(matrix, np.float64), np.asarray(distortion, np.float64).ravel()[:5])
    poses = [tuple(np.asarray(vector, np.float64).ravel() for vector in vectors) for vectors in (turns, shifts)]
    return Fit(
        lens, float(rms), np.asarray(errors, np.float64).ravel(), poses[0], poses[1],
        np.asarray(deviations, np.float64).ravel()[:4],
    )  # fmt: skip
