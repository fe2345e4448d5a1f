"""Temperature, voltage, hardware errors and what else changes slowly: one servo at a time, each about once a second."""

from typing import NamedTuple

from drivers.dynamixel.bus import Bus
from drivers.dynamixel.control_table import register
from station.clock import NS_PER_S

BLOCK_START = 64
BLOCK_LENGTH = 83
"""Torque Enable (64) to Present Temperature (146)."""
_TORQUE_LENGTH = 7
"""Torque Enable (64) to Hardware Error Status (70)."""
WIRE_BYTES = 15 + 11 + BLOCK_LENGTH
_ERRORS = {0: "input voltage", 2: "overheating", 3: "encoder", 4: "electrical shock", 5: "overload"}
"""Bits of Hardware Error Status (e-manual)."""


class Slow(NamedTuple):
    """One servo's slow registers."""

    torque: bool
    hardware_error: int
    watchdog: int
    current: int
    goal_ticks: int
    voltage_v: float
    temperature_c: int

    @property
    def errors(self) -> str:
        """The hardware errors in words, "" if there are none."""
        return ", ".join(name for bit, name in _ERRORS.items() if self.hardware_error >> bit & 1)


def decode(block: bytes, start: int = BLOCK_START) -> Slow:
    """A block of registers that holds 64…146."""

    def value(name: str) -> int:
        return register(name).of(block, start)

    return Slow(
        value("Torque Enable") == 1, value("Hardware Error Status"), value("Bus Watchdog"), value("Present Current"),
        value("Goal Position"), value("Present Input Voltage") / 10.0, value("Present Temperature"),
    )  # fmt: skip


class SlowReader:
    """Asks the servos in turn."""

    def __init__(self, bus: Bus, ids: tuple[int, ...], baud: int) -> None:
        self._bus, self._ids = bus, ids
        self._turn = 0
        self._step_ns = NS_PER_S // len(ids)
        self._due_ns = 0
        self._cost_ns = WIRE_BYTES * 10 * NS_PER_S // baud + NS_PER_S // 1000
        self.latest: dict[int, Slow] = {}

    def take(self, servo_id: int, block: bytes, start: int) -> None:
        """Bring-up has read this one already."""
        self.latest[servo_id] = decode(block, start)

    def step(self, now_ns: int, cycle_end_ns: int, urgent: set[int]) -> bool:
        """Read one servo if it is time and the cycle has room (without room: once a second all the same)."""
        if not urgent and now_ns < self._due_ns:
            return False
        if now_ns + self._cost_ns > cycle_end_ns and now_ns < self._due_ns + NS_PER_S:
            return False
        self._due_ns = now_ns + self._step_ns
        return self.refresh(self._next(urgent))

    def refresh(self, servo_id: int) -> bool:
        """Read one servo now; False if it did not answer."""
        answer = self._bus.sync_read((servo_id,), BLOCK_START, BLOCK_LENGTH).by_id.get(servo_id)
        if answer is None:
            return False
        self.latest[servo_id] = decode(answer.data)
        return True

    def insist(self, servo_id: int) -> None:
        """Read one servo before something is decided by it. Raises DeviceSilent rather than leaving an old reading."""
        self.latest[servo_id] = decode(self._bus.read(servo_id, BLOCK_START, BLOCK_LENGTH))

    def insist_torque(self) -> None:
        """Read everybody's torque and hardware errors at once, as `insist` does; the rest stays as it was read."""
        torque, error = register("Torque Enable"), register("Hardware Error Status")
        for servo_id, block in self._bus.read_all(self._ids, BLOCK_START, _TORQUE_LENGTH).items():
            self.latest[servo_id] = self.latest[servo_id]._replace(
                torque=torque.of(block, BLOCK_START) == 1, hardware_error=error.of(block, BLOCK_START)
            )

    def _next(self, urgent: set[int]) -> int:
        if urgent:
            return min(urgent)
        self._turn = (self._turn + 1) % len(self._ids)
        return self._ids[self._turn]
