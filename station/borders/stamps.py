"""Whether a stamp can be true. Pure; used wherever stamps come in: the device's host, the synchronizer, the pilot, VR, policies.

A stamp from the future would be the newest for ever, one from long ago or beyond an int64 is no time at all. Such a sample is bad:
counted, named and dropped, like one whose checksum is wrong. It never ends an episode; only the silence it may leave does.
"""

from station.clock import NS_PER_MS, NS_PER_S

AHEAD_NS = 25 * NS_PER_MS
"""How far a stamp may lie ahead of now: what a device's clock, mapped to ours, may be wrong by for a moment. The arms' gate
bears as much."""
OLDEST_NS = 60 * NS_PER_S
"""No queue, network camera or stopped process here keeps a sample for longer: the supervisor ends what is silent for 3 s."""
TOLD_NS = 10 * NS_PER_S
"""How long a bad stamp is a warning. It is counted for ever."""


def unbelievable(stamp_ns: int, now_ns: int) -> str:
    """Why a stamp cannot be true at `now_ns`, in words; "" if it can."""
    if stamp_ns < 0:
        return f"its stamp is {stamp_ns} ns, before the clock began"
    if stamp_ns > now_ns + AHEAD_NS:
        return f"its stamp is {(stamp_ns - now_ns) / NS_PER_S:.3g} s ahead of the clock"
    if stamp_ns < now_ns - OLDEST_NS:
        return f"its stamp is {(now_ns - stamp_ns) / NS_PER_S:.3g} s old"
    return ""


class Stamps:
    """Judges the stamps that come in, and remembers what was wrong with those of each stream."""

    def __init__(self) -> None:
        self.bad: dict[str, int] = {}
        """Per stream, how many samples were dropped."""
        self._told: dict[str, tuple[int, str]] = {}

    def refuse(self, stream: str, now_ns: int, *stamps_ns: int) -> str:
        """Why a sample of `stream` is to be dropped for its stamps; "" if it is good."""
        for stamp_ns in stamps_ns:
            if why := unbelievable(stamp_ns, now_ns):
                self.bad[stream] = self.bad.get(stream, 0) + 1
                self._told[stream] = now_ns, why
                return why
        return ""

    @property
    def count(self) -> int:
        """Samples dropped so far."""
        return sum(self.bad.values())

    def warnings(self, now_ns: int) -> tuple[str, ...]:
        """What was wrong lately, by stream."""
        return tuple(
            f"{stream}: a sample was dropped, {why} ({self.bad[stream]} so far)"
            for stream, (told_ns, why) in self._told.items()
            if now_ns - told_ns < TOLD_NS
        )
