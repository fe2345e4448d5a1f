"""Who is connected: caps in all and per peer, and how long a stranger may stay. Pure; time is an argument.

A connection is a stranger until the page it belongs to says otherwise (`know`): until then it may be cut at any time, so
that neither idle nor slow connections, however many, cost a newcomer the door or the operator the link. When there are
too many, the oldest stranger of the most crowded peer goes: whoever wants something has asked by then.
"""

import ipaddress
from collections import Counter
from collections.abc import Hashable

from station.clock import NS_PER_S

PER_PEER = 24
"""Strangers of one peer: a browser opens six connections to a host, and there may be two or three browsers."""
IN_ALL = 96
"""Strangers of everybody together; far below the 1024 files a process may open."""
STRANGER_NS = 20 * NS_PER_S
"""From the first packet to the end of what a stranger wants: the whole page over a bad network takes less."""


def peer_of(address: str) -> str:
    """Whom an address belongs to: itself; of IPv6 the first 64 bits, because a host has all the rest."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    if found.is_loopback:
        return "127.0.0.1"
    return str(ipaddress.ip_network((found, 64), strict=False).network_address)


class Peers:
    """Keeps the book; cutting is up to the caller. A key is whatever tells connections apart."""

    def __init__(self, per_peer: int = PER_PEER, in_all: int = IN_ALL, stranger_ns: int = STRANGER_NS) -> None:
        self._per_peer, self._in_all, self._stranger_ns = per_peer, in_all, stranger_ns
        self._strangers: dict[Hashable, tuple[str, int]] = {}
        """Peer and arrival, the oldest first."""
        self.crowded = 0
        """Strangers cut because there were too many."""
        self.late = 0
        """Strangers cut because their time was up."""

    def arrive(self, key: Hashable, address: str, now_ns: int) -> list[Hashable]:
        """A connection has come; those that have to go for it (never the newcomer)."""
        peer = peer_of(address)
        self._strangers.pop(key, None)  # of a connection that left unnoticed
        cut = []
        if sum(other == peer for other, _ in self._strangers.values()) >= self._per_peer:
            cut.append(self._oldest(peer))
        elif len(self._strangers) >= self._in_all:
            (crowd, _), *_ = Counter(other for other, _ in self._strangers.values()).most_common(1)
            cut.append(self._oldest(crowd))
        for gone in cut:
            del self._strangers[gone]
        self.crowded += len(cut)
        self._strangers[key] = (peer, now_ns)
        return cut

    def know(self, key: Hashable) -> bool:
        """It is nobody's stranger any more: its page looks after it. False if it has just been cut."""
        return self._strangers.pop(key, None) is not None

    def leave(self, key: Hashable) -> None:
        """It is closed."""
        self._strangers.pop(key, None)

    def expired(self, now_ns: int) -> list[Hashable]:
        """Strangers whose time is up; they are forgotten."""
        gone = [key for key, (_, since_ns) in self._strangers.items() if now_ns - since_ns > self._stranger_ns]
        for key in gone:
            del self._strangers[key]
        self.late += len(gone)
        return gone

    def __len__(self) -> int:
        return len(self._strangers)

    def _oldest(self, peer: str) -> Hashable:
        return next(key for key, (other, _) in self._strangers.items() if other == peer)
