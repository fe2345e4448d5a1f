"""Fingertips instead of joints: against MuJoCo's own forward kinematics, and goals that can be put together again."""

from pathlib import Path

import h5py
import mink
import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import ArrayLike, NDArray

from drivers.dynamixel.models import VX300S_CHAIN
from station.datasets.end_effectors import named, of_end_effectors, rotation_vectors
from station.datasets.parts import format_named
from station.errors import UsageError
from station.kinematics.arm import Kinematics
from station.kinematics.chains import FRAME
from station.kinematics.models import recorded_model
from station.rig.file import Base
from station.rig.geometry import ArmGeometry
from tests.station.datasets.exported import export_to, findings
from tests.station.datasets.recorded import SINGLE, Recorded, make
from tests.station.episodes.recording import JOINTS

NAMES = tuple(f"{side}_{joint}" for side in ("left", "right") for joint in JOINTS)
CHAIN = VX300S_CHAIN
GEOMETRY = {
    f"follower_{side}": ArmGeometry(
        tuple(f"{side}_{hinge.name}" for hinge in CHAIN.hinges), CHAIN, Base((0.1, offset, 0.2), (0.3, -0.2, turn))
    )
    for side, offset, turn in (("left", 0.4, 0.5), ("right", -0.4, -1.0))
}
turn = st.floats(-3.1, 3.1)


def matrix(vector: ArrayLike) -> NDArray[np.float64]:
    return np.asarray(mink.SO3.exp(np.asarray(vector, np.float64)).as_matrix())


def random(count: int) -> NDArray[np.float32]:
    return np.random.default_rng(3).uniform(-1.5, 1.5, (count, len(NAMES))).astype(np.float32)


def test_poses_are_those_of_mujoco_in_the_rig_frame() -> None:
    state = random(20)
    found, _ = of_end_effectors(state, state, NAMES, GEOMETRY, "ee", "absolute")
    for arm, first, at in (("follower_left", 0, 0), ("follower_right", 7, 7)):
        kinematics = Kinematics(recorded_model(GEOMETRY[arm]), FRAME)
        for row, numbers in zip(state, found, strict=True):
            pose = kinematics.forward(row[first : first + 6].astype(np.float64))
            np.testing.assert_allclose(numbers[at : at + 3], pose.position_m, atol=1e-6)
            right = mink.SO3(pose.quaternion_wxyz).as_matrix()
            np.testing.assert_allclose(matrix(numbers[at + 3 : at + 6]), right, atol=1e-6)
        np.testing.assert_array_equal(found[:, at + 6], state[:, first + 6])


def test_six_numbers_are_the_first_two_rows() -> None:
    state = random(5)
    vectors, _ = of_end_effectors(state, state, NAMES, GEOMETRY, "ee", "absolute")
    rows, _ = of_end_effectors(state, state, NAMES, GEOMETRY, "ee-6d", "absolute")
    for one, six in zip(vectors, rows, strict=True):
        right = matrix(one[3:6])
        assert np.abs(right - right.T).max() > 0.1  # rows and columns are not the same
        np.testing.assert_allclose(six[3:9].reshape(2, 3), right[:2], atol=1e-6)
    names, units = named(NAMES, ("rad",) * 6 + ("1",) + ("rad",) * 6 + ("1",), GEOMETRY, "ee-6d")
    assert names[:10] == (*(f"left_{n}" for n in ("x", "y", "z", "r00", "r01", "r02", "r10", "r11", "r12")), NAMES[6])
    assert units[9:11] == ("1", "m") and len(names) == 20


