"""A policy's rollouts in a sitting: each begins with a runner that knows nothing of the last one. Pure.

Between two of them nobody's plan commands: the arms hold, or follow whoever has taken over, and people put the scene back.
"""

from collections.abc import Callable
from typing import NamedTuple

from station.bus.messages import PilotState, SourceName
from station.bus.pending import Outcome, as_reply
from station.bus.requests import Disengage, Done, Engage, LoadPolicy, Refused, Reply, StartPolicy, StopPolicy
from station.session.ports import Ports
from station.session.situation import Situation

LOADS = "the policy is being loaded again: its runner was restarted. Next: wait a moment"


class _Beginning(NamedTuple):
    """A rollout that is to begin, and who waits for it."""

    then: Callable[[], None]
    refused: Callable[[Reply], None]


class Rollouts:
    """Of one sitting after another. A runner that was restarted is given the sitting's policy again, and must be the same."""

    def __init__(self, sitting: Situation, ports: Ports) -> None:
        self._sitting, self._ports = sitting, ports
        self._life = self._loaded_in = 0
        """The runner's life now, and the one that has the policy; 0: not known."""
        self._loading = False
        self._lost = ""
        """Why the runner has no policy; "" if it has."""
        self._beginning: _Beginning | None = None
        """The rollout that the phase `opening` waits for."""

    def opened(self) -> None:
        """A sitting begins, or goes on after the session was killed. Whoever opened it had the policy loaded."""
        self._loaded_in, self._lost = self._life, ""

    def heard(self, life: int) -> None:
        """The runner lives. A new life has no policy: it is loaded again at once, so that the next rollout need not wait."""
        restarted = self._life not in (0, life)
        self._life = life
        if self._sitting.rollouts and self._sitting.phase != "ended" and restarted:
            self._load()

    def _load(self) -> None:
        opened = self._sitting.opened
        if not opened.policy_folder:
            self._lost = (
                "the policy's runner was restarted and has no policy. Next: end this sitting, run the command again"
            )
            return
        self._loading = True
        life = self._life

        def loaded(outcome: Outcome) -> None:
            self._loading = False
            reply = as_reply(outcome)
            if isinstance(reply, Refused):
                self._lost = f"the policy could not be loaded again: {reply.why}"
            elif opened.policy and reply.detail != opened.policy:
                what = "the policy's folder" if opened.blind else opened.policy_folder
                self._lost = (
                    f"{what} is not the policy that this sitting began with: its files have changed. "
                    "Next: end this sitting, begin another"
                )
            else:
                self._loaded_in, self._lost = life, ""

        self._ports.policy(LoadPolicy(opened.policy_folder, opened.instruction, opened.blind), loaded)

    def begin(self, then: Callable[[], None], refused: Callable[[Reply], None]) -> None:
        """Empty buffers, a first setpoint, then the ramp to it: `then` is called once the policy commands."""
        if self._loading or self._lost:
            why = LOADS if self._loading else self._lost
            if not self._loading:
                self._load()  # what was in the way may be gone
            refused(Refused(why))
            return
        self._sitting.go("align")
        self._sitting.why = ""
        beginning = _Beginning(then, refused)
        self._beginning = beginning
        self._ports.policy(StopPolicy(), lambda outcome: self._stopped(beginning, outcome))

    def _stopped(self, beginning: _Beginning, outcome: Outcome) -> None:
        if self._goes_on(beginning, outcome):
            self._ports.policy(StartPolicy(), lambda outcome: self._started(beginning, outcome))

    def _started(self, beginning: _Beginning, outcome: Outcome) -> None:
        if not isinstance(outcome, Done) and self._loaded_in == 0:  # by no life that was heard of: it may have none
            self._load()
        if self._goes_on(beginning, outcome):
            self._ports.pilot(Engage("policy"), lambda outcome: self._engaged(beginning, outcome))

    def _engaged(self, beginning: _Beginning, outcome: Outcome) -> None:
        if self._goes_on(beginning, outcome):
            self._beginning = None
            beginning.then()

    def _goes_on(self, beginning: _Beginning, outcome: Outcome) -> bool:
        """Is it done, and still wanted? Else whoever waits is told."""
        wanted, reply = self._beginning is beginning, as_reply(outcome)
        if wanted and isinstance(reply, Done):
            return True
        if wanted:
            self._beginning = None
            self._sitting.go("reset wanted")
            self._sitting.told(reply)
            self.end(None)
        beginning.refused(reply if isinstance(reply, Refused) else Refused("the sitting was closed meanwhile"))
        return False

    def forget(self) -> None:
        """The sitting is being closed: none begins any more."""
        self._beginning = None

    def end(self, pilot: PilotState | None) -> None:
        """It is over, or never came to be: the arms hold where they are, unless somebody's hands lead them now."""
        if pilot is None or pilot.source not in ("leader", "vr"):
            self._ports.pilot(Disengage(), _nothing)
        self.stop()

    def stop(self) -> None:
        """The runner asks for nothing any more."""
        self._ports.policy(StopPolicy(), _nothing)


def taker(asked: SourceName | None, pilot: PilotState | None, hands: SourceName) -> SourceName:
    """Whom a hand-over goes to: whoever is named, else the other one of the policy and the `hands`."""
    if asked is not None:
        return asked
    return "policy" if pilot is not None and pilot.source in ("leader", "vr") else hands


def _nothing(_: Outcome) -> None:
    """What comes of it shows in the pilot's state."""
