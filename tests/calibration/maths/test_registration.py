"""No board, only the reference picture: a moved camera is found, and one that moved by 5 mm never passes."""

import cv2
import numpy as np
import pytest

from calibration.maths import poses, quality
from calibration.maths import registration as r
from calibration.maths.poses import Pose
from tests.calibration.rendering import LENS, Cover, Few, Picture, looking_at, table_picture

pytestmark = pytest.mark.slow

DEPTH_M = 0.8
FOCAL_PX = float(LENS.matrix[0, 0])
CENTRE_PX = (float(LENS.matrix[0, 2]), float(LENS.matrix[1, 2]))
HERE = looking_at((0.1, 0.0), DEPTH_M, tilt_deg=(-35, 5))
ARMS_THEN = [(60, 60, 200, 330, 90), (380, 120, 520, 400, 150)]
ARMS_NOW = [(120, 90, 260, 380, 90), (330, 60, 470, 300, 150)]


@pytest.fixture(scope="module")
def reference() -> Picture:
    return table_picture(HERE, seed=1)


def moved(mm: Few = (0, 0, 0), deg: Few = (0, 0, 0)) -> Pose:
    return poses.from_vectors(np.radians(np.array(deg, float)), np.array(mm) / 1000).inverse() @ HERE


@pytest.mark.parametrize("gain", [1.0, 0.7, 1.25])
def test_a_camera_that_did_not_move_reads_zero_whatever_the_light(reference: Picture, gain: float) -> None:
    found = r.register(reference, table_picture(HERE, seed=5, gain=gain))
    assert found.outcome == "matched"
    assert r.moved_mm(found, DEPTH_M, FOCAL_PX, CENTRE_PX) < 0.4
    assert r.turned_deg(found, FOCAL_PX, CENTRE_PX) < 0.03


@pytest.mark.parametrize("cover", [None, (ARMS_THEN, ARMS_NOW)])
@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("mm", [3, 5, -5, 20])
def test_a_move_is_found_along_every_axis_also_behind_arms_that_moved(
    reference: Picture, cover: tuple[Cover, Cover] | None, axis: int, mm: int
) -> None:
    shift = [0.0, 0.0, 0.0]
    shift[axis] = mm
    before = table_picture(HERE, seed=1, cover=cover[0]) if cover else reference
    found = r.register(before, table_picture(moved(shift), seed=7, cover=cover[1] if cover else None))
    assert found.outcome == "matched"
    assert abs(mm) * 0.9 < r.moved_mm(found, DEPTH_M, FOCAL_PX, CENTRE_PX) < abs(mm) * 1.35


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("deg", [0.5, 2.0])
def test_a_turn_is_found_about_every_axis(reference: Picture, axis: int, deg: float) -> None:
    turn = [0.0, 0.0, 0.0]
    turn[axis] = deg
    found = r.register(reference, table_picture(moved(deg=turn), seed=7))
    assert found.outcome == "matched"
    assert r.turned_deg(found, FOCAL_PX, CENTRE_PX) == pytest.approx(deg, abs=0.03 + 0.01 * deg)


def test_arms_that_moved_are_not_a_camera_that_moved() -> None:
    found = r.register(table_picture(HERE, seed=1, cover=ARMS_THEN), table_picture(HERE, seed=2, cover=ARMS_NOW))
    assert found.outcome == "matched"
    assert r.moved_mm(found, DEPTH_M, FOCAL_PX, CENTRE_PX) < 0.4


def test_what_cannot_be_followed_is_never_a_match(reference: Picture) -> None:
    elsewhere = table_picture(looking_at((-0.5, 0.4), DEPTH_M, tilt_deg=(-35, 5)), seed=1)
    assert r.register(reference, elsewhere).outcome == "too little agrees"
    assert r.register(reference, np.full_like(reference, 60)).outcome == "too little agrees"
    assert r.register(np.full_like(reference, 60), reference).outcome == "no texture"
    with pytest.raises(ValueError, match="reference"):
        r.register(reference, reference[:100])


@pytest.mark.parametrize("seed", range(8))
def test_no_five_millimetre_move_in_any_direction_is_mistaken_for_none(reference: Picture, seed: int) -> None:
    random = np.random.default_rng(seed)
    direction = random.normal(0, 1, 3)
    shift = 5 * direction / np.linalg.norm(direction)
    found = r.register(reference, table_picture(moved(shift), seed=seed, gain=random.uniform(0.75, 1.2)))
    assert found.outcome != "matched" or r.moved_mm(found, DEPTH_M, FOCAL_PX, CENTRE_PX) > 2.5


def blurred(picture: Picture, px: float) -> Picture:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), px), np.uint8)


def test_blur_shows_and_light_does_not(reference: Picture) -> None:
    sharp = quality.sharpness(reference)
    assert quality.sharpness(table_picture(HERE, seed=9, gain=0.7)) == pytest.approx(sharp, rel=0.1)
    assert quality.sharpness(blurred(reference, 1.0)) < 0.7 * sharp
    assert quality.sharpness(blurred(reference, 2.0)) < 0.35 * sharp


def test_swapped_cameras_are_named(reference: Picture) -> None:
    other = table_picture(looking_at((-0.5, 0.4), DEPTH_M, tilt_deg=(-35, 5)), seed=1)
    references = {"cam_high": reference, "cam_low": other}
    now = table_picture(HERE, seed=4)
    assert quality.identify(now, references, "cam_high").reference == "cam_high"
    swapped = quality.identify(now, references, "cam_low")
    assert swapped.reference == "cam_high"
    assert swapped.own_share < 0.1
    assert quality.identify(np.full_like(now, 50), references, "cam_low").reference == ""


def test_pace_and_repeats() -> None:
    times = np.cumsum([0, *[33_000_000, 34_000_000] * 30])
    found = quality.pace(times.tolist())
    assert found.rate_hz == pytest.approx(29.85, abs=0.01)
    assert found.jitter_ms <= 1.0
    assert quality.pace([0, 10_000_000, 20_000_000, 90_000_000]).longest_gap_ms == pytest.approx(70)
    with pytest.raises(ValueError, match="two"):
        quality.pace([1])
    assert quality.repeated([b"a", b"a", b"b", b"a", b"a", b"a"]) == 3
    light = quality.exposure(np.array([[0, 0, 255, 100]], np.uint8))
    assert (light.dark_share, light.bright_share) == (0.5, 0.25)
