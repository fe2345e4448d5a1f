"""What is seen while an operator is asked: the board's corners, how far a camera has moved, where joints are."""

import cv2
import numpy as np
import pytest

from calibration import looks
from station.bus.messages import Dimension
from station.errors import MeasurementPoor
from tests.calibration.made_up_rig import jpeg
from tests.calibration.rendering import BOARD, Picture, board_picture, looking_at, table_picture

AT = looking_at(BOARD.corners_m.mean(axis=0)[:2], 0.5)
"""Where the board's middle is seen from above."""


def size(picture: bytes) -> tuple[int, int]:
    height, width = np.asarray(cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)).shape[:2]
    return width, height


@pytest.fixture(scope="module")
def seen() -> Picture:
    return board_picture(AT)


def test_the_boards_corners_are_counted_and_drawn(seen: Picture) -> None:
    look = looks.board_seen(jpeg(seen), BOARD)
    assert look.words == f"the board is seen: {len(BOARD.corners_m)} of its corners"
    assert look.values == {"corners": len(BOARD.corners_m)} and size(look.picture) == (640, 480)
    drawn = np.asarray(cv2.imdecode(np.frombuffer(look.picture, np.uint8), cv2.IMREAD_COLOR), np.int64)
    assert np.count_nonzero((drawn[..., 1] - drawn[..., 2]) > 80) > 500, "green circles"


def test_no_board_says_how_much_is_missing() -> None:
    look = looks.board_seen(jpeg(np.full((480, 640), 120, np.uint8)), BOARD)
    assert look.words == "the board is not seen: 0 of its corners, 8 are needed"


def test_a_camera_that_moved_is_told_in_pixels_with_arrows() -> None:
    before, after = (table_picture(looking_at((0.1 + moved_m, 0.1), 0.8), seed=1) for moved_m in (0.0, 0.005))
    still, moved = looks.drift_seen(jpeg(before), jpeg(before)), looks.drift_seen(jpeg(after), jpeg(before))
    assert still.values["drift_px"] == pytest.approx(0.0, abs=0.05)
    assert float(moved.values["drift_px"]) > 2.0 and "arrows are 8 times as long" in moved.words
    assert size(moved.picture) == (640, 480)


def test_what_cannot_be_compared_says_so() -> None:
    gray = np.full((480, 640), 120, np.uint8)
    assert "no texture" in looks.drift_seen(jpeg(gray), jpeg(gray)).words
    assert "another size" in looks.drift_seen(jpeg(gray), jpeg(gray[:240])).words
    with pytest.raises(MeasurementPoor, match="cannot be decoded"):
        looks.camera_seen(b"\xff\xd8 no jpeg")


def test_several_cameras_stand_beside_and_below_each_other() -> None:
    grays = [np.full((480, 640), gray, np.uint8) for gray in (40, 120, 200)] + [np.full((240, 320), 80, np.uint8)]
    look = looks.cameras_seen([jpeg(gray) for gray in grays])
    sheet = np.asarray(cv2.imdecode(np.frombuffer(look.picture, np.uint8), cv2.IMREAD_GRAYSCALE), np.int64)
    assert size(look.picture) == (640, 480)
    assert [round(sheet[y, x], -1) for y in (120, 360) for x in (160, 480)] == [40, 120, 200, 80]
    assert size(looks.cameras_seen([jpeg(grays[0])]).picture) == (640, 480)


def test_joints_are_told_in_degrees_and_what_is_behind_them_as_it_is() -> None:
    dimensions = (Dimension("waist", "rad", -3.0, 3.0), Dimension("shoulder", "rad", -3.0, 3.0))
    look = looks.joints_seen((np.pi / 2, -0.1, 0.25), dimensions, torque=True)
    assert look == looks.Look("torque is on", {"waist_deg": 90.0, "shoulder_deg": -5.7, "gripper": 0.25})
    assert looks.joints_seen((0.0, 0.0), dimensions, torque=False).values == {"waist_deg": 0.0, "shoulder_deg": 0.0}


def test_a_large_picture_is_made_smaller() -> None:
    assert size(looks.camera_seen(jpeg(np.full((1080, 1920), 90, np.uint8))).picture) == (640, 360)
