import gc
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from drivers.sim.world.camera import Controls, MujocoCamera
from drivers.sim.world.scene import Scene
from drivers.sim.world.shares import EXTRAS, NO_BOARD, OPTICS, WELL
from drivers.sim.world.state_file import StateWriter
from station.clock import NS_PER_S, monotonic_ns
from station.devices.contract import Place
from station.errors import DeviceMissing, DeviceSilent, DeviceWrong
from tests.pictures import bgr, gray

PLACE = Place("cam_high", "camera", monotonic_ns, 3.14, 100.0)


class World:
    """Shares a scene that stands still, 100 times a second, until told to freeze."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.qpos = Scene().qpos()
        self.extras = np.array((*WELL, *NO_BOARD))
        self._stop = threading.Event()
        self.start()

    def start(self) -> None:
        self._stop.clear()
        self._writer = StateWriter(self.path, len(self.qpos) + EXTRAS)
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.wait(0.01):
            self._writer.write(monotonic_ns(), np.concatenate((self.qpos, self.extras)))

    def freeze(self) -> None:
        """As a killed world leaves it: the file stays."""
        self._stop.set()
        self._thread.join()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path / "cam")
    yield world
    world.freeze()


def camera(world: World, view: str = "top", focus: int | None = None, width: int = 320) -> MujocoCamera:
    settings = MujocoCamera.Settings(str(world.path), view, width, width * 3 // 4, 15.0, Controls(focus))
    return MujocoCamera(settings, PLACE)


def pictures(device: MujocoCamera, count: int) -> list[tuple[int, bytes]]:
    found: list[tuple[int, bytes]] = []
    while len(found) < count:
        found += [(reading.captured_at_ns, reading.payload[0]) for reading in device.read()]
    return found


def test_pictures_show_the_cube_in_red_and_the_followers(world: World) -> None:
    device = camera(world)
    device.open()
    (_, jpeg), *_ = pictures(device, 1)
    device.close()
    picture = bgr(jpeg).astype(int)
    assert picture.shape == (240, 320, 3)
    blue, green, red = picture[..., 0], picture[..., 1], picture[..., 2]
    cube = (red > 150) & (green < 90) & (blue < 90)
    assert 20 < cube.sum() < 400
    assert np.nonzero(cube)[1].mean() > 180, "right of the middle: the right arm picks it"
    arms = (picture.min(axis=2) > 120).sum(axis=0)
    assert arms[:120].sum() > 500
    assert arms[200:].sum() > 500


def test_a_focus_that_another_program_changes_is_told_blurs_and_is_set_back_by_opening_anew(world: World) -> None:
    device = camera(world, focus=5)
    device.open()
    sharp = pictures(device, 1)[0][1]
    assert device.warnings() == ()
    world.extras[OPTICS["focus"]] = 40.0
    blurred = pictures(device, 3)[-1][1]
    assert device.warnings() == ("focus is 40, 5 was set: something changed it",)
    assert (
        np.abs(cv2.Laplacian(gray(blurred), cv2.CV_32F)).mean()
        < 0.7 * np.abs(cv2.Laplacian(gray(sharp), cv2.CV_32F)).mean()
    )
    device.close()
    device.open()
    again = pictures(device, 1)[0][1]
    device.close()
    assert device.warnings() == ()
    assert again == sharp


def test_nobody_is_told_of_a_focus_that_the_rig_file_does_not_set(world: World) -> None:
    device = camera(world)
    device.open()
    world.extras[OPTICS["focus"]] = 40.0
    pictures(device, 3)
    device.close()
    assert device.warnings() == ()


def test_a_focus_that_no_lens_has_is_refused() -> None:
    with pytest.raises(ValueError, match="0 to 250"):
        Controls(300)


def test_a_board_is_seen_where_it_is_held_until_it_is_taken_away(world: World) -> None:
    """Face up at 0.5 m below the camera at x = 0, y = 0.6, z = 0.8, which looks straight down with a focal length of 296 px."""
    square_m, focal_px = 0.05, 240 / np.tan(np.radians(78.0) / 2)
    world.extras[len(WELL) :] = (-0.225, 0.75, 0.3, 0.0, 1.0, 0.0, 0.0, square_m)
    device = camera(world, width=640)
    device.open()
    seen = gray(pictures(device, 1)[0][1])
    world.extras[len(WELL) :] = NO_BOARD
    gone = gray(pictures(device, 3)[-1][1])
    device.close()
    board = cv2.aruco.CharucoBoard(
        (9, 6), square_m, 0.75 * square_m, cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_5X5_100)
    )
    corners, ids, _, _ = cv2.aruco.CharucoDetector(board).detectBoard(seen)
    assert len(ids) == 40
    at_m = np.array(board.getChessboardCorners())[ids.ravel()]
    right_px, down_px = (np.array([319.5, 239.5]) + focal_px * (at_m[:, :2] + (-0.225, -0.15)) / 0.5).T
    assert np.abs(corners.reshape(-1, 2) - np.stack([right_px, down_px], axis=1)).max() < 0.5
    assert cv2.aruco.CharucoDetector(board).detectBoard(gone)[1] is None


def test_the_stamp_is_the_physics_time_shown(world: World) -> None:
    device = camera(world)
    device.open()
    begin = monotonic_ns()
    stamps = [stamp for stamp, _ in pictures(device, 8)]
    end = monotonic_ns()
    device.close()
    assert stamps == sorted(set(stamps))
    assert begin - 2 * NS_PER_S < stamps[0]
    assert stamps[-1] <= end


def test_every_view_can_be_drawn_and_an_unknown_one_is_named(world: World) -> None:
    with pytest.raises(DeviceWrong, match=r"view: bottom") as wrong:
        camera(world, "bottom").open()
    views = [v for v in ("top", "angle", "front_close", "left_wrist", "right_wrist", "left_pillar", "right_pillar")]
    assert all(view in str(wrong.value) for view in views)
    drawn = set()
    for view in views:
        device = camera(world, view)
        device.open()
        drawn.add(pictures(device, 1)[0][1])
        device.close()
    assert len(drawn) == len(views)


def test_without_a_world_it_is_missing(tmp_path: Path) -> None:
    device = MujocoCamera(MujocoCamera.Settings(str(tmp_path / "nothing"), "top"), PLACE)
    with pytest.raises(DeviceMissing, match="start the rig's world"):
        device.open()
    with pytest.raises(DeviceMissing):
        device.read()


def test_a_world_that_stops_is_a_named_error_within_a_second_and_a_new_one_is_found(world: World) -> None:
    device = camera(world)
    device.open()
    pictures(device, 2)
    world.freeze()
    newest = pictures_until_silent(device)
    device.close()
    with pytest.raises(DeviceSilent):
        device.open()
    world.start()
    device.open()
    assert pictures(device, 1)[0][0] > newest
    device.close()


def pictures_until_silent(device: MujocoCamera) -> int:
    frozen_ns = monotonic_ns()
    newest = 0

    def read_on() -> None:
        nonlocal newest
        while monotonic_ns() - frozen_ns < 20 * NS_PER_S:
            for reading in device.read():
                newest = reading.captured_at_ns

    with pytest.raises(DeviceSilent, match="look at the node `world`"):
        read_on()
    return newest


def test_fifty_openings_leave_nothing_behind(world: World) -> None:
    device = camera(world)
    device.open()
    device.close()
    gc.collect()  # what earlier tests left to it
    descriptors, threads = len(os.listdir("/proc/self/fd")), threading.active_count()
    for _ in range(50):
        device.open()
        device.close()
    assert len(os.listdir("/proc/self/fd")) == descriptors
    assert threading.active_count() == threads


def test_it_may_be_closed_by_another_thread_than_the_one_that_read(world: World) -> None:
    device = camera(world)
    device.open()
    reader = threading.Thread(target=pictures, args=(device, 1))
    reader.start()
    reader.join()
    device.close()
