"""The cameras: a V4L2 device at the ioctls, MJPEG over HTTP, a RealSense made of the SDK's software device."""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from drivers.cameras.jpeg import encode
from drivers.cameras.opencv import OpenCVCamera
from drivers.cameras.realsense import RealSenseCamera
from station.clock import NS_PER_S, Grid, monotonic_ns
from station.devices.conformance import Subject
from station.devices.contract import Place
from tests.conformance.subject import Factory
from tests.drivers.cameras.fake_v4l2 import FakeV4L2
from tests.drivers.cameras.software_realsense import SERIAL, OneDevice, SoftwareD405

FPS = 30
PLACE = Place("cam_high", "camera", monotonic_ns, 3.14, 100.0)


class Shutter(threading.Thread):
    """Calls `shoot(index, nominal time)` on an absolute grid: a sensor, which waits for nobody."""

    def __init__(self, shoot: Callable[[int, int], None], fps: float) -> None:
        super().__init__(name="shutter", daemon=True)
        self._shoot, self._grid = shoot, Grid(monotonic_ns(), fps)
        self._closing = threading.Event()

    def run(self) -> None:
        index = 0
        while not self._closing.wait(max(0, self._grid.time_ns(index + 1) - monotonic_ns()) / NS_PER_S):
            index += 1
            self._shoot(index, self._grid.time_ns(index))

    def __enter__(self) -> "Shutter":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self.join()


@contextmanager
def v4l2(folder: Path) -> Iterator[Subject]:
    kernel = FakeV4L2(folder / "CAM_HIGH")
    picture = encode(np.full((480, 640, 3), 99, np.uint8))
    settings = OpenCVCamera.Settings(str(kernel.path), 640, 480, FPS)
    with pytest.MonkeyPatch.context() as patch, Shutter(lambda _, taken_ns: kernel.shoot(picture, taken_ns), FPS):
        kernel.install(patch)
        yield Subject(lambda: OpenCVCamera(settings, PLACE), kernel.unplug, kernel.plug)


class Server:
    """The MJPEG server in a process of its own, always on the same port."""

    def __init__(self, picture: Path) -> None:
        self._picture = picture
        self._process: subprocess.Popen[str] | None = None
        self.url, self._port = "", 0

    def start(self) -> None:
        command = [
            sys.executable,
            "-m",
            "tests.drivers.cameras.mjpeg_server",
            str(self._port),
            str(FPS),
            str(self._picture),
        ]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().strip()
        self._port = int(self.url.rsplit(":", 1)[1].split("/")[0])

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


@contextmanager
def http(folder: Path) -> Iterator[Subject]:
    picture = folder / "picture.jpg"
    picture.write_bytes(encode(np.full((480, 640, 3), 99, np.uint8)))
    server = Server(picture)
    server.start()
    link = folder / "cam_high"
    link.symlink_to(server.url)
    settings = OpenCVCamera.Settings(str(link), 640, 480, FPS)
    try:
        yield Subject(lambda: OpenCVCamera(settings, PLACE), server.stop, server.start)
    finally:
        server.stop()


def _realsense(depth: bool) -> Factory:
    @contextmanager
    def factory(folder: Path) -> Iterator[Subject]:
        software = SoftwareD405()
        bus = OneDevice(software)
        pixels: list[Any] = [np.full((480, 640, 3), 99, np.uint8)] + [np.zeros((480, 640), np.uint16)] * depth

        def shoot(index: int, taken_ns: int) -> None:
            for picture in pixels if bus.plugged else []:
                software.shoot(picture, (taken_ns - 1234 * NS_PER_S) / 1e6, index)

        keys = {"serial": SERIAL, "width": 640, "height": 480, "fps": 60, "depth": depth, "reset": False}
        settings = msgspec.convert(keys, RealSenseCamera.Settings)
        with Shutter(shoot, 60):
            yield Subject(
                lambda: RealSenseCamera(settings, PLACE, bus),
                lambda: setattr(bus, "plugged", False),
                lambda: setattr(bus, "plugged", True),
            )
        del bus.software  # the test still holds its subject while leaks are counted, and the SDK's device has a socket

    return factory


CAMERAS: dict[str, Factory] = {
    "opencv_v4l2": v4l2,
    "opencv_http": http,
    "realsense": _realsense(depth=False),
    "realsense_depth": _realsense(depth=True),
}
