"""`station run`: a policy commands the arms; the operator may take over and hand back at any time."""

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from station.bus.requests import OpenSession
from station.cli.amounts import sensible
from station.cli.attach import attached, console
from station.cli.checked import last_check
from station.cli.headless import record_headless, refuse_unattended
from station.cli.operator.keys import Keyboard
from station.cli.operator.pedal import Pedal
from station.cli.rollout import Hands, Rollout
from station.cli.status import RigOption, rig_of
from station.errors import StationError, UsageError
from station.options import MOST, seconds_option
from station.policy.claims import of_policy, refuse_unseen
from station.policy.folder import find_policy, load_policy
from station.rig import Rig

HELP = "keys: Space or t takes over and hands back, l leaders, p policy, h hold; Ctrl-C ends, the arms then hold"


def run(
    rig: RigOption,
    policy: Annotated[
        Path,
        typer.Option(
            "--policy",
            metavar="DIR",
            parser=find_policy,
            help="the folder with policy.yaml and weights, or a shipped name",
        ),
    ],
    record: Annotated[bool, typer.Option("--record", help="record episodes; needs --task")] = False,
    task: Annotated[str, typer.Option("--task", help="the folder of the episodes below the data folder")] = "",
    episodes: Annotated[int, typer.Option("--episodes", min=1, max=MOST, help="rollouts, each from the start")] = 1,
    seconds: Annotated[float | None, seconds_option("--seconds", 0.02, "of each; without: until Ctrl-C")] = None,
    data: Annotated[Path | None, typer.Option("--data", help="instead of the rig file's data folder")] = None,
    operator: Annotated[str, typer.Option("--operator", help="who stands by; kept in every file")] = "",
    instruction: Annotated[str, typer.Option("--instruction", help="what a language-conditioned policy is told")] = "",
    shadow: Annotated[bool, typer.Option("--shadow", help="infer and tell, move nothing")] = False,
    pedal: Annotated[Path | None, typer.Option("--pedal", help="a foot pedal's evdev device: takes over")] = None,
    headless: Annotated[bool, typer.Option("--headless", help="ask nothing: engage, run, exit")] = False,
    yes: Annotated[bool, typer.Option("--yes-arms-will-move", help="needed by --headless on real arms")] = False,
) -> None:
    """Load a policy, check and warm it up, engage it, and show how it does until it is done or Ctrl-C."""
    loaded = rig_of(rig)
    _check(record, task, seconds, shadow, headless)
    folder = str(data.absolute()) if data else ""
    if record:
        sensible(OpenSession(task, folder, operator, instruction))
    checked = load_policy(policy, instruction)  # what is wrong with the folder is said before anything starts
    refuse_unseen(of_policy(checked, checked.folder / "policy.yaml"), loaded)
    told = checked.instruction
    if not shadow:
        refuse_unattended(loaded, headless, yes)
        if loaded.moves_real_arms and not headless and not yes:
            typer.confirm("The policy will move the followers and the leaders. Is the way clear?", abort=True)
    sitting = OpenSession(
        task if record else "none", str(data.absolute()) if data else "", operator, told, source="policy"
    )
    sitting = named(sitting)
    hands = Hands(Keyboard() if not (headless or shadow) else None, Pedal(pedal) if pedal is not None else None)
    with attached(loaded), hands, Rollout(loaded, hands) as rollout:
        identity = rollout.load(policy, told)
        if not (headless or shadow):
            console.print(HELP)
        if shadow:
            rollout.shadow(seconds)
            return
        if record:
            opening = OpenSession(
                task, folder, operator, told, source="policy", policy=identity, check_result=last_check(loaded)
            )
            early = _record(loaded, rollout, opening, episodes, seconds or 0.0)
        else:
            early = _run(rollout, episodes, seconds, attended=not headless)
    if early:
        raise StationError(f"{early} of {episodes} ended early" + ("; what they hold is saved" if record else ""))


def _check(record: bool, task: str, seconds: float | None, shadow: bool, headless: bool) -> None:
    if shadow and record:
        raise UsageError("--shadow moves nothing, so there is nothing to record. Next: leave one of them out")
    if record and not task:
        raise UsageError("--record needs the episodes' folder. Next: add --task NAME")
    if (record or headless) and not shadow and seconds is None:
        raise UsageError("--record and --headless need to know how long. Next: add --seconds S")


def _run(rollout: Rollout, episodes: int, seconds: float | None, attended: bool) -> int:
    early = 0
    for _ in range(episodes):
        rollout.home(0)
        ran = rollout.run(seconds, attended)
        early += bool(ran.held)
        if ran.interrupted:
            break
    return early


def _record(rig: Rig, rollout: Rollout, opening: OpenSession, episodes: int, seconds: float) -> int:
    rollout.home(0)  # leaders and arms together: the ones are driven along with the others from here on
    rollout.begin()
    try:
        return record_headless(rig, opening, episodes, seconds, rollout.arrange, rollout.meanwhile)
    except KeyboardInterrupt:
        console.print("ending; what was recorded is saved, the arms hold")
        return 0
    finally:
        rollout.stop()
