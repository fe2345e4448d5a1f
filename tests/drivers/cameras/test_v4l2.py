import errno
import os
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np
import pytest

from drivers.cameras.controls import Controls
from drivers.cameras.opencv import OpenCVCamera
from station.clock import monotonic_ns
from station.devices.contract import Place
from station.errors import DeviceBusy, DeviceError, DeviceForbidden, DeviceMissing, DeviceSilent, DeviceWrong
from tests.drivers.cameras.conftest import picture
from tests.drivers.cameras.fake_v4l2 import ERROR, FakeV4L2
from tests.pictures import bgr

FOCUS_AUTO, FOCUS, EXPOSURE_AUTO, EXPOSURE = 0x009A090C, 0x009A090A, 0x009A0901, 0x009A0902
PLACE = Place("cam_high", "camera", monotonic_ns, 3.14, 100)


def camera(kernel: FakeV4L2, fps: float = 30, width: int = 640, fourcc: str = "", **controls: int) -> OpenCVCamera:
    settings = OpenCVCamera.Settings(str(kernel.path), width, 480, fps, fourcc, Controls(**controls))
    return OpenCVCamera(settings, PLACE)


def test_mjpeg_passes_through_with_the_kernels_stamp_and_number(kernel: FakeV4L2, jpegs: list[bytes]) -> None:
    cam = camera(kernel, fps=60)
    cam.open()
    kernel.shoot(jpegs[0], captured_at_ns=123_456_789_000)
    kernel.shoot(jpegs[1], captured_at_ns=123_473_455_000, skip=2)
    first, second = cam.read()[0], cam.read()[0]
    assert first.payload == (jpegs[0],)
    assert (first.captured_at_ns, second.captured_at_ns) == (123_456_789_000, 123_473_455_000)
    frame: Any = second.body
    assert (frame.stamp, frame.device_sequence, frame.encoding) == ("driver", 3, "jpeg")
    assert cam.health()["lost_frames"] == 2
    description = cam.describe()
    assert description.model == "C922 Pro Stream Webcam"
    assert (description.streams[0].width, description.streams[0].rate_hz) == (640, 60)
    assert (kernel.format, kernel.fps) == ("MJPG", 60)
    cam.close()


def test_a_slow_reader_is_told_what_it_lost(kernel: FakeV4L2, jpegs: list[bytes]) -> None:
    cam = camera(kernel)
    cam.open()
    for index in range(7):  # four buffers, seven pictures
        kernel.shoot(jpegs[0], captured_at_ns=10**9 + index)
    taken = [reading for _ in range(4) for reading in cam.read()]
    kernel.shoot(jpegs[1], captured_at_ns=2 * 10**9)
    taken += cam.read()
    assert cam.health()["lost_frames"] == 3
    cam.close()


def test_yuyv_is_encoded_once(kernel: FakeV4L2) -> None:
    cam = camera(kernel, fourcc="YUYV")
    cam.open()
    yuyv = np.zeros((480, 640, 2), np.uint8)
    yuyv[:, :, 0], yuyv[:, 0::2, 1], yuyv[:, 1::2, 1] = 81, 90, 240  # BT.601 red
    kernel.shoot(yuyv.tobytes())
    reading = cam.read()[0]
    blue, green, red = bgr(reading.payload[0])[200, 300]
    assert red > 230
    assert max(blue, green) < 30
    kernel.shoot(yuyv.tobytes()[:-10])
    assert cam.read() == []
    assert cam.health()["broken_frames"] == 1
    cam.close()


def test_arrival_stamps_where_the_kernel_does_not_use_our_clock(kernel: FakeV4L2, jpegs: list[bytes]) -> None:
    kernel.flags = 0
    cam = camera(kernel)
    cam.open()
    before_ns = monotonic_ns()
    kernel.shoot(jpegs[0], captured_at_ns=5)
    reading = cam.read()[0]
    frame: Any = reading.body
    assert frame.stamp == "arrival"
    assert before_ns < reading.captured_at_ns <= monotonic_ns()
    cam.close()


