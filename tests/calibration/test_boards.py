"""Boards drawn by a camera that is known: what calibration makes of them."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from calibration.cameras import sighting
from calibration.cameras.board import Board, View, of, page
from calibration.maths import extrinsics, handeye, intrinsics, lens_quality, poses
from calibration.maths.poses import Pose
from station.errors import MeasurementPoor, RigError
from station.rig.rig import find_rig, load_rig
from tests.calibration.rendering import BOARD, HEIGHT, LENS, WIDTH, Picture, board_picture, looking_at
from tests.pictures import gray

MIDDLE = (BOARD.size_m[0] / 2, BOARD.size_m[1] / 2)
Views = tuple[list[Pose], list[View]]
"""camera_from_board of each, and what was found."""
WORLD = Pose(np.eye(3), np.zeros(3))


def seen_in(picture: Picture) -> View:
    view = sighting.find(picture, BOARD)
    assert view is not None, "the board is in view"
    return view


def shown(count: int, seed: int, tilt: float = 35.0, distance: tuple[float, float] = (0.32, 0.5)) -> Views:
    random = np.random.default_rng(seed)
    places = [
        looking_at(
            MIDDLE,
            random.uniform(*distance),
            random.uniform(-tilt, tilt, 2),
            random.uniform(-40, 40),
            random.uniform(-0.22, 0.22, 2) * [1.2, 0.9],
        )
        for _ in range(count)
    ]
    return places, [seen_in(board_picture(place, seed=i)) for i, place in enumerate(places)]


@pytest.fixture(scope="module")
def views() -> Views:
    return shown(14, seed=1)


@pytest.mark.slow
def test_corners_are_found_to_a_twentieth_of_a_pixel(views: Views) -> None:
    for place, view in zip(*views, strict=True):
        true = LENS.project(view.object_m(BOARD) @ place.rotation.T + place.translation_m)
        assert len(view.ids) >= 30
        assert np.abs(view.corners_px - true).max() < 0.15
        assert np.sqrt(np.mean((view.corners_px - true) ** 2)) < 0.05


def test_intrinsics_within_half_a_percent(views: Views) -> None:
    found = intrinsics.calibrate(views[1], BOARD)
    for axis in (0, 1):
        assert found.lens.matrix[axis, axis] == pytest.approx(LENS.matrix[axis, axis], rel=0.005)
        assert found.lens.matrix[axis, 2] == pytest.approx(LENS.matrix[axis, 2], rel=0.005)
    corners = np.array([[x, y, 1.0] for x in (-0.5, 0, 0.5) for y in (-0.4, 0, 0.4)])
    assert (
        np.abs(found.lens.project(corners) - LENS.project(corners)).max() < 1.0
    )  # the distortion where it is strongest
    assert found.dropped == ()
    assert set(found.view_rms_px) == set(range(14))


def test_a_bad_view_is_dropped_with_its_reason(views: Views) -> None:
    bent = views[1][3]._replace(corners_px=views[1][3].corners_px * [1.02, 1.0])
    line = views[1][4]._replace(corners_px=views[1][4].corners_px[:8], ids=np.arange(8))
    found = intrinsics.calibrate([*views[1][:3], bent, line, "the board was not seen", *views[1][5:]], BOARD)
    reasons = {drop.view: drop.reason for drop in found.dropped}
    assert set(reasons) == {3, 4, 5}
    assert "px off" in reasons[3]
    assert "line" in reasons[4]
    assert "not seen" in reasons[5]
    assert found.lens.matrix[0, 0] == pytest.approx(LENS.matrix[0, 0], rel=0.005)


@pytest.mark.slow
def test_too_few_or_too_similar_views_are_refused(views: Views) -> None:
    with pytest.raises(MeasurementPoor, match="8 are needed"):
        intrinsics.calibrate(views[1][:5], BOARD)
    straight = [
        seen_in(board_picture(looking_at(MIDDLE, 0.4, centre=(x, y)), seed=1))
        for x in (-0.2, 0, 0.2)
        for y in (-0.1, 0, 0.1)
    ]
    with pytest.raises(MeasurementPoor, match="tilt"):
        intrinsics.calibrate(straight, BOARD)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("axis", "mm", "deg"),
    [("x", 0, 0), ("x", 3, 0), ("y", 5, 0), ("z", 5, 0), ("x", 20, 0), ("x", 0, 0.5), ("y", 0, 0.5), ("z", 0, 2.0)],
)
def test_a_cameras_drift_is_sized_to_a_millimetre_and_a_tenth_of_a_degree(axis: str, mm: float, deg: float) -> None:
    unit = np.eye(3)["xyz".index(axis)]
    before = looking_at(MIDDLE, 0.8, tilt_deg=(-30, 8))
    moved = poses.from_vectors(np.radians(deg) * unit, mm / 1000 * unit).inverse() @ before

    def pose_of(place: Pose, seed: int) -> Pose:
        seen = [seen_in(board_picture(place, seed=seed + i)) for i in range(3)]
        return extrinsics.board_pose_of(seen, BOARD, LENS).camera_from_board.inverse()

    drift = extrinsics.drift(pose_of(before, 50), pose_of(moved, 90))
    assert drift.mm == pytest.approx(mm, abs=1.0)
    assert drift.deg == pytest.approx(deg, abs=0.1)


@pytest.mark.slow
def test_hand_eye_within_a_millimetre_and_a_fifth_of_a_degree() -> None:
    camera = poses.from_vectors(np.array([0.1, -0.2, 1.5]), np.array([0.05, -0.02, 0.08]))
    target = poses.from_vectors(np.array([3.0, 0.1, 0.2]), np.array([0.4, 0.1, 0.02]))
    random = np.random.default_rng(4)
    places, seen = shown(12, seed=6, tilt=28.0, distance=(0.3, 0.45))
    noise = [poses.from_vectors(random.normal(0, np.radians(0.05), 3), random.normal(0, 0.0003, 3)) for _ in places]
    stops = [
        handeye.Station(target @ place.inverse() @ camera.inverse() @ wobble, view)
        for place, view, wobble in zip(places, seen, noise, strict=True)
    ]
    found = handeye.calibrate(stops, BOARD, LENS)
    assert poses.distance_mm(found.gripper_from_camera, camera) < 1.0
    assert poses.angle_deg(found.gripper_from_camera, camera) < 0.2
    assert poses.distance_mm(found.base_from_board, target) < 1.0
    assert 0.1 < found.held_out_mm < 3.0  # the arm's wobble is told, not hidden
    with pytest.raises(MeasurementPoor, match="8 are needed"):
        handeye.calibrate(stops[:5], BOARD, LENS)
    still = [stops[0]] * 10
    with pytest.raises(MeasurementPoor, match="turned too little"):
        handeye.calibrate(still, BOARD, LENS)


def test_a_board_that_does_not_fit_its_description_is_refused(views: Views) -> None:
    view = views[1][0]
    random = np.random.default_rng(0)
    crumpled = view._replace(corners_px=view.corners_px + random.normal(0, 3, view.corners_px.shape))
    with pytest.raises(MeasurementPoor, match="flat"):
        extrinsics.board_pose(crumpled, BOARD, LENS)


@pytest.mark.slow
def test_the_printed_page_is_the_board(tmp_path: Path) -> None:
    page(BOARD, tmp_path / "board.png")
    picture = gray((tmp_path / "board.png").read_bytes())
    mm = picture.shape[1] / 297.0
    assert picture.shape[0] / 210.0 == pytest.approx(mm, rel=1e-3)
    small = cv2.resize(picture, None, fx=0.2, fy=0.2, interpolation=cv2.INTER_AREA)
    view = seen_in(np.asarray(small, np.uint8))
    assert len(view.ids) == 40
    first, last = view.corners_px[0], view.corners_px[7]  # seven squares apart
    assert np.linalg.norm(last - first) / (0.2 * mm) == pytest.approx(7 * 28.0, abs=0.1)
    row = picture[int((210 + 168) / 2 * mm - 6 * mm + 9.2 * mm)]
    dark = np.flatnonzero(row[: int((297 - 252) / 2 * mm + 101 * mm)] < 128)
    assert (dark[-1] - dark[0]) / mm == pytest.approx(100.0, abs=0.4)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["pdf", "svg"])
def test_the_page_comes_in_true_size(tmp_path: Path, kind: str) -> None:
    page(BOARD, tmp_path / f"board.{kind}")
    head = (tmp_path / f"board.{kind}").read_bytes()
    assert (b"841.88" in head and b"595.27" in head) if kind == "pdf" else b'width="841.88' in head


@pytest.mark.slow
@pytest.mark.parametrize(("square_m", "size", "width_pt"), [(0.028, "A4", b"841.88"), (0.056, "A2", b"1683.77")])
def test_a_larger_board_gets_a_larger_page(tmp_path: Path, square_m: float, size: str, width_pt: bytes) -> None:
    assert page(Board(square_m=square_m, marker_m=0.75 * square_m), tmp_path / "board.pdf") == size
    assert width_pt in (tmp_path / "board.pdf").read_bytes()


def test_the_rig_file_names_the_board(tmp_path: Path) -> None:
    file = tmp_path / "r.yaml"
    file.write_text(find_rig("sim").read_text() + "board: {squares_x: 12, square_m: 0.0403, marker_m: 0.03}\n")
    assert of(load_rig(file)) == Board(12, 6, 0.0403, 0.03)
    assert of(load_rig(find_rig("sim"))) == Board()
    file.write_text(find_rig("sim").read_text() + "board: {square_m: 0.02}\n")
    with pytest.raises(RigError, match="marker_m"):
        load_rig(file)


def test_boards_that_cannot_be_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="marker_m"):
        Board(marker_m=0.03)
    with pytest.raises(ValueError, match="fit"):
        page(Board(squares_x=20, square_m=0.06, marker_m=0.03), tmp_path / "b.pdf")
    with pytest.raises(ValueError, match="pdf"):
        page(BOARD, tmp_path / "b.jpg")


@pytest.mark.slow
def test_a_hidden_corner_is_left_out() -> None:
    picture = board_picture(looking_at(MIDDLE, 0.4), seed=1)
    whole = seen_in(picture)
    picture[: HEIGHT // 2, : WIDTH // 2] = 128
    part = seen_in(picture)
    assert len(part.ids) < len(whole.ids)
    assert all(not (x < WIDTH // 2 - 2 and y < HEIGHT // 2 - 2) for x, y in part.corners_px)
    assert sighting.find(np.full((HEIGHT, WIDTH), 90, np.uint8), BOARD) is None


def test_coverage() -> None:
    corner = View(np.array([[1.0, 1.0]]), np.array([0]), WIDTH, HEIGHT)
    assert lens_quality.coverage([corner]) == pytest.approx(1 / 16)
