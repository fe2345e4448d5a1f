"""Taking over by closing the leaders' grippers. Pure: gripper positions with their time in, yes or no out.

A hand on every leader is what makes a take-over safe, so every leader's gripper has to close: from open to closed
within `WITHIN_NS`, all of them within `TOGETHER_NS`. A leader's gripper that closes because its follower's does (it
may be driven along) says nothing, so a follower's gripper that moves meanwhile spoils the gesture.
"""

from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

from station.clock import NS_PER_MS, NS_PER_S

OPEN = 0.5
CLOSED = 0.2
WITHIN_NS = 1200 * NS_PER_MS
TOGETHER_NS = 2 * NS_PER_S
STILL = 0.25
"""A follower's gripper that moves less than this has not closed."""


class _Seen(NamedTuple):
    at_ns: int
    leader: float
    follower: float


class Closing:
    """Watches the grippers of `leaders`, 0 closed to 1 open."""

    def __init__(self, leaders: Iterable[str]) -> None:
        self._seen: dict[str, deque[_Seen]] = {leader: deque() for leader in leaders}
        self._closed_ns: dict[str, int] = {}

    def clear(self) -> None:
        """Forget what was seen: nobody could have meant it."""
        self._closed_ns.clear()
        for seen in self._seen.values():
            seen.clear()

    def felt(self, node: str, leader: float, follower: float, at_ns: int) -> bool:
        """A leader's gripper and its follower's, captured at `at_ns`. True once, when all leaders' have been closed."""
        seen = self._seen.get(node)
        if seen is None:
            return False
        was_closed = bool(seen) and seen[-1].leader < CLOSED
        seen.append(_Seen(at_ns, leader, follower))
        while seen[0].at_ns < at_ns - WITHIN_NS:
            seen.popleft()
        if leader >= CLOSED or was_closed or max(entry.leader for entry in seen) < OPEN:
            return False
        followers = [entry.follower for entry in seen]
        if max(followers) - min(followers) > STILL:
            return False
        self._closed_ns[node] = at_ns
        if any(at_ns - self._closed_ns.get(other, at_ns - TOGETHER_NS - 1) > TOGETHER_NS for other in self._seen):
            return False
        self.clear()
        return True
