"""Ask a node without waiting for it: a `RequestClient` with what is pending on it."""

import zmq

from station.bus.pending import PendingRequests, Then
from station.bus.requests.request import Request, Who
from station.bus.requests.time_outs import ALLOWED_S, COUNT_DOWN_S
from station.bus.sockets import RequestClient
from station.clock import NS_PER_S


class PatientClient:
    """Questions to one node, answered later from within `poll`; a silent node is an answer too."""

    def __init__(self, rig: str, node: str, own: str = "", who: Who | None = None) -> None:
        """`own`: the node that asks, where it is one of the station's; else the sender is a client."""
        self._client = RequestClient(rig, node, own, who)
        self.pending: PendingRequests[bytes] = PendingRequests(node)

    @property
    def socket(self) -> "zmq.Socket[bytes]":
        """For a poller."""
        return self._client.socket

    def ask(
        self, request: Request, then: Then, now_ns: int, seen: int = 0, who: Who | None = None, owner: object = None
    ) -> None:
        """Send it; `then` gets the outcome, unless `owner` is forgotten before. `seen`: the sequence of the session's state that led to
        it. `who` asks, where that is not always the same.
        """
        more_ns = 0 if who is None or who.at_rig else round((ALLOWED_S + COUNT_DOWN_S) * NS_PER_S)
        self.pending.add(self._client.send(request, seen, who), request, then, now_ns + more_ns, owner)

    def poll(self, now_ns: int) -> None:
        """Pass on the answers that came, give up those that did not come in time."""
        for number, reply in self._client.replies():
            self.pending.answered(number, reply)
        self.pending.time(now_ns)

    def close(self) -> None:
        """Disconnect."""
        self._client.close()
