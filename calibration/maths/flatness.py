"""Is the board the flat, even one that is described? Its shape, from the same views that a lens is fitted to. Pure.

A lens is bent to fit a board that is bent: 1 mm in 250 mm makes the focal length 1 to 2 % wrong while everything reprojects to
0.13 px and halves of the views agree (tried on rendered views). So after the fit all is freed at once, lens, poses and five
numbers of the board's shape, and one linear step (Gauss–Newton) tells what shape the views speak for.
"""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from calibration.cameras.board import Board, View
from calibration.maths.lens import Fit

Array = NDArray[np.float64]

_LENS = 9
"""fx, fy, cx, cy, k1, k2, p1, p2, k3."""
_SURE = 5.0
"""Standard deviations above which a shape is believed."""


class Shape(NamedTuple):
    """What the views say the board is like."""

    bent_mm: tuple[float, float, float]
    """How far its middle stands out along the wide side, along the other, and a twist of its corners."""
    stretched_percent: float
    """How much longer it is along its second side than it should be, its first taken as given."""
    sheared_percent: float
    sure: tuple[float, float, float, float, float]
    """Each of these over its standard deviation."""
    lens_percent: float
    """How far the focal lengths move when the shape is given its freedom."""

    @property
    def told(self) -> str:
        """The shape that is believed most, in words; "" where none is."""
        worst = int(np.argmax(np.abs(self.sure)))
        if abs(self.sure[worst]) < _SURE:
            return ""
        if worst == 3:
            return f"its sides do not have one scale: the second is {self.stretched_percent:+.1f} % off"
        if worst == 4:
            return f"its sides are not square to each other ({self.sheared_percent:+.1f} %)"
        how = ("bent along its wide side", "bent along its short side", "twisted")[worst]
        return f"it is {how}, by about {abs(self.bent_mm[worst]):.1f} mm"


def shape(views: Sequence[View], found: Fit, board: Board) -> Shape:
    """The board's shape from views and the lens fitted to them: bends (mm), stretch and shear (%), each with how sure it is.

    With the residuals r of all corners and J their derivatives by lens, shape and the pose of each view (6), the step is the least
    squares of J·Δ = r, its deviations √diag(σ²·(JᵀJ)⁺) with σ that of what is left over: one step of Gauss–Newton from a flat board.
    """
    matrix, distortion = found.lens
    width_m, height_m = board.size_m
    rows, left_over = [], []
    for number, (view, turn, shift) in enumerate(zip(views, found.turns, found.shifts_m, strict=True)):
        points = view.object_m(board)
        pixels, jacobian = cv2.projectPoints(points, turn, shift, matrix, distortion)
        left_over.append((view.corners_px - pixels.reshape(-1, 2)).ravel())
        # a point moves in the picture as the whole board does when it is shifted in the camera's frame
        by_shift = np.asarray(jacobian)[:, 3:6].reshape(-1, 2, 3)
        by_point = by_shift @ np.asarray(cv2.Rodrigues(np.asarray(turn))[0])
        u, v = 2 * points[:, 0] / width_m - 1, 2 * points[:, 1] / height_m - 1
        none = np.zeros_like(u)
        ways = np.stack(
            [
                np.stack([none, none, (1 - u**2) / 1000], axis=1),
                np.stack([none, none, (1 - v**2) / 1000], axis=1),
                np.stack([none, none, u * v / 1000], axis=1),
                np.stack([none, (points[:, 1] - height_m / 2) / 100, none], axis=1),
                np.stack([(points[:, 1] - height_m / 2) / 100, none, none], axis=1),
            ],
            axis=2,
        )  # (N, 3, 5): per mm, and per percent
        row = np.zeros((2 * len(points), _LENS + 5 + 6 * len(views)))
        row[:, :_LENS] = np.asarray(jacobian)[:, 6 : 6 + _LENS]
        row[:, _LENS : _LENS + 5] = (by_point @ ways).reshape(-1, 5)
        row[:, _LENS + 5 + 6 * number : _LENS + 11 + 6 * number] = np.asarray(jacobian)[:, :6]
        rows.append(row)
    everything, residual = np.concatenate(rows), np.concatenate(left_over)
    scale = np.linalg.norm(everything, axis=0)
    scale[scale == 0] = 1.0
    step, *_ = np.linalg.lstsq(everything / scale, residual, rcond=None)
    noise = float(np.std(residual - everything / scale @ step)) + 1e-6
    deviations = noise * np.sqrt(np.abs(np.diag(np.linalg.pinv((everything / scale).T @ (everything / scale)))))
    moves, sigma = step / scale, deviations / scale
    values = moves[_LENS : _LENS + 5]
    sure = values / np.maximum(sigma[_LENS : _LENS + 5], 1e-12)
    moved = 100 * float(np.max(np.abs(moves[:2] / (matrix[0, 0], matrix[1, 1]))))
    a, b, c, stretched, sheared = (float(value) for value in values)
    one, two, three, four, five = (float(value) for value in sure)
    return Shape((a, b, c), stretched, sheared, (one, two, three, four, five), moved)
