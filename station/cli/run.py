"""`station run`: a policy commands the arms; the operator may take over and hand back at any time."""

from pathlib import Path
from typing import Annotated

import typer

from station.borders.options import MOST, RigOption, seconds_option
from station.bus.requests import OpenSession
from station.cli.amounts import sensible
from station.cli.checked import last_check
from station.cli.headless import record_headless, refuse_unattended
from station.cli.operator.cues import Speaker
from station.cli.operator.keys import Keyboard
from station.cli.operator.pedal import Pedal
from station.cli.patience import WAIT_HELP, WAIT_S, Patience
from station.cli.rollout import Hands, Ran, Rollout
from station.client import Station, connect
from station.errors import StationError, UsageError
from station.policy.claims import of_policy, refuse_unseen
from station.policy.folder import find_policy, load_policy
from station.rig.choice import rig_of
from station.terminal.screen import console

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
    wait: Annotated[float, typer.Option("--wait", min=0.0, help=WAIT_HELP)] = WAIT_S,
    quiet: Annotated[bool, typer.Option("--quiet", help="no voice, no beeps")] = False,
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
    hands = Hands(Keyboard() if not (headless or shadow) else None, Pedal(pedal) if pedal is not None else None)
    with connect(loaded) as station, hands, Rollout(station, hands) as rollout:
        identity = rollout.load(policy, told)
        if not (headless or shadow):
            console.print(HELP)
        if shadow:
            rollout.shadow(seconds)
            return
        if record:
            open_session = OpenSession(
                task, folder, operator, told, source="policy", policy=identity, check_result=last_check(loaded)
            )
            early = _record(station, rollout, open_session, episodes, seconds or 0.0, wait, Speaker(quiet))
        elif headless:
            early = _run_unattended(
                rollout, episodes, seconds, Patience(station, wait, Speaker(quiet), rollout.meanwhile)
            )
        else:
            early = _run(rollout, episodes, seconds)
    if early:
        raise StationError(
            f"{early} of {episodes} ended early" + (" or are not saved (the causes are above)" if record else "")
        )


def _check(record: bool, task: str, seconds: float | None, shadow: bool, headless: bool) -> None:
    if shadow and record:
        raise UsageError("--shadow moves nothing, so there is nothing to record. Next: leave one of them out")
    if record and not task:
        raise UsageError("--record needs the episodes' folder. Next: add --task NAME")
    if (record or headless) and not shadow and seconds is None:
        raise UsageError("--record and --headless need to know how long. Next: add --seconds S")


def _run(rollout: Rollout, episodes: int, seconds: float | None) -> int:
    for _ in range(episodes):
        rollout.home(0)
        if rollout.run(seconds, attended=True).interrupted:
            break
    return 0


def _run_unattended(rollout: Rollout, episodes: int, seconds: float | None, patience: Patience) -> int:
    """Whatever is in the way is waited for; what was held and goes on moves after it was announced."""
    early = 0
    held = ""

    def attempt() -> Ran:
        if held:
            patience.announce(f"hold: {held}. The policy begins again")
        rollout.home(0)
        return rollout.run(seconds, attended=False)

    try:
        for number in range(episodes):
            ran = patience.until_done(f"rollout {number + 1} of {episodes}", attempt, first=number == 0)
            held = ran.held
            early += bool(held)
            if ran.interrupted:
                break
    finally:
        patience.close()
    return early


def _record(
    station: Station,
    rollout: Rollout,
    open_session: OpenSession,
    episodes: int,
    seconds: float,
    wait_s: float,
    speaker: Speaker,
) -> int:
    rollout.home(0)  # leaders and arms together: the ones are driven along with the others from here on
    rollout.begin()
    try:
        return record_headless(
            station, open_session, episodes, seconds, rollout.arrange, rollout.meanwhile, wait_s=wait_s, speaker=speaker
        )
    except KeyboardInterrupt:
        console.print("ending; what was recorded is saved, the arms hold")
        return 0
    finally:
        rollout.stop()
