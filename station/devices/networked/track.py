"""From goals as they come (50 to 200 a second, unevenly) to one target for every cycle of the controller. Pure; imports nothing.

Each goal is approached in a straight line over the time that lately lay between two goals, so that the arm is one such time behind and
never runs ahead: where no goal follows, the line ends at the last one, and the track stands. No joint is faster than its limit, whatever
comes.
"""

from collections.abc import Callable, Sequence

LONGEST_S = 0.04
"""Goals that come more seldom are approached within this."""
SHORTEST_S = 0.002
LONGEST_STEP_S = 0.01
"""A cycle that comes later than this after the one before gives the lost time up instead of leaping after it."""
_LEARNS = 0.1
"""How fast the time between two goals is learnt."""


Share = Callable[[Sequence[float], Sequence[float], float], float]


class Track:
    """The way of one arm's targets. (D,) each, rad; times in seconds of one clock."""

    def __init__(
        self, start: Sequence[float], most_per_s: Sequence[float], now_s: float, share_of: "Share | None" = None
    ) -> None:
        """`share_of`: what is left of a step where more than the joints has a limit: (here, there, dt_s) → 0…1."""
        self._share_of = share_of
        self._here = list(start)
        self._goal = tuple(start)
        self._most = tuple(most_per_s)
        self._at_s = self._told_s = now_s
        self._between_s = 0.01
        self._left_s = 0.0

    def aim(self, goal: Sequence[float], now_s: float) -> None:
        """A new goal, at that time."""
        between_s = now_s - self._told_s
        if between_s < LONGEST_S:
            self._between_s += _LEARNS * (between_s - self._between_s)
        self._goal, self._told_s = tuple(goal), now_s
        self._left_s = max(SHORTEST_S, min(LONGEST_S, self._between_s))

    def at(self, now_s: float) -> list[float]:
        """The target of the cycle that begins then."""
        dt_s = min(LONGEST_STEP_S, max(0.0, now_s - self._at_s))
        self._at_s = now_s
        share = 1.0 if dt_s >= self._left_s else dt_s / self._left_s
        self._left_s = max(0.0, self._left_s - dt_s)
        there = []
        for joint, goal in enumerate(self._goal):
            most = self._most[joint] * dt_s
            step = (goal - self._here[joint]) * share
            there.append(self._here[joint] + max(-most, min(most, step)))
        if self._share_of is not None and there != self._here:
            left = self._share_of(self._here, there, dt_s)
            there = [a + left * (b - a) for a, b in zip(self._here, there, strict=True)]
        self._here = there
        return list(there)

    @property
    def stands(self) -> bool:
        """Is it where it was told to go?"""
        return all(abs(there - here) < 1e-9 for there, here in zip(self._goal, self._here, strict=True))
