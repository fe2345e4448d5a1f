"""Was a request overtaken by what happened since the state it was seen in? Pure.

Somebody who presses Stop means the episode on the screen, not the one that has begun since; whoever goes on after a hold means the hold
whose cause was read. What a button was about is compared; all else may change.
"""

from collections import OrderedDict
from typing import NamedTuple

from station.bus.actions import about
from station.bus.requests import Allow, SessionRequest

KEPT = 512
"""Changes that are remembered: a person is not slower than that."""


class Seen(NamedTuple):
    """What buttons are about, at one moment. Fields are called as in `station.bus.actions.About`."""

    episode: int
    newest: int | None
    saved: int | None
    hold: int
    motion: int
    """What somebody who is not at the rig asks for; 0: nothing."""


class Overtaken:
    """Remembers what was to be seen at which sequence."""

    def __init__(self, sequence: int) -> None:
        """`sequence`: where to begin; higher than any of a life before."""
        self.sequence = max(1, sequence)
        self._seen: OrderedDict[int, Seen] = OrderedDict()

    def now(self, seen: Seen) -> None:
        """How things are; a new sequence if they have changed."""
        if self._seen and self._seen[self.sequence] == seen:
            return
        self.sequence += bool(self._seen)
        self._seen[self.sequence] = seen
        if len(self._seen) > KEPT:
            self._seen.popitem(last=False)

    def episode(self, sequence: int) -> int | None:
        """The episode that was recorded, or came next, in the state that was seen; None if it is not known any more."""
        seen = self._seen.get(sequence)
        return None if seen is None else seen.episode

    def why(self, request: SessionRequest, sequence: int) -> str:
        """Why it is refused; "" if what it is about is as it was seen."""
        what = about(request)
        if what is None or (isinstance(request, Allow) and not request.yes):  # a no is right at any time, like a hold
            return ""
        name = type(request).__name__
        if sequence == 0:
            return (
                f"{name} does not say which state of the session it was meant for. Next: look at the session, then ask"
            )
        before, now = self._seen.get(sequence), self._seen[self.sequence]
        if before is None:
            return f"{name} was meant for a session that has gone on since. Next: look again"
        was, is_now = getattr(before, what), getattr(now, what)
        if was == is_now:
            return ""
        if what == "hold":
            return (
                f"{name} was meant for an earlier hold: the arms are in another now. Next: read its cause, then go on"
            )
        if what == "motion":
            return f"{name} was meant for something that is not asked for any more. Next: look again"
        if is_now is None:
            return f"{name} was meant for episode {was}, which is gone. Next: look again"
        return f"{name} was meant for episode {was}, it would be episode {is_now} now. Next: look again"
