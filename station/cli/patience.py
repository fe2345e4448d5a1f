"""What an unattended command does when something is in the way: it waits for what the supervisor brings back, and says so.

Before arms move again it announces that, aloud or by beeps as the panel's cues do, and in print; whoever stands there has time to
step back.
"""

import sys
from collections.abc import Callable, Iterable
from typing import TypeVar

from station.bus.messages import ProcessState, StationState
from station.cli.operator.cues import Speaker
from station.client import Station, trouble, well
from station.client.cue import Cue
from station.clock import NS_PER_S, Clock, monotonic_ns
from station.errors import NodeAbsent, RequestRefused, StationError
from station.terminal.screen import console

WAIT_S = 600.0
"""How long one outage may last: a camera that is restarted, a cable that somebody puts back in the morning round."""
WAIT_HELP = "unattended: how many seconds to wait for what is brought back (a node that died, a cable) before giving up"
ANNOUNCE_S = 3.0
AGAIN_S = 1.0
"""Between two attempts, at least."""
_SILENT_S = 5.0
"""A supervisor that has said nothing for so long may be gone."""
_HEAR_MS = 50
T = TypeVar("T")


class Patience:
    """Of one command at one station. `meanwhile` is called while it waits, 20 times a second."""

    def __init__(
        self, station: Station, wait_s: float = WAIT_S, speaker: Speaker | None = None, meanwhile: Callable[[], None] = lambda: None,
        announce_s: float = ANNOUNCE_S, clock: Clock = monotonic_ns,
    ) -> None:  # fmt: skip
        self._at, self._wait_s, self._announce_s, self._clock = station, wait_s, announce_s, clock
        self._speaker = speaker or Speaker(quiet=True)
        self._meanwhile = meanwhile
        self._heard = station.subscribe([("station", "supervisor")])
        self._station: StationState | None = None
        self._restarts: int | None = None
        """Of all nodes together, when the command began."""
        self._heard_ns = clock()
        self.waited_s = 0.0
        """Altogether, for what was in the way."""

    def until_done(self, what: str, attempt: Callable[[], T], first: bool = False) -> T:
        """Do it, again and again, until it is done; whatever is refused or unanswered meanwhile is said once.

        `first`: nothing has worked yet, so that a refusal while everybody is well is for good. Raises StationError, with what
        was in the way, after the time given, or at once when the supervisor is gone.
        """
        since_ns, said = 0, ""
        while True:
            try:
                done = attempt()
            except (RequestRefused, NodeAbsent) as error:
                now_ns = self._clock()
                if first and not self._somebody_is_away():
                    raise
                since_ns = since_ns or now_ns
                why = self._in_the_way() or str(error)
                if why != said:
                    said = why
                    console.print(f"{what} waits, for {self._wait_s:g} s at most: {why}")
                self._wait_for_all(what, since_ns, str(error))
                continue
            if since_ns:
                waited_s = (self._clock() - since_ns) / NS_PER_S
                self.waited_s += waited_s
                console.print(f"{what} goes on after {waited_s:.0f} s")
            return done

    def announce(self, why: str) -> None:
        """Say that arms are about to move, and wait as long as that takes to be heeded."""
        console.print(f"{why}. Arms move in {self._announce_s:g} s")
        bells = self._speaker.say(Cue(f"arms move in {self._announce_s:.0f} seconds", 3), self._clock())
        if bells and sys.stdout.isatty():
            sys.stdout.write(bells)
            sys.stdout.flush()
        self._listen(self._announce_s)

    def close(self) -> None:
        """No more."""
        self._heard.close()
        self._speaker.close()

    def _wait_for_all(self, what: str, since_ns: int, why: str) -> None:
        """Until every node is well, and a moment longer."""
        while True:
            self._listen(AGAIN_S)
            self._refuse_if_gone()
            away = self._in_the_way()
            if self._clock() - since_ns > self._wait_s * NS_PER_S:
                raise StationError(
                    f"{what}: waited {self._wait_s:g} s and gave up: {away or why}. "
                    f"Next: `station status --rig {self._at.rig.name}`, mend that, and run the command again"
                )
            if not away:
                return

    def _refuse_if_gone(self) -> None:
        if self._clock() - self._heard_ns > _SILENT_S * NS_PER_S and not self._at.runs:
            raise StationError(
                f"the station of rig {self._at.rig.name} is gone: its supervisor was ended, the arms hold. "
                "Next: run the same command again; it saves what was left"
            )

    def _somebody_is_away(self) -> bool:
        self._listen(AGAIN_S)
        return bool(self._in_the_way()) or sum(process.restarts for process in self._processes) > (self._restarts or 0)

    def _in_the_way(self) -> str:
        """Nodes that are not well, in their own words; "" if all are, or nobody says."""
        return "; ".join(
            trouble(process) or f"{process.node} is not up" for process in self._processes if not well(process)
        )

    @property
    def _processes(self) -> Iterable[ProcessState]:
        return self._station.processes if self._station is not None else ()

    def _listen(self, seconds: float) -> None:
        until_ns = self._clock() + int(seconds * NS_PER_S)
        while self._clock() < until_ns:
            sample = self._heard.receive(_HEAR_MS)
            if sample is not None and isinstance(sample.body, StationState):
                self._station, self._heard_ns = sample.body, self._clock()
                if self._restarts is None:
                    self._restarts = sum(process.restarts for process in sample.body.processes)
            self._speaker.reap(self._clock())
            self._meanwhile()
