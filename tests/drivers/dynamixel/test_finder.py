import itertools
import os
import termios
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec
import pytest
import serial
import yaml
from dynamixel_sdk.robotis_def import INST_PING, INST_SYNC_READ
from serial.tools import list_ports
from serial.tools.list_ports_linux import SysFS

from drivers.dynamixel import finder
from drivers.dynamixel.arm import DynamixelArm
from drivers.dynamixel.finder import Adapter, DynamixelFinder, describe, plugged_in, recognise, servos_text
from drivers.dynamixel.port import usb_serial
from drivers.sim.servos.packets import Instruction
from drivers.sim.servos.servo_bus import ServoBus, ServoSpec
from drivers.sim.servos.shaft import ShaftPlant, aloha_arm_servos, gello_servos
from station.errors import DeviceError, DeviceSilent, DeviceWrong, UsageError
from station.rig.discovery import Found, Joints

SPEED = {1: 57_600, 3: 1_000_000, 6: 4_000_000}


@pytest.fixture(autouse=True)
def short_scans(monkeypatch: pytest.MonkeyPatch) -> None:
    """IDs up to 9 answer within 30 ms (the real wait is for 252 of them), and no bus here is at another baud."""
    monkeypatch.setattr(finder, "BAUD_REGISTER", {57_600: 1, 1_000_000: 3, 4_000_000: 6})
    monkeypatch.setattr("drivers.dynamixel.bus._SCAN_MS", 300.0)


class RetunedBus(ServoBus):
    """Servos at the baud their registers say: a host at another is not heard by them."""

    def _receive(self) -> None:
        self._speed = termios.tcgetattr(self._slave)[5]
        for servo_id in self.ids:
            hears = getattr(termios, f"B{SPEED[self.register(servo_id, 'Baud Rate')]}") == self._speed
            (self.faults.speak if hears and servo_id not in self.dead else self.faults.silence)(servo_id)
        super()._receive()

    dead: frozenset[int] = frozenset()


@contextmanager
def bus(folder: Path, servos: list[ServoSpec], baud: int = 1_000_000) -> Iterator[RetunedBus]:
    with RetunedBus(folder / "ttyUSB0", servos, ShaftPlant(), baud=baud) as running:
        yield running


def only(port: Path) -> Found:
    (found,) = DynamixelFinder().find((str(port),))
    return found


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "generation", "role", "details"),
    [
        ("vx300s", "aloha1", "follower", "9 servos: 1–7 xm540_w270, 8–9 xm430_w350"),
        ("wx250s", "aloha1", "leader", "9 servos: 1–7 xm430_w350, 8–9 xl430_w250"),
        ("wx250s", "aloha2", "leader", "9 servos: 1–7 xm430_w350, 8 xl430_w250, 9 xc430_w150"),
    ],
)
def test_aloha_s_arms_are_recognised(tmp_path: Path, model: str, generation: str, role: str, details: str) -> None:
    with bus(tmp_path, aloha_arm_servos(model, generation)) as running:  # type: ignore[arg-type]
        found = only(running.link)
    assert found.kind == "arm"
    assert found.details == (f"at 1000000 baud: {details}",)
    assert not any("find --set-baud" in advice for advice in found.advice)
    lines = yaml.safe_load("\n".join(found.suggestion))
    keys = lines[role]
    assert (keys["model"], keys["generation"]) == (model, generation)
    assert keys.pop("driver") == "dynamixel"
    msgspec.convert(keys, DynamixelArm.Settings)


@pytest.mark.slow
@pytest.mark.parametrize("servos", [aloha_arm_servos("wx250s", "aloha1"), gello_servos()], ids=["wx250s", "gello"])
def test_where_joints_stand_is_read_and_nothing_is_written(
    tmp_path: Path, servos: list[ServoSpec], monkeypatch: pytest.MonkeyPatch
) -> None:
    plant, baud = ShaftPlant(), 57_600 if len(servos) == 7 else 1_000_000
    with RetunedBus(tmp_path / "ttyUSB0", servos, plant, baud=baud) as running:
        asked: set[int] = set()
        carry_out = running._instructions.carry_out

        def noted(instruction: Instruction, now_ns: int) -> list[tuple[int, bytes]]:
            asked.add(instruction.code)
            return carry_out(instruction, now_ns)

        monkeypatch.setattr(running._instructions, "carry_out", noted)
        found = only(running.link)
        with closing(DynamixelFinder().joints(found)) as joints:
            before = whole(joints)
            plant.move_hand(4, 0.5)
            after = whole(joints)
            names = ["waist", "shoulder", "elbow", "forearm_roll", "wrist_angle", "wrist_rotate", "gripper"]
            assert list(after) == (names if len(servos) == 9 else [f"servo {n}" for n in range(1, 8)])
            moved = {name: after[name] - before[name] for name in after if abs(after[name] - before[name]) > 0.01}
            assert moved == {"elbow" if len(servos) == 9 else "servo 4": pytest.approx(0.5, abs=0.01)}
            running.dead = frozenset({4})
            assert len(whole(joints, fewer=1)) == 6, "whoever is silent is left out"
            assert asked == {INST_PING, INST_SYNC_READ}
            running.unplug()
            with pytest.raises(DeviceError, match="went away"):
                whole(joints)
        with pytest.raises(DeviceError, match="no such device"):
            next(DynamixelFinder().joints(found))


