"""The session as one client sees it: its state as it was last heard, and requests about what was seen."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

import zmq

from station.bus.actions import about
from station.bus.messages import SessionState
from station.bus.pending import PendingRequests, Then
from station.bus.requests import CloseSession, Done, OpenSession, SessionRequest, Start
from station.bus.sockets import RequestClient, Subscriber
from station.clock import NS_PER_S, monotonic_ns
from station.errors import NodeAbsent

FRESH_S = 5.0
"""How long the session may take to say how it is."""
SAVE_S = 120.0
OVER_S = 20.0
"""How much longer than its seconds an episode may take to end."""
RESTS = ("ready", "reset", "hold")
"""Phases between two episodes; a policy's sitting rests in `reset`."""
_HEAR_MS = 50
UNHEARD = SessionState("ended", "", "", 0, 0, 0, 0, 0, ())


class SessionClient:
    """Of a running station (`Station.session`). For the thread that made it; a context manager that stops listening."""

    def __init__(
        self, client: RequestClient, heard: Subscriber, rig: str, meanwhile: Callable[[], None] = lambda: None
    ) -> None:
        """`meanwhile` is called while it waits, 20 times a second at least."""
        self._client, self._heard, self._rig, self._meanwhile = client, heard, rig, meanwhile
        self._pending: PendingRequests[bytes] = PendingRequests("session")
        self.state = UNHEARD
        """As it was last heard."""

    # -- what is asked --

    def _send(self, request: SessionRequest, seen: SessionState | None) -> bytes:
        """Every request of a client to the session goes this way. What it was meant for is what was `seen`, or was heard last."""
        return self._client.send(request, (seen or self.state).sequence)

    def ask(self, request: SessionRequest, timeout_ms: int | None = None) -> Done:
        """Ask and wait, as long as the table of time-outs says unless it is said here.

        It is meant for the session as it was heard last (`state`; the first time, as it is now): if what it is about has changed
        since, it is refused. Raises RequestRefused with the session's reason, NodeAbsent when it does not answer in time.
        """
        if self.state is UNHEARD and about(request) is not None:
            self.fresh()
        return self._client.answer_to(self._send(request, None), request, timeout_ms)

    def post(self, request: SessionRequest, then: Then, now_ns: int, seen: SessionState | None = None) -> None:
        """Ask without waiting: `then` gets what comes of it, silence too, from within `poll`. `seen`: the state it was decided on,
        where that is not the one heard last.
        """
        self._pending.add(self._send(request, seen), request, then, now_ns)

    def asks(self, kind: type[SessionRequest]) -> bool:
        """Is such a request under way?"""
        return self._pending.asks(kind)

    def poll(self, now_ns: int) -> None:
        """Pass on the answers that came, give up those that did not come in time. Never blocks."""
        for number, reply in self._client.replies():
            self._pending.answered(number, reply)
        self._pending.time(now_ns)

    @contextmanager
    def sitting(self, open_session: OpenSession) -> Iterator[None]:
        """A sitting around what is done in it. At its end what is recorded is saved, and the arms hold.

        Raises RequestRefused where it cannot be opened, NodeAbsent where nobody answers.
        """
        self.ask(open_session)
        try:
            yield
        finally:
            self.ask(CloseSession())

    def begin(self, seconds: float | None = None) -> int:
        """Start the next episode, of that length if it is given; returns its number. Raises RequestRefused, NodeAbsent."""
        number = self.fresh().episode
        self.ask(Start(seconds))
        return number

    # -- what is seen --

    @property
    def sockets(self) -> "tuple[zmq.Socket[bytes], zmq.Socket[bytes]]":
        """For a poller: answers, and states."""
        return self._client.socket, self._heard.socket

    def wait(self, timeout_ms: int) -> None:
        """Until it says something, or so long."""
        self._heard.socket.poll(timeout_ms)

    def look(self) -> SessionState | None:
        """What it said since the last look, if it said anything. Never blocks."""
        found = None
        for sample in self._heard.newest().values():
            if isinstance(sample.body, SessionState):
                found = self.state = sample.body
        return found

    def until(self, seen: Callable[[SessionState], bool], seconds: float, since_ns: int = 0) -> SessionState:
        """Wait for a state told after `since_ns`. Raises NodeAbsent, with the state it stayed in, if it does not come."""
        deadline_ns = monotonic_ns() + int(seconds * NS_PER_S)
        while monotonic_ns() < deadline_ns:
            sample = self._heard.receive(_HEAR_MS)
            self._meanwhile()
            if sample is not None and isinstance(sample.body, SessionState):
                self.state = sample.body
                if sample.header.sent_at_ns >= since_ns and seen(self.state):
                    return self.state
        raise NodeAbsent(
            f"the session stayed {self.state.phase} ({self.state.why or 'no reason given'}) for {seconds:g} s. "
            f"Next: `station status --rig {self._rig}`"
        )

    def fresh(self) -> SessionState:
        """How it is from now on: what it said earlier does not count. Raises NodeAbsent."""
        return self.until(lambda _: True, FRESH_S, since_ns=monotonic_ns())

    def until_over(self, number: int, seconds: float) -> SessionState:
        """Wait for the end of an episode of so many seconds, whatever ended it. Raises NodeAbsent."""
        return self.until(lambda state: _is_over(state, number), seconds + OVER_S)

    def until_saved(self) -> SessionState:
        """Wait until every finished episode is a whole file (`saved_path` is the newest). Raises NodeAbsent."""
        return self.until(lambda state: state.finalising == 0, SAVE_S)

    def close(self) -> None:
        """Stop listening; a sitting that is open stays open."""
        self._client.close()
        self._heard.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _is_over(state: SessionState, number: int) -> bool:
    return state.phase == "ended" or (state.episode > number and state.phase in RESTS)
