"""`station up | status | stop`."""

import time
from typing import Annotated

import msgspec
import typer

from station.borders.options import RigOption
from station.bus.messages import ProcessState, StationState
from station.client import Station, trouble, well
from station.client.faults import fault_told
from station.clock import NS_PER_MS
from station.errors import NodeAbsent, RequestRefused, StationError
from station.rig.choice import rig_of
from station.runtime.life import was_told
from station.runtime.processes import processes
from station.terminal.screen import PlainConsole, console, numbers
from station.terminal.told import JsonOption, tell

IN_TIME = 15
"""From this priority of the process table on a node that is late stops arms or ticks: arms, pilot, synchronizer, VR."""
LOOK_S = 0.5
COLUMNS = ("node", "state", "rate Hz", "age ms", "lost", "CPU %", "real time", "MB", "restarts")


def up(
    rig: RigOption,
    foreground: Annotated[bool, typer.Option("--foreground", help="stay attached (systemd)")] = False,
    wait: Annotated[
        bool,
        typer.Option("--wait", help="stay up with what is missing, and announce what comes later, until all is there"),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Start the station, whole or not at all; it goes on when the terminal is closed."""
    loaded = rig_of(rig)
    say = PlainConsole(stderr=as_json)
    station = Station(loaded)
    named = rig or loaded.name
    if station.runs:
        raise RequestRefused(f"the station of rig {loaded.name} is already up. Next: `station status --rig {named}`")
    if before := fault_told(loaded):
        say.print(before)
    popen = station.start(child=foreground)
    whole = False
    try:
        try:
            station.wait_ready()
        except StationError as error:
            if not wait or popen.poll() is not None:
                raise StationError(
                    f"{error}\nthe station is not whole, so it was taken down again: nothing is left running. Next: mend that and run it "
                    f"again, or `station up --wait --rig {named}` to stay up with what is there"
                ) from error
            say.print("up, but not whole:")
            for line in str(error).splitlines():
                say.print(line)
            _announce(station, say)
        whole = True
        was_told(loaded.name)
        if as_json:
            tell(station.state())
        else:
            _show(station)
        if foreground:
            popen.wait()
    except KeyboardInterrupt:
        whole = wait
        raise
    finally:
        if (foreground or not whole) and popen.poll() is None:
            station.stop()


def _announce(station: Station, say: PlainConsole) -> None:
    """Until every node is well: who comes is told, and that it has not moved; who goes, too."""
    missing = {process.node for process in station.state().processes if not well(process)}
    say.print(f"waiting for {', '.join(sorted(missing))}; Ctrl-C ends the waiting, the station stays up")
    while missing:
        time.sleep(LOOK_S)
        now = {process.node: process for process in station.state().processes if not well(process)}
        for node in sorted(missing - now.keys()):
            say.print(f"{node} is there now; it holds as it stands, nothing moves before somebody engages")
        for node in sorted(now.keys() - missing):
            say.print(f"{node} is away: {trouble(now[node]) or 'starting'}")
        missing = set(now)


class Stopped(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `station stop --json` tells."""

    rig: str
    hung: tuple[str, ...]
    """What did not end by itself and what was done about it, a sentence each."""


def down(rig: RigOption, as_json: JsonOption = False) -> None:
    """Stop every process in order, within 10 s; arms hold, torque stays on."""
    loaded = rig_of(rig)
    station = Station(loaded)
    if not station.runs:
        raise NodeAbsent(
            f"no station runs for rig {loaded.name}: there is nothing to stop. Next: `station up --rig {rig or loaded.name}` starts it"
        )
    stopped = Stopped(loaded.name, station.stop())
    if as_json:
        tell(stopped)
        return
    for hung in stopped.hung:
        console.print(hung)
    console.print(f"rig {loaded.name}: stopped; arms hold")


def status(rig: RigOption, as_json: JsonOption = False) -> None:
    """Rate, age, losses, CPU, real-time priority, memory, restarts and the last error of every node."""
    station = Station(rig_of(rig))
    before = fault_told(station.rig)
    if before and not station.runs:
        raise NodeAbsent(before)
    if as_json:
        tell(station.state())
        return
    for line in filter(None, (before, station.other_version)):
        console.print(line)
    _show(station)


def _show(station: Station) -> None:
    """Numbers in a table that 80 columns hold, words in whole lines below it; what is wrong is last, where the eye is."""
    state = station.state()
    console.print(headline(state))
    table = numbers(COLUMNS, ("node", "state"), f"rig {state.rig}  ({state.rig_file})")
    wanted = {row.node: row.realtime for row in processes(station.rig)}
    for process in state.processes:
        table.add_row(*_row(process, wanted.get(process.node, 0)))
    console.print(table)
    for process in state.processes:
        if not trouble(process) and process.health is not None and process.health.notes:
            console.print(f"{process.node}: {'; '.join(process.health.notes)}")
    late = [process.node for process in state.processes if lacks(process, wanted.get(process.node, 0))]
    if late:
        console.print(
            f"without their real-time priority, late whenever the computer has other work: {', '.join(late)}. Next: start the "
            "station by udev/station@.service, or `@dialout - rtprio 50` in /etc/security/limits.d, and log in again"
        )
    for process in state.processes:
        if trouble(process):
            console.print(f"{process.node}: {trouble(process)}")


def headline(state: StationState) -> str:
    """How the station is and what to do next, in one line. Pure."""
    away = [process for process in state.processes if not well(process)]
    if not away:
        return f"all {len(state.processes)} processes are well. Next: `station check --rig {state.rig}`, then `station record`"
    names = ", ".join(process.node for process in away)
    told = [trouble(process) for process in away if trouble(process)]
    if not told:
        return f"starting: {names}. Next: wait; this takes some seconds"
    act = told[0].rpartition("Next: ")[2] if "Next: " in told[0] else f"`station logs {away[0].node} --rig {state.rig}`"
    return f"{len(away)} of {len(state.processes)} not well: {names}. Next: {act}"


def lacks(process: ProcessState, wanted: int) -> bool:
    """Does a node run whose lateness stops the arms or a tick, without the priority that the process table gives it?"""
    return wanted >= IN_TIME and process.health is not None and process.health.realtime < wanted


def _realtime(process: ProcessState, wanted: int) -> str:
    """The priority it has, or that it has none."""
    if process.health is None or not (wanted or process.health.realtime):
        return "–"
    return str(process.health.realtime) if process.health.realtime else "no"


def _state(process: ProcessState) -> str:
    if not process.running:
        return "down"
    return "starting" if process.health is None else process.health.state


def _row(process: ProcessState, wanted: int) -> tuple[str, ...]:
    health = process.health
    streams = health.streams if health is not None else ()
    rates = " ".join(f"{s.rate_hz:.0f}/{s.declared_hz:.0f}" for s in streams)
    ages = " ".join("–" if s.age_ns < 0 else f"{s.age_ns / NS_PER_MS:.0f}" for s in streams)
    lost = str(health.lost) if health is not None else ""
    return (
        process.node, _state(process), rates, ages, lost, f"{process.cpu_percent:.0f}", _realtime(process, wanted),
        f"{process.rss_mb:.0f}", str(process.restarts),
    )  # fmt: skip
