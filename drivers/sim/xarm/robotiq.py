"""A Robotiq gripper on the flange's RS-485 (slave 9, Modbus RTU without its checksum). Pure.

Source: Robotiq, "2F-85 & 2F-140 Instruction Manual": registers 0x03E8 (orders) and 0x07D0 (states), three each.
"""

import struct

from drivers.sim.network.joints import Fingers

_SLAVE, _READ, _WRITE, _ORDERS, _STATES, _REGISTERS = 9, 3, 0x10, 0x03E8, 0x07D0, 3
_ACT, _GO_TO = 1 << 0, 1 << 3
_ACTIVATING, _ACTIVE = 1, 3
_OPEN, _CLOSED = 3, 228
"""Where the fingers really stop, of 0 to 255."""
_STILL, _STANDS_STEPS = 0.0002, 20
_WAYS_STEPS = 240
"""Of the activation: so many to the one end, as many to the other."""


class RobotiqGripper:
    """One gripper. `step` is called some hundred times a second."""

    def __init__(self, fingers: Fingers) -> None:
        self._fingers = fingers
        self._act, self._asked, self._speed, self._force = _ACT | _GO_TO, _OPEN, 255, 100
        self.activation, self.fault = _ACTIVE, 0
        self._step = self._stands = 0
        self._last = fingers.opening()

    def step(self) -> None:
        """The motor goes on."""
        if self.activation == _ACTIVATING:
            self._step += 1
            self._fingers.drive(0.0 if self._step < _WAYS_STEPS else 1.0, 1.0, 0.5)
            if self._step >= 2 * _WAYS_STEPS:
                self.activation, self._asked = _ACTIVE, _OPEN
        elif self.activation == _ACTIVE and self._act & _GO_TO:
            opening = 1 - (min(_CLOSED, max(_OPEN, self._asked)) - _OPEN) / (_CLOSED - _OPEN)
            self._fingers.drive(opening, self._speed / 255, self._force / 255)
        here = self._fingers.opening()
        self._stands = self._stands + 1 if abs(here - self._last) < _STILL else 0
        self._last = here

    def deactivate(self) -> None:
        """As it comes when its power was away."""
        self._act = self.activation = 0

    @property
    def count(self) -> int:
        """Where its fingers are, 0 to 255."""
        return round(_OPEN + (1 - self._fingers.opening()) * (_CLOSED - _OPEN))

    @property
    def _met(self) -> int:
        away = min(_CLOSED, max(_OPEN, self._asked)) - self.count
        if abs(away) <= 2:
            return 3
        if self._stands < _STANDS_STEPS:
            return 0
        return 2 if away > 0 else 1

    def modbus(self, request: bytes) -> bytes:
        """An answer to what was sent to it; nothing to what it does not know."""
        slave, function, register, count = struct.unpack_from(">BBHH", request)
        if (slave, count) != (_SLAVE, _REGISTERS):
            return b""
        if (function, register) == (_WRITE, _ORDERS):
            self._take(*struct.unpack_from("6B", request, 7))
            return request[:6]
        if (function, register) == (_READ, _STATES):
            status = self._act & (_ACT | _GO_TO) | self.activation << 4 | self._met << 6
            return bytes([slave, function, 6, status, 0, self.fault, self._asked, self.count, 0])
        return b""

    def _take(self, act: int, _: int, __: int, asked: int, speed: int, force: int) -> None:
        if not act & _ACT:
            self.activation = self.fault = 0
        elif self.activation == 0:
            self.activation, self._step = _ACTIVATING, 0
        if act & _GO_TO and self.activation == _ACTIVE:
            if asked != self._asked:
                self._stands = 0
            self._asked, self._speed, self._force = asked, speed, force
        self._act = act
