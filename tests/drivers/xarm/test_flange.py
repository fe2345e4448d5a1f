"""The xArm Gripper's readings: what it said of one place it has not said of another. The SDK's own bytes: `test_faults`."""

from drivers.xarm.flange import XArmGripper

STEP_NS = 25_000_000
ASKED_EVERY = 8
"""Cycles between two questions whether it holds something."""


class Commands:
    """The SDK's answers, for a gripper whose fingers stand at `pulse`."""

    BAUDRATES = (4800, 9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600, 1000000, 1500000, 2000000)

    def __init__(self, pulse: int, stopped: bool) -> None:
        self.pulse, self.stopped = pulse, stopped

    def tgpio_addr_r16(self, register: int) -> tuple[int, int]:
        assert register == 0x0A0B
        return 0, self.BAUDRATES.index(2_000_000)

    def gripper_modbus_get_pos(self) -> tuple[int, int]:
        return 0, self.pulse

    def gripper_modbus_get_errcode(self) -> tuple[int, int]:
        return 0, 0

    def gripper_modbus_r16s(self, register: int, count: int) -> list[int]:
        assert (register, count) == (0, 1)
        return [0, 9, 8, 3, 2, 0, 2 if self.stopped else 0]


class Bench:
    """A gripper, looked at again and again."""

    def __init__(self, pulse: int, stopped: bool) -> None:
        self.commands = Commands(pulse, stopped)
        self.gripper, self.now_ns = XArmGripper(850, 0, 5000), 0

    def held(self, cycles: int = 1) -> list[bool]:
        found = []
        for _ in range(cycles):
            self.now_ns += STEP_NS
            reading = self.gripper.cycle(self.commands, None, self.now_ns)
            assert reading is not None
            found.append(reading[3])
        return found


def test_what_stopped_the_fingers_is_held_for_as_long_as_they_stand_there() -> None:
    bench = Bench(pulse=500, stopped=True)
    assert all(bench.held(2 * ASKED_EVERY))


def test_fingers_that_go_on_hold_nothing_although_they_were_not_asked_again() -> None:
    bench = Bench(pulse=500, stopped=True)
    assert bench.held(2) == [True, True]
    bench.commands.pulse, bench.commands.stopped = 420, False
    assert not any(bench.held(2 * ASKED_EVERY))


def test_something_that_gives_way_is_held_again_once_they_were_asked() -> None:
    bench = Bench(pulse=500, stopped=True)
    bench.held()
    bench.commands.pulse = 420
    assert bench.held(2 * ASKED_EVERY)[-ASKED_EVERY:] == [True] * ASKED_EVERY