def test_bad_pictures_are_missing_samples(kernel: FakeV4L2, jpegs: list[bytes]) -> None:
    cam = camera(kernel)
    cam.open()
    kernel.shoot(jpegs[0], captured_at_ns=1000, flags=ERROR)
    assert cam.read() == []
    kernel.shoot(jpegs[0][:-200], captured_at_ns=2000)
    assert cam.read() == []
    kernel.shoot(jpegs[0], captured_at_ns=3000)
    assert len(cam.read()) == 1
    kernel.shoot(jpegs[1], captured_at_ns=3000)
    assert cam.read() == []
    health = cam.health()
    assert (health["broken_frames"], health["torn_frames"], health["repeated_stamps"]) == (1, 1, 1)
    cam.close()


def test_controls_are_set_automatics_first_and_read_back(kernel: FakeV4L2) -> None:
    cam = camera(kernel, focus=5, focus_auto=0, exposure_auto=0, exposure=120)
    cam.open()
    assert [kernel.controls[key] for key in (FOCUS_AUTO, FOCUS, EXPOSURE_AUTO, EXPOSURE)] == [0, 5, 1, 120]
    assert cam.describe().notes == ("MJPG passed through",)
    cam.close()


def test_what_every_control_reads_is_said_and_so_kept_in_episodes(kernel: FakeV4L2) -> None:
    cam = camera(kernel, focus=5, focus_auto=0, exposure_auto=0, exposure=120)
    cam.open()
    found = cam.describe().settings
    assert {name: found[name] for name in ("focus_auto", "focus", "exposure_auto", "exposure")} == {
        "focus_auto": 0, "focus": 5, "exposure_auto": 0, "exposure": 120,
    }  # fmt: skip
    assert "zoom" not in found, "this camera has none"
    cam.close()


def test_exposure_auto_is_uvcs_aperture_priority(kernel: FakeV4L2) -> None:
    kernel.controls[EXPOSURE_AUTO] = 1
    cam = camera(kernel, exposure_auto=1)
    cam.open()
    assert kernel.controls[EXPOSURE_AUTO] == 3
    assert len(cam.describe().notes) == 1
    cam.close()


def test_a_control_that_somebody_changed_is_told_with_both_values_until_it_is_back(
    kernel: FakeV4L2, jpegs: list[bytes]
) -> None:
    now_ns = [10**9]
    settings = OpenCVCamera.Settings(str(kernel.path), 640, 480, 30, "", Controls(focus_auto=0, focus=5))
    cam = OpenCVCamera(settings, PLACE._replace(clock=lambda: now_ns[0]))

    def look() -> tuple[str, ...]:
        for _ in range(2):  # as many seconds as controls
            now_ns[0] += 10**9
            kernel.shoot(jpegs[0])
            assert cam.read()
        return cam.warnings()

    cam.open()
    assert look() == ()
    kernel.controls[FOCUS] = 40
    assert look() == ("focus is 40, 5 was set: something changed it",)
    kernel.controls[FOCUS] = 5
    assert look() == ()
    cam.close()


def test_controls_that_did_not_take_are_named(kernel: FakeV4L2) -> None:
    kernel.stuck = {EXPOSURE}
    cam = camera(kernel, focus=5, exposure=120, zoom=2)
    cam.open()
    notes = " / ".join(cam.describe().notes)
    assert "focus did not take 5: permission denied" in notes  # its autofocus runs
    assert "exposure did not take 120: it reads 250" in notes
    assert "zoom did not take 2" in notes
    cam.close()


@pytest.mark.parametrize(
    ("fps", "width", "fourcc"), [(50, 640, ""), (30, 1280, ""), (30, 640, "UYVY"), (60, 640, "YUYV")]
)
def test_what_the_camera_lacks_is_refused_with_what_it_offers(
    kernel: FakeV4L2, fps: float, width: int, fourcc: str
) -> None:
    with pytest.raises(DeviceWrong) as caught:
        camera(kernel, fps=fps, width=width, fourcc=fourcc).open()
    assert "MJPG" in str(caught.value)
    assert fourcc or "640×480@30/60" in str(caught.value)


def test_pictures_of_another_size_are_refused(kernel: FakeV4L2) -> None:
    cam = camera(kernel)
    cam.open()
    kernel.shoot(cv2.imencode(".jpg", picture(1, 320, 240))[1].tobytes())
    with pytest.raises(DeviceWrong, match="320×240"):
        cam.read()
    cam.close()


