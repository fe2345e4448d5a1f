"""Grippers on the flange, through the SDK's calls. Nothing of its `set_gripper_position`: that waits, and reboots the flange for its
baud rate.

Source: UFACTORY's Python SDK; registers of the xArm Gripper: its user manual, "Modbus RTU".
"""

import time
from typing import Any, Protocol

from drivers.xarm import codes

_BAUD_REGISTER, _SET_BAUD_REGISTER, _REBOOT_REGISTER, _STATUS_REGISTER = 0x0A0B, 0x1A0B, 0x0607, 0x0000
_GRIPPER_BAUD = 2_000_000
_HELD = 2
"""The lower bits of its status when something stopped it."""
_POSITION_MODE = 0
_REBOOTS_S = 1.3
_OPENS_S = 0.5
"""How long a gripper without a sensor takes from end to end."""
_STATUS_EVERY = 8
_ELSEWHERE = 20
"""Pulses. Fingers that have gone so far since they were asked whether they hold something have not said it of where they are."""
Reading = tuple[int, float, float, bool]
"""When (ns), opening, 1/s, is something held?"""


class Gripper(Protocol):
    """One gripper. Raises ConnectionError where the controller does not answer."""

    trouble: str
    """What is wrong with it; "" if nothing is."""

    def cycle(self, commands: Any, goal: float | None, now_ns: int) -> Reading | None:
        """Send it where it is to be, 0 closed to 1 open, and look where it is."""

    def set_up(self, commands: Any) -> str:
        """An operator's act: make it ready. Why not; "" if it is."""


class Pace:
    """A gripper's readings one after the other, each with how fast the fingers go."""

    def __init__(self) -> None:
        self._before: Reading | None = None

    def reading(self, now_ns: int, opening: float, held: bool) -> Reading:
        """The next one."""
        before = self._before
        since_s = (now_ns - before[0]) / 1e9 if before is not None else 0.0
        velocity = (opening - before[1]) / since_s if before is not None and 0 < since_s < 1 else 0.0
        self._before = now_ns, opening, velocity, held
        return self._before


def at_baud(commands: Any, wanted: int) -> str:
    """What is wrong with the flange's baud rate; "" where it is the gripper's."""
    code, place = commands.tgpio_addr_r16(_BAUD_REGISTER)
    answered(code)
    baud = commands.BAUDRATES[place] if 0 <= place < len(commands.BAUDRATES) else 0
    return "" if baud == wanted else f"the flange speaks {baud} baud, the gripper {wanted}"


def set_baud(commands: Any, wanted: int) -> None:
    """Have the flange speak at that rate; it starts anew for another one."""
    code, place = commands.tgpio_addr_r16(_BAUD_REGISTER)
    there = commands.BAUDRATES.index(wanted)
    if code in (0, 2) and place != there:
        commands.tgpio_addr_w16(_SET_BAUD_REGISTER, there)
        commands.tgpio_addr_w16(_REBOOT_REGISTER, 1)
        time.sleep(_REBOOTS_S)


class XArmGripper:
    """The one with a motor and an encoder, on the flange's RS-485."""

    def __init__(self, open_pulse: int, closed_pulse: int, speed: int) -> None:
        self._open, self._closed, self._speed = open_pulse, closed_pulse, speed
        self.trouble = "the gripper has not been looked at yet"
        self._sent: int | None = None
        self._ready, self._held, self._cycles = False, False, 0
        self._held_at: int | None = None
        """Where the fingers were when they were last asked whether they hold something."""
        self._pace = Pace()

    def cycle(self, commands: Any, goal: float | None, now_ns: int) -> Reading | None:
        """Three exchanges at most."""
        if self._cycles % _STATUS_EVERY == 0:
            self._look(commands)
        self._cycles += 1
        if goal is None:
            self._sent = None
        elif not self.trouble:
            self._go(commands, round(self._closed + (self._open - self._closed) * goal))
        code, pulse = commands.gripper_modbus_get_pos()
        answered(code)
        if code not in (0, 2):
            return None
        opening = max(0.0, min(1.0, (pulse - self._closed) / (self._open - self._closed)))
        if self._held_at is None:
            self._held_at = pulse
        held = self._held and abs(pulse - self._held_at) < _ELSEWHERE
        return self._pace.reading(now_ns, opening, held)

    def _go(self, commands: Any, pulse: int) -> None:
        if not self._ready:
            for answer in (
                commands.gripper_modbus_set_mode(_POSITION_MODE),
                commands.gripper_modbus_set_en(1),
                commands.gripper_modbus_set_posspd(self._speed),
            ):
                answered(answer[0])
            self._ready = True
        if pulse != self._sent:
            answered(commands.gripper_modbus_set_pos(pulse)[0])
            self._sent = pulse

    def _look(self, commands: Any) -> None:
        """What may be wrong with it, and whether it holds something."""
        if self._cycles == 0:
            self.trouble = at_baud(commands, _GRIPPER_BAUD)
            if self.trouble:
                self._cycles -= 1  # looked at again in the next cycle
                return
        code, error = commands.gripper_modbus_get_errcode()
        answered(code)
        self.trouble = "" if code in (0, 2) and not error else f"the gripper reports error {error}"
        if code not in (0, 2):
            self.trouble = "the gripper does not answer at the flange"
        status = commands.gripper_modbus_r16s(_STATUS_REGISTER, 1)
        self._held = status[0] in (0, 2) and len(status) == 7 and status[6] & 0b11 == _HELD
        self._held_at = None

    def set_up(self, commands: Any) -> str:
        """The flange at its baud rate (it starts anew for that), its error cleared."""
        set_baud(commands, _GRIPPER_BAUD)
        code = commands.gripper_modbus_clean_err()[0]
        self._ready, self._cycles = False, 0
        return codes.answer(code)


class LiteGripper:
    """The Lite 6's: two outputs open and close it, and nothing says where it is. What it was told last counts."""

    def __init__(self, *_: int) -> None:
        self.trouble = ""
        self._opened: bool | None = None
        self._since_ns = 0

    def cycle(self, commands: Any, goal: float | None, now_ns: int) -> Reading | None:
        """Beyond the middle it is open."""
        if goal is not None and (goal > 0.5) != self._opened:
            self._opened, self._since_ns = goal > 0.5, now_ns
            for output, level in ((1, self._opened), (2, not self._opened)):
                answered(commands.tgpio_set_digital(output, int(level))[0])
        share = min(1.0, (now_ns - self._since_ns) / 1e9 / _OPENS_S) if self._since_ns else 1.0
        opening = share if self._opened in (None, True) else 1.0 - share
        return now_ns, opening, 0.0, False

    def set_up(self, commands: Any) -> str:  # noqa: ARG002
        """There is nothing to set up."""
        return ""


def answered(code: int) -> None:
    """Raises ConnectionError where nobody has."""
    if code in (3, 8, -1):
        raise ConnectionError(codes.answer(code))
