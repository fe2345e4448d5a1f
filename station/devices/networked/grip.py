"""Whether fingers have lost what they held. Pure.

They held something, were not asked to open since, and are closer together now than it is wide. That they say "stopped by something" no
more is not enough: a gripper that is told a new position says so for a moment. That they still say so is not enough either: what says it
is asked for less often than where they are, or ends only once they have arrived. How wide it is, they say where they stand.
"""

from station.clock import NS_PER_S
from station.devices.networked.readings import Fingers

LOST = "its gripper has lost what it held: look where it lies, then go on or discard the take"
TOLD_NS = 10 * NS_PER_S
"""For how long that is told."""
_NARROWER, _WIDER = 0.05, 0.02
_STANDS = 0.25
"""1/s. A reading's noise is below it: one of a Robotiq's 255 steps between two readings a fiftieth of a second apart makes 0.2."""


class Grip:
    """Of one gripper."""

    def __init__(self) -> None:
        self._width: float | None = None
        """How far open the fingers are that hold something; None: they hold nothing."""
        self._lost_ns = -TOLD_NS

    def look(self, fingers: Fingers, asked: float | None) -> None:
        """A reading, and where the fingers are asked to be, 0 closed to 1 open (None: nowhere)."""
        if fingers.object and abs(fingers.velocity) < _STANDS:
            self._width = fingers.opening
        elif self._width is not None and asked is not None and asked > self._width + _WIDER:
            self._width = None
        elif self._width is not None and fingers.opening < self._width - _NARROWER:
            self._width, self._lost_ns = None, fingers.at_ns

    def lost(self, now_ns: int) -> bool:
        """Has something been lost lately?"""
        return now_ns - self._lost_ns < TOLD_NS
