import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from calibration.maths.flow import COLUMNS, ROWS, picture_motion
from tests.calibration.rendering import Picture


def textured(seed: int = 0, size: tuple[int, int] = (480, 640)) -> Picture:
    """Coarse and fine, as things are."""
    random = np.random.default_rng(seed)
    layers = [cv2.resize(random.normal(size=(480 // n, 640 // n)), size[::-1]) * n**0.5 for n in (8, 20, 40, 80)]
    return np.asarray(np.clip(128 + 12 * np.sum(layers, axis=0), 0, 255), np.uint8)


def shifted(picture: Picture, right_px: float, down_px: float) -> Picture:
    height, width = picture.shape
    moved = cv2.warpAffine(picture, np.array([[1, 0, right_px], [0, 1, down_px]], np.float64), (width, height))
    return np.asarray(moved, np.uint8)


def cells(motion: NDArray[np.float64]) -> NDArray[np.float64]:
    return motion.reshape(ROWS, COLUMNS, 2)


@pytest.mark.parametrize(("right_px", "down_px"), [(0.0, 0.0), (0.3, -0.2), (70.0, 12.0), (-60.5, 0.0)])
def test_a_picture_that_moves_as_a_whole_moves_so_wherever_it_is_still_seen(right_px: float, down_px: float) -> None:
    found = cells(picture_motion(textured(), shifted(textured(), right_px, down_px)))[2:-2, 3:-3]
    assert np.isfinite(found).mean() > 0.5
    assert np.nanpercentile(np.abs(found - (right_px, down_px)), 90) < 0.1


def test_only_the_cells_in_which_something_moves_move() -> None:
    before = textured()
    after = before.copy()
    after[200:280, 320:440] = shifted(before, 2.0, 0.0)[200:280, 320:440]
    found = cells(picture_motion(before, after))
    assert found[5, 9] == pytest.approx((2.0, 0.0), abs=0.1)
    assert np.nanmax(np.abs(found[:4])) < 0.1


def test_nothing_is_seen_where_there_is_nothing_to_follow() -> None:
    blank = np.full((480, 640), 90, np.uint8)
    assert np.isnan(picture_motion(blank, blank)).all()
    assert np.isnan(picture_motion(textured(1), textured(2))).mean() > 0.9
