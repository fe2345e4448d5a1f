"""The flange's RS-485, and the xArm Gripper on it (slave 8, Modbus RTU without its checksum). Pure.

Source: UFACTORY, "xArm Gripper user manual" (registers), and what its Python SDK sends and expects.
"""

import struct

from drivers.sim.network.joints import Fingers
from drivers.sim.xarm.robotiq import RobotiqGripper

_SLAVE, _READ, _WRITE = 8, 3, 0x10
_ENABLE, _MODE, _SPEED, _TARGET, _POSITION, _ERROR, _CLEAR, _STATUS = (
    0x0100,
    0x0101,
    0x0303,
    0x0700,
    0x0702,
    0x000F,
    0x0109,
    0x0000,
)
_VERSION = {0x0801: 3, 0x0802: 4, 0x0803: 3}
_BAUD, _SET_BAUD, _REBOOT, _OUTPUTS = 0x0A0B, 0x1A0B, 0x0607, 0x0A15
_115200_BAUD, _TWO_MEGABAUD = 5, 11
"""Places in the list of rates that the flange knows."""
_OPEN = 850
_FASTEST = 5000
_STILL = 0.0002
_STANDS_STEPS = 20


class Flange:
    """What is spoken at the end of the arm. `step` is called some hundred times a second."""

    def __init__(self, fingers: Fingers | None, robotiq: bool = False) -> None:
        """`robotiq`: on it is one of those, in the place of UFACTORY's own."""
        self.robotiq = RobotiqGripper(fingers) if robotiq and fingers is not None else None
        self._fingers = fingers if self.robotiq is None else None
        self._registers = {_ENABLE: 0, _MODE: 0, _SPEED: _FASTEST, _ERROR: 0}
        self._target: int | None = None
        self.baud_place = self._asked_baud = _TWO_MEGABAUD if self.robotiq is None else _115200_BAUD
        self.reboots = 0
        self._stands, self._last = 0, 1.0

    def step(self) -> None:
        """The motor goes on."""
        if self.robotiq is not None:
            self.robotiq.step()
        if self._fingers is None:
            return
        if self._registers[_ENABLE] and self._target is not None and not self._registers[_ERROR]:
            self._fingers.drive(self._target / _OPEN, self._registers[_SPEED] / _FASTEST, 0.5)
        here = self._fingers.opening()
        self._stands = self._stands + 1 if abs(here - self._last) < _STILL else 0
        self._last = here

    def fail(self, code: int) -> None:
        """It reports an error, and moves no more."""
        self._registers[_ERROR] = code

    @property
    def pulse(self) -> int:
        """0 closed to 850 open."""
        return round(_OPEN * (self._fingers.opening() if self._fingers is not None else 0.0))

    @property
    def _status(self) -> int:
        """0 it stands where it was sent, 1 it moves, 2 something stopped it."""
        if self._target is None or abs(self._target - self.pulse) <= 5:
            return 0
        return 2 if self._stands >= _STANDS_STEPS else 1

    def modbus(self, request: bytes, now_ns: int) -> bytes:  # noqa: ARG002
        """An answer to what was sent over the wire; nothing where nobody answers."""
        if self.robotiq is not None:
            return self.robotiq.modbus(request) if self.baud_place == _115200_BAUD else b""
        slave, function, register, count = struct.unpack_from(">BBHH", request)
        if self._fingers is None or slave != _SLAVE or self.baud_place != _TWO_MEGABAUD:
            return b""
        if function == _WRITE:
            self._write(register, request[7:])
            return request[:6]
        if function == _READ:
            values = b"".join(struct.pack(">H", word) for word in self._read(register, count))
            return bytes([slave, function, len(values)]) + values
        return b""

    def _write(self, register: int, data: bytes) -> None:
        if register == _TARGET:
            before, (self._target,) = self._target, struct.unpack(">i", data)
            if self._target != before:
                self._stands = 0  # it sets out anew, and says so, also where something is in the way
        elif register == _CLEAR:
            self._registers[_ERROR] = 0
        else:
            self._registers[register] = int.from_bytes(data, "big")

    def _read(self, register: int, count: int) -> tuple[int, ...]:
        if register == _POSITION:
            return tuple(struct.unpack(">2H", struct.pack(">i", self.pulse)))
        if register == _STATUS:
            return (self._status,)
        return (_VERSION.get(register, self._registers.get(register, 0)),) * count

    def write(self, body: bytes, now_ns: int) -> None:  # noqa: ARG002
        """A register of the flange itself."""
        register, value = struct.unpack_from(">H", body, 1)[0], struct.unpack_from("<f", body, 3)[0]
        if register == _SET_BAUD:
            self._asked_baud = round(value)
        elif register == _REBOOT:
            self.baud_place = self._asked_baud
            self.reboots += 1
        elif register == _OUTPUTS and self._fingers is not None:
            self._registers[_ENABLE] = 1
            bits = round(value)
            if bits & 0x0100 and bits & 0x0001:
                self._target = _OPEN
            elif bits & 0x0200 and bits & 0x0002:
                self._target = 0

    def read(self, body: bytes) -> bytes:
        """The same, read."""
        (register,) = struct.unpack_from(">H", body, 1)
        return struct.pack(">i", self.baud_place if register == _BAUD else 0)
