"""A Robotiq on the flange: what goes over its RS-485, and when it is not followed. The SDK's own bytes: `test_faults`."""

import struct
from typing import Any

import pytest

from drivers.sim.network.joints import FreeFingers
from drivers.sim.xarm.gripper import Flange
from drivers.xarm.robotiq import RobotiqGripper

STEP_NS = 40_000_000
COMMAND_STEPS = 16
"""Of the controller, between two looks at the gripper."""


class Commands:
    """The SDK's, as far as the gripper uses them, straight to the flange."""

    BAUDRATES = (4800, 9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600, 1000000, 1500000, 2000000)

    def __init__(self, flange: Flange) -> None:
        self.flange, self.silent = flange, False

    def tgpio_set_modbus(self, request: bytes, count: int) -> list[int]:
        assert len(request) == count
        return [3] if self.silent else [0, 9, *self.flange.modbus(bytes(request), 0)]

    def tgpio_addr_r16(self, register: int) -> list[int]:
        assert register == 0x0A0B
        return [0, self.flange.baud_place]

    def tgpio_addr_w16(self, register: int, value: int) -> list[int]:
        self.flange.write(struct.pack(">BH", 9, register) + struct.pack("<f", value), 0)
        return [0]


class Bench:
    """A gripper, its flange, and something between its fingers."""

    def __init__(self) -> None:
        self.fingers = FreeFingers()
        self.flange = Flange(self.fingers, robotiq=True)
        self.commands, self.gripper, self.now_ns = Commands(self.flange), RobotiqGripper(3, 228, 255, 51), 0

    def look(self, goal: float | None, times: int = 30) -> Any:
        found = None
        for _ in range(times):
            self.now_ns += STEP_NS
            found = self.gripper.cycle(self.commands, goal, self.now_ns)
            for _ in range(COMMAND_STEPS):
                self.flange.step()
        return found


def test_it_goes_where_it_is_told_and_says_what_it_holds() -> None:
    bench = Bench()
    _, opening, _, held = bench.look(0.0)
    assert (bench.gripper.trouble, opening, held) == ("", pytest.approx(0.0, abs=0.01), False)
    bench.look(1.0)
    bench.fingers.object_opening = 0.5
    _, opening, _, held = bench.look(0.0)
    assert (opening, held) == (pytest.approx(0.5, abs=0.02), True)


def test_it_is_activated_by_its_act_alone() -> None:
    bench = Bench()
    assert bench.flange.robotiq is not None
    bench.flange.robotiq.deactivate()
    bench.look(0.0)
    assert bench.gripper.trouble == "the gripper is not activated"
    assert bench.fingers.opening() == 1.0
    assert bench.gripper.set_up(bench.commands) == ""
    bench.look(None, 3)
    assert "both ends" in bench.gripper.trouble
    bench.look(None, 40)
    assert bench.gripper.trouble == ""


def test_another_baud_rate_and_a_gripper_that_says_nothing_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drivers.xarm.flange._REBOOTS_S", 0.0)
    bench = Bench()
    bench.flange.baud_place = 11
    assert bench.look(0.0, 2) is None
    assert bench.gripper.trouble == "the flange speaks 2000000 baud, the gripper 115200"
    assert bench.gripper.set_up(bench.commands) == ""
    bench.look(None, 40)
    assert bench.gripper.trouble == ""
    bench.flange.robotiq = None
    bench.look(0.5, 2)
    assert "does not answer at the flange" in bench.gripper.trouble
    bench.commands.silent = True
    bench.gripper._at_baud = True
    with pytest.raises(ConnectionError):
        bench.look(0.5, 1)


def test_a_fault_is_named_and_nothing_is_sent() -> None:
    bench = Bench()
    assert bench.flange.robotiq is not None
    bench.look(1.0, 2)
    bench.flange.robotiq.fault = 14
    bench.look(0.0)
    assert "fault 14: its current was too high" in bench.gripper.trouble
    assert bench.fingers.opening() == pytest.approx(1.0)
    bench.flange.robotiq.fault = 9
    bench.look(0.0)
    assert bench.gripper.trouble == "", "nobody had spoken to it for a second"
