"""What moved between two pictures: corners followed from one to the other, by cells. Pure.

A dense flow guesses where it cannot see: a wrist camera turns by a tenth of its picture from one frame to the next, and what has
left the picture is then made up, more on one side than on the other, which shifted latencies by 5 ms. Corners are followed
forth and back instead (Lucas and Kanade with pyramids; Kalal, Forward-backward error, 2010), and who does not come
back to where it came from is left out.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Gray = NDArray[np.uint8]

COLUMNS, ROWS = 16, 12
_CORNERS, _QUALITY, _APART_PX = 400, 0.005, 6
_WINDOW, _LEVELS = (15, 15), 4
_BACK_PX = 0.3
"""How far from where it began a corner may come back to."""


def picture_motion(before: Gray, after: Gray) -> Array:
    """Right and down, px: the median of the corners in each of 16 × 12 cells; NaN where none was followed. (384,)"""
    found = np.full((ROWS * COLUMNS, 2), np.nan)
    at, moved = _followed(before, after)
    height, width = before.shape
    column = np.minimum((at[:, 0] / width * COLUMNS).astype(int), COLUMNS - 1)
    row = np.minimum((at[:, 1] / height * ROWS).astype(int), ROWS - 1)
    cell = row * COLUMNS + column
    for number in np.unique(cell):
        found[number] = np.median(moved[cell == number], axis=0)
    return found.ravel()


def _followed(before: Gray, after: Gray) -> tuple[Array, Array]:
    """Corners and how far they moved, px. (N, 2) each"""
    found = cv2.goodFeaturesToTrack(before, _CORNERS, _QUALITY, _APART_PX)
    if found is None:
        return np.empty((0, 2)), np.empty((0, 2))
    corners = np.asarray(found, np.float32)
    there, seen = _tracked(before, after, corners)
    back, seen_again = _tracked(after, before, there)
    good = seen & seen_again & (np.linalg.norm(back - corners, axis=2).ravel() < _BACK_PX)
    return corners[good, 0].astype(np.float64), (there - corners)[good, 0].astype(np.float64)


def _tracked(before: Gray, after: Gray, corners: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    there, seen, _ = cv2.calcOpticalFlowPyrLK(
        before, after, corners, np.empty_like(corners), winSize=_WINDOW, maxLevel=_LEVELS
    )
    return np.asarray(there, np.float32), seen.ravel() == 1
