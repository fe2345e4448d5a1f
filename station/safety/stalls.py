"""Which silences are a pause and which an end. Pure, given the time.

A computer, a bus or a link that stops for a moment is silent for longer than `stale_ms` and shorter than `resume_ms`: a
stall, after which the arm is followed again. A longer silence is an end, and so is a second stall soon after the first.
"""

from station.clock import NS_PER_MS, NS_PER_S
from station.rig.file import Safety

APART_NS = 2 * NS_PER_S
"""A silence that begins sooner than this after a stall has ended is no longer a moment's: whoever speaks is not well."""


class Stalls:
    """Silences of everything that one arm, or the pilot, depends on. Those that overlap are one stall."""

    def __init__(self, safety: Safety) -> None:
        self._stale_ns = round(safety.stale_ms * NS_PER_MS)
        self._resume_ns = round(safety.resume_ms * NS_PER_MS)
        self._since_ns: int | None = None
        self._ended_ns: int | None = None
        self.count = 0
        """Stalls that were only that: what was silent spoke again in time."""
        self.total_ns = self.longest_ns = 0

    @property
    def open(self) -> bool:
        """Is there a stall just now?"""
        return self._since_ns is not None

    def silent(self, what: str, since_ns: int, now_ns: int) -> str:
        """Nothing has come from `what` since `since_ns`: why that is an end; "" while it is nothing, or a stall."""
        if now_ns - since_ns <= self._stale_ns:
            return ""
        if self._since_ns is None:
            if self._ended_ns is not None and since_ns - self._ended_ns < APART_NS:
                return f"{what} for {(now_ns - since_ns) / NS_PER_MS:.0f} ms, again within {APART_NS / NS_PER_S:g} s"
            self._since_ns = since_ns
        self._since_ns = min(self._since_ns, since_ns)
        if now_ns - self._since_ns > self._resume_ns:
            others = f", with others before it {(now_ns - self._since_ns) / NS_PER_MS:.0f} ms"
            return f"{what} for {(now_ns - since_ns) / NS_PER_MS:.0f} ms{others if self._since_ns < since_ns else ''}"
        return ""

    def over(self, now_ns: int) -> None:
        """Everything speaks again."""
        if self._since_ns is None:
            return
        length_ns = now_ns - self._since_ns
        self.count += 1
        self.total_ns += length_ns
        self.longest_ns = max(self.longest_ns, length_ns)
        self._since_ns, self._ended_ns = None, now_ns

    def forget(self) -> None:
        """A hold, or an operator's act: whatever was silent, what comes next is judged by itself."""
        self._since_ns = self._ended_ns = None
