import re

import pytest

from station.files import calibration_files
from tests.calibration.careless import bench, wrist
from tests.calibration.wrong import CASES, Wrong, refused


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_is_wrong_is_refused_with_its_cause_and_nothing_of_it_is_stored(case: Wrong) -> None:
    told, stored = refused(case)
    assert re.search(case.cause, told), told or "nothing was told"
    assert "Next:" in told or "the pose" in told
    assert stored == []


def test_the_same_operator_doing_it_right_is_not_refused() -> None:
    with bench() as made:
        wrist(made)
        (known,) = calibration_files.load_all()
        assert known.intrinsics is not None
        assert known.extrinsics is not None
        assert known.reference is not None
