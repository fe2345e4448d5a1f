"""In which direction a hand is asked to move a joint: what the words say comes true, as MuJoCo has it, whatever the pose."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from calibration.trying import directions
from drivers.dynamixel.models import VX300S_CHAIN
from station.bus.messages import Dimension
from tests.calibration.made_up_rig import JOINTS, TRAVEL_RAD
from tests.calibration.trying.hands import turned

STEP_RAD = 0.005
POSES = st.tuples(*(st.floats(low + 0.4, high - 0.4) for low, high in TRAVEL_RAD.values())).map(np.array)


@given(POSES, st.sampled_from(range(6)), st.sampled_from([1, -1]))
def test_whoever_does_what_the_words_say_turns_the_joint_in_that_direction(
    pose: NDArray[np.float64], place: int, sign: int
) -> None:
    pose[4] = np.clip(pose[4], -1.2, 1.2)  # bent further, "towards its fingers" and "along the arm" are two things
    words, wanted = directions.joint(place, sign, pose, VX300S_CHAIN)
    assert wanted == sign
    if "direction" not in words:  # the fingers are on the axis
        assert turned(pose, JOINTS[place], words, STEP_RAD) == pytest.approx(sign * STEP_RAD)


@pytest.mark.parametrize(("at", "sign"), [(0.0, 1), (1.5, -1), (1.25, 1), (-1.7, 1)])
def test_a_joint_at_the_end_of_its_travel_is_moved_back(at: float, sign: int) -> None:
    assert directions.with_room(Dimension("elbow", "rad", -1.76, 1.61), at) == sign


def test_without_a_chain_that_fits_it_is_told_by_its_sign() -> None:
    for chain, joints in ((None, 6), (VX300S_CHAIN, 7)):
        asked = [directions.joint(0, sign, np.zeros(joints), chain).words for sign in (1, -1)]
        assert asked == ["in its positive direction", "in its negative direction"]


@pytest.mark.parametrize(("aperture", "asked"), [(0.0, ("open", 1)), (0.4, ("open", 1)), (1.0, ("closed", -1))])
def test_a_gripper_is_moved_where_it_has_room(aperture: float, asked: tuple[str, int]) -> None:
    assert tuple(directions.gripper(aperture)) == asked
