"""Has a camera moved? A picture against the reference picture, without a board. Pure.

Features spread evenly over the reference are followed into the picture (Lucas–Kanade, there and back again); the largest group
that one homography explains is taken for the scene that stands still, so that arms, hands and objects that moved do not count.
Brightness is divided out first. What cannot be followed is not evidence of standing still: too little agreement is never
a pass.
"""

from typing import Literal, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Gray = NDArray[np.uint8]

COLUMNS, ROWS = 10, 8
PER_CELL = 6
_RETURN_PX = 0.3
"""A feature followed there and back must come home this close."""
_AGREE_PX = 1.0
FEWEST_CELLS = 10
"""Cells of the grid that must agree before anything is said, spread over at least half the picture's width or height."""
LEAST_SHARE = 0.4
"""Share of the reference's cells that must agree: with fewer, moving things may be the majority."""
_PER_ARROW = 2
"""Features of a cell that must agree."""
_LEAST_CONTRAST = 4.0
"""Grey levels, standard deviation over a window: below it is noise."""
_FEWEST_MATCHES = 12
_WINDOW = (21, 21)
_LEVELS = 4


class Arrow(NamedTuple):
    """One cell's drift: where it was, and how far it moved, px."""

    x: float
    y: float
    dx: float
    dy: float


class Registration(NamedTuple):
    """How the picture lies on the reference."""

    outcome: Literal["matched", "too little agrees", "no texture"]
    arrows: tuple[Arrow, ...]
    """Cells that agree."""
    share: float
    """Share of the reference's textured cells that agree."""


def register(reference: Gray, picture: Gray) -> Registration:
    """Find the still part's drift. Both grey and of one size; raises ValueError if not."""
    if reference.shape != picture.shape:
        raise ValueError(f"the picture is {picture.shape[::-1]}, the reference {reference.shape[::-1]}")
    before, after = _levelled(reference), _levelled(picture)
    points = _features(before, _textured(reference))
    _, counts = np.unique(_cells_of(points, reference.shape), return_counts=True)
    textured = int(np.sum(counts >= _PER_ARROW))
    if textured < FEWEST_CELLS:
        return _none("no texture", 0.0)
    groups = [_group(before, after, points, guess) for guess in _guesses(before, after)]
    arrows = max(groups, key=len)
    share = len(arrows) / textured
    if len(arrows) < FEWEST_CELLS or share < LEAST_SHARE or not _spread(arrows, reference.shape):
        return _none("too little agrees", share)
    return Registration("matched", tuple(arrows), share)


def moved_mm(found: Registration, depth_m: float, focal_px: float, centre_px: tuple[float, float]) -> float:
    """How far a camera that faces a scene at `depth_m` must have moved to change its picture so.

    The shift t that fits the cells' drifts best, were all of them that far away: at (x, y) from the centre
    dx = (−f·tx + x·tz) / Z, dy = (−f·ty + y·tz) / Z, up to the sign of t.
    """
    if not found.arrows:
        return 0.0
    x, y, dx, dy = _from_centre(found, centre_px)
    none, f = np.zeros_like(x), np.full_like(x, focal_px)
    ways = np.concatenate([np.stack([-f, none, x], axis=1), np.stack([none, -f, y], axis=1)])
    shift = np.linalg.lstsq(ways, np.concatenate([dx, dy]), rcond=None)[0]
    return 1000 * depth_m * float(np.linalg.norm(shift))


def turned_deg(found: Registration, focal_px: float, centre_px: tuple[float, float]) -> float:
    """How far a camera must have turned to change its picture so: the turn ω that fits the cells' drifts best.

    A point at (x, y) from the centre drifts by dx = −xy/f·ωx + (f + x²/f)·ωy − y·ωz, dy = −(f + y²/f)·ωx + xy/f·ωy + x·ωz,
    up to the signs of ω (Longuet-Higgins and Prazdny, The interpretation of a moving retinal image, 1980).
    """
    if not found.arrows:
        return 0.0
    x, y, dx, dy = _from_centre(found, centre_px)
    f = focal_px
    across = np.stack([-x * y / f, f + x * x / f, -y], axis=1)
    along = np.stack([-(f + y * y / f), x * y / f, x], axis=1)
    turn = np.linalg.lstsq(np.concatenate([across, along]), np.concatenate([dx, dy]), rcond=None)[0]
    return float(np.degrees(np.linalg.norm(turn)))


def _from_centre(found: Registration, centre_px: tuple[float, float]) -> Array:
    """x, y, dx, dy of the cells. (4, N)"""
    return np.asarray(np.array(found.arrows, np.float64).T - np.array([*centre_px, 0.0, 0.0])[:, None], np.float64)


def _none(outcome: Literal["too little agrees", "no texture"], share: float) -> Registration:
    return Registration(outcome, (), share)


def _levelled(gray: Gray) -> Gray:
    """Local brightness taken off, local contrast divided out: light may change, edges stay."""
    picture = gray.astype(np.float32)
    mean = cv2.GaussianBlur(picture, (0, 0), 16)
    deviation = np.sqrt(np.maximum(cv2.GaussianBlur((picture - mean) ** 2, (0, 0), 16), 0))
    return np.asarray(np.clip(128 + 48 * (picture - mean) / (deviation + 4), 0, 255), np.uint8)


def _textured(gray: Gray) -> Gray:
    """A mask of where there is more to see than a camera's noise."""
    picture = cv2.GaussianBlur(gray.astype(np.float32), (0, 0), 1.5)
    mean = cv2.blur(picture, _WINDOW)
    deviation = np.sqrt(np.maximum(cv2.blur(picture * picture, _WINDOW) - mean * mean, 0))
    return np.asarray((deviation > _LEAST_CONTRAST) * 255, np.uint8)


