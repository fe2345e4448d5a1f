"""How many bytes a second the devices bring. Pure."""

from station.bus.wire import Sample
from station.clock import NS_PER_S

SMALL_BYTES = 500
"""A message without payload, as the journal keeps it, about."""
WINDOW_NS = 2 * NS_PER_S


class Flow:
    """Counts what flows in windows of two seconds."""

    def __init__(self, now_ns: int) -> None:
        self._since_ns = now_ns
        self._bytes = 0
        self._rate = 0.0

    def add(self, sample: Sample) -> None:
        """A recorded sample came."""
        self._bytes += SMALL_BYTES + sum(map(len, sample.payload))

    def bytes_per_s(self, now_ns: int) -> float:
        """Over the last whole window."""
        elapsed_ns = now_ns - self._since_ns
        if elapsed_ns >= WINDOW_NS:
            self._rate = self._bytes * NS_PER_S / elapsed_ns
            self._since_ns, self._bytes = now_ns, 0
        return self._rate
