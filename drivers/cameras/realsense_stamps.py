"""Capture times of one RealSense stream: its counter unwrapped, mapped to the host's clock, rising. Pure."""

from drivers.cameras.realsense_sensor import Raw
from station.clock_map import ClockMap

COUNTER_NS = 2**32 * 1000
"""The hardware clock is a 32-bit counter of microseconds: it begins anew every 71.6 minutes."""


class Stamps:
    """Capture times of one stream: unwrapped, mapped, rising."""

    def __init__(self) -> None:
        self.map = ClockMap()
        self.by_arrival = False
        self._last_ns = -1
        self._number: int | None = None
        self._device_ns: int | None = None
        self._wraps = 0

    def reopened(self) -> None:
        """The camera's clock and numbers may have begun anew; ours went on."""
        self.map, self._number, self._device_ns, self._wraps = ClockMap(), None, None, 0

    def lost(self, number: int) -> int:
        """How many pictures the camera numbered and we never saw before this one."""
        before, self._number = self._number, number
        return max(0, number - before - 1) if before is not None else 0

    def captured_at_ns(self, raw: Raw, arrived_ns: int) -> int | None:
        """When it was taken, host ns; None for a stamp that cannot be."""
        self.by_arrival = raw.domain != "hardware_clock"
        taken_ns = arrived_ns if self.by_arrival else self._mapped(raw.device_ns, arrived_ns)
        if taken_ns is None or taken_ns <= self._last_ns:
            return None
        self._last_ns = taken_ns
        return taken_ns

    def _mapped(self, device_ns: int, arrived_ns: int) -> int | None:
        if self._device_ns is not None and device_ns < self._device_ns - COUNTER_NS // 2:
            self._wraps += 1
        self._device_ns = device_ns
        unwrapped_ns = device_ns + self._wraps * COUNTER_NS
        return self.map.to_host(unwrapped_ns) if self.map.observe(unwrapped_ns, arrived_ns) else None