def whole(joints: Iterator[Joints | None], fewer: int = 0) -> Joints:
    """The next reading of all servos but so many; on a loaded machine some are late."""
    return next(each for each in itertools.islice(joints, 1, 200) if each is not None and len(each) == 7 - fewer)


@pytest.mark.slow
def test_nobody_to_read_is_silence(tmp_path: Path) -> None:
    with bus(tmp_path, gello_servos(), 57_600) as running:
        found = only(running.link)
        running.dead = frozenset(running.ids)
        with pytest.raises(DeviceSilent, match="silence at 1000000, 57600, 4000000 baud"):
            next(DynamixelFinder().joints(found))


@pytest.mark.slow
def test_a_factory_gello_is_told_that_it_cannot_do_50_hz_and_how_to_mend_it(tmp_path: Path) -> None:
    with bus(tmp_path, gello_servos(), 57_600) as running:
        found = only(running.link)
        assert "57600 baud cannot do 50 Hz" in found.advice[0]
        assert f"station find --set-baud 1000000 {running.link}" in found.advice[0]
        assert DynamixelFinder().set_baud(str(running.link), 1_000_000).startswith("7 servos")
        assert {running.register(servo_id, "Baud Rate") for servo_id in running.ids} == {3}
        mended = only(running.link)
    assert mended.details == ("at 1000000 baud: 7 servos: 1–7 xl330_m288",)
    assert not any("50 Hz" in advice for advice in mended.advice)
    keys = yaml.safe_load("\n".join(mended.suggestion))["leader"]
    assert keys.pop("driver") == "dynamixel"
    settings = msgspec.convert(keys, DynamixelArm.Settings)
    assert settings.rate_hz == 200


@pytest.mark.slow
def test_a_baud_is_not_changed_while_a_servo_holds(tmp_path: Path) -> None:
    with bus(tmp_path, aloha_arm_servos("vx300s", "aloha1")) as running:
        running.set_register(4, "Torque Enable", 1)
        with pytest.raises(DeviceWrong, match="torque on at 4"):
            DynamixelFinder().set_baud(str(running.link), 57_600)
        assert {running.register(servo_id, "Baud Rate") for servo_id in running.ids} == {3}
        assert running.register(4, "Torque Enable") == 1


def test_a_baud_no_servo_knows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="4000000"):
        DynamixelFinder().set_baud(str(tmp_path / "x"), 500_000)


@pytest.mark.slow
def test_servos_that_did_not_follow_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with bus(tmp_path, gello_servos(), 57_600) as running:
        monkeypatch.setattr(running.servo(3), "write", lambda *_: 0)
        with pytest.raises(DeviceWrong, match="3 not there"):
            DynamixelFinder().set_baud(str(running.link), 1_000_000)
        monkeypatch.undo()
        assert DynamixelFinder().set_baud(str(running.link), 1_000_000).startswith("7 servos")  # again mends it
        assert running.register(3, "Baud Rate") == 3


@pytest.mark.slow
def test_nobody_to_set_is_silence(tmp_path: Path) -> None:
    with bus(tmp_path, gello_servos(), 57_600) as running:
        running.dead = frozenset(running.ids)
        with pytest.raises(DeviceSilent):
            DynamixelFinder().set_baud(str(running.link), 1_000_000)


@pytest.mark.slow
def test_a_silent_adapter_is_still_shown(tmp_path: Path) -> None:
    with bus(tmp_path, gello_servos(), 57_600) as running:
        running.dead = frozenset(running.ids)
        found = only(running.link)
    assert (found.kind, found.suggestion) == ("adapter", ())
    assert "nobody answers at 1000000, 57600, 4000000 baud" in found.details[0]
    assert "power" in found.advice[0]


