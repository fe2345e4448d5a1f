"""A camera's focal lengths, centre and distortion from views of the board: views that do not fit are dropped with their reason. Pure."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from calibration.cameras.board import Board, View
from calibration.maths import lens_quality
from calibration.maths.lens import Lens, fit
from station.errors import MeasurementPoor

FEWEST_VIEWS = 8
WORST_VIEW_PX = 0.3
"""A view that reprojects worse than this and than three times the median is dropped."""
SAME_VIEW = 0.015
"""Share of the picture's width by which the board must have moved (RMS of its corners) to be another view."""


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


def calibrate(views: Sequence[View | str], board: Board) -> Calibrated:
    """Fit a lens and judge it; a view that is none is the reason why.

    Raises MeasurementPoor if too few views are left, or with what is wrong with them where the lens is not to be believed.
    """
    dropped: list[Dropped] = []
    used = _usable(views, dropped)
    while True:
        _refuse_few(used, dropped)
        found = fit(list(used.values()), board)
        worst, median = int(np.argmax(found.views_px)), float(np.median(found.views_px))
        if found.views_px[worst] <= max(WORST_VIEW_PX, 3 * median):
            break
        number = list(used)[worst]
        dropped.append(
            Dropped(number, f"reprojects {found.views_px[worst]:.2f} px off, the median view {median:.2f} px")
        )
        del used[number]
    kept = list(used.values())
    lens_quality.refuse_poor(kept, found, board)
    per_view = dict(zip(used, (float(error) for error in found.views_px), strict=True))
    return Calibrated(found.lens, kept[0].width, kept[0].height, found.rms_px, per_view, tuple(dropped))


def _usable(views: Sequence[View | str], dropped: list[Dropped]) -> dict[int, View]:
    used: dict[int, View] = {}
    sizes = [(view.width, view.height) for view in views if not isinstance(view, str)]
    for number, view in enumerate(views):
        if isinstance(view, str):
            dropped.append(Dropped(number, view))
        elif (view.width, view.height) != sizes[0]:
            dropped.append(
                Dropped(number, f"{view.width} × {view.height} px, the first is {sizes[0][0]} × {sizes[0][1]} px")
            )
        elif np.linalg.matrix_rank(view.corners_px - view.corners_px.mean(axis=0), tol=10.0) < 2:
            dropped.append(Dropped(number, "the corners seen lie on one line"))
        elif (twin := next((n for n, other in used.items() if _same(view, other)), None)) is not None:
            dropped.append(Dropped(number, f"the same as view {twin + 1}: the board was not moved"))
        else:
            used[number] = view
    return used


def _same(one: View, other: View) -> bool:
    _, mine, its = np.intersect1d(one.ids, other.ids, return_indices=True)
    if len(mine) < min(len(one.ids), len(other.ids)) / 2:
        return False
    moved = np.linalg.norm(one.corners_px[mine] - other.corners_px[its], axis=1)
    return float(np.sqrt(np.mean(moved**2))) < SAME_VIEW * one.width


def _refuse_few(used: dict[int, View], dropped: list[Dropped]) -> None:
    if len(used) < FEWEST_VIEWS:
        by_reason: dict[str, list[str]] = {}
        for drop in dropped:
            by_reason.setdefault(drop.reason, []).append(str(drop.view + 1))
        reasons = "; ".join(f"view {', '.join(views)}: {reason}" for reason, views in by_reason.items())
        raise MeasurementPoor(
            f"{len(used)} good views of the board, {FEWEST_VIEWS} are needed ({reasons or 'none was dropped'}). "
            "Next: show the board again, well lit and whole, near and far, in the corners, tilted to all sides"
        )
