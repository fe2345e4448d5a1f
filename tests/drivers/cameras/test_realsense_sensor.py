"""The seam itself, through librealsense's own software device."""

import subprocess
import sys
from typing import Any

import numpy as np
import pyrealsense2 as rs
import pytest

from drivers.cameras.realsense import RealSenseCamera
from drivers.cameras.realsense_sensor import About, SdkBus, SdkCamera, SensorFailed, Wanted
from station.devices.contract import Place
from tests.drivers.cameras.software_realsense import SERIAL, OneDevice, SoftwareD405


def color(value: int) -> Any:
    return np.full((480, 640, 3), value, np.uint8)


def test_both_streams_come_with_stamp_domain_and_number() -> None:
    software = SoftwareD405()
    camera = SdkCamera(software.device)
    assert camera.about == About(SERIAL, "Intel RealSense D405", "", "")
    camera.start([Wanted("color", 640, 480, 60), Wanted("depth", 640, 480, 60)])
    depth = np.arange(480 * 640, dtype=np.uint16).reshape(480, 640)
    software.shoot(color(9), 1234.5, 7)
    software.shoot(depth, 1235.0, 8, rs.timestamp_domain.system_time)
    first, second = camera.next(5), camera.next(5)
    assert first is not None
    assert second is not None
    assert (first.kind, first.device_ns, first.domain, first.number) == ("color", 1_234_500_000, "hardware_clock", 7)
    assert (second.kind, second.domain) == ("depth", "system_time")
    assert np.array_equal(first.pixels, color(9))
    assert np.array_equal(second.pixels, depth)
    assert camera.next(0.01) is None
    camera.close()


def test_options_are_set_and_read_back_and_lacking_ones_are_none() -> None:
    camera = SdkCamera(SoftwareD405().device)
    assert camera.set_option("exposure", 8000) == 8000
    assert camera.set_option("white_balance", 4000) is None


def test_a_stream_it_lacks_is_refused_with_what_it_has() -> None:
    camera = SdkCamera(SoftwareD405().device)
    with pytest.raises(SensorFailed, match="640×480@60"):
        camera.start([Wanted("color", 1280, 720, 30)])


def test_it_starts_again_after_it_was_closed() -> None:
    software = SoftwareD405()
    for _ in range(2):
        camera = SdkCamera(software.device)
        camera.start([Wanted("color", 640, 480, 60)])
        software.shoot(color(1), 1.0, 1)
        assert camera.next(5) is not None
        camera.close()


def test_the_driver_on_a_software_device() -> None:
    software = SoftwareD405()
    now = [5_000_000_000]
    settings = RealSenseCamera.Settings(SERIAL, 640, 480, 60, depth=True, exposure=7000, reset=False)
    driver = RealSenseCamera(settings, Place("cam_low", "camera", lambda: now[0], 3.14, 100), OneDevice(software))
    driver.open()
    stamps = []
    for index in range(30):
        now[0] += 16_666_667
        software.shoot(color(index), index * 16.666667, index)
        software.shoot(np.zeros((480, 640), np.uint16), index * 16.666667, index)
        stamps += [(reading.kind, reading.captured_at_ns) for _ in range(2) for reading in driver.read()]
    driver.close()
    for kind in ("frame", "depth"):
        times = [time for what, time in stamps if what == kind]
        assert len(times) == 30
        assert np.allclose(np.diff(times), 16_666_667, atol=1000)


def test_the_rig_loader_needs_no_sdk() -> None:
    code = (
        "import sys; sys.modules['pyrealsense2'] = None; "
        "from drivers.cameras.realsense import RealSenseCamera as C; C.Settings('1', 640, 480, 60)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_no_camera_here_is_an_empty_bus_and_not_an_error() -> None:
    assert SdkBus().connect("no such serial") is None
