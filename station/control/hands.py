"""Is a hand on a leader that has torque? Pure: its gripper's positions with their time in, yes or no out.

A leader that is driven along leaves its gripper limp, and nothing but a hand moves that.
"""

from collections import deque
from typing import NamedTuple

from station.clock import NS_PER_S

FELT_NS = 2 * NS_PER_S
"""A hand that was felt is taken to be still there for so long."""
MOVED = 0.15
"""Of the gripper's travel: more than a moving arm shakes it by."""


class _Seen(NamedTuple):
    at_ns: int
    gripper: float


class Hands:
    """Watches the limp grippers of leaders, 0 closed to 1 open."""

    def __init__(self) -> None:
        self._seen: dict[str, deque[_Seen]] = {}

    def feel(self, leader: str, gripper: float, at_ns: int) -> None:
        """A leader's limp gripper, captured at `at_ns`."""
        seen = self._seen.setdefault(leader, deque())
        seen.append(_Seen(at_ns, gripper))
        while seen[0].at_ns < at_ns - FELT_NS:
            seen.popleft()

    def forget(self, leader: str) -> None:
        """Its gripper is no hand's business now."""
        self._seen.pop(leader, None)

    def felt(self, leader: str, now_ns: int) -> bool:
        """Was a hand felt on it lately?"""
        lately = [entry.gripper for entry in self._seen.get(leader, ()) if entry.at_ns >= now_ns - FELT_NS]
        return bool(lately) and max(lately) - min(lately) >= MOVED
