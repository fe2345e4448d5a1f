"""The program that ur_rtde's control interface sends a controller: what it does with its registers. Nothing of it is interpreted.

Source: what the library (1.6.5) sends and expects, seen on the wire. Input integer register 0 is the command. Streaming commands
act at once and leave output integer register 0 at 1 (ready); others turn it to 2 (done) until the command is 0 again. `servoj`
goes on towards the last target for ever: only its own stop, the end of the program or the watchdog end that.
"""

from collections.abc import Sequence

_READY, _DONE = 1, 2
_NONE, _SERVOJ, _SERVO_STOP, _WATCHDOG, _STOP = 0, 11, 16, 35, 255
_STREAMED = frozenset((6, 9, 10, 11, 24, 25, 26, 27, 38))


class Program:
    """One program while it runs."""

    def __init__(self, script: str) -> None:
        self.script = script
        self.servo_target: tuple[float, ...] | None = None
        self.lookahead_s, self.gain = 0.1, 300.0
        self.watchdog_hz = 0.0
        self.ended = False

    def cycle(self, ints: Sequence[int], doubles: Sequence[float], out_ints: list[int]) -> None:
        """One cycle of the controller: look at the registers, do what they say."""
        command = ints[0]
        if command == _STOP:
            self.ended = True
        elif command == _SERVOJ:
            self.servo_target = tuple(doubles[:6])
            self.lookahead_s, self.gain = max(0.03, min(0.2, doubles[9])), max(100.0, min(2000.0, doubles[10]))
        if command == _NONE or command in _STREAMED:
            out_ints[0] = _READY
            return
        if out_ints[0] == _DONE:
            return
        if command == _SERVO_STOP:
            self.servo_target = None
        elif command == _WATCHDOG:
            self.watchdog_hz = doubles[0]
        out_ints[0] = _DONE
