"""A camera that an arm carries: what its gripper did between two times, and the lag of pictures of a wide swing."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from calibration.maths import carried, latency
from calibration.maths.poses import Pose, from_vectors, quaternions_wxyz
from drivers.dynamixel.models import VX300S
from station.kinematics.chains import fingertips, gripper_rotations

pytestmark = pytest.mark.slow

Array = NDArray[np.float64]

ON_GRIPPER = from_vectors(np.array([-1.8, 0.1, -1.5]), np.array([-0.07, 0.02, 0.06]))
REACHING = np.array([0.0, -0.6, 0.8, 0.0, 0.6, 0.0])
LENS_PX = 533.0
vectors = st.lists(st.floats(-3.0, 3.0), min_size=3, max_size=3).map(np.array)


def grippers(joints: Array) -> tuple[Array, Array]:
    assert VX300S.chain is not None
    return gripper_rotations(VX300S.chain, joints), fingertips(VX300S.chain, joints)


def swing(t_s: Array, wide: float) -> Array:
    """The joints at these times, each in a rhythm of its own, at changing speed."""
    rhythm = 2 * np.pi * np.array([0.25, 0.41, 0.33, 0.52, 0.29, 0.37])
    phase = rhythm * t_s[:, None] + np.sin(0.9 * t_s)[:, None] + np.arange(6)
    return REACHING + wide * np.array([0.12, 0.03, 0.05, 0.05, 0.05, 0.1]) * np.sin(phase)


def seen(t_s: Array, wide: float) -> Array:
    """What points of the table, where the camera sees them at first, move by between these times. (M − 1, 2 P), px"""
    cameras = [Pose(*each) @ ON_GRIPPER for each in zip(*grippers(swing(t_s, wide)), strict=True)]
    u, v = np.meshgrid(np.linspace(-280, 280, 6) / LENS_PX, np.linspace(-200, 200, 4) / LENS_PX)
    rays = np.stack([u.ravel(), v.ravel(), np.ones(u.size)], axis=1)
    middle = cameras[0].translation_m + 0.5 * cameras[0].rotation[:, 2]
    normal = cameras[0].rotation @ np.array([0.2, -0.3, -0.93])
    found = []
    for one, other in itertools.pairwise(cameras):
        ahead = rays @ one.rotation.T
        far = ((middle - one.translation_m) @ normal) / (ahead @ normal)
        points = one.translation_m + far[:, None] * ahead
        there = (points - other.translation_m) @ other.rotation
        found.append(LENS_PX * (there[:, :2] / there[:, 2:] - rays[:, :2]).ravel())
    return np.array(found)


@given(vectors, vectors)
def test_quaternions_are_those_of_the_rotations(one: Array, other: Array) -> None:
    rotations = np.stack([from_vectors(each, np.zeros(3)).rotation for each in (one, other, np.zeros(3))])
    for (w, x, y, z), rotation in zip(quaternions_wxyz(rotations), rotations, strict=True):
        cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
        np.testing.assert_allclose(np.eye(3) + 2 * w * cross + 2 * cross @ cross, rotation, atol=1e-9)


@given(vectors, vectors, vectors, vectors)
def test_what_a_gripper_did_is_told_in_its_own_frame(turn: Array, place: Array, more: Array, way: Array) -> None:
    one, step = from_vectors(turn, place), from_vectors(more * 0.3, way)
    other = one @ step
    path = carried.path(
        np.array([0.0, 10.0]),
        np.stack([one.rotation, other.rotation]),
        np.stack([one.translation_m, other.translation_m]),
    )
    moved = path.moved(np.array([0.0, 3.0]), np.array([10.0, 3.0]))
    np.testing.assert_allclose(moved[0, :3], more * 0.3, atol=1e-7)
    np.testing.assert_allclose(moved[0, 3:6], way, atol=1e-9)
    np.testing.assert_allclose(moved[1], 0.0, atol=1e-12)


@pytest.mark.parametrize("wide", [1.0, 2.0, 4.0])
def test_a_wide_swing_of_the_arm_that_carries_the_camera_gives_the_lag(wide: float) -> None:
    """As sums of the joints' turns the same recordings are refused, or off by more than the 3 ms that are promised."""
    arm_s, pictures_s, late_s = np.arange(-0.5, 12.5, 0.01), np.arange(0.0, 12.0, 0.1), 0.08
    motion = seen(pictures_s - late_s, wide) + np.random.default_rng(0).normal(0, 0.05, (119, 48))
    joints = swing(arm_s, wide)
    found = latency.camera_lag(
        (arm_s * 1e9).astype(np.int64), joints, (pictures_s * 1e9).astype(np.int64), motion, grippers(joints)
    )
    assert found.lag_ms == pytest.approx(80.0, abs=3.0)


@pytest.mark.parametrize("begin_s", [0.0, 6.0, 12.0])
def test_encoders_ticks_leave_the_lag_where_it_is(begin_s: float) -> None:
    """As read, a tick of 1.5 mrad hides it: refused, or off by up to 16 ms."""
    arm_s, pictures_s = begin_s + np.arange(-0.5, 12.5, 0.01), begin_s + np.arange(0.0, 12.0, 1 / 15)
    motion = seen(pictures_s - 0.08, 1.0) + np.random.default_rng(0).normal(0, 0.05, (len(pictures_s) - 1, 48))
    tick = 2 * np.pi / 4096
    read = np.round(swing(arm_s, 1.0) / tick) * tick
    stamps = ((arm_s + 1) * 1e9).astype(np.int64)
    smooth = latency.without_ticks(stamps, read)
    found = latency.camera_lag(stamps, smooth, ((pictures_s + 1) * 1e9).astype(np.int64), motion, grippers(smooth))
    assert found.lag_ms == pytest.approx(80.0, abs=3.0)
    assert found.uncertainty_ms < 4.0


@given(st.floats(-2.0, 2.0), st.floats(-3.0, 3.0), st.integers(2, 300))
def test_what_turns_evenly_is_as_late_as_it_was(speed: float, begin: float, count: int) -> None:
    at_ns = np.cumsum(np.random.default_rng(count).integers(4_000_000, 12_000_000, count))
    turned: Array = np.asarray(begin + speed * at_ns / 1e9, np.float64)[:, None]
    np.testing.assert_allclose(latency.without_ticks(at_ns, turned), turned, atol=1e-9)