@pytest.mark.parametrize(
    ("code", "error", "says"),
    [
        (errno.EACCES, DeviceForbidden, "usermod -aG video"),
        (errno.EBUSY, DeviceBusy, "fuser"),
        (errno.ENODEV, DeviceMissing, "cable"),
        (errno.EIO, DeviceSilent, "hub"),
    ],
)
def test_what_the_kernel_says_becomes_advice(kernel: FakeV4L2, code: int, error: type[DeviceError], says: str) -> None:
    kernel.fail = code
    with pytest.raises(error, match=says):
        camera(kernel).open()


def test_unplugged_is_named_at_once_and_it_comes_back(kernel: FakeV4L2, jpegs: list[bytes]) -> None:
    cam = camera(kernel)
    cam.open()
    kernel.shoot(jpegs[0])
    assert len(cam.read()) == 1
    kernel.unplug()
    with pytest.raises(DeviceMissing):
        cam.read()
    cam.close()
    with pytest.raises(DeviceMissing):
        cam.open()
    cam.close()
    kernel.plug()
    cam.open()
    kernel.shoot(jpegs[0])
    assert len(cam.read()) == 1
    cam.close()


def test_frozen_is_silent(kernel: FakeV4L2, jpegs: list[bytes]) -> None:
    now = [0]
    cam = OpenCVCamera(OpenCVCamera.Settings(str(kernel.path), 640, 480, 30), PLACE._replace(clock=lambda: now[0]))
    cam.open()
    now[0] = 2_900_000_000  # the first picture may take a while
    assert cam.read() == []
    kernel.shoot(jpegs[0])
    assert len(cam.read()) == 1
    now[0] += 690_000_000
    assert cam.read() == []
    now[0] += 20_000_000
    with pytest.raises(DeviceSilent, match=r"0\.7 s"):
        cam.read()
    cam.close()


def test_fifty_openings_leave_no_descriptor(kernel: FakeV4L2, jpegs: list[bytes]) -> None:
    cam = camera(kernel)
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(50):
        cam.open()
        kernel.shoot(jpegs[0])
        cam.read()
        cam.close()
    assert kernel.opened == 50
    assert not kernel.streaming
    assert len(os.listdir("/proc/self/fd")) == before


def test_settings_refuse_what_is_no_camera() -> None:
    for wrong in (
        {"source": "", "width": 640, "height": 480, "fps": 30},
        {"source": "0", "width": 0, "height": 480, "fps": 30},
        {"source": "0", "width": 640, "height": 480, "fps": 0.5},
        {"source": "0", "width": 640, "height": 480, "fps": 30, "fourcc": "H.264"},
        {"source": "0", "width": 640, "height": 480, "fps": 30, "controls": {"focsu": 1}},
        {"source": "0", "width": 640, "height": 480, "fps": 30, "controls": {"focus_auto": 2}},
        {"source": "0", "width": 640, "height": 480, "fps": 30, "colour": True},
    ):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(wrong, OpenCVCamera.Settings)


def test_twins_are_calibrated_by_their_socket_and_told_so(
    kernel: FakeV4L2, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setattr("drivers.cameras.v4l2.SYSFS", tmp_path / "sys")
    for number, name in enumerate((kernel.path.resolve().name, "video2")):
        interface = tmp_path / f"1-{number}" / f"1-{number}:1.0"
        interface.mkdir(parents=True)
        (interface.parent / "idVendor").write_text("046d\n")
        (interface.parent / "serial").write_text("0001\n")
        (tmp_path / "sys" / name).mkdir(parents=True)
        (tmp_path / "sys" / name / "index").write_text("0\n")
        (tmp_path / "sys" / name / "device").symlink_to(interface)
    cam = camera(kernel)
    cam.open()
    assert cam.describe().serial == "0001@1-0:1.0"
    assert any("0001 is another's too (video2)" in note for note in cam.describe().notes)
    cam.close()


def test_pictures_that_the_kernel_gave_broken_are_told(kernel: FakeV4L2, jpegs: list[bytes]) -> None:
    cam = camera(kernel)
    cam.open()
    kernel.flags |= ERROR
    kernel.shoot(jpegs[0])
    assert cam.read() == []
    assert cam.warnings() == (
        "1 picture of the last 10 s lost: the kernel marked it as broken; check the cable and the hub",
    )
    cam.close()
