import errno
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
import yaml

from drivers.cameras.finder import CameraFinder
from drivers.cameras.opencv import OpenCVCamera
from drivers.cameras.realsense import RealSenseCamera
from station.errors import DeviceError, DeviceSilent, UsageError
from station.rig.discovery import rules
from tests.drivers.cameras.fake_realsense import D405, FakeBus
from tests.drivers.cameras.fake_v4l2 import FakeV4L2


class Computer:
    """/sys and /dev as two C922 and their metadata nodes make them; the first answers as `kernel`."""

    def __init__(self, root: Path, kernel: FakeV4L2) -> None:
        self.sysfs, self.dev = root / "sys", root / "dev"
        (self.dev / "v4l" / "by-id").mkdir(parents=True)
        self.add(0, "0", "1234ABCD", kernel.path)
        self.add(1, "1", "1234ABCD", kernel.path)
        (self.dev / "v4l" / "by-id" / "usb-046d_C922_1234ABCD-video-index0").symlink_to(self.dev / "video0")

    def add(self, number: int, index: str, serial: str, target: Path, vendor: str = "046d") -> None:
        usb = self.sysfs.parent / f"1-{number // 2}"
        interface = usb / f"1-{number // 2}:1.0"
        interface.mkdir(parents=True, exist_ok=True)
        for name, value in (("serial", serial), ("idProduct", "085c"), ("idVendor", vendor)):
            if value:
                (usb / name).write_text(value + "\n")
        node = self.sysfs / f"video{number}"
        node.mkdir(parents=True)
        (node / "index").write_text(index)
        (node / "name").write_text("C922 Pro Stream Webcam")
        (node / "device").symlink_to(interface)
        (self.dev / f"video{number}").write_text("")

    def finder(self, bus: FakeBus) -> CameraFinder:
        return CameraFinder(self.sysfs, self.dev, bus)


@pytest.fixture
def computer(tmp_path: Path, kernel: FakeV4L2, monkeypatch: pytest.MonkeyPatch) -> Computer:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return Computer(tmp_path, kernel)


def test_a_webcam_is_found_once_with_formats_serial_and_rule(computer: Computer) -> None:
    (found,) = computer.finder(FakeBus()).find(())
    assert (found.model, found.serial) == ("C922 Pro Stream Webcam", "1234ABCD")
    assert found.stable.endswith("by-id/usb-046d_C922_1234ABCD-video-index0")
    assert "MJPG 640×480@30/60" in found.details[0]
    assert 'ATTRS{serial}=="1234ABCD"' in found.rule
    assert 'ATTRS{idProduct}=="085c"' in found.rule
    assert 'ATTR{index}=="0"' in found.rule
    keys = yaml.safe_load(found.suggestion[0])["cam_high"]
    assert keys.pop("driver") == "opencv"
    assert msgspec.convert(keys, OpenCVCamera.Settings).fps == 60


def test_a_webcam_without_a_serial_is_known_by_its_socket(tmp_path: Path, kernel: FakeV4L2) -> None:
    computer = Computer(tmp_path, kernel)
    computer.add(2, "0", "", kernel.path)
    found = computer.finder(FakeBus()).find((str(computer.dev / "video2"),))[0]
    assert 'KERNELS=="1-1:1.0"' in found.rule
    assert "socket" in found.advice[0]


def test_twins_go_by_their_socket_in_rule_and_name_alike(computer: Computer, kernel: FakeV4L2) -> None:
    computer.add(2, "0", "1234ABCD", kernel.path)
    by_path = computer.dev / "v4l" / "by-path"
    by_path.mkdir()
    for number in (0, 2):
        (by_path / f"pci-usb-0:{number}").symlink_to(computer.dev / f"video{number}")
    one, other = computer.finder(FakeBus()).find(())
    assert (one.serial, other.serial) == ("1234ABCD@1-0:1.0", "1234ABCD@1-1:1.0")
    assert "serial" not in one.rule + other.rule
    assert 'KERNELS=="1-1:1.0"' in other.rule
    assert [found.stable for found in (one, other)] == [str(by_path / f"pci-usb-0:{n}") for n in (0, 2)]
    assert "1234ABCD is another's too (video2)" in one.advice[0]
    assert rules((one, other), {one.port: "CAM_HIGH", other.port: "CAM_LOW"}).count("KERNELS") == 2
    with pytest.raises(UsageError, match=r"--name 1234ABCD=…"):
        rules((one, other), {"1234ABCD": "CAM_HIGH"})


