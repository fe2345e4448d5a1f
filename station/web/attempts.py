"""Guessing a short code takes weeks, and costs nobody else the door. Pure; time is an argument.

After a few wrong codes of one peer, each further one waits for its turn; it is not refused unread, so the right code
goes through all the same. A code too long to be guessed needs none of this.
"""

from station.clock import NS_PER_MS, NS_PER_S
from station.web.peers import peer_of

FREE = 5
"""Wrong codes of a peer that cost no wait."""
FREE_IN_ALL = 20
"""Wrong codes of everybody together that cost no wait."""
FIRST_WAIT_NS, LONGEST_WAIT_NS = 500 * NS_PER_MS, 2 * NS_PER_S
"""Between two codes of one peer: doubled with each wrong one. A million codes then take three weeks."""
IN_ALL_WAIT_NS = NS_PER_S
"""Between two codes of everybody: many addresses help little. Not for this computer itself."""
MOST_WAIT_NS = 10 * NS_PER_S
"""A turn that comes later than this is none: come back then."""
FORGET_NS = 600 * NS_PER_S
MOST_PEERS = 1024
HERE = "127.0.0.1"


class TooMany(Exception):
    """So many codes are waiting for their turn that this one has none."""

    def __init__(self, wait_ns: int) -> None:
        super().__init__(f"too many wrong codes: wait {-(-wait_ns // NS_PER_S)} s")
        self.wait_ns = wait_ns


class _Turns:
    """One queue: how many were wrong, and when the next may be read."""

    def __init__(self, now_ns: int) -> None:
        self.wrong, self.next_ns, self.last_wrong_ns = 0, 0, now_ns

    def age(self, now_ns: int) -> None:
        if now_ns - self.last_wrong_ns > FORGET_NS:
            self.wrong = 0


class Attempts:
    """Turns of everybody who tries codes."""

    def __init__(self) -> None:
        self.wrong = 0
        """In all, for people."""
        self._peers: dict[str, _Turns] = {}
        self._all = _Turns(0)

    def wait_ns(self, address: str, now_ns: int) -> int:
        """How long this code has to wait before it may be read; the turn is taken. Raises TooMany if it has none."""
        peer = peer_of(address)
        own, everybody = self._peers.get(peer), self._all
        if own is None:
            own = _Turns(now_ns)
        own.age(now_ns)
        everybody.age(now_ns)
        spacing_ns = _spacing_ns(own.wrong)
        together = peer != HERE and everybody.wrong >= FREE_IN_ALL
        turn_ns = max(now_ns, own.next_ns if spacing_ns else now_ns, everybody.next_ns if together else now_ns)
        if turn_ns - now_ns > MOST_WAIT_NS:
            raise TooMany(turn_ns - now_ns)
        own.next_ns = turn_ns + spacing_ns
        if together:
            everybody.next_ns = turn_ns + IN_ALL_WAIT_NS
        return turn_ns - now_ns

    def failed(self, address: str, now_ns: int) -> None:
        """The code was wrong."""
        self.wrong += 1
        peer = peer_of(address)
        own = self._peers.pop(peer, None) or _Turns(now_ns)
        while len(self._peers) >= MOST_PEERS:
            del self._peers[next(iter(self._peers))]
        self._peers[peer] = own
        for turns in (own, self._all):
            turns.age(now_ns)
            turns.wrong += 1
            turns.last_wrong_ns = now_ns
        own.next_ns = max(own.next_ns, now_ns + _spacing_ns(own.wrong))


def _spacing_ns(wrong: int) -> int:
    if wrong < FREE:
        return 0
    return min(LONGEST_WAIT_NS, FIRST_WAIT_NS << min(wrong - FREE, 8))
