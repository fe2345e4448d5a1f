"""`station eval`: N trials of one policy or of several in turn, judged by physics or by a person, and how sure one may be."""

import random
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal

import msgspec
import typer

from station.borders.options import MOST, RigOption, seconds_option
from station.bus.requests import OpenSession
from station.cli.amounts import sensible
from station.cli.examiner import HANDS, Examiner
from station.cli.operator import cues
from station.cli.operator.pedal import Pedal
from station.cli.patience import WAIT_HELP, WAIT_S, Patience
from station.cli.physics import Physics
from station.cli.rollout import Hands, Rollout
from station.cli.trials import RecordedTrials
from station.client import connect
from station.errors import StationError, UsageError
from station.files import durable
from station.policy.claims import of_policy, refuse_unseen
from station.policy.evaluation import Result, Trial, as_csv, letters, results, told, turns
from station.policy.folder import find_policy, load_policy
from station.policy.identity import identity
from station.rig.choice import rig_of
from station.rig.rig import Rig
from station.steps.speaker import Speaker, is_job, speaking
from station.steps.terminal import as_a_job
from station.terminal.keys import Keyboard
from station.terminal.screen import console

_WAY_CLEAR = "The policies will move the followers and the leaders. Is the way clear?"
_HELP = "keys while it runs: t takes over and hands back, h holds; s success or f failure end a trial at once"


def evaluate(
    rig: RigOption,
    policy: Annotated[
        list[Path],
        typer.Option(
            "--policy", metavar="DIR", parser=find_policy, help="a policy folder or a shipped name; several to compare"
        ),
    ],
    trials: Annotated[
        int, typer.Option("--trials", min=1, max=MOST, help="of each policy; 20 and more tell something")
    ] = 20,
    seconds: Annotated[float, seconds_option("--seconds", 1.0, "how long each may take")] = 30.0,
    out: Annotated[
        Path, typer.Option("--out", metavar="FOLDER", help="for trials.csv, summary.json, and the trials' episodes")
    ] = Path("eval"),
    task: Annotated[str, typer.Option("--task", help="the folder of the trials' episodes below --out")] = "trials",
    operator: Annotated[str, typer.Option("--operator", help="who judges; kept in every file")] = "",
    seed: Annotated[int, typer.Option("--seed", min=0, help="of the order, and of the scenes of a simulated rig")] = 0,
    blind: Annotated[bool, typer.Option("--blind", help="call them A, B, … until the end")] = False,
    judge: Annotated[
        Literal["auto", "keys", "physics"], typer.Option("--judge", help="auto: physics on a simulated rig, else keys")
    ] = "auto",
    instruction: Annotated[str, typer.Option("--instruction", help="what a language-conditioned policy is told")] = "",
    pedal: Annotated[Path | None, typer.Option("--pedal", help="a foot pedal's evdev device: takes over")] = None,
    headless: Annotated[bool, typer.Option("--headless", help="ask nothing; physics judges")] = False,
    wait: Annotated[float, typer.Option("--wait", min=0.0, help=WAIT_HELP)] = WAIT_S,
    override: Annotated[
        str, typer.Option("--override", help="why to record although the check fails; kept in every file")
    ] = "",
) -> None:
    """Run every policy N times from the same scenes, in turn, and say how often it succeeds and how sure that is."""
    loaded = rig_of(rig)
    by_physics = _judged_by_physics(loaded, judge, headless)
    if not is_job():
        if not headless:
            Keyboard()  # without a terminal nobody could take over
        as_a_job()
        return
    with speaking(tells_prints=True) as speaker:
        if blind:  # not by the seed, which is known
            policy = random.SystemRandom().sample(policy, len(policy))
        identities = [_refused_early(loaded, folder, instruction) for folder in policy]
        if (out / "trials.csv").exists():
            raise UsageError(f"{out / 'trials.csv'} is there already. Next: name another folder with --out")
        if loaded.moves_real_arms and speaker.ask(_WAY_CLEAR, ("yes", "no")) == "no":
            raise typer.Abort
        book = _Book(out, policy, identities, seed, blind, trials)
        sitting = OpenSession(
            task, str(out.absolute()), operator, source="policy", opening=False, override=override, blind=blind
        )
        sensible(sitting)
        hands = Hands(speaker, Pedal(pedal) if pedal is not None else None)
        with connect(loaded, operator=operator) as station, hands, Rollout(station, hands) as rollout:
            if not headless:
                console.print(_HELP)
                speaker.offer(*HANDS)
            physics = Physics(station) if by_physics else None
            patience = Patience(station, wait, cues.Speaker(quiet=True), rollout.meanwhile)
            spoilt: dict[int, int] = {}
            try:
                with RecordedTrials(station, rollout, sitting) as recorded:
                    examiner = Examiner(loaded, rollout, recorded, physics, seconds, speaker, patience)
                    spoilt = examiner.spoilt
                    _all_trials(book, examiner, policy, instruction, blind, speaker)
            except (KeyboardInterrupt, typer.Abort):
                console.print("ending; the arms hold")
            except StationError as error:
                console.print(f"cannot go on: {error}")
            finally:
                patience.close()
                speaker.offer()
        book.close(spoilt)


