from pathlib import Path

import cv2
import h5py
import numpy as np
import pytest

from station.errors import EpisodeError
from station.policy.folder import Image
from station.training.learning.demonstrations import demonstrations, first_grasp, read_demonstration
from tests.pictures import bgr
from tests.station.training.learning import made

IMAGE = Image(*made.SIZE)


def test_rows_are_those_in_which_something_moves_and_pictures_are_kept_once(tmp_path: Path) -> None:
    demo = read_demonstration(made.write(tmp_path, 0), ["cam_high"], IMAGE)
    first = made.IDLE  # the row before the first that differs: where the motion starts from
    np.testing.assert_array_equal(demo.action, made.action(0)[first:])
    np.testing.assert_array_equal(demo.state[2:], made.action(0)[first : made.ROWS - 2])
    rows = made.ROWS - first
    assert demo.shown.shape == (1, rows)
    np.testing.assert_array_equal(demo.shown[0], np.arange(first, made.ROWS) // 3 - first // 3)
    assert demo.pictures[0].shape == (rows // 3 + 1, made.SIZE[1], made.SIZE[0], 3)
    assert demo.pictures[0].dtype == np.uint8


def test_pictures_are_what_a_policy_sees(tmp_path: Path) -> None:
    seen = read_demonstration(made.write(tmp_path, 1), ["cam_high"], IMAGE).pictures[0][5]
    jpeg = cv2.imencode(".jpg", made.picture(1, made.IDLE - made.IDLE % 3 + 15))[1]
    rgb = cv2.cvtColor(bgr(jpeg), cv2.COLOR_BGR2RGB)
    np.testing.assert_array_equal(seen, cv2.resize(rgb, made.SIZE, interpolation=cv2.INTER_AREA))
    raw = read_demonstration(made.write(tmp_path / "raw", 1, raw=True), ["cam_high"], IMAGE).pictures[0][5]
    assert np.abs(raw.astype(int) - seen).mean() < 3, "raw episodes are RGB, JPEG ones become it"


def test_waiting_at_the_end_is_cut_but_for_a_second(tmp_path: Path) -> None:
    demo = read_demonstration(made.write(tmp_path, 0, rest=200), ["cam_high"], IMAGE)
    last_motion = made.IDLE + 20 + 10 - 1
    assert len(demo.action) == last_motion + 1 - made.IDLE + 50
    still = made.write(tmp_path, 1)
    with h5py.File(still, "a") as file:
        file["/action"][:] = 0.5
    with pytest.raises(EpisodeError, match="nothing moves"):
        read_demonstration(still, ["cam_high"], IMAGE)


def test_the_first_grasp_is_where_an_opened_gripper_begins_to_close(tmp_path: Path) -> None:
    demo = read_demonstration(made.write(tmp_path, 2), ["cam_high"], IMAGE)
    assert demo.grasp == 21, "a twentieth of the travel after the widest"
    assert demo.action[demo.grasp][0] == pytest.approx(made.goal(2))
    never = made.action(2).copy()
    never[:, 2] = 0.9
    assert first_grasp(never, made.NAMES) == 0
    both = np.concatenate([np.roll(made.action(2), 5, 0), made.action(2)], 1)
    assert first_grasp(both, (*made.NAMES, *made.NAMES)) == first_grasp(made.action(2), made.NAMES)


def test_failures_and_what_ended_by_itself_are_left_out(tmp_path: Path) -> None:
    kept = made.write(tmp_path / "cube", 3)
    made.write(tmp_path / "cube", 0, success=np.int8(0))
    made.write(tmp_path / "cube", 1, ended="the left follower is silent")
    made.write(tmp_path / "other", 2)
    assert [demo.path for demo in demonstrations(tmp_path, "cube", ["cam_high"], IMAGE)] == [kept]
    kept.unlink()
    with pytest.raises(EpisodeError, match=r"episode_0.hdf5: a failure; episode_1.hdf5: the left follower is silent"):
        demonstrations(tmp_path, "cube", ["cam_high"], IMAGE)


def test_episodes_that_do_not_fit_are_named(tmp_path: Path) -> None:
    made.write(tmp_path, 0)
    with pytest.raises(EpisodeError, match=r"episode_0.hdf5 has no camera cam_low \(it has cam_high\)"):
        demonstrations(tmp_path, "", ["cam_low"], IMAGE)
    made.write(tmp_path, 1, tick_hz=30.0)
    with pytest.raises(EpisodeError, match=r"episode_1.hdf5 is of another rig than .*episode_0.hdf5"):
        demonstrations(tmp_path, "", ["cam_high"], IMAGE)
