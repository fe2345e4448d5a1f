"""`station record` and `station teleop`: clients of the session and the pilot."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from station.borders.options import MOST, RigOption, seconds_option
from station.bus.messages import PilotState
from station.bus.requests import Disengage, Engage, OpenSession
from station.cli.amounts import sensible
from station.cli.checked import check_if_due
from station.cli.headless import record_headless, refuse_unattended
from station.cli.operator.bindings import Plan
from station.cli.operator.cues import Speaker
from station.cli.operator.pedal import DEFAULT_KEYS, Pedal
from station.cli.operator.scene_hands import SceneHands
from station.cli.operator.session import OperatorTerminal, summary
from station.cli.patience import WAIT_HELP, WAIT_S
from station.client import Station, connect
from station.episodes import collection_file
from station.episodes.naming import next_number
from station.errors import RequestRefused, StationError, UsageError
from station.rig.choice import rig_of
from station.rig.rig import Rig
from station.terminal.keys import Keyboard
from station.terminal.screen import console

HEADLESS_S = 10.0


def record(
    rig: RigOption,
    task: Annotated[str, typer.Option("--task", help="the folder of the episodes below the data folder")],
    episodes: Annotated[
        int | None, typer.Option("--episodes", min=1, max=MOST, help="end by itself after so many saved")
    ] = None,
    seconds: Annotated[float | None, seconds_option("--seconds", 0.02, "fixed length; open without")] = None,
    data: Annotated[Path | None, typer.Option("--data", help="instead of the rig file's data folder")] = None,
    operator: Annotated[str, typer.Option("--operator", help="who records; kept in every file")] = "",
    instruction: Annotated[str, typer.Option("--instruction", help="what a language-conditioned policy is told")] = "",
    scene: Annotated[str, typer.Option("--scene", help="the scene; kept in every file")] = "",
    plan: Annotated[
        Path | None,
        typer.Option("--plan", help="a collection plan (YAML), kept as the task's: what is staged next, how often"),
    ] = None,
    reset: Annotated[
        float | None, seconds_option("--reset", 0.0, "the next one starts by itself after so many seconds")
    ] = None,
    opening: Annotated[
        bool | None,
        typer.Option(
            "--opening/--no-opening",
            help="begin at the start pose, by closing both grippers (default: if the leaders can be driven)",
        ),
    ] = None,
    pedal: Annotated[Path | None, typer.Option("--pedal", help="a foot pedal's evdev device")] = None,
    pedal_keys: Annotated[
        str,
        typer.Option("--pedal-keys", help="what its pedals send, the first one first (`station pedal` shows it)"),
    ] = ",".join(DEFAULT_KEYS),
    quiet: Annotated[bool, typer.Option("--quiet", help="no voice, no beeps")] = False,
    headless: Annotated[bool, typer.Option("--headless", help="ask nothing: engage, record, exit")] = False,
    yes: Annotated[bool, typer.Option("--yes-arms-will-move", help="needed by --headless on real arms")] = False,
    wait: Annotated[float, typer.Option("--wait", min=0.0, help=WAIT_HELP)] = WAIT_S,
    override: Annotated[
        str, typer.Option("--override", help="why to record although the check fails; kept in every file")
    ] = "",
) -> None:
    """Record episodes: at a panel with keys and pedals, or unattended with --headless."""
    loaded = rig_of(rig)
    refuse_unattended(loaded, headless, yes)
    folder = str(data.absolute()) if data else ""
    sitting = sensible(OpenSession(task, folder, operator, instruction, scene, override=override))
    if plan is not None:
        follow(plan, loaded, sitting)
    if headless:
        with connect(loaded, operator=operator) as station:
            check_if_due(station)
            early = record_headless(
                station, sitting, episodes or 1, seconds or HEADLESS_S, wait_s=wait, speaker=Speaker(quiet)
            )
        if early:
            raise StationError(
                f"{early} of {episodes or 1} episodes ended early or are not saved (the causes are above)"
            )
        return
    sitting = msgspec.structs.replace(
        sitting,
        reset="operator" if reset is None else "timed",
        reset_s=reset or 0.0,
        episodes=episodes or 0,
        opening=opening,
    )
    record_at_a_panel(loaded, Plan(sitting, seconds), pedal, tuple(pedal_keys.split(",")), quiet)


def follow(plan: Path, rig: Rig, sitting: OpenSession) -> None:
    """Make that file the plan of the task that is to be recorded. Raises UsageError."""
    if sitting.scene:
        raise UsageError(
            "--scene names the scene of every episode, --plan another for each. Next: leave one of them out"
        )
    text, told = collection_file.read(plan)
    folder = folder_of(rig, sitting)
    collection_file.keep(folder, text)
    console.print(f"{folder / collection_file.NAME}: {told.wanted} episodes, {told.each} of each combination")


def record_at_a_panel(
    rig: Rig,
    plan: Plan,
    pedal_path: Path | None,
    pedal_keys: tuple[str, ...],
    quiet: bool,
    load: Callable[[Station], str] | None = None,
    scene: SceneHands | None = None,
) -> None:
    """Interactive recording, or a policy's run that is not recorded. What an operator needs is looked for before the station starts.

    `load`: where a policy's rollouts are recorded, has it loaded and returns what it is; `scene` puts their scene back.
    """
    keyboard = Keyboard()
    pedal = Pedal(pedal_path, pedal_keys) if pedal_path is not None else None
    try:
        if plan.open_session.kept:
            console.print(_resuming(rig, plan.open_session))
        console.print("looking for the rig's station, or starting one …")
        with connect(rig, operator=plan.open_session.operator) as station:
            check_if_due(station)
            plan = plan if load is None else plan.of_policy(load(station))
            try:
                outcome = OperatorTerminal(station, plan, keyboard, pedal, Speaker(quiet), scene).run()
            finally:
                if scene is not None:
                    scene.wait()
    finally:
        if pedal is not None:
            pedal.close()
    if not outcome.hung_up:
        for line in summary(outcome):
            console.print(line)
    if outcome.cut:
        raise StationError("ended at once")


def folder_of(rig: Rig, open_session: OpenSession) -> Path:
    """Where that sitting's episodes go."""
    return (Path(open_session.data) if open_session.data else rig.data) / open_session.task


