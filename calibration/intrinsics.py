"""A camera's focal lengths, centre and distortion from views of the board. Pure.

Zhang's method as OpenCV's `calibrateCamera` does it, around which views that do not fit are dropped with their reason.
"""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from calibration.board import Board, View
from calibration.sighting import FEWEST_CORNERS
from station.errors import MeasurementPoor

Array = NDArray[np.float64]

FEWEST_VIEWS = 8
WORST_VIEW_PX = 0.3
"""A view that reprojects worse than this and than three times the median is dropped."""
LEAST_TILT_DEG = 15.0
"""Views that all look straight at the board cannot tell focal length from distance."""
LEAST_COVERAGE = 0.4
"""Share of a 4 × 4 grid over the picture in which corners were seen: distortion is not known where none were."""


class Lens(NamedTuple):
    """A pinhole with distortion (k1, k2, p1, p2, k3)."""

    matrix: Array  # (3, 3)
    distortion: Array  # (5,)

    def project(self, points_m: Array) -> Array:
        """Pixels of points in the camera's frame. (N, 3) → (N, 2)"""
        zero = np.zeros(3)
        return np.asarray(cv2.projectPoints(points_m, zero, zero, self.matrix, self.distortion)[0], np.float64).reshape(
            -1, 2
        )


class Dropped(NamedTuple):
    """A view that was not used."""

    view: int
    reason: str


class Calibrated(NamedTuple):
    """The outcome."""

    lens: Lens
    width: int
    height: int
    rms_px: float
    view_rms_px: dict[int, float]
    """By the number of the view, used ones only."""
    dropped: tuple[Dropped, ...]
    deviations: tuple[float, float, float, float]
    """Standard deviations of fx, fy, cx, cy as the fit estimates them, px."""


def calibrate(views: list[View | None], board: Board) -> Calibrated:
    """Fit a lens. Raises MeasurementPoor if too few views are left, all are alike, or the picture is hardly covered."""
    dropped: list[Dropped] = []
    used = _usable(views, dropped)
    while True:
        _refuse_few(used, dropped)
        lens, rms, errors, tilts, deviations = _fit(list(used.values()), board)
        worst = int(np.argmax(errors))
        if errors[worst] <= max(WORST_VIEW_PX, 3 * float(np.median(errors))):
            break
        number = list(used)[worst]
        dropped.append(
            Dropped(number, f"reprojects {errors[worst]:.2f} px off, the median view {np.median(errors):.2f} px")
        )
        del used[number]
    _refuse_alike(list(used.values()), tilts)
    size = next(iter(used.values()))
    per_view = dict(zip(used, (float(error) for error in errors), strict=True))
    return Calibrated(lens, size.width, size.height, rms, per_view, tuple(dropped), deviations)


def _usable(views: list[View | None], dropped: list[Dropped]) -> dict[int, View]:
    used: dict[int, View] = {}
    sizes = [(view.width, view.height) for view in views if view is not None]
    for number, view in enumerate(views):
        if view is None:
            dropped.append(Dropped(number, f"the board was not seen, or fewer than {FEWEST_CORNERS} corners of it"))
        elif (view.width, view.height) != sizes[0]:
            dropped.append(
                Dropped(number, f"{view.width} × {view.height} px, the first is {sizes[0][0]} × {sizes[0][1]} px")
            )
        elif np.linalg.matrix_rank(view.corners_px - view.corners_px.mean(axis=0), tol=10.0) < 2:
            dropped.append(Dropped(number, "the corners seen lie on one line"))
        else:
            used[number] = view
    return used


def _fit(views: list[View], board: Board) -> tuple[Lens, float, Array, Array, tuple[float, float, float, float]]:
    objects = [view.object_m(board).astype(np.float32) for view in views]
    images = [view.corners_px.astype(np.float32) for view in views]
    size = (views[0].width, views[0].height)
    rms, matrix, distortion, turns, _, deviations, _, errors = cv2.calibrateCameraExtended(
        objects, images, size, np.eye(3), np.zeros(5)
    )
    tilts = np.array([np.degrees(np.arccos(min(1.0, abs(float(cv2.Rodrigues(turn)[0][2, 2]))))) for turn in turns])
    lens = Lens(np.asarray(matrix, np.float64), np.asarray(distortion, np.float64).ravel()[:5])
    fx, fy, cx, cy = (float(value) for value in np.ravel(deviations)[:4])
    return lens, float(rms), np.asarray(errors, np.float64).ravel(), tilts, (fx, fy, cx, cy)


def _refuse_few(used: dict[int, View], dropped: list[Dropped]) -> None:
    if len(used) < FEWEST_VIEWS:
        reasons = "; ".join(f"view {drop.view + 1}: {drop.reason}" for drop in dropped)
        raise MeasurementPoor(
            f"{len(used)} good views of the board, {FEWEST_VIEWS} are needed ({reasons or 'none was dropped'}). "
            "Next: show the board again, well lit and whole, near and far, in the corners, tilted to all sides"
        )


def _refuse_alike(views: list[View], tilts: Array) -> None:
    if float(np.ptp(tilts)) < LEAST_TILT_DEG and float(np.max(tilts)) < LEAST_TILT_DEG:
        raise MeasurementPoor(
            f"no view is tilted by more than {np.max(tilts):.0f}°, {LEAST_TILT_DEG:.0f}° are needed to tell focal length from "
            "distance. Next: tilt the board to all sides"
        )
    covered = coverage(views)
    if covered < LEAST_COVERAGE:
        raise MeasurementPoor(
            f"the board was seen in {100 * covered:.0f} % of the picture, {100 * LEAST_COVERAGE:.0f} % are needed. "
            "Next: show it in the corners too"
        )


def coverage(views: list[View]) -> float:
    """Share of a 4 × 4 grid over the picture in which a corner was seen."""
    cells = {(int(4 * x / view.width), int(4 * y / view.height)) for view in views for x, y in view.corners_px}
    return len(cells) / 16
