"""When a process that has ended may be started again. Pure."""

from station.clock import NS_PER_S

WAITS_S = (0.0, 0.0, 0.25, 0.5, 1.0, 2.0, 5.0)
"""After it ended well, and before the 1st, 2nd … restart of one that keeps failing."""
STEADY_NS = NS_PER_S
"""One that was well for longer has done its work: whatever ended it, it starts over."""


class Backoff:
    """One process's waits."""

    def __init__(self) -> None:
        self.due_ns = 0
        """It may start from then on."""
        self._failures = 0
        self._well_ns: int | None = None

    def well(self, now_ns: int) -> None:
        """It says that it is well."""
        if self._well_ns is None:
            self._well_ns = now_ns

    def ended(self, now_ns: int) -> None:
        """It has ended."""
        steady = self._well_ns is not None and now_ns - self._well_ns > STEADY_NS
        self._failures = 0 if steady else min(self._failures + 1, len(WAITS_S) - 1)
        self._well_ns = None
        self.due_ns = now_ns + int(WAITS_S[self._failures] * NS_PER_S)
