"""A board that lies in a camera's view on the simulated rig: the lens is measured, and a moved camera is sized by it. Three minutes."""

import math
from collections.abc import Iterator

import pytest

from station.rig.rig import Rig
from tests.calibration import board_in_view, faulty_rig
from tests.calibration.board_in_view import MOVES, OFF_DEG, OFF_MM, by_board, moved
from tests.calibration.faulty_rig import bad

pytestmark = [pytest.mark.system, pytest.mark.long, pytest.mark.timeout(400)]

FOCAL_PX = 240 / math.tan(math.radians(78.0) / 2)
"""The scene's fixed cameras."""


@pytest.fixture
def rig() -> Iterator[Rig]:
    with faulty_rig.calibrated_rig() as up:
        yield up


def test_with_a_board_in_view_a_moved_camera_is_sized_to_a_millimetre_and_a_tenth_of_a_degree(rig: Rig) -> None:
    camera = "cam_high"
    with board_in_view.with_board(rig, camera) as known:
        assert known.intrinsics is not None and known.extrinsics is not None
        assert known.intrinsics.fx == pytest.approx(FOCAL_PX, rel=0.005)
        assert known.intrinsics.fy == pytest.approx(FOCAL_PX, rel=0.005)
        assert known.extrinsics.parent == "board"
        assert bad(moved(rig, camera, "none", 0.0)) == {}
        for what, value in MOVES:
            found = moved(rig, camera, what, value)
            mm, deg = by_board(camera, found)
            assert mm.value == pytest.approx(value if what == "move" else 0.0, abs=OFF_MM)
            assert deg.value == pytest.approx(value if what == "turn" else 0.0, abs=OFF_DEG)
            told = bad(found)
            assert set(told) == {(camera, mm.name if what == "move" else deg.name)}
            assert value == 3.0 or {finding.verdict for finding in told.values()} == {"fail"}
