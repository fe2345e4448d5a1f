"""How much one page may ask. Pure; time is an argument."""

from collections import deque

from station.clock import NS_PER_S

MOST_VIEWERS = 8
MESSAGES_PER_S = 20
MOST_READERS = 12
"""Connections of one seat that may stay and read episodes: two tabs of a browser. What it opens beyond them is a stranger's."""
AT_ONCE = 4
"""Questions of one seat about episodes that are being answered: more of them wait, and nobody else waits for them."""
HOLD_AGAIN_NS = 5 * NS_PER_S
"""Between two holds of a viewer: who may do nothing else is no reason for arms that never move."""


SHOWN_BYTES_PER_S, SHOWN_WHILE_RECORDING = 20e6, 4e6
"""What is read of recorded episodes for everybody who looks at them; less while one is recorded: its disk is the same."""
AHEAD_S = 0.25
"""So far before its turn an answer may come: a jump to another row waits for nothing that was read ahead elsewhere."""


class Reading:
    """Bytes for all who play episodes, in their turn."""

    def __init__(self) -> None:
        self._turn_ns = 0

    def wait_s(self, size: int, recording: bool, now_ns: int) -> float:
        """How long an answer of so many bytes is to wait; the turn is taken."""
        turn_ns = max(now_ns, self._turn_ns)
        self._turn_ns = turn_ns + round(size / (SHOWN_WHILE_RECORDING if recording else SHOWN_BYTES_PER_S) * NS_PER_S)
        return max(0.0, (turn_ns - now_ns) / NS_PER_S - AHEAD_S)


class Rate:
    """So many a second, counted over the last one."""

    def __init__(self, most: int = MESSAGES_PER_S) -> None:
        self._most = most
        self._times: deque[int] = deque(maxlen=most)

    def passes(self, now_ns: int) -> bool:
        """Is there room for one more now? It counts if there is."""
        if len(self._times) == self._most and now_ns - self._times[0] < NS_PER_S:
            return False
        self._times.append(now_ns)
        return True


class Holds:
    """When each viewer's seat held the arms last."""

    def __init__(self) -> None:
        self._last_ns: dict[str, int] = {}

    def wait_s(self, seat: str, now_ns: int) -> float:
        """How long that seat has to wait; 0: it may now, and has."""
        left_ns = self._last_ns.get(seat, now_ns - HOLD_AGAIN_NS) + HOLD_AGAIN_NS - now_ns
        if left_ns <= 0:
            self._last_ns[seat] = now_ns
        return max(0, left_ns) / NS_PER_S
