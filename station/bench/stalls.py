"""Silences of a running rig, as a listener beside it finds them: how long, who, what the host stole, and what became of it.

Pure but for `Steal`. A silence is measured from what was really sent, not from what the station says of it: from one message
of an arm, or one command to it, to the next. Silences that overlap are one stall.
"""

from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from station.clock import NS_PER_MS, NS_PER_S

STEAL_NS = 50 * NS_PER_MS
"""How often the kernel's count of stolen time is noted: it counts in 10 ms itself."""
HELD_NS = NS_PER_S
"""A hold this soon after a stall is its."""
ENDED_NS = 3 * NS_PER_S
"""The end of an episode this soon after a stall that was held is its: its journal is closed first."""
COMMANDS = "commands to "
"""Before the follower's name: what is only missed while somebody commands."""
_JIFFY_MS = 10.0
"""proc(5): USER_HZ, 100 on every Linux that matters here."""

Outcome = Literal["went on", "held", "nobody commanded"]


class StallSeen(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="stall"):
    """One stall."""

    at_s: float
    """When it began, from the beginning of the measurement."""
    ms: float
    who: tuple[str, ...]
    stolen_ms: float
    """What the host of this virtual machine kept of all processors together meanwhile (proc(5), `steal`); 0 on hardware."""
    outcome: Outcome
    why: str = ""
    """Of a hold."""
    ended_episode: bool = False


class EpisodeSeen(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="episode"):
    """One episode recorded meanwhile."""

    at_s: float
    rows: int
    stalls: int
    stalled_rows: int
    ended: str
    """Why it ended early; "" if it did not."""


class Steal:
    """The kernel's count of stolen time over the last seconds."""

    def __init__(self, stat: Path = Path("/proc/stat")) -> None:
        self._stat = stat
        self._noted: list[tuple[int, int]] = []

    def note(self, now_ns: int) -> None:
        """Read it, if it is time to."""
        if self._noted and now_ns - self._noted[-1][0] < STEAL_NS:
            return
        # column 8 of the first line, after its name: user nice system idle iowait irq softirq steal
        self._noted.append((now_ns, int(self._stat.read_text().split("\n", 1)[0].split()[8])))
        del self._noted[:-200]

    def between(self, since_ns: int, until_ns: int) -> float:
        """Milliseconds stolen between the notes that enclose this span."""
        before = [count for at_ns, count in self._noted if at_ns <= since_ns]
        after = [count for at_ns, count in self._noted if at_ns >= until_ns]
        first = before[-1] if before else self._noted[0][1]
        last = after[0] if after else self._noted[-1][1]
        return (last - first) * _JIFFY_MS


class Silence(NamedTuple):
    """Nothing of `who` between two times."""

    who: str
    since_ns: int
    until_ns: int


class _Stall(NamedTuple):
    since_ns: int
    until_ns: int
    who: tuple[str, ...]
    commanded: bool


class StallWatch:
    """Takes what was heard, gives stalls out once it is known what became of them."""

    def __init__(self, begin_ns: int, stale_ns: int) -> None:
        self._begin_ns, self._stale_ns = begin_ns, stale_ns
        self._last_ns: dict[str, int] = {}
        self._commanded = self._engaged = False
        self._held: list[tuple[int, str]] = []
        self._ended: list[int] = []
        self._open: list[_Stall] = []

    def sent(self, who: str, at_ns: int) -> None:
        """`who` sent something."""
        if who.startswith(COMMANDS) and not self._engaged:
            return
        last_ns = self._last_ns.get(who)
        self._last_ns[who] = at_ns
        if last_ns is not None and at_ns - last_ns > self._stale_ns:
            self._add(Silence(who, last_ns, at_ns))

    def pilot(self, state: str, why: str, at_ns: int) -> None:
        """The pilot told its state."""
        if state == "hold" and self._commanded:
            self._held.append((at_ns, why))
        self._commanded = state in ("engaged", "aligning", "waiting")
        self._engaged = state == "engaged"
        if not self._engaged:
            for who in [who for who in self._last_ns if who.startswith(COMMANDS)]:
                del self._last_ns[who]

    def episode_ended(self, at_ns: int) -> None:
        """An episode ended early."""
        self._ended.append(at_ns)

    def done(self, now_ns: int, steal: Steal) -> list[StallSeen]:
        """The stalls of which everything is known by now."""
        ripe = [stall for stall in self._open if now_ns - stall.until_ns > ENDED_NS]
        self._open = [stall for stall in self._open if stall not in ripe]
        return [self._told(stall, steal) for stall in ripe]

    def _add(self, silence: Silence) -> None:
        merged = _Stall(
            silence.since_ns, silence.until_ns, (silence.who,), self._commanded or self._lately_held(silence)
        )
        kept = []
        for stall in self._open:
            if stall.since_ns <= merged.until_ns and merged.since_ns <= stall.until_ns:
                who = tuple(dict.fromkeys((*stall.who, *merged.who)))
                merged = _Stall(
                    min(stall.since_ns, merged.since_ns), max(stall.until_ns, merged.until_ns), who,
                    stall.commanded or merged.commanded,
                )  # fmt: skip
            else:
                kept.append(stall)
        self._open = [*kept, merged]

    def _lately_held(self, silence: Silence) -> bool:
        """Was the hold that came of it told before its end?"""
        return any(silence.since_ns <= at_ns <= silence.until_ns for at_ns, _ in self._held)

    def _told(self, stall: _Stall, steal: Steal) -> StallSeen:
        held = [why for at_ns, why in self._held if stall.since_ns <= at_ns <= stall.until_ns + HELD_NS]
        outcome: Outcome = "held" if held else "went on" if stall.commanded else "nobody commanded"
        ended = any(stall.since_ns <= at_ns <= stall.until_ns + ENDED_NS for at_ns in self._ended)
        return StallSeen(
            (stall.since_ns - self._begin_ns) / NS_PER_S, (stall.until_ns - stall.since_ns) / NS_PER_MS, stall.who,
            steal.between(stall.since_ns, stall.until_ns), outcome, held[0] if held else "", bool(held) and ended,
        )  # fmt: skip


class Tally(NamedTuple):
    """What a list of stalls comes to."""

    stalls: int
    total_ms: float
    longest_ms: float
    went_on: int
    ended_by_shorter: int
    """Episodes ended by a stall shorter than `resume_ms`, a second one within 2 s aside: must be 0."""
    ended_by_second: int
    ended_by_longer: int


def tally(stalls: list[StallSeen], resume_ms: float) -> Tally:
    """Count them."""
    ended = [stall for stall in stalls if stall.ended_episode]
    second = [stall for stall in ended if stall.ms < resume_ms and "again within" in stall.why]
    shorter = [stall for stall in ended if stall.ms < resume_ms and stall not in second]
    return Tally(
        len(stalls), sum(stall.ms for stall in stalls), max((stall.ms for stall in stalls), default=0.0),
        sum(stall.outcome == "went on" for stall in stalls), len(shorter), len(second),
        sum(stall.ms >= resume_ms for stall in ended),
    )  # fmt: skip