def _judged_by_physics(rig: Rig, judge: str, headless: bool) -> bool:
    """Else by a person. Raises UsageError where that cannot be."""
    by_physics = judge == "physics" or (judge == "auto" and rig.world is not None)
    if by_physics and rig.world is None:
        raise UsageError(f"rig {rig.name} is not simulated. Next: --judge keys, and somebody who looks")
    if headless and not by_physics:
        raise UsageError(
            "--headless asks nothing, and only physics can judge then. Next: leave it out, or use --rig sim"
        )
    return by_physics


def _refused_early(rig: Rig, folder: Path, instruction: str) -> str:
    """Which policy it is. Raises PolicyError with what can be known to be wrong before anything is started."""
    policy = load_policy(folder, instruction)
    refuse_unseen(of_policy(policy, policy.folder / "policy.yaml"), rig)
    return identity(policy)


def _all_trials(
    book: "_Book", examiner: Examiner, policies: list[Path], instruction: str, blind: bool, speaker: Speaker
) -> None:
    loaded = -1
    for turn in book.turns:
        if turn.policy != loaded:
            book.identities[turn.policy] = examiner.take_up(policies[turn.policy], instruction, blind)
            loaded = turn.policy
        trial = examiner.examine(turn, f"trial {turn.number} of {len(book.turns)}, {book.names[turn.policy]}")
        if trial is None:
            return
        book.add(trial)
        values = {"trial": float(turn.number), "success": float(trial.success), "seconds": trial.seconds}
        speaker.tell(f"{turn.number} of {len(book.turns)} trials", turn.number / len(book.turns), values)


class _Book:
    """What was found so far, on the disk after every trial."""

    def __init__(
        self, out: Path, policies: list[Path], identities: list[str], seed: int, blind: bool, trials: int
    ) -> None:
        self._out, self._seed, self._blind = out, seed, blind
        self.identities = list(identities)
        """Which policy each is, as whoever loaded it last said."""
        self._real = [folder.resolve().name for folder in policies]
        if len(set(self._real)) < len(self._real):
            self._real = [str(folder) for folder in policies]
        self.names = letters(len(policies)) if blind else self._real
        self.turns = turns(len(policies), trials, seed)
        self._trials: list[Trial] = []
        out.mkdir(parents=True, exist_ok=True)

    def add(self, trial: Trial) -> None:
        """One more."""
        self._trials.append(trial)
        durable.replace(self._out / "trials.csv", as_csv(self._trials, self.names).encode())
        said = "success" if trial.success else "failure" + (f": {trial.why}" if trial.why else "")
        console.print(f"trial {trial.turn.number}: {said} after {trial.seconds:.1f} s")

    def close(self, spoilt: Mapping[int, int] = MappingProxyType({})) -> None:
        """The summary, with everybody's name; `spoilt`: by policy, how many trials the station spoiled. Raises StationError where trials
        are missing.
        """
        found = results(self._trials, len(self._real))
        durable.replace(self._out / "trials.csv", as_csv(self._trials, self._real).encode())
        summary = [self._entry(i, result) | {"spoilt": spoilt.get(i, 0)} for i, result in enumerate(found)]
        durable.replace(self._out / "summary.json", msgspec.json.format(msgspec.json.encode(summary)) + b"\n")
        for i, result in enumerate(found):
            name = f"{self.names[i]} = {self._real[i]}" if self._blind else self._real[i]
            apart = f"; {spoilt[i]} more were spoiled by the station and do not count" if spoilt.get(i) else ""
            console.print(f"{name}: {told(result)}{apart}")
        console.print(f"{self._out / 'trials.csv'}, {self._out / 'summary.json'}")
        self._tell_missing()
        if len(self._trials) < len(self.turns):
            raise StationError(f"{len(self._trials)} of {len(self.turns)} trials were made; what they say is above")

    def _tell_missing(self) -> None:
        """Every trial's episode is there by now. Raises StationError naming those that are not."""
        missing = [trial for trial in self._trials if trial.episode and not (self._out / trial.episode).is_file()]
        if missing:
            named = ", ".join(f"{trial.turn.number} ({trial.episode})" for trial in missing)
            raise StationError(
                f"the episodes of trials {named} are not saved. Next: `station episodes recover {self._out}`"
            )
        failed = next((trial for trial in self._trials if not trial.success and trial.episode), None)
        if failed is not None:
            file = self._out / failed.episode
            console.print(f"to see what went wrong in trial {failed.turn.number}: station episodes show {file}")

    def _entry(self, i: int, result: Result) -> dict[str, Any]:
        return {
            "policy": self._real[i], "identity": self.identities[i], "seed": self._seed, "blind": self._blind,
            "trials": result.trials, "successes": result.successes, "rate": result.rate, "confidence": 0.95,
            "wilson": list(result.wilson), "clopper_pearson": list(result.clopper_pearson), "median_s": result.median_s,
        }  # fmt: skip
