"""The Robotiq gripper behind its URCap: `SET POS 128 GTO 1` → `ack`, `GET POS` → `POS 128`. Pure.

Source: what the URCap's socket (63352) answers, and Robotiq's "2F-85 & 2F-140 Instruction Manual" for what the numbers mean.
"""

from drivers.sim.network.joints import Fingers

_OPEN, _CLOSED = 3, 228
"""Where the fingers of a 2F-85 really stop, of 0 to 255."""
_SETTABLE = ("ACT", "GTO", "ATR", "ADR", "FOR", "SPE", "POS")
_STILL = 0.0002
"""A finger that moves less than this in a step stands."""
_STANDS_STEPS = 25


class Robotiq:
    """One gripper. `step` is called some hundred times a second."""

    def __init__(self, fingers: Fingers, activated: bool = True) -> None:
        self.fingers = fingers
        self._values = {
            "ACT": int(activated),
            "GTO": int(activated),
            "ATR": 0,
            "ADR": 0,
            "FOR": 100,
            "SPE": 255,
            "POS": _OPEN,
        }
        self._asked = _OPEN
        self._status = 3 if activated else 0
        self._activating = 0.0
        self._stands = 0
        self._last = fingers.opening()
        self.fault = 0
        self.activations = 0

    def step(self) -> None:
        """The motor goes on."""
        if self._status == 1:
            self._activate()
        elif self._status == 3 and self._values["GTO"]:
            self._drive(1 - (min(_CLOSED, max(_OPEN, self._asked)) - _OPEN) / (_CLOSED - _OPEN))
        here = self.fingers.opening()
        self._stands = self._stands + 1 if abs(here - self._last) < _STILL else 0
        self._last = here

    def _drive(self, opening: float) -> None:
        self.fingers.drive(opening, self._values["SPE"] / 255, self._values["FOR"] / 255)

    def _activate(self) -> None:
        """Close, open, and it knows its ends."""
        self._activating += 1 / 500
        self._drive(0.0 if self._activating < 0.6 else 1.0)
        if self._activating > 1.2:
            self._status, self._activating, self._asked = 3, 0.0, _OPEN
            self.activations += 1

    @property
    def position(self) -> int:
        """0 to 255."""
        return round(_OPEN + (1 - self.fingers.opening()) * (_CLOSED - _OPEN))

    @property
    def object_status(self) -> int:
        """0 it moves, 1 and 2 it was stopped by something while it opened and closed, 3 it is there."""
        away = min(_CLOSED, max(_OPEN, self._asked)) - self.position
        if abs(away) <= 2:
            return 3
        if self._stands < _STANDS_STEPS:
            return 0
        return 2 if away > 0 else 1

    def hear(self, line: str) -> str:
        """One line, and its answer as it goes over the socket."""
        words = line.split()
        if len(words) == 2 and words[0] == "GET":
            return self._get(words[1])
        if len(words) >= 3 and words[0] == "SET" and len(words) % 2 == 1:
            for name, value in zip(words[1::2], words[2::2], strict=True):
                if name not in _SETTABLE or not value.isdigit() or not 0 <= int(value) <= 255:
                    return "?"
                self._set(name, int(value))
            return "ack"
        return "?"

    def _get(self, name: str) -> str:
        if name == "POS":
            return f"POS {self.position}\n"
        read = {"STA": self._status, "PRE": self._asked, "OBJ": self.object_status, "FLT": self.fault} | self._values
        return f"{name} {read[name]}\n" if name in read else "?\n"

    def _set(self, name: str, value: int) -> None:
        if name == "ACT":
            if value == 0:
                self._status, self.fault = 0, 0
            elif self._status == 0:
                self._status, self._activating = 1, 0.0
        elif name == "POS":
            if value != self._asked:
                self._stands = 0  # it sets out anew, and says so, also where something is in the way
            self._asked = value
        self._values[name] = value
