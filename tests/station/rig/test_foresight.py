"""What is right in a rig file and will bite: cables, controllers, calibrations, as a made-up computer has them."""

from pathlib import Path

import pytest

from station.files import calibration_files
from station.files.calibration_files import Calibration
from station.rig import foresight
from station.rig.problems import Problem
from station.rig.rig import find_rig, inspect

RIG = """\
name: lab
data: {data}
arms:
  left:
    leader:   {{driver: dynamixel, model: wx250s, port: {dev}/leader,   generation: aloha1}}
    follower: {{driver: dynamixel, model: vx300s, port: {dev}/follower, generation: aloha1}}
cameras:
"""
CAMERA = "  cam_{n}: {{driver: opencv, source: {dev}/cam_{n}, width: 640, height: 480, fps: {fps}}}\n"


class Computer:
    """/dev and /sys with cameras and adapters on USB controllers."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root, self.dev, self.sys = root, root / "dev", root / "sys"
        self.dev.mkdir()
        (self.sys / "tty").mkdir(parents=True)
        (self.sys / "video4linux").mkdir()
        monkeypatch.setattr(foresight, "_DEV", str(self.dev))

    def plug(self, kind: str, node: str, link: str, serial: str, controller: str = "0000:00:14.0") -> None:
        device = self.root / "devices" / controller / "usb1" / f"1-{node}"
        interface = device / f"1-{node}:1.0"
        interface.mkdir(parents=True)
        (device / "idVendor").write_text("046d")
        (device / "serial").write_text(serial)
        place = self.sys / kind / node
        place.mkdir()
        (place / "device").symlink_to(interface)
        (self.dev / node).write_text("")
        (self.dev / link).symlink_to(self.dev / node)

    def bites(self, cameras: int, fps: int, head: str = RIG) -> list[Problem]:
        text = head.format(data=self.root, dev=self.dev)
        text += "".join(CAMERA.format(n=n, fps=fps, dev=self.dev) for n in range(cameras))
        path = self.root / "lab.yaml"
        path.write_text(text if cameras else text.replace("cameras:\n", ""))
        found = inspect(path)
        assert found.rig is not None, found.problems
        return list(foresight.foresee(found.rig, found.lines, self.sys))


@pytest.fixture
def computer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runtime: str) -> Computer:
    made = Computer(tmp_path, monkeypatch)
    made.plug("tty", "ttyUSB0", "leader", "FT1")
    made.plug("tty", "ttyUSB1", "follower", "FT2")
    return made


def told(bites: list[Problem], words: str) -> list[Problem]:
    return [bite for bite in bites if words in bite.found]


def test_four_cameras_of_60_fps_on_one_controller_are_told_and_on_two_are_not(computer: Computer) -> None:
    for n in range(4):
        computer.plug("video4linux", f"video{n}", f"cam_{n}", f"C{n}", "0000:00:14.0" if n < 2 else "0000:01:00.0")
    assert not told(computer.bites(4, 60), "USB controller")


def test_on_one(computer: Computer) -> None:
    for n in range(4):
        computer.plug("video4linux", f"video{n}", f"cam_{n}", f"C{n}")
    (bite,) = told(computer.bites(4, 60), "USB controller 0000:00:14.0")
    assert bite.line == 8
    assert "4 cameras" in bite.found and "at 60 fps" in bite.found
    assert not told(computer.bites(4, 30), "USB controller")


def test_cameras_that_are_not_there_may_all_hang_on_one(computer: Computer) -> None:
    assert told(computer.bites(4, 60), "one USB controller, if they all hang on one")
    assert len(told(computer.bites(4, 60), "is not there")) == 4


def test_a_serial_without_calibration_is_named_and_one_with_it_is_not(computer: Computer) -> None:
    bites = told(computer.bites(0, 30), "no calibration for serial")
    assert [(bite.key, bite.found[-3:]) for bite in bites] == [
        ("arms.left.leader", "FT1"),
        ("arms.left.follower", "FT2"),
    ]
    calibration_files.save(Calibration("FT1", "leader_left", "wx250s"))
    calibration_files.save(Calibration("FT2", "leader_right", "vx300s"))
    bites = computer.bites(0, 30)
    assert not told(bites, "no calibration for serial")
    (swapped,) = told(bites, "serial FT2 was calibrated as leader_right")
    assert swapped.key == "arms.left.follower"


def test_a_torn_calibration_is_told(computer: Computer) -> None:
    calibration_files.save(Calibration("FT1", "leader_left", "wx250s")).write_text("{")
    assert told(computer.bites(0, 30), "torn or no calibration file")


def test_what_the_rig_lacks_and_what_is_slow(computer: Computer) -> None:
    head = RIG.replace("port: {dev}/leader, ", "port: {dev}/leader, rate_hz: 40,").replace(
        "cameras:\n", "images: raw\ncameras:\n"
    )
    bites = computer.bites(4, 30, head)
    assert told(bites, "40 readings a second for 50 ticks")
    assert told(bites, "raw pictures of 4 cameras are 184 MB/s")
    assert told(computer.bites(0, 30), "no camera")


def test_a_rig_of_a_shipped_ones_name_is_told(computer: Computer) -> None:
    (bite,) = told(computer.bites(1, 30, RIG.replace("name: lab", "name: aloha")), "has the name aloha too")
    assert bite.line == 1


def test_simulated_rigs_have_no_cables(runtime: str) -> None:
    for name in ("sim", "bench"):
        found = inspect(find_rig(name))
        assert found.rig is not None
        assert foresight.foresee(found.rig, found.lines) == ()
