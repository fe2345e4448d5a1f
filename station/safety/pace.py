"""How much time a gate may let its goal move: never more than went by, but for one step. Pure.

Setpoints that were delayed on their way arrive in a bunch, each with the time that had passed before it was made. So time that
went by unused may be used later, up to `SLACK_NS`: a bucket that fills as time goes by. From any instant on, what is taken
out of it in a window of length w is at most w + SLACK_NS. With velocity limit v, therefore, whatever setpoints come, however
many, and however they lie about their time, over every window

    |goal(t + w) − goal(t)|  ≤  v · (w + SLACK_NS),

and a burst after a pause reaches it: 1.5 v over 50 ms, 1.025 v over a second. The servo's own Profile Velocity is v.
"""

from station.clock import NS_PER_MS

LONGEST_STEP_NS = 25 * NS_PER_MS
"""One step at most: a 50 Hz source's period and its jitter. A longer gap gives no longer leap."""
SLACK_NS = LONGEST_STEP_NS
"""How far the sum of all steps may be ahead of the time that went by."""
SHORTEST_STEP_NS = NS_PER_MS // 10
"""Less is no time to move in: whoever asks that often is refused."""


class Pace:
    """The bucket of one gate. Empty at first."""

    def __init__(self) -> None:
        self._left_ns = 0
        self._at_ns = 0

    def begin(self, now_ns: int) -> None:
        """Empty it: nothing has gone by yet."""
        self._left_ns, self._at_ns = 0, now_ns

    def take(self, wanted_ns: int, now_ns: int) -> int:
        """The time a step may take, 0 if none: as wanted, but neither longer than one step nor than what is left."""
        left_ns = min(SLACK_NS, self._left_ns + max(0, now_ns - self._at_ns))
        taken_ns = min(wanted_ns, LONGEST_STEP_NS, left_ns)
        if taken_ns < SHORTEST_STEP_NS:
            return 0
        self._left_ns, self._at_ns = left_ns - taken_ns, max(self._at_ns, now_ns)
        return taken_ns
