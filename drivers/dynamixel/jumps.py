"""Tells an impossible jump from motion. Pure.

A joint that is more than 0.35 rad from its last good reading cannot have moved there between two samples: the reading
is bad. If three readings in a row agree with one another, the arm really is there (it was moved while nobody looked),
the suspicion ends, and it is counted.
"""

import math

LIMIT_RAD = 0.35
AGREEING = 3


class JumpFilter:
    """One angle's filter."""

    def __init__(self) -> None:
        self.accepted = 0
        """How often a suspicion ended in the new place."""
        self._good: float | None = None
        self._suspect = 0.0
        self._agreeing = 0

    def is_good(self, rad: float) -> bool:
        """Judge the next reading; True if it may be used."""
        if not math.isfinite(rad):
            return False
        if self._good is None or abs(rad - self._good) <= LIMIT_RAD:
            self._good, self._agreeing = rad, 0
            return True
        agrees = self._agreeing > 0 and abs(rad - self._suspect) <= LIMIT_RAD
        self._agreeing = self._agreeing + 1 if agrees else 1
        self._suspect = rad
        if self._agreeing < AGREEING:
            return False
        self.accepted += 1
        self._good, self._agreeing = rad, 0
        return True
