"""The ChArUco board: its measures, what a view of it is, and a page to print. No device.

Board frame: origin at the corner of the first square, x along the wide side, y along the other, z into the board (OpenCV's).
"""

from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from station.rig import file as rig_file
from station.rig.rig import Rig

Array = NDArray[np.float64]

DICTIONARY = "DICT_5X5_100"
MARKER_CELLS = 7
"""5 × 5 bits and the black rim."""
_PAGES_MM = {
    "A4": (297.0, 210.0),
    "A3": (420.0, 297.0),
    "A2": (594.0, 420.0),
    "A1": (841.0, 594.0),
    "A0": (1189.0, 841.0),
}
_MARGINS_MM = (10.0, 30.0)
_SCALE_BAR_MM = 100.0


class Board(rig_file.Board, frozen=True, forbid_unknown_fields=True, dict=True):
    """A board's measures, and what follows from them."""

    @cached_property
    def aruco(self) -> Any:
        """OpenCV's board."""
        dictionary = cv2.aruco.getPredefinedDictionary(getattr(cv2.aruco, DICTIONARY))
        return cv2.aruco.CharucoBoard((self.squares_x, self.squares_y), self.square_m, self.marker_m, dictionary)

    @cached_property
    def corners_m(self) -> Array:
        """The inner corners in the board frame, by their number. (K, 3)"""
        return np.asarray(self.aruco.getChessboardCorners(), np.float64)

    @property
    def size_m(self) -> tuple[float, float]:
        """Width and height of the squares' field."""
        return self.squares_x * self.square_m, self.squares_y * self.square_m


def of(rig: Rig) -> Board:
    """The board that the rig file describes."""
    return msgspec.convert(msgspec.to_builtins(rig.board), Board)


class View(NamedTuple):
    """The board as one picture shows it."""

    corners_px: Array  # (N, 2)
    ids: NDArray[np.int64]  # (N,)
    width: int
    height: int

    def object_m(self, board: Board) -> Array:
        """The corners found, in the board frame. (N, 3)"""
        return board.corners_m[self.ids]


def page(board: Board, path: Path) -> str:
    """Write the board in true size with a bar of 100 mm to check the print by: .pdf, .svg or .png (600 dpi).

    Returns the smallest page it fits: A4 to A0. Raises ValueError if it fits none or the kind is another.
    """
    if path.suffix not in (".pdf", ".svg", ".png"):
        raise ValueError(f"{path.suffix or path.name}: a page is .pdf, .svg or .png")
    width, height = (1000 * side for side in board.size_m)
    across, along = _MARGINS_MM
    fitting = [
        (name, size) for name, size in _PAGES_MM.items() if width <= size[0] - across and height <= size[1] - along
    ]
    if not fitting:
        raise ValueError(f"{width:.0f} × {height:.0f} mm do not fit an A0 page with its margins and scale bar")
    name, (page_x, page_y) = fitting[0]
    import matplotlib  # here, for it takes a second that every other command would wait
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    figure = Figure(figsize=(page_x / 25.4, page_y / 25.4))
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, page_x)
    axes.set_ylim(page_y, 0)
    axes.axis("off")
    left, top = (page_x - width) / 2, (page_y - height) / 2 - 6
    for x, y, side_x, side_y in _black_mm(board):
        axes.add_patch(
            Rectangle((left + x, top + y), side_x, side_y, facecolor="black", linewidth=0, antialiased=False)
        )
    _scale_bar(axes, board, left, top + height + 9)
    with matplotlib.rc_context({"svg.hashsalt": "board", "pdf.compression": 6}):
        figure.savefig(path, dpi=600, metadata={"Date": None} if path.suffix == ".svg" else None)
    return name


def _scale_bar(axes: Any, board: Board, left_mm: float, y_mm: float) -> None:
    from matplotlib.patches import Rectangle

    axes.add_patch(Rectangle((left_mm, y_mm), _SCALE_BAR_MM, 0.4, facecolor="black", linewidth=0))
    for x in (0.0, _SCALE_BAR_MM):
        axes.add_patch(Rectangle((left_mm + x - 0.1, y_mm - 2), 0.2, 4.4, facecolor="black", linewidth=0))
    axes.text(
        left_mm + _SCALE_BAR_MM + 4, y_mm + 1.2,
        f"must measure 100.0 mm: print at 100 %, no scaling.  {board.squares_x} × {board.squares_y} squares of "
        f"{1000 * board.square_m:g} mm, markers {1000 * board.marker_m:g} mm, {DICTIONARY}",
        fontsize=7, va="center",
    )  # fmt: skip


def _black_mm(board: Board) -> list[tuple[float, float, float, float]]:
    """Every black rectangle of the board: x, y, width, height, mm from its first corner."""
    square, marker = 1000 * board.square_m, 1000 * board.marker_m
    cell, rim = marker / MARKER_CELLS, (square - marker) / 2
    dictionary = board.aruco.getDictionary()
    found: list[tuple[float, float, float, float]] = []
    number = 0
    for row in range(board.squares_y):
        for column in range(board.squares_x):
            x, y = column * square, row * square
            if (row + column) % 2 == 0:
                found.append((x, y, square, square))
                continue
            bits = cv2.aruco.generateImageMarker(dictionary, number, MARKER_CELLS, borderBits=1)
            number += 1
            found += [
                (x + rim + c * cell, y + rim + r * cell, n * cell, cell)
                for r, line in enumerate(bits)
                for c, n in _runs(line)
            ]
    return found


def _runs(line: NDArray[np.uint8]) -> list[tuple[int, int]]:
    """(start, length) of every run of black cells: one rectangle each, so that no hairline is printed between cells."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], (line == 0).astype(np.int8), [0]))))
    return [(int(start), int(end - start)) for start, end in zip(edges[::2], edges[1::2], strict=True)]