def test_a_webcam_in_use_is_shown_and_not_hidden(computer: Computer, kernel: FakeV4L2) -> None:
    kernel.fail = errno.EBUSY
    (found,) = computer.finder(FakeBus()).find(())
    assert found.model == "C922 Pro Stream Webcam"
    assert found.suggestion == ()
    assert "busy" in found.details[0]


def test_permission_denied_says_video(computer: Computer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drivers.cameras.finder.os.access", lambda *_: False)
    (found,) = computer.finder(FakeBus()).find(())
    assert "usermod -aG video" in found.advice[0]


def test_a_realsense_is_found_by_serial_and_its_video_nodes_are_not_cameras(
    computer: Computer, kernel: FakeV4L2
) -> None:
    computer.add(4, "0", "", kernel.path, vendor="8086")
    webcam, realsense = computer.finder(FakeBus(D405)).find(())
    assert (webcam.serial, realsense.serial) == ("1234ABCD", D405.serial)
    keys = yaml.safe_load(realsense.suggestion[0])["cam_high"]
    assert keys.pop("driver") == "realsense"
    msgspec.convert(keys, RealSenseCamera.Settings)
    assert realsense.advice == ()


def test_a_realsense_on_usb_2_is_told(computer: Computer) -> None:
    (_, found) = computer.finder(FakeBus(D405._replace(usb="2.1"))).find(())
    assert "USB 3" in found.advice[0]


def test_a_realsense_without_its_sdk_is_still_named(computer: Computer, kernel: FakeV4L2) -> None:
    bus = FakeBus()
    bus.installed = False
    assert len(computer.finder(bus).find(())) == 1
    computer.add(4, "0", "", kernel.path, vendor="8086")
    (_, found) = computer.finder(bus).find(())
    assert "extra `realsense`" in found.advice[0]


def test_a_webcam_shows_what_it_sees_until_it_is_closed(
    computer: Computer, kernel: FakeV4L2, jpegs: list[bytes]
) -> None:
    (found,) = computer.finder(FakeBus()).find(())
    found = msgspec.structs.replace(found, port=str(kernel.path))
    with closing(computer.finder(FakeBus()).pictures(found)) as taken:
        assert next(taken) is None, "none came yet"
        for jpeg in jpegs[:3]:
            kernel.shoot(jpeg)
            assert next(taken) == jpeg
        assert kernel.streaming
        kernel.unplug()
        with pytest.raises(DeviceError):
            next(taken)
    with pytest.raises(DeviceSilent, match="No such file or directory"):
        next(computer.finder(FakeBus()).pictures(found))
    assert not kernel.streaming


def test_a_webcam_in_use_has_no_picture_and_says_why(computer: Computer, kernel: FakeV4L2) -> None:
    (found,) = computer.finder(FakeBus()).find(())
    kernel.fail = errno.EBUSY
    with pytest.raises(DeviceSilent, match="busy"):
        next(computer.finder(FakeBus()).pictures(found))


def test_a_realsense_shows_what_it_sees_until_it_is_closed(computer: Computer) -> None:
    bus = FakeBus(D405)
    (_, found) = computer.finder(bus).find(())
    with closing(computer.finder(bus).pictures(found)) as taken:
        assert next(taken) is None
        camera = bus.opened[-1]
        camera.shoot(1, 7)
        shown = next(taken)
        assert shown is not None and shown[:2] == b"\xff\xd8"
    assert camera.closed
    bus.present.clear()
    with pytest.raises(DeviceSilent, match="it is not there"):
        next(computer.finder(bus).pictures(found))


def test_no_camera_at_all(tmp_path: Path) -> None:
    assert CameraFinder(tmp_path / "none", tmp_path, FakeBus()).find(()) == []
    assert CameraFinder(tmp_path / "none", tmp_path, FakeBus()).find(("/dev/ttyUSB0",)) == []
