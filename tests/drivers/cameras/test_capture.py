import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from drivers.cameras.controls import Controls
from drivers.cameras.opencv import OpenCVCamera
from station.clock import NS_PER_S, monotonic_ns
from station.devices.contract import Place, Reading
from station.errors import DeviceError, DeviceMissing, DeviceSilent, DeviceWrong
from tests.drivers.cameras.conftest import picture
from tests.drivers.cameras.mjpeg_server import MjpegServer
from tests.pictures import bgr

PLACE = Place("cam_high", "camera", monotonic_ns, 3.14, 100)
PATIENCE_NS = 20 * NS_PER_S


@pytest.fixture
def server(jpegs: list[bytes]) -> Iterator[MjpegServer]:
    with MjpegServer(jpegs) as running:
        yield running


def camera(source: str, width: int = 640, height: int = 480, fps: float = 30) -> OpenCVCamera:
    return OpenCVCamera(OpenCVCamera.Settings(source, width, height, fps), PLACE)


def take(cam: OpenCVCamera, count: int) -> list[Reading]:
    """`count` readings; an assertion if they do not come."""
    deadline_ns = monotonic_ns() + PATIENCE_NS
    taken: list[Reading] = []
    while len(taken) < count:
        assert monotonic_ns() < deadline_ns
        taken += cam.read()
    return taken


def read_until_error(cam: OpenCVCamera) -> tuple[DeviceError, int]:
    """The error, and how long the longest call took, ns."""
    longest_ns, deadline_ns = 0, monotonic_ns() + PATIENCE_NS
    while monotonic_ns() < deadline_ns:
        before_ns = monotonic_ns()
        try:
            cam.read()
        except DeviceError as error:
            return error, longest_ns
        longest_ns = max(longest_ns, monotonic_ns() - before_ns)
    raise AssertionError("no error came")


@pytest.mark.slow
def test_mjpeg_over_http_passes_through(server: MjpegServer, jpegs: list[bytes]) -> None:
    cam = camera(server.url)
    cam.open()
    readings = take(cam, 20)
    cam.close()
    assert all(reading.payload[0] in jpegs for reading in readings)
    stamps = [reading.captured_at_ns for reading in readings]
    assert stamps == sorted(set(stamps))
    frame: Any = readings[0].body
    assert (frame.encoding, frame.width, frame.height, frame.stamp) == ("jpeg", 640, 480, "arrival")
    assert "MJPEG passed through" in cam.describe().notes


@pytest.mark.slow
def test_a_link_to_a_url_is_followed(server: MjpegServer, tmp_path: Path) -> None:
    link = tmp_path / "cam_high"
    link.symlink_to(server.url)
    cam = camera(str(link))
    cam.open()
    assert take(cam, 1)
    cam.close()


@pytest.mark.slow
def test_the_newest_is_kept_for_a_slow_reader(server: MjpegServer) -> None:
    cam = camera(server.url)
    cam.open()
    take(cam, 1)
    sent = server.sent
    while server.sent < sent + 15:
        time.sleep(0.01)
    newest = take(cam, 5)[-1]
    cam.close()
    assert cam.health()["overrun_frames"] >= 5
    assert monotonic_ns() - newest.captured_at_ns < 2 * NS_PER_S


@pytest.mark.slow
def test_a_frozen_server_is_silent_within_a_second_and_close_does_not_hang(server: MjpegServer) -> None:
    cam = camera(server.url)
    cam.open()
    take(cam, 2)
    server.frozen.set()
    error, longest_ns = read_until_error(cam)
    assert isinstance(error, DeviceSilent)
    assert "cam_high" in str(error)
    assert longest_ns < NS_PER_S
    cam.close()
    server.frozen.clear()
    cam.open()
    assert take(cam, 2)
    cam.close()


def test_a_server_that_leaves_is_noticed_and_found_again(server: MjpegServer) -> None:
    cam = camera(server.url)
    cam.open()
    last = take(cam, 2)[-1]
    server.gone.set()
    assert isinstance(read_until_error(cam)[0], DeviceSilent)
    cam.close()
    with pytest.raises(DeviceMissing, match="http"):
        cam.open()
    cam.close()
    server.gone.clear()
    cam.open()
    assert take(cam, 1)[0].captured_at_ns > last.captured_at_ns
    cam.close()


@pytest.mark.slow
def test_a_server_that_never_answers_is_missing_and_leaves_no_thread(jpegs: list[bytes]) -> None:
    with MjpegServer(jpegs) as server:
        server.frozen.set()
        before = threading.active_count()
        cam = camera(server.url)
        start_ns = monotonic_ns()
        with pytest.raises(DeviceMissing):
            cam.open()
        assert monotonic_ns() - start_ns < 5 * NS_PER_S
        cam.close()
    assert _settles(lambda: threading.active_count() <= before)


def test_pictures_of_another_size_are_refused(server: MjpegServer) -> None:
    cam = camera(server.url, width=1280, height=720)
    cam.open()
    with pytest.raises(DeviceWrong, match="640×480"):
        take(cam, 1)
    cam.close()


