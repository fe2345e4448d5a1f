"""An operator's act under way at an arm: its driver takes one step after each reading, and who asked is answered at the end. Pure."""

from collections.abc import Callable, Iterator

from station.bus.requests import Done, Refused, Reply
from station.bus.requests.time_outs import ACT_S
from station.clock import NS_PER_S
from station.errors import StationError

_LONGEST_NS = round(ACT_S * NS_PER_S)
"""An act that takes longer has hung."""


class Acting:
    """At most one act at a time."""

    def __init__(self) -> None:
        self._name = ""
        self._steps: Iterator[str] | None = None
        self._answer: Callable[[Reply], None] = lambda _: None
        self._waits_for = ""
        self._until_ns = 0

    @property
    def busy(self) -> bool:
        """Is an act under way?"""
        return self._steps is not None

    @property
    def doing(self) -> str:
        """What is under way, for people; "" if nothing is."""
        if self._steps is None:
            return ""
        return f"{self._name} is under way" + (f": {self._waits_for}" if self._waits_for else "")

    def begin(self, name: str, steps: Iterator[str], answer: Callable[[Reply], None], now_ns: int) -> None:
        """Start; `answer` is called once, when it is over or could not be done."""
        self._name, self._steps, self._answer, self._waits_for = name, steps, answer, ""
        self._until_ns = now_ns + _LONGEST_NS

    def step(self, now_ns: int) -> bool:
        """Take the next step. True when this was the last one: the arm is another afterwards, whether it was done or not."""
        if self._steps is None:
            return False
        try:
            self._waits_for = next(self._steps)
        except StopIteration:
            self.end(Done(f"{self._name} is done"))
            return True
        except StationError as error:
            self.end(Refused(str(error)))
            return True
        if now_ns > self._until_ns:
            waited = self._waits_for or "its end"
            self.end(Refused(f"{self._name} waited for {waited} for {ACT_S:g} s. Next: look at the arm"))
            return True
        return False

    def end(self, reply: Reply) -> None:
        """Nothing is under way any more; who asked is told."""
        if self._steps is not None:
            self._steps = None
            self._answer(reply)
