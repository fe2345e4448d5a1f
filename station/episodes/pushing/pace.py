"""How fast, and whether at all: bytes go on at a bounded rate, and never while a rig on this computer needs its disk and network."""

import time
from collections.abc import Callable

from station.clock import NS_PER_S, monotonic_ns

BLOCK = 1 << 20
"""Bytes between two looks at the rigs."""
_LOOK_S = 0.25
_BURST_S = 0.5
"""What was not used of the rate is not saved up for longer."""


class Pace:
    """A bound on bytes a second, as time to wait. Pure: time is given."""

    def __init__(self, bytes_per_s: float | None, now_ns: int) -> None:
        self._rate = bytes_per_s
        self._free_ns = now_ns

    def wait_s(self, size: int, now_ns: int) -> float:
        """How long to wait before `size` more bytes."""
        if self._rate is None:
            return 0.0
        begins_ns = max(self._free_ns, now_ns - round(_BURST_S * NS_PER_S))
        self._free_ns = begins_ns + round(size / self._rate * NS_PER_S)
        return max(0, begins_ns - now_ns) / NS_PER_S


class Gate:
    """Asked before each block: returns when it may go on."""

    def __init__(
        self,
        bytes_per_s: float | None = None,
        busy: Callable[[], str] = str,
        told: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`busy`: which rig needs the computer now, and for what; "" for none. `told` hears of each pause, and "" at its end."""
        self._pace, self._busy, self._told = Pace(bytes_per_s, monotonic_ns()), busy, told

    def __call__(self, size: int) -> None:
        """Before `size` bytes are read or sent."""
        paused = False
        while why := self._busy():
            if not paused:
                self._told(why)
            paused = True
            time.sleep(_LOOK_S)
        if paused:
            self._told("")
        if (wait_s := self._pace.wait_s(size, monotonic_ns())) > 0:
            time.sleep(wait_s)
