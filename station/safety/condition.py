"""Whether an arm can be commanded, as its driver says and as its own process has it. Pure."""

from typing import NamedTuple

from station.bus.messages import ArmMode

CLEARED = "the arm itself says that this is over"
"""What is told of an arm that was cleared at its pendant, say: nobody here has been asked yet."""


class Condition(NamedTuple):
    """How an arm is, why, and what to do about it. See `station.bus.messages.ArmMode`."""

    mode: ArmMode
    why: str = ""
    next: str = ""

    @property
    def said(self) -> str:
        """Why, and what to do, in one sentence."""
        return f"{self.why}: {self.next}" if self.why and self.next else self.why or self.next

    @property
    def barred(self) -> bool:
        """Does it take no command, whoever asks?"""
        return self.mode in ("stopped", "guiding")


class Latch:
    """A stop is over when an operator has asked for that here, not when the arm says so: whoever cleared it at the arm stands beside
    it, and something may be waiting for it to be ready.
    """

    def __init__(self) -> None:
        self._stop: Condition | None = None

    def take(self, now: Condition) -> Condition:
        """What the arm is, after what its driver says it is."""
        if now.mode == "stopped":
            self._stop = now
        if self._stop is None or now.barred:
            return now
        return self._stop._replace(why=f"{self._stop.why} ({CLEARED})")

    def release(self) -> None:
        """An operator has recovered the arm, or it was opened anew: what its driver says counts."""
        self._stop = None
