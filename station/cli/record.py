"""`station record` and `station teleop`: clients of the session and the pilot."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from station.bus.messages import PilotState, SessionState
from station.bus.requests import Align, CloseSession, Disengage, Engage, OpenSession, PrepareScene, Start
from station.bus.sockets import Asker, Subscriber
from station.cli.attach import attached, console
from station.cli.status import RigOption, rig_of
from station.clock import NS_PER_S, monotonic_ns
from station.errors import NodeAbsent, RequestRefused, StationError, UsageError
from station.rig import Rig

ALIGN_MS = 40_000
"""Opening a session waits for the followers to arrive at the leaders' pose."""
START_MS = 8_000
SAVE_S = 120.0


def record(
    rig: RigOption,
    task: Annotated[str, typer.Option("--task", help="the folder of the episodes below the data folder")],
    episodes: Annotated[int, typer.Option("--episodes", min=1)] = 1,
    seconds: Annotated[float, typer.Option("--seconds", min=0.02)] = 10.0,
    data: Annotated[Path | None, typer.Option("--data", help="instead of the rig file's data folder")] = None,
    operator: Annotated[str, typer.Option("--operator")] = "",
    instruction: Annotated[str, typer.Option("--instruction", help="what a language-conditioned policy is told")] = "",
    headless: Annotated[bool, typer.Option("--headless", help="ask nothing: engage, record, exit")] = False,
    yes: Annotated[bool, typer.Option("--yes-arms-will-move", help="needed by --headless on real arms")] = False,
) -> None:
    """Record episodes."""
    loaded = rig_of(rig)
    refuse_unattended(loaded, headless, yes)
    opening = OpenSession(task, str(data.absolute()) if data else "", operator, instruction)
    with attached(loaded):
        early = record_headless(loaded, opening, episodes, seconds)
    if early:
        raise StationError(f"{early} of {episodes} episodes ended early; what they hold is saved")


def refuse_unattended(rig: Rig, headless: bool, yes: bool) -> None:
    """Real arms do not move without somebody who said so."""
    if headless and rig.moves_real_arms and not yes:
        raise UsageError(
            f"rig {rig.name} has real arms and --headless asks nothing. Next: clear the table and add --yes-arms-will-move"
        )


def record_headless(rig: Rig, opening: OpenSession, episodes: int, seconds: float) -> int:
    """Record `episodes` of `seconds` each without asking anything; returns how many ended early."""
    watcher = SessionWatcher(rig)
    with Asker(rig.name, "session") as session:
        session.ask(opening, ALIGN_MS)
        try:
            for _ in range(episodes):
                _one_episode(rig, session, watcher, seconds)
            watcher.until(lambda state: state.finalising == 0, SAVE_S)
        finally:
            session.ask(CloseSession(), int(SAVE_S * 1000))
            watcher.close()
    state = watcher.state
    console.print(f"{state.saved} saved, {state.ended_early} ended early; newest: {state.saved_path or '–'}")
    return state.ended_early


def _one_episode(rig: Rig, session: Asker, watcher: "SessionWatcher", seconds: float) -> None:
    state = watcher.until(lambda state: state.phase in ("ready", "hold"), 5.0)
    if state.phase == "hold":
        console.print(f"hold: {state.why}. Aligning again")
        session.ask(Align(), ALIGN_MS)
    if rig.world is not None:
        with Asker(rig.name, "world") as world:
            world.ask(PrepareScene(state.episode), ALIGN_MS)
    session.ask(Start(seconds), START_MS)
    number = state.episode
    console.print(f"episode {number}: recording {seconds:g} s")
    state = watcher.until(lambda state: state.episode > number and state.phase in ("ready", "hold"), seconds + 20)
    rows = f"{state.recorded_ticks} rows"
    console.print(f"episode {number}: {rows}" + (f", ended early: {state.why}" if state.why else ""))


class SessionWatcher:
    """The session as a client sees it."""

    def __init__(self, rig: Rig) -> None:
        self._heard = Subscriber(rig.name, [("session", "session")])
        self._rig = rig
        self.state = SessionState("ended", "", "", 0, 0, 0, 0, 0, ())

    def until(self, seen: Callable[[SessionState], bool], seconds: float) -> SessionState:
        """Wait for a state; NodeAbsent if it does not come."""
        deadline_ns = monotonic_ns() + int(seconds * NS_PER_S)
        while monotonic_ns() < deadline_ns:
            sample = self._heard.receive(200)
            if sample is not None and isinstance(sample.body, SessionState):
                self.state = sample.body
                if seen(self.state):
                    return self.state
        raise NodeAbsent(
            f"the session stayed {self.state.phase} ({self.state.why or 'no reason given'}) for {seconds:g} s. "
            f"Next: `station status --rig {self._rig.name}`"
        )

    def close(self) -> None:
        """Stop listening."""
        self._heard.close()


def teleop(
    rig: RigOption,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask before the followers move")] = False,
    seconds: Annotated[float | None, typer.Option("--seconds", help="end by itself")] = None,
) -> None:
    """Leaders command followers until Ctrl-C; nothing is recorded."""
    loaded = rig_of(rig)
    if loaded.moves_real_arms and not yes:
        typer.confirm("The followers will move to the leaders' pose. Is the way clear?", abort=True)
    with attached(loaded), Asker(loaded.name, "pilot") as pilot:
        pilot.ask(Engage("leader"), ALIGN_MS)
        console.print("engaged: leaders command. Ctrl-C ends; the arms then hold")
        try:
            _watch_pilot(loaded, seconds)
        except KeyboardInterrupt:
            console.print("ending; the arms hold")
        finally:
            pilot.ask(Disengage(), 5000)


def _watch_pilot(rig: Rig, seconds: float | None) -> None:
    heard = Subscriber(rig.name, [("pilot", "pilot")])
    ends_ns = monotonic_ns() + int(seconds * NS_PER_S) if seconds is not None else None
    state = ""
    try:
        while ends_ns is None or monotonic_ns() < ends_ns:
            sample = heard.receive(500)
            if sample is None or not isinstance(sample.body, PilotState):
                continue
            if sample.body.state != state:
                state = sample.body.state
                console.print(state + (f": {sample.body.why}" if sample.body.why else ""))
            if state == "hold":
                raise RequestRefused(f"in hold: {sample.body.why}. Next: clear the cause and run the command again")
    finally:
        heard.close()