def _features(gray: Gray, mask: Gray) -> NDArray[np.float32]:
    """The best corners of every cell of the grid, where the mask is set. (N, 2)"""
    height, width = gray.shape
    found = []
    for row in range(ROWS):
        for column in range(COLUMNS):
            y0, y1, x0, x1 = (
                height * row // ROWS,
                height * (row + 1) // ROWS,
                width * column // COLUMNS,
                width * (column + 1) // COLUMNS,
            )
            cell = np.ascontiguousarray(gray[y0:y1, x0:x1])
            corners = cv2.goodFeaturesToTrack(cell, PER_CELL, 0.05, 6, mask=np.ascontiguousarray(mask[y0:y1, x0:x1]))
            if corners is not None:
                found.append(np.asarray(corners, np.float64).reshape(-1, 2) + np.array([x0, y0]))
    return np.concatenate(found).astype(np.float32) if found else np.empty((0, 2), np.float32)


def _cells_of(points: NDArray[np.float32] | Array, shape: tuple[int, ...]) -> NDArray[np.int64]:
    height, width = shape
    columns = np.clip(np.asarray(points[:, 0] * COLUMNS // width, np.int64), 0, COLUMNS - 1)
    rows = np.clip(np.asarray(points[:, 1] * ROWS // height, np.int64), 0, ROWS - 1)
    return rows * COLUMNS + columns


def _guesses(before: Gray, after: Gray) -> list[Array]:
    """Where to look: no move, and what up to three groups of described features (ORB) say, affine maps (2, 3).

    The largest group may be an arm; that is why there are more, and why the grid's cells decide between them.
    """
    guesses = [np.eye(2, 3)]
    detector = cv2.ORB.create(1500)
    points_a, words_a = detector.detectAndCompute(before, None)
    points_b, words_b = detector.detectAndCompute(after, None)
    if words_a is None or words_b is None:
        return guesses
    matches = cv2.BFMatcher(cv2.NORM_HAMMING, crossCheck=True).match(words_a, words_b)
    a = np.array([points_a[match.queryIdx].pt for match in matches], np.float32).reshape(-1, 2)
    b = np.array([points_b[match.trainIdx].pt for match in matches], np.float32).reshape(-1, 2)
    while len(a) >= _FEWEST_MATCHES and len(guesses) < 4:
        guess, inliers = cv2.estimateAffinePartial2D(a, b, method=cv2.RANSAC, ransacReprojThreshold=4.0)
        if guess is None or int(inliers.sum()) < _FEWEST_MATCHES:
            break
        guesses.append(np.asarray(guess, np.float64))
        a, b = a[inliers.ravel() == 0], b[inliers.ravel() == 0]
    return guesses


def _group(before: Gray, after: Gray, points: NDArray[np.float32], guess: Array) -> list[Arrow]:
    """The cells' drifts, of the features that agree on one near a guess."""
    start, end = _followed(before, after, points, guess)
    kept = _agreeing(start, end)
    return _arrows(start[kept], end[kept], before.shape)


def _followed(before: Gray, after: Gray, points: NDArray[np.float32], guess: Array) -> tuple[Array, Array]:
    """Features and where they went; only those that find the way back."""
    start = points.reshape(-1, 1, 2)
    first = (points @ guess[:, :2].T + guess[:, 2]).astype(np.float32).reshape(-1, 1, 2)
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_COUNT, 40, 0.003)
    flags = cv2.OPTFLOW_USE_INITIAL_FLOW
    end, seen, _ = cv2.calcOpticalFlowPyrLK(
        before, after, start, first.copy(), winSize=_WINDOW, maxLevel=_LEVELS, criteria=stop, flags=flags
    )
    back, home, _ = cv2.calcOpticalFlowPyrLK(
        after, before, end, start.copy(), winSize=_WINDOW, maxLevel=_LEVELS, criteria=stop, flags=flags
    )
    good = (
        (seen.ravel() == 1) & (home.ravel() == 1) & (np.linalg.norm((back - start).reshape(-1, 2), axis=1) < _RETURN_PX)
    )
    return np.asarray(start.reshape(-1, 2)[good], np.float64), np.asarray(end.reshape(-1, 2)[good], np.float64)


def _agreeing(start: Array, end: Array) -> NDArray[np.bool_]:
    """The largest group that one homography explains: which features belong to it."""
    if len(start) < 8:
        return np.zeros(len(start), np.bool_)
    homography, inliers = cv2.findHomography(start, end, cv2.RANSAC, _AGREE_PX, maxIters=3000, confidence=0.9999)
    if homography is None:
        return np.zeros(len(start), np.bool_)
    return np.asarray(inliers.ravel() == 1)


def _arrows(start: Array, end: Array, shape: tuple[int, ...]) -> list[Arrow]:
    """The median drift of every cell with at least two features that agree."""
    cells = _cells_of(start, shape)
    found = []
    for cell in np.unique(cells):
        mine = cells == cell
        if int(mine.sum()) >= _PER_ARROW:
            (x, y), (dx, dy) = np.median(start[mine], axis=0), np.median(end[mine] - start[mine], axis=0)
            found.append(Arrow(float(x), float(y), float(dx), float(dy)))
    return found


def _spread(arrows: list[Arrow], shape: tuple[int, ...]) -> bool:
    height, width = shape
    return (
        float(np.ptp([arrow.x for arrow in arrows])) > width / 2
        or float(np.ptp([arrow.y for arrow in arrows])) > height / 2
    )
