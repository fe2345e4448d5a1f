"""`station run`: a policy commands the arms; the operator may take over and hand back at any time."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import typer

from station.borders.options import MOST, RigOption, seconds_option
from station.bus.requests import OpenSession
from station.cli.amounts import sensible
from station.cli.checked import check_if_due
from station.cli.headless import record_headless, refuse_unattended
from station.cli.operator.bindings import Plan
from station.cli.operator.cues import Speaker
from station.cli.operator.pedal import DEFAULT_KEYS, Pedal
from station.cli.operator.scene_hands import SceneHands
from station.cli.patience import WAIT_HELP, WAIT_S, Patience
from station.cli.physics import Physics
from station.cli.record import record_at_a_panel
from station.cli.rollout import Hands, Ran, Rollout
from station.client import Station, connect
from station.errors import RequestRefused, StationError, UsageError
from station.policy.claims import of_policy, refuse_unseen
from station.policy.folder import find_policy, load_policy
from station.rig.choice import rig_of
from station.rig.rig import Rig
from station.terminal.screen import console


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
    episodes: Annotated[
        int | None,
        typer.Option("--episodes", min=1, max=MOST, help="rollouts, each from the start: 1; at the panel: until q"),
    ] = None,
    seconds: Annotated[float | None, seconds_option("--seconds", 0.02, "of each; without: until you end it")] = None,
    data: Annotated[Path | None, typer.Option("--data", help="instead of the rig file's data folder")] = None,
    operator: Annotated[str, typer.Option("--operator", help="who stands by; kept in every file")] = "",
    instruction: Annotated[str, typer.Option("--instruction", help="what a language-conditioned policy is told")] = "",
    scene: Annotated[str, typer.Option("--scene", help="the scene; kept in every file")] = "",
    reset: Annotated[
        float | None, seconds_option("--reset", 0.0, "the next one starts by itself after so many seconds")
    ] = None,
    shadow: Annotated[bool, typer.Option("--shadow", help="infer and tell, move nothing")] = False,
    pedal: Annotated[Path | None, typer.Option("--pedal", help="a foot pedal's evdev device: takes over")] = None,
    pedal_keys: Annotated[
        str,
        typer.Option(
            "--pedal-keys", help="what its pedals send: take over, success, discard (`station pedal` shows it)"
        ),
    ] = ",".join(DEFAULT_KEYS),
    headless: Annotated[bool, typer.Option("--headless", help="ask nothing: engage, run, exit")] = False,
    yes: Annotated[bool, typer.Option("--yes-arms-will-move", help="needed by --headless on real arms")] = False,
    wait: Annotated[float, typer.Option("--wait", min=0.0, help=WAIT_HELP)] = WAIT_S,
    quiet: Annotated[bool, typer.Option("--quiet", help="no voice, no beeps")] = False,
    override: Annotated[
        str, typer.Option("--override", help="why to record although the check fails; kept in every file")
    ] = "",
) -> None:
    """Load a policy, check and warm it up, engage it: at the same panel as `station record`, with --record or without."""
    loaded = rig_of(rig)
    _check(record, task, seconds, shadow, headless)
    folder = str(data.absolute()) if data else ""
    checked = load_policy(policy, instruction)  # what is wrong with the folder is said before anything starts
    refuse_unseen(of_policy(checked, checked.folder / "policy.yaml"), loaded)
    told = checked.instruction
    sitting = OpenSession(
        task or checked.folder.name, folder, operator, told, scene, source="policy", policy_folder=str(policy.absolute()),
        override=override, kept=record,
    )  # fmt: skip
    sensible(sitting)
    if not shadow:
        refuse_unattended(loaded, headless, yes)
        if loaded.moves_real_arms and not headless and not yes:
            typer.confirm("The policy will move the followers and the leaders. Is the way clear?", abort=True)
    keys = tuple(pedal_keys.split(","))
    if not (headless or shadow):
        _at_a_panel(loaded, Plan(_paced(sitting, episodes, reset), seconds), policy, pedal, keys, quiet)
        return
    hands = Hands(pedal=Pedal(pedal, keys) if pedal is not None else None)
    with connect(loaded, operator=operator) as station, hands, Rollout(station, hands) as rollout:
        if record:
            check_if_due(station)
            sitting = msgspec.structs.replace(sitting, policy=rollout.load(policy, told))
            early = _record(station, rollout, sitting, episodes or 1, seconds or 0.0, wait, Speaker(quiet))
        else:
            early = _unrecorded(station, rollout, policy, told, shadow, episodes or 1, seconds, wait, quiet)
    if early:
        raise StationError(
            f"{early} of {episodes or 1} ended early" + (" or are not saved (the causes are above)" if record else "")
        )


def _paced(sitting: OpenSession, episodes: int | None, reset: float | None) -> OpenSession:
    timed: Literal["operator", "timed"] = "operator" if reset is None else "timed"
    return msgspec.structs.replace(sitting, reset=timed, reset_s=reset or 0.0, episodes=episodes or 0)


def _at_a_panel(rig: Rig, plan: Plan, policy: Path, pedal: Path | None, keys: tuple[str, ...], quiet: bool) -> None:
    def load(station: Station) -> str:
        with Rollout(station, Hands()) as rollout:
            return rollout.load(policy, plan.open_session.instruction)

    def arrange(episode: int) -> None:
        # of the thread that it runs in: sockets are nobody else's
        with Station(rig) as station, Rollout(station, Hands()) as rollout:
            rollout.home(episode)

    scene = SceneHands(arrange) if rig.world is not None else None
    record_at_a_panel(rig, plan, pedal, keys, quiet, load, scene)


def _unrecorded(
    station: Station, rollout: Rollout, policy: Path, told: str, shadow: bool, episodes: int, seconds: float | None,
    wait_s: float, quiet: bool,
) -> int:  # fmt: skip
    """With nobody at the keys. How many ended early."""
    rollout.load(policy, told)
    if shadow:
        rollout.shadow(seconds)
        return 0
    return _run_unattended(rollout, episodes, seconds, Patience(station, wait_s, Speaker(quiet), rollout.meanwhile))


def _check(record: bool, task: str, seconds: float | None, shadow: bool, headless: bool) -> None:
    if shadow and record:
        raise UsageError("--shadow moves nothing, so there is nothing to record. Next: leave one of them out")
    if record and not task:
        raise UsageError("--record needs the episodes' folder. Next: add --task NAME")
    if headless and not shadow and seconds is None:
        raise UsageError("--headless needs to know how long. Next: add --seconds S")


def _run_unattended(rollout: Rollout, episodes: int, seconds: float | None, patience: Patience) -> int:
    """Whatever is in the way is waited for; what was held and goes on moves after it was announced."""
    early = 0
    held = ""

    def attempt() -> Ran:
        if held:
            patience.announce(f"hold: {held}. The policy begins again")
        rollout.home(0)
        return rollout.run(seconds)

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
    judge = _judge(station)
    try:
        return record_headless(
            station,
            open_session,
            episodes,
            seconds,
            rollout.arrange,
            rollout.meanwhile,
            wait_s=wait_s,
            speaker=speaker,
            judge=judge,
        )
    except KeyboardInterrupt:
        console.print("ending; what was recorded is saved, the arms hold")
        return 0
    finally:
        rollout.stop()


def _judge(station: Station) -> Callable[[], bool] | None:
    """Physics, where the rig's world has a verdict on what its scene is for; None leaves rollouts without a label, and says so."""
    if station.rig.world is None:
        return None
    physics = Physics(station)
    try:
        physics.look()
    except RequestRefused as error:
        console.print(f"the rollouts get no label: {error}")
        return None
    return physics.look
