"""Is a fitted lens to be believed? What a small residual does not tell: views that are all alike, a board that is not flat. Pure.

Each bound was tried on rendered views, good ones and each kind of bad ones, with corners that are 0.03 and 0.2 px off
(`tests/calibration/wrong.py` has the bad ones).
"""

from collections.abc import Sequence

import numpy as np

from calibration.cameras.board import Board, View
from calibration.maths import flatness
from calibration.maths.lens import Fit, Lens, fit
from station.errors import MeasurementPoor

LEAST_COVERAGE = 0.4
"""Share of a 4 × 4 grid over the picture in which corners were seen: distortion is not known where none were."""
LEAST_TILT_DEG = 4.0
"""RMS of the tilts about the axis about which they are least. Good views have 7 to 20, a board slid about at one tilt 0 to 0.7."""
WORST_RMS_PX = 0.5
"""In a picture 640 pixels wide; corners of a flat board are found to 0.05 to 0.2 px."""
WORST_PERCENT = 0.5
"""Of the focal length: standard deviation, and what a board's shape may bend it by. What is promised of a lens."""
HALVES_PERCENT = 1.0
"""Of the focal length: how far two halves of 16 views may disagree in fx, fy, cx, cy. Each is √2 as uncertain as the whole."""
_VIEWS = 16
SQUARE_PERCENT = 3.0
"""How far fx and fy may differ: a sensor's pixels are square."""
OFF_CENTRE = 0.2
"""Share of the picture's width by which the optical centre may be off its middle."""
_FOCAL_WIDTHS = (0.2, 6.0)
"""Focal lengths of cameras that look at a table, in widths of the picture: 136° to 10°."""
_AGAIN = "Next: show the board again, near and far, in the corners, tilted by 20° to 40° to the left, right, near and far side"


def refuse_poor(views: Sequence[View], found: Fit, board: Board) -> None:
    """Raises MeasurementPoor with what is wrong with the views, or the board."""
    _refuse_alike(views, found)
    _refuse_bent(views, found, board)
    _refuse_residual(views[0], found)
    _refuse_strange(views[0], found.lens)
    _refuse_halves(views, found, board)


def coverage(views: Sequence[View]) -> float:
    """Share of a 4 × 4 grid over the picture in which a corner was seen."""
    cells = {(int(4 * x / view.width), int(4 * y / view.height)) for view in views for x, y in view.corners_px}
    return len(cells) / 16


def _refuse_alike(views: Sequence[View], found: Fit) -> None:
    tilts = found.tilts_deg()
    first, second = np.linalg.svd(tilts - tilts.mean(axis=0), compute_uv=False) / np.sqrt(len(tilts))
    if second < LEAST_TILT_DEG:
        how = "all have the same tilt" if first < LEAST_TILT_DEG else "it is tilted about one axis only"
        raise MeasurementPoor(
            f"the views of the board are too much alike: {how} ({first:.1f}° RMS about one axis, {second:.1f}° about the other, "
            f"{LEAST_TILT_DEG:.0f}° about both are needed to tell focal length from distance). {_AGAIN}"
        )
    covered = coverage(views)
    if covered < LEAST_COVERAGE:
        raise MeasurementPoor(
            f"the board was seen in {100 * covered:.0f} % of the picture, {100 * LEAST_COVERAGE:.0f} % are needed. "
            "Next: show it in the corners too"
        )


def _refuse_bent(views: Sequence[View], found: Fit, board: Board) -> None:
    shape = flatness.shape(views, found, board)
    if shape.told and shape.lens_percent > WORST_PERCENT:
        raise MeasurementPoor(
            f"the board is not the flat one of the rig file: {shape.told}, which makes the focal length {shape.lens_percent:.1f} % "
            "wrong. Next: glue it onto something flat and stiff; print it at 100 % without stretching it"
        )


def _refuse_residual(view: View, found: Fit) -> None:
    most = WORST_RMS_PX * max(1.0, view.width / 640)
    if found.rms_px > most:
        raise MeasurementPoor(
            f"the views reproject {found.rms_px:.2f} px off, at most {most:.2f} px is believed. Next: hold the board still, in more "
            "light, and check that the camera's focus is fixed"
        )
    percent = 100 * float(np.max(found.deviations_px)) / float(np.min(found.lens.numbers[:2]))
    if percent > WORST_PERCENT:
        raise MeasurementPoor(
            f"the lens is known to {percent:.1f} % of its focal length only, {WORST_PERCENT} % are needed: the views are few or alike. "
            + _AGAIN
        )


def _refuse_strange(view: View, lens: Lens) -> None:
    fx, fy, cx, cy = (float(number) for number in lens.numbers)
    differ = 100 * abs(fx / fy - 1)
    if differ > SQUARE_PERCENT:
        raise MeasurementPoor(
            f"focal lengths of {fx:.0f} and {fy:.0f} px differ by {differ:.1f} %, and a camera's pixels are square. Next: choose a mode "
            "that does not squeeze the picture; measure the board's squares in both directions; or " + _AGAIN[6:]
        )
    low, high = (share * view.width for share in _FOCAL_WIDTHS)
    off = max(abs(cx - view.width / 2), abs(cy - view.height / 2)) / view.width
    if not low < fx < high or off > OFF_CENTRE:
        raise MeasurementPoor(
            f"a focal length of {fx:.0f} px and a centre at {cx:.0f}, {cy:.0f} px is no lens of a camera of {view.width} × "
            f"{view.height} px. {_AGAIN}"
        )
    if _folds(view, lens):
        raise MeasurementPoor(
            "the distortion found folds the picture's edge over, which no lens does: it was not seen there. "
            "Next: show the board in all four corners"
        )


def _folds(view: View, lens: Lens) -> bool:
    fx, fy, cx, cy = lens.numbers
    furthest = np.hypot(max(cx, view.width - cx) / fx, max(cy, view.height - cy) / fy)
    k1, k2, _, _, k3 = lens.distortion
    r = np.linspace(0, furthest, 200)
    seen_at = r * (1 + k1 * r**2 + k2 * r**4 + k3 * r**6)
    inside = seen_at[: int(np.argmax(seen_at)) + 1]
    return len(inside) < len(r) and float(inside[-1]) < float(furthest)


def _refuse_halves(views: Sequence[View], found: Fit, board: Board) -> None:
    """By direction of the tilt, in turn: so that each half has all of them."""
    tilts = found.tilts_deg()
    order = np.argsort(np.arctan2(tilts[:, 1], tilts[:, 0]))
    one, other = (fit([views[i] for i in order[half::2]], board).lens.numbers for half in (0, 1))
    percent = 100 * float(np.max(np.abs(one - other))) / float(np.min(found.lens.numbers[:2]))
    most = HALVES_PERCENT * float(np.sqrt(_VIEWS / len(views)))
    if percent > most:
        raise MeasurementPoor(
            f"two halves of the views disagree by {percent:.1f} % of the focal length, at most {most:.1f} % is believed. {_AGAIN}"
        )
