"""Time: CLOCK_MONOTONIC of the station's host in int64 nanoseconds, and the absolute grid made of it.

Cores never call a clock; they are given `now_ns`. Loops are given a `Clock`, so a test can hand them its own.
"""

import time
from collections.abc import Callable

Clock = Callable[[], int]

NS_PER_S = 1_000_000_000
NS_PER_MS = 1_000_000


def monotonic_ns() -> int:
    """The station's one clock (shared by every process of the host), ns."""
    return time.monotonic_ns()


class Grid:
    """The absolute grid t_k = t0 + k·period: never stretched, never skipped, free of drift.

    The period is kept as a rational number of nanoseconds (1e9 / rate_hz), so that rates which do not divide a second
    do not drift either.
    """

    def __init__(self, t0_ns: int, rate_hz: float) -> None:
        if not rate_hz > 0:
            raise ValueError(f"rate_hz must be above 0, not {rate_hz}")
        self.t0_ns = t0_ns
        self.rate_hz = rate_hz

    def time_ns(self, k: int) -> int:
        """When point k is, ns."""
        return self.t0_ns + round(k * NS_PER_S / self.rate_hz)

    def index_at(self, now_ns: int) -> int:
        """The last k with t_k ≤ now_ns."""
        k = int((now_ns - self.t0_ns) * self.rate_hz / NS_PER_S)
        while self.time_ns(k) > now_ns:
            k -= 1
        while self.time_ns(k + 1) <= now_ns:
            k += 1
        return k
