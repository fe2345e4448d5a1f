"""Requests whose answer is still to come. Pure: numbers, answers and the time in; each question is answered once, if only by silence.

Three things happen to a question besides its answer. Its *deadline* passes (`requests.time_outs`): that is an answer too, and the
real one, if it comes *late*, finds nobody. The node that was asked is *restarted*: nobody will answer what its last life was asked.
And whoever asked may be *gone* meanwhile: its answer is dropped.
"""

from collections.abc import Callable, Hashable
from typing import Generic, NamedTuple, TypeVar

from station.bus.requests import Done, Refused, Reply
from station.bus.requests.request import Request
from station.bus.requests.time_outs import time_out_ns

K = TypeVar("K", bound=Hashable)


class Unanswered(NamedTuple):
    """A neighbour was silent for too long, or was restarted: it may have done what it was asked, or may do it yet."""

    why: str


Outcome = Done | Refused | Unanswered
"""What comes of a question to a neighbour."""
Then = Callable[[Outcome], None]


def as_reply(outcome: Outcome) -> Reply:
    """What somebody who waits for that outcome is told: silence is a refusal."""
    return Refused(outcome.why) if isinstance(outcome, Unanswered) else outcome


class _Pending(NamedTuple):
    request: Request
    deadline_ns: int
    then: Then
    owner: object


class PendingRequests(Generic[K]):
    """To one node, each by the number it was sent with. `then` is called from within `answered`, `time`, `heard`."""

    def __init__(self, node: str) -> None:
        self._node = node
        self._pending: dict[K, _Pending] = {}
        self._life = 0

    def __len__(self) -> int:
        return len(self._pending)

    def add(self, number: K, request: Request, then: Then, now_ns: int, owner: object = None) -> None:
        """It was asked at `now_ns`, by `owner` if somebody who may be gone before the answer."""
        self._pending[number] = _Pending(request, now_ns + time_out_ns(request), then, owner)

    def asks(self, kind: type[Request]) -> bool:
        """Is such a request under way?"""
        return any(isinstance(pending.request, kind) for pending in self._pending.values())

    def answered(self, number: K, outcome: Outcome) -> None:
        """An answer came, or word that none will. One that is late, or whose owner is gone, changes nothing."""
        pending = self._pending.pop(number, None)
        if pending is not None:
            pending.then(outcome)

    def time(self, now_ns: int) -> None:
        """Give up what is over its time."""
        late = [number for number, pending in self._pending.items() if pending.deadline_ns < now_ns]
        for number in late:
            # what is called may have added to them, or forgotten some
            pending = self._pending.pop(number, None)
            if pending is not None:
                kind = type(pending.request).__name__
                pending.then(
                    Unanswered(
                        f"{self._node} did not answer {kind} in time. Next: `station status` says whether it runs"
                    )
                )

    def heard(self, life: int) -> bool:
        """The node lives. True if it is another life: then nobody will answer what the last one was asked and left unanswered."""
        restarted = self._life not in (0, life)
        self._life = life
        if restarted:
            lost, self._pending = self._pending, {}
            for pending in lost.values():
                pending.then(Unanswered(f"{self._node} was restarted. Next: try again"))
        return restarted

    def forget(self, owner: object) -> None:
        """Whoever asked is gone: its answers are nobody's."""
        self._pending = {number: one for number, one in self._pending.items() if one.owner is not owner}