def test_steps_and_relative_goals_can_be_put_together_again() -> None:
    state, goals = random(6), random(7)[::-1].copy()
    _, absolute = of_end_effectors(state, goals[:6], NAMES, GEOMETRY, "ee", "absolute")
    is_at, step = of_end_effectors(state, goals, NAMES, GEOMETRY, "ee", "step-delta")
    _, relative = of_end_effectors(state, goals[:6], NAMES, GEOMETRY, "ee", "relative")
    assert len(step) == len(relative) == 6
    for k in range(6):
        goal, following = absolute[k], _last(goals, k + 1)
        np.testing.assert_allclose(goal[:3] + step[k, :3], following[:3], atol=1e-6)
        np.testing.assert_allclose(matrix(step[k, 3:6]) @ matrix(goal[3:6]), matrix(following[3:6]), atol=1e-5)
        turned = matrix(is_at[k, 3:6])
        np.testing.assert_allclose(is_at[k, :3] + turned @ relative[k, :3], goal[:3], atol=1e-5)
        np.testing.assert_allclose(turned @ matrix(relative[k, 3:6]), matrix(goal[3:6]), atol=1e-5)
        assert step[k, 6] == relative[k, 6] == goal[6] == goals[k, 6]


def _last(goals: NDArray[np.float32], place: int) -> NDArray[np.float32]:
    one = goals[place : place + 1]
    return np.asarray(of_end_effectors(one, one, NAMES, GEOMETRY, "ee", "absolute")[1][0])


@given(st.tuples(turn, turn, turn))
def test_rotation_vectors_give_their_rotation_back(vector: tuple[float, float, float]) -> None:
    rotation = matrix(vector)
    (found,) = rotation_vectors(rotation[None])
    assert np.linalg.norm(found) <= np.pi + 1e-9
    np.testing.assert_allclose(matrix(found), rotation, atol=1e-7)


@pytest.mark.parametrize("axis", [(1, 0, 0), (0, 1, 0), (0, 0, 1), (0.6, 0.0, 0.8)])
def test_half_turns_and_none_are_no_exception(axis: tuple[float, float, float]) -> None:
    half = matrix(np.pi * np.array(axis))
    np.testing.assert_allclose(matrix(rotation_vectors(half[None])[0]), half, atol=1e-7)
    np.testing.assert_array_equal(rotation_vectors(np.eye(3)[None])[0], np.zeros(3))


def test_a_set_of_fingertips_reads_back_and_says_what_it_is(tmp_path: Path) -> None:
    make(tmp_path / "data", Recorded(14, SINGLE, ("cam_high",)))
    plan = export_to(tmp_path / "set", tmp_path / "data", space="ee", gripper="closed-1").plan
    assert findings(tmp_path / "set") == ()
    assert plan.dim_names == (*(f"right_{name}" for name in ("x", "y", "z", "rx", "ry", "rz")), "right_gripper")
    card = (tmp_path / "set" / "README.md").read_text()
    assert "position in the rig frame" in card and "| right_gripper | 1 (0 open, 1 closed) |" in card
    numbers = format_named("lerobot-v3").open(tmp_path / "set").numbers(0)
    with h5py.File(tmp_path / "data/cube/episode_0.hdf5", locking=False) as file:
        qpos = file["/observations/qpos"][()]
        (geometry,) = msgspec.json.decode(file.attrs["kinematics"], type=dict[str, ArmGeometry]).values()
    pose = Kinematics(recorded_model(geometry), FRAME).forward(qpos[5, :6].astype(np.float64))
    np.testing.assert_allclose(numbers["state"][5, :3], pose.position_m, atol=1e-6)
    assert numbers["state"][5, 6] == 1 - qpos[5, 6]


def test_episodes_that_do_not_know_their_geometry_are_refused(tmp_path: Path) -> None:
    episode = make(tmp_path / "data", Recorded(14, SINGLE, ("cam_high",)))
    with h5py.File(episode, "r+") as file:
        file.attrs["kinematics"] = "{}"
    with pytest.raises(UsageError, match=r"geometry of follower_right is not in it.*--space joint"):
        export_to(tmp_path / "set", tmp_path / "data", space="ee")


def test_what_a_format_does_not_hold_is_refused_by_name(tmp_path: Path) -> None:
    make(tmp_path / "data", Recorded(14, SINGLE, ("cam_high",)))
    with pytest.raises(UsageError, match=r"lerobot-v3 does not hold raw.*--video h264 or av1 or as-shot"):
        export_to(tmp_path / "set", tmp_path / "data", video="raw")
    with pytest.raises(UsageError, match="--space ee"):
        export_to(tmp_path / "set", tmp_path / "data", representation="relative")
