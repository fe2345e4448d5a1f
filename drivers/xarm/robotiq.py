"""A Robotiq 2F-85 or 2F-140 on a UFACTORY flange's RS-485: Modbus RTU, slave 9, at 115 200 baud.

Source: Robotiq, "2F-85 & 2F-140 Instruction Manual" (registers), and what UFACTORY's SDK sends for its `robotiq_*` calls, which themselves
are not used: they wait, activate the gripper by themselves, and reboot the flange for its baud rate. It is activated by an operator's act
alone: activating moves the fingers to both ends.
"""

import struct
from typing import Any

from drivers import robotiq
from drivers.xarm import codes
from drivers.xarm.flange import Pace, Reading, answered, at_baud, set_baud

_BAUD, _SLAVE, _READ, _WRITE = 115_200, 9, 0x03, 0x10
_ORDERS, _STATES, _REGISTERS = 0x03E8, 0x07D0, 3
_ACT, _GO_TO = 1 << 0, 1 << 3
_STOPPED = (1, 2)
"""gOBJ: something stopped the fingers on their way open, on their way shut."""
_UNHEARD = 9
"""The fault that it was not spoken to for a second: the next word ends it."""
_HEAD_BYTES, _STATE_BYTES = 5, 6
"""Of an answer before its registers: code, host, slave, function, count."""


class RobotiqGripper:
    """One gripper."""

    def __init__(self, open_count: int, closed_count: int, speed: int, force: int) -> None:
        """Its counts of 0 to 255 at the ends of its real travel; speed and force, 0 to 255."""
        self._open, self._closed, self._speed, self._force = open_count, closed_count, speed, force
        self.trouble = "the gripper has not been looked at yet"
        self._sent: int | None = None
        self._pace = Pace()
        self._at_baud = False

    def cycle(self, commands: Any, goal: float | None, now_ns: int) -> Reading | None:
        """Two exchanges at most."""
        if not self._at_baud:
            self.trouble = at_baud(commands, _BAUD)
            self._at_baud = not self.trouble
            if not self._at_baud:
                return None
        state = self._state(commands)
        if state is None:
            self.trouble = "the gripper does not answer at the flange"
            self._at_baud = False
            return None
        status, fault, count = state
        activation = status >> 4 & 0b11
        self.trouble = robotiq.trouble(activation, 0 if fault == _UNHEARD else fault)
        if activation == robotiq.ACTIVATING:
            self.trouble = "the gripper is on its way to both ends"
        if goal is None:
            self._sent = None
        elif not self.trouble:
            self._go(commands, round(self._closed + (self._open - self._closed) * goal))
        opening = max(0.0, min(1.0, (count - self._closed) / (self._open - self._closed)))
        return self._pace.reading(now_ns, opening, status >> 6 in _STOPPED)

    def _go(self, commands: Any, count: int) -> None:
        if count != self._sent:
            self._order(commands, _ACT | _GO_TO, count, self._speed, self._force)
            self._sent = count

    def _order(self, commands: Any, act: int, count: int = 0, speed: int = 0, force: int = 0) -> int:
        orders = struct.pack(
            ">BBHHB6B", _SLAVE, _WRITE, _ORDERS, _REGISTERS, 2 * _REGISTERS, act, 0, 0, count, speed, force
        )
        code: int = commands.tgpio_set_modbus(orders, len(orders))[0]
        answered(code)
        return code

    def _state(self, commands: Any) -> tuple[int, int, int] | None:
        """Status, fault, position; None where nobody answers."""
        asked = struct.pack(">BBHH", _SLAVE, _READ, _STATES, _REGISTERS)
        got = commands.tgpio_set_modbus(asked, len(asked))
        answered(got[0])
        if got[0] not in (0, 2) or len(got) < _HEAD_BYTES + _STATE_BYTES or tuple(got[2:4]) != (_SLAVE, _READ):
            return None
        status, _, fault, _, count, _ = got[_HEAD_BYTES : _HEAD_BYTES + _STATE_BYTES]
        return status, fault & 0x0F, count

    def set_up(self, commands: Any) -> str:
        """The flange at its baud rate (it starts anew for that); reset, and activated: the fingers move to both ends."""
        set_baud(commands, _BAUD)
        self._sent, self._at_baud = None, False
        self.trouble = "the gripper has not been looked at yet"
        return codes.answer(self._order(commands, 0)) or codes.answer(self._order(commands, _ACT))