@pytest.mark.slow
def test_torn_pictures_are_counted_and_passed_over(jpegs: list[bytes]) -> None:
    with MjpegServer([jpegs[0], jpegs[1][:3000] + jpegs[2]]) as server:
        cam = camera(server.url)
        cam.open()
        readings = take(cam, 6)
        cam.close()
    assert {reading.payload[0] for reading in readings} == {jpegs[0]}
    assert cam.health()["torn_frames"] >= 4


@pytest.fixture(params=["MJPG", "mp4v"])
def video(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    path = tmp_path / ("film.avi" if request.param == "MJPG" else "film.mp4")
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*request.param), 30, (64, 48))
    for index in range(12):
        writer.write(picture(index * 20, 64, 48))
    writer.release()
    return str(path), request.param


@pytest.mark.slow
def test_a_file_plays_at_its_rate_then_ends_and_plays_again(video: tuple[str, str]) -> None:
    path, codec = video
    cam = camera(path, 64, 48)
    for _ in range(2):
        cam.open()
        readings = take(cam, 12)
        span_ns = readings[-1].captured_at_ns - readings[0].captured_at_ns
        assert span_ns >= 0.9 * 11 / 30 * NS_PER_S
        shades = [bgr(r.payload[0])[2, 2].mean() for r in readings]
        assert np.allclose(shades, [index * 20 for index in range(12)], atol=8)
        error, _ = read_until_error(cam)
        assert "the file has ended" in str(error)
        cam.close()
    notes = " ".join(cam.describe().notes)
    assert ("passed through" in notes) == (codec == "MJPG")


def test_controls_asked_of_a_url_are_said_not_to_be_set(server: MjpegServer) -> None:
    settings = OpenCVCamera.Settings(server.url, 640, 480, 30, controls=Controls(focus=5))
    cam = OpenCVCamera(settings, PLACE)
    cam.open()
    assert any("focus" in note for note in cam.describe().notes)
    cam.close()


@pytest.mark.parametrize("source", ["/dev/CAM_NOWHERE", "nowhere.mp4", "97", "http://127.0.0.1:1/"])
def test_what_is_not_there_is_missing(source: str) -> None:
    cam = camera(source)
    with pytest.raises(DeviceMissing, match="cam_high"):
        cam.open()
    cam.close()


@pytest.mark.slow
def test_fifty_openings_leave_neither_thread_nor_descriptor(jpegs: list[bytes]) -> None:
    with MjpegServer(jpegs, fps=120) as server:
        cam = camera(server.url, fps=120)
        cam.open()
        cam.close()
        assert _settles(lambda: not _readers())
        before = _descriptors_of_clients()
        for _ in range(50):
            cam.open()
            cam.read()
            cam.close()
        assert not _readers()
        assert _settles(lambda: _descriptors_of_clients() <= before + 1)


def _readers() -> list[str]:
    return [thread.name for thread in threading.enumerate() if "reader" in thread.name]


def _descriptors_of_clients() -> int:
    return len(os.listdir("/proc/self/fd"))


def _settles(condition: Any) -> bool:
    """The server's own threads end a little after their clients."""
    deadline_ns = monotonic_ns() + PATIENCE_NS
    while monotonic_ns() < deadline_ns:
        if condition():
            return True
        threading.Event().wait(0.01)
    return False


@pytest.mark.slow
def test_bytes_behind_every_picture_lose_none(jpegs: list[bytes]) -> None:
    with MjpegServer([jpeg + b"\r\n" for jpeg in jpegs]) as server:
        cam = camera(server.url)
        cam.open()
        readings = take(cam, 10)
        assert all(reading.payload[0] in jpegs for reading in readings)
        assert cam.health()["torn_frames"] == 0
        assert cam.health()["cut_frames"] >= 10
        assert cam.warnings() == ()
        cam.close()


@pytest.mark.slow
def test_torn_pictures_are_told_with_their_cause_and_named_when_there_are_no_others(jpegs: list[bytes]) -> None:
    with MjpegServer([jpegs[0], jpegs[1][:-400]]) as server:
        cam = camera(server.url)
        cam.open()
        take(cam, 5)
        (told,) = cam.warnings()
        assert "of the last 10 s lost: torn: it has no end marker" in told
        server.pictures = [jpegs[1][:-400]]
        error, _ = read_until_error(cam)
        assert "that is whole" in str(error)
        assert "no end marker" in str(error)
        cam.close()


@pytest.mark.slow
def test_a_camera_that_asks_to_be_turned_is_told_and_seen_alike_by_all(jpegs: list[bytes]) -> None:
    orientation = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    app1 = b"\xff\xe1" + (len(orientation) + 2).to_bytes(2) + orientation
    with MjpegServer([jpeg[:2] + app1 + jpeg[2:] for jpeg in jpegs]) as server:
        cam = camera(server.url)
        cam.open()
        (reading,) = take(cam, 1)
        seen = bgr(reading.payload[0])
        assert seen.shape == (480, 640, 3)
        assert "Exif orientation" in cam.warnings()[0]
        cam.close()