def test_what_cannot_be_opened_becomes_advice(tmp_path: Path) -> None:
    missing = only(tmp_path / "ttyNONE")
    assert missing.details == ("no such device",)
    with bus(tmp_path, gello_servos()) as running:
        holder = serial.Serial(str(running.link), exclusive=True)
        busy = only(running.link)
        holder.close()
    assert "open" in busy.details[0]
    assert str(os.getpid()) in busy.details[0] or "another process" in busy.details[0]


def test_permission_denied_says_dialout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with bus(tmp_path, gello_servos()) as running:
        monkeypatch.setattr(os, "access", lambda *_: False)
        found = only(running.link)
    assert "usermod -aG dialout" in found.advice[0]


def test_two_bauds_on_one_bus_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {1_000_000: {1: 1020}, 57_600: {2: 1020}}
    monkeypatch.setattr(finder, "_scan", lambda _port, baud, _notes: finder.Servos(baud, answers.get(baud, {})))
    found = describe(Adapter("/dev/ttyUSB7"))
    assert "different bauds (1000000, 57600)" in found.advice[0]
    assert len(found.details) == 2


def test_usb_adapters_come_from_the_system_and_strangers_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def port(device: str, vid: int | None, pid: int, serial_number: str, product: str) -> SysFS:
        info = SysFS.__new__(SysFS)
        info.device, info.vid, info.pid, info.serial_number, info.product, info.description = (
            device,
            vid,
            pid,
            serial_number,
            product,
            "",
        )
        return info

    ports = [
        port("/dev/ttyUSB1", 0x0403, 0x6014, "FT891KPN", "USB <-> Serial Converter"),
        port("/dev/ttyACM0", 0x2341, 0x0043, "85", "Arduino Uno"),
        port("/dev/ttyS0", None, 0, "", ""),
    ]
    monkeypatch.setattr(list_ports, "comports", lambda: ports)
    asked: list[str] = []

    def scan(port: str, baud: int, notes: list[str]) -> finder.Servos:
        asked.append(port)
        notes.append("latency timer of it is 16 ms, 1 is needed")
        return finder.Servos(baud, {servo_id: 1020 for servo_id in range(1, 8)} if baud == 1_000_000 else {})

    monkeypatch.setattr(finder, "_scan", scan)
    assert [adapter.port for adapter in plugged_in()] == ["/dev/ttyACM0", "/dev/ttyUSB1"]
    arduino, converter = DynamixelFinder().find(())
    assert set(asked) == {"/dev/ttyUSB1"}
    assert "--port /dev/ttyACM0" in arduino.advice[0]
    assert arduino.rule == ""
    assert 'ATTRS{serial}=="FT891KPN"' in converter.rule
    assert 'ATTRS{idProduct}=="6014"' in converter.rule
    assert "latency timer of it is 16 ms, 1 is needed" in converter.advice


def test_twin_adapters_go_by_their_socket_in_rule_and_calibration_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    nodes = tmp_path / "tty"
    for number in range(2):
        there = tmp_path / f"1-{number}" / f"1-{number}:1.0" / f"ttyUSB{number}"
        there.mkdir(parents=True)
        (there.parents[1] / "idVendor").write_text("0403\n")
        (there.parents[1] / "serial").write_text("A50285BI\n")
        (nodes / f"ttyUSB{number}").mkdir(parents=True)
        (nodes / f"ttyUSB{number}" / "device").symlink_to(there)
    monkeypatch.setattr("drivers.dynamixel.port.TTY", nodes)
    monkeypatch.setattr(finder, "_scan", lambda _port, baud, _notes: finder.Servos(baud, {}))
    one, other = (describe(Adapter(f"/dev/ttyUSB{n}", "FT232R", "A50285BI", 0x0403, 0x6001)) for n in range(2))
    assert [usb_serial(found.port) for found in (one, other)] == [one.serial, other.serial]
    assert (one.serial, other.serial) == ("A50285BI@1-0:1.0", "A50285BI@1-1:1.0")
    assert "ATTRS{serial}" not in one.rule + other.rule
    assert ('KERNELS=="1-0:1.0"' in one.rule, 'KERNELS=="1-1:1.0"' in other.rule) == (True, True)
    assert "is another's too (ttyUSB1)" in one.advice[0]


def test_strangers_have_a_text() -> None:
    assert servos_text({5: 64000}) == "1 servo: 5 model 64000"
    assert recognise({1: 1020}) == ("gello", "leader")


def test_errors_stay_device_errors() -> None:
    with pytest.raises(DeviceError):
        DynamixelFinder().set_baud("/dev/nowhere", 57_600)
