"""Pictures that came and could not be used: counted, and told with the newest cause. Pure."""

from collections import deque

from station.clock import NS_PER_S

RECENT_NS = 10 * NS_PER_S
_MOST_REMEMBERED = 2400
"""240 pictures a second for as long as that."""


class Losses:
    """One camera's, since the driver started. `what` says what became of them."""

    def __init__(self, what: str = "lost") -> None:
        self.count = 0
        self._what = what
        self._cause = ""
        self._at_ns: deque[int] = deque(maxlen=_MOST_REMEMBERED)

    def add(self, cause: str, now_ns: int) -> None:
        """One more."""
        self.count += 1
        self._cause = cause
        self._at_ns.append(now_ns)

    def recent(self, now_ns: int) -> str:
        """`12 pictures of the last 10 s lost: torn: it has no end marker`; "" where none was."""
        while self._at_ns and now_ns - self._at_ns[0] > RECENT_NS:
            self._at_ns.popleft()
        count = len(self._at_ns)
        if not count:
            return ""
        return f"{count} picture{'s' if count > 1 else ''} of the last {RECENT_NS // NS_PER_S} s {self._what}: {self._cause}"
