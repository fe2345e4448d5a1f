"""Registers of many servos written at once, and believed only once they were read back.

A sync write has no status packets: it costs its bytes on the wire and no wait. Reading back every register that was
written proves more than status packets would, for those only say that a packet was understood. A shadow servo obeys
what is written to its primary's ID, so it is read back too.
"""

from collections.abc import Iterator, Mapping

from drivers.dynamixel.bus import Bus
from drivers.dynamixel.control_table import Register, register
from drivers.dynamixel.models import ArmModel
from station.errors import DeviceWrong

Wanted = Mapping[str, Mapping[int, int]]
"""Register → servo ID → value, in the units of the register."""


class CheckedWrites:
    """One arm's."""

    def __init__(self, bus: Bus, arm: ArmModel) -> None:
        self._bus = bus
        self._obeying = {
            primary.id: (primary.id, *(servo.id for servo in arm.servos if servo.shadow_of == primary.id))
            for primary in arm.joints
        }

    def write(self, wanted: Wanted) -> None:
        """Write, and read back in one sync read; what differs is written once more, to that servo alone.

        Raises DeviceWrong if a servo refuses that too, or still reads something else; DeviceSilent if one says nothing.
        """
        wanted = {name: values for name, values in wanted.items() if values}
        if not wanted:
            return
        for name, values in wanted.items():
            item = register(name)
            self._bus.sync_write(item.address, {servo_id: item.bytes(value) for servo_id, value in values.items()})
        for servo_id, item, value in list(self._differing(wanted)):
            self._write_one(servo_id, item, value)

    def _differing(self, wanted: Wanted) -> Iterator[tuple[int, Register, int]]:
        items = [register(name) for name in wanted]
        start = min(item.address for item in items)
        length = max(item.address + item.size for item in items) - start
        primaries = {servo_id for values in wanted.values() for servo_id in values}
        ids = tuple(servo_id for primary in sorted(primaries) for servo_id in self._obeying[primary])
        blocks = self._bus.read_all(ids, start, length)
        for item in items:
            for primary, value in wanted[item.name].items():
                for servo_id in self._obeying[primary]:
                    if item.of(blocks[servo_id], start) != value:
                        yield servo_id, item, value

    def _write_one(self, servo_id: int, item: Register, value: int) -> None:
        error = self._bus.write(servo_id, item.address, item.bytes(value))
        found = item.of(self._bus.read(servo_id, item.address, item.size), item.address)
        if error or found != value:
            raise DeviceWrong(
                self._bus.device, self._bus.port, f"servo {servo_id} to take {item.name} {value}",
                f"it reads {found}" + (f", error {error}" if error else ""),
                "look at the servo's hardware error and limits; support the arm, then reboot that servo",
            )  # fmt: skip
