"""A rollout that nobody records, as the session sees it. Pure.

What a recording hears of the synchronizer it hears of the pilot and the clock: it ends when its time is over, and when a hold takes the
command away.
"""

from collections.abc import Callable

from station.bus.messages import Ending, EndReason, PilotState
from station.clock import NS_PER_S

BELATED_NS = NS_PER_S
"""For so long after somebody had the arms move, a hold that is heard may be the one before."""


class Unrecorded:
    """From the moment the policy commands. `over` is called once."""

    def __init__(
        self, number: int, seconds: float | None, now_ns: int, over: Callable[["Unrecorded", Ending], None]
    ) -> None:
        """`seconds` None: until somebody ends it."""
        self.number = number
        self._over = over
        self._ends_ns = None if seconds is None else now_ns + round(seconds * NS_PER_S)
        self._commanded = False
        self._moves_ns = now_ns

    def time(self, now_ns: int) -> None:
        """Is its time over?"""
        if self._ends_ns is not None and now_ns >= self._ends_ns:
            self.end(Ending(EndReason.COMPLETE))

    def heard(self, pilot: PilotState, paused: bool, now_ns: int) -> None:
        """The pilot spoke. `paused`: somebody wants the arms held, and goes on later."""
        if paused:
            self._commanded, self._moves_ns = False, now_ns
        elif pilot.state in ("engaged", "aligning"):
            self._commanded = True
        elif self._commanded or now_ns - self._moves_ns > BELATED_NS:
            self.end(Ending(EndReason.HOLD, pilot.why or "nobody commands any more", pilot.held_by or "station"))

    def end(self, ending: Ending) -> None:
        """It is over."""
        self._over(self, ending)