def _resuming(rig: Rig, open_session: OpenSession) -> str:
    """What is in the folder already."""
    folder = folder_of(rig, open_session)
    number = next_number(folder) if folder.is_dir() else 0
    there = len(list(folder.glob("episode_*.hdf5")))
    return (
        f"{folder}: continuing at episode {number} ({there} there)" if number else f"{folder}: a new folder, episode 0"
    )


def teleop(
    rig: RigOption,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask before the followers move")] = False,
    seconds: Annotated[float | None, seconds_option("--seconds", 0.0, "end by itself")] = None,
) -> None:
    """Leaders command followers until Ctrl-C; nothing is recorded."""
    loaded = rig_of(rig)
    if loaded.moves_real_arms and not yes:
        typer.confirm("The followers will move to the leaders' pose. Is the way clear?", abort=True)
    with connect(loaded) as station:
        station.ask("pilot", Engage("leader"))
        console.print("engaged: leaders command. Ctrl-C ends; the arms then hold")
        try:
            _watch_pilot(station, seconds)
        except KeyboardInterrupt:
            console.print("ending; the arms hold")
        finally:
            station.ask("pilot", Disengage())


def _watch_pilot(station: Station, seconds: float | None) -> None:
    state = ""
    for sample in station.listen([("pilot", "pilot")], seconds):
        if not isinstance(sample.body, PilotState):
            continue
        if sample.body.state != state:
            state = sample.body.state
            console.print(state + (f": {sample.body.why}" if sample.body.why else ""))
        if state == "hold":
            raise RequestRefused(f"in hold: {sample.body.why}. Next: clear the cause and run the command again")
