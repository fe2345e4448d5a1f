"""What can go wrong on a servo bus, switchable while it runs and from any thread."""

import random
from collections.abc import Iterable
from typing import TYPE_CHECKING

from drivers.sim.servos.servo import OVERLOAD

if TYPE_CHECKING:
    from drivers.sim.servos.servo_bus import ServoBus


class Faults:
    """The switches of one bus."""

    def __init__(self, bus: "ServoBus", seed: int = 0) -> None:
        self._bus = bus
        self._random = random.Random(seed)
        self._silent: frozenset[int] = frozenset()
        self._spoilt: dict[int, tuple[int, int]] = {}
        self.noise = 0.0
        """The fraction of status packets in which one byte is hit."""
        self.silence_breaks_chain = False
        """Servos behind a silent one in a sync read stay silent too (they wait for its packet)."""

    def silence(self, *ids: int) -> None:
        """These servos answer nothing and do nothing; without an ID all of them."""
        self._silent = self._silent | frozenset(ids or self._bus.ids)

    def speak(self, *ids: int) -> None:
        """These servos answer again; without an ID all of them."""
        self._silent = self._silent - frozenset(ids or self._bus.ids)

    def is_silent(self, servo_id: int) -> bool:
        """Does this servo say nothing."""
        return servo_id in self._silent

    def spoil_write(self, servo_id: int, after: int = 0, times: int = 1) -> None:
        """Noise hits writes on their way to this servo: it does and says nothing. `after`: so many get through first."""
        self._spoilt[servo_id] = (after, times)

    def spoils_write(self, servo_id: int) -> bool:
        """Is the write that just came to this servo one of those? Counts."""
        after, times = self._spoilt.get(servo_id, (0, 0))
        self._spoilt[servo_id] = (after - 1, times) if after else (0, max(0, times - 1))
        return not after and times > 0

    def overload(self, servo_id: int) -> None:
        """The servo shuts itself down: its torque is off until it is rebooted."""
        with self._bus.lock:
            self._bus.servo(servo_id).fail(OVERLOAD)

    def power_loss(self, ids: Iterable[int] = ()) -> None:
        """Power went and came back: torque off, RAM at its start values."""
        with self._bus.lock:
            for servo_id in ids or self._bus.ids:
                self._bus.servo(servo_id).power_on()

    def unplug(self) -> None:
        """Pull the USB cable: the port goes away. Servos keep power and torque."""
        self._bus.unplug()

    def replug(self) -> None:
        """Put the cable back: a new port, the same link."""
        self._bus.replug()

    def hit(self, packet: bytes) -> bytes:
        """The packet as noise leaves it."""
        if not self.noise or self._random.random() >= self.noise:
            return packet
        at = self._random.randrange(len(packet))
        return packet[:at] + bytes((packet[at] ^ (1 << self._random.randrange(8)),)) + packet[at + 1 :]
