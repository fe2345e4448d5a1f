import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from calibration.maths import poses
from calibration.maths.poses import Pose

VECTOR = st.tuples(*[st.floats(-1.5, 1.5)] * 3).map(np.array)
POSE = st.builds(poses.from_vectors, VECTOR, VECTOR)


@given(POSE)
def test_a_pose_and_its_inverse_are_nothing(pose: Pose) -> None:
    there_and_back = pose @ pose.inverse()
    assert there_and_back.rotation == pytest.approx(np.eye(3), abs=1e-9)
    assert there_and_back.translation_m == pytest.approx(np.zeros(3), abs=1e-9)


@given(POSE)
def test_quaternions_and_back(pose: Pose) -> None:
    quaternion = pose.quaternion_wxyz()
    assert np.linalg.norm(quaternion) == pytest.approx(1.0)
    back = poses.from_quaternion(quaternion, pose.translation_m)
    assert back.rotation == pytest.approx(pose.rotation, abs=1e-6)
    assert poses.from_quaternion([-q for q in quaternion], pose.translation_m).rotation == pytest.approx(
        pose.rotation, abs=1e-9
    )


@given(POSE, VECTOR.filter(lambda v: np.linalg.norm(v) > 0.01))
def test_the_mean_of_a_pose_turned_both_ways_is_the_pose(pose: Pose, axis: NDArray[np.float64]) -> None:
    small = 0.1 * axis / np.linalg.norm(axis)
    pair = [pose @ poses.from_vectors(sign * small, sign * small) for sign in (1, -1)]
    assert poses.angle_deg(poses.mean(pair), pose) < 1e-5
    assert poses.distance_mm(poses.mean(pair), pose) < 1e-6
    assert poses.angle_deg(pose, pair[0]) == pytest.approx(np.degrees(0.1), abs=1e-6)


def test_no_rotation_from_zeros() -> None:
    with pytest.raises(ValueError, match="zeros"):
        poses.from_quaternion((0, 0, 0, 0), (0, 0, 0))
