"""A trial of an evaluation: the scene in its place, the policy let go, the verdict of physics or of a person."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from station.cli.patience import Patience
from station.cli.physics import Physics
from station.cli.rollout import Ran, Rollout
from station.cli.trials import RecordedTrials
from station.errors import RequestRefused, StationError
from station.policy.evaluation import Trial, Turn
from station.rig.rig import Rig
from station.steps.protocol import GO_ON
from station.steps.speaker import Speaker
from station.terminal.screen import console

T = TypeVar("T")
ATTEMPTS = 3
"""How often one trial may be begun."""
HANDS = ("take over", "hold", "pause", "lead", "in hand", "go along")
"""What may be given at any time, as at `station run`: the first letter of each is its key."""
VERDICTS = ("success", "failure")


class Examiner:
    """Makes one trial: the scene in its place, the policy let go, the verdict."""

    def __init__(
        self, rig: Rig, rollout: Rollout, recorded: RecordedTrials, physics: Physics | None, seconds: float, operator: Speaker,
        patience: Patience | None = None,
    ) -> None:  # fmt: skip
        """`operator` judges where no physics does; `patience` waits for what the supervisor brings back: without it whatever is in the
        way is for good.
        """
        self._operator, self._patience = operator, patience
        self._rig, self._rollout, self._recorded, self._physics = rig, rollout, recorded, physics
        self._seconds = seconds
        self._verdict: bool | None = None
        self._refused = self._spoilt_in_a_row = 0
        """How often in a row the rig refused to begin, and the station spoiled a trial."""
        self.spoilt: dict[int, int] = {}
        """By policy: trials that the station spoiled; they are in no rate."""

    def take_up(self, folder: Path, instruction: str, blind: bool) -> str:
        """The next policy's turn. Returns which it is, as its runner says."""
        self._recorded.close()
        found = self._patiently("loading", lambda: self._rollout.load(folder, instruction, blind))
        self._patiently("the sitting", lambda: self._recorded.open(found, folder, instruction))
        return found

    def _patiently(self, what: str, attempt: Callable[[], T]) -> T:
        return attempt() if self._patience is None else self._patience.until_done(what, attempt, first=True)

    def examine(self, turn: Turn, name: str) -> Trial | None:
        """None where the operator ends the evaluation."""
        while True:
            if not self._arranged(turn, name):
                return None
            ran = self._run(turn, name)
            if ran is None:
                continue
            if ran.interrupted:
                self._recorded.counts_not("it was broken off")
                return None
            if ran.spoiled and not (self._physics is not None and self._physics.done):
                self._spoilt(turn, ran)
                continue
            success = self._asked() if self._physics is None else self._physics.done
            if isinstance(success, bool):
                return self._judged(turn, ran, success)
            self._recorded.counts_not(
                "the operator took it back" if success == "repeat" else "the evaluation was ended"
            )
            if success == "quit":
                return None

    def _spoilt(self, turn: Turn, ran: Ran) -> None:
        """The station ended it: no trial of the policy, and made again. Raises StationError where that goes on."""
        self._patiently("the note", lambda: self._recorded.counts_not(f"the station spoiled it: {ran.held}"))
        self.spoilt[turn.policy] = self.spoilt.get(turn.policy, 0) + 1
        self._spoilt_in_a_row += 1
        console.print(f"trial {turn.number} does not count, the station spoiled it: {ran.held}. It is made again")
        if self._spoilt_in_a_row >= ATTEMPTS:
            raise StationError(
                f"the station spoiled trial {turn.number} {ATTEMPTS} times in a row ({ran.held}). Next: see to that device, then "
                "evaluate again"
            )

    def _judged(self, turn: Turn, ran: Ran, success: bool) -> Trial:
        """Said in the episode first: what the results point to has its label. What ended before its first row left no episode."""
        self._spoilt_in_a_row = 0
        why = "somebody took over" if ran.helped else ran.held or ("" if success else "not done")
        done = success and not ran.helped
        if not ran.seconds:
            return Trial(turn, done, ran.seconds, ran.helped, why)
        self._patiently("the label", lambda: self._recorded.judged(done, why))
        episode = self._recorded.path(ran.episode)
        return Trial(turn, done, ran.seconds, ran.helped, why, str(episode.relative_to(episode.parents[1])))

    def _run(self, turn: Turn, name: str) -> Ran | None:
        """None where the rig refused to begin: no trial was made. Raises RequestRefused when it goes on refusing."""
        over = self._called
        self._verdict = None
        if self._physics is not None:
            self._physics.begin()
            over = self._physics.over
        else:
            self._operator.offer(*HANDS, *VERDICTS, about=name)
        try:
            ran = self._patiently(
                "the trial", lambda: self._recorded.run(self._seconds, over, turn.number, f"scene {turn.scene}")
            )
        except RequestRefused as error:
            self._refused += 1
            if self._refused >= ATTEMPTS:
                raise
            console.print(f"did not begin: {error}")
            return None
        self._refused = 0
        return ran

    def _arranged(self, turn: Turn, name: str) -> bool:
        if self._physics is None:  # what was still said of the last one is none of the next
            self._operator.offer(*HANDS)
            self._rollout.drop_keys()
        if self._rig.world is not None:
            console.print(f"{name}, scene {turn.scene}")
            self._patiently("the scene", lambda: self._rollout.home(turn.scene))
            return True
        words = f"{name}: put scene {turn.scene} as it is for every policy, the arms at the start. Enter begins, q ends"
        return self._ask(words, GO_ON, "quit") == GO_ON

    def _called(self) -> bool:
        """Has the operator said how it went?"""
        key = self._rollout.key()
        if key in ("s", "f"):
            self._verdict = key == "s"
        return self._verdict is not None

    def _asked(self) -> bool | str:
        """Whether it succeeded, or "repeat" or "quit"."""
        if self._verdict is None:
            said = self._ask(
                "s success, f failure, r does not count and is made again, q ends", *VERDICTS, "repeat", "quit"
            )
            if said not in VERDICTS:
                return said
            self._verdict = said == "success"
        return self._verdict

    def _ask(self, words: str, *answers: str) -> str:
        return self._operator.ask(words, answers, self._rollout.meanwhile)
