"""Find the rig's running station, or start one for the length of a command.

Only a station started by `up` outlives its terminal; a command that finds none starts one as its child and stops it at the
end, arms held.
"""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

from station.bus.messages import ProcessState, StationState
from station.bus.requests import Shutdown
from station.bus.sockets import RequestClient, Subscriber
from station.clock import NS_PER_S, monotonic_ns
from station.errors import NodeAbsent, StationError
from station.files.lock import Lock
from station.files.runtime_folder import open_own, runtime_folder
from station.rig.rig import Rig
from station.runtime.launch import python
from station.terminal.screen import PlainConsole
from station.terminal.shown import shown

READY_S = 60.0
"""How long a rig may take to come up: servos pinged, cameras reset, a simulated world compiled."""
FAULT_S = 6.0
"""A device that is still faulty this long after the rest is up is told to the operator instead of being waited for."""
STOP_S = 20.0
LOOK_S = 0.05
"""Between two looks for a station that is being started."""

console = PlainConsole()


def runs(rig: Rig) -> bool:
    """Does a supervisor own this rig?"""
    return Lock.held(rig.name, "supervisor")


@contextmanager
def attached(rig: Rig) -> Iterator[None]:
    """A running station around a command: the rig's own, or one that ends with the command."""
    if runs(rig):
        wait_ready(rig)
        yield
        return
    popen = start(rig, child=True)
    try:
        wait_ready(rig, popen)
        yield
    finally:
        stop(rig, popen)


def start(rig: Rig, child: bool) -> "subprocess.Popen[bytes]":
    """Start a supervisor: as this process's child, or detached from the terminal."""
    log = runtime_folder(rig.name) / "supervisor.log"
    command = python("station.runtime.supervisor", "--rig", rig.file, *(["--child"] if child else []))
    descriptor = open_own(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, private=False)
    with os.fdopen(descriptor, "w") as output:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True)


def stop(rig: Rig, popen: "subprocess.Popen[bytes] | None" = None) -> None:
    """Ask the supervisor (`popen`, where it is one's own) to stop every node in order, and wait until it is gone."""
    deadline_ns = monotonic_ns() + int(STOP_S * NS_PER_S)
    asked = False
    while popen.poll() is None if popen is not None else runs(rig):
        if not asked:
            asked = _asked_to_stop(rig)
        if monotonic_ns() > deadline_ns:
            raise StationError(
                f"the station of rig {rig.name} did not stop within {STOP_S:g} s. Next: `station status --rig {rig.name}`"
            )
        time.sleep(LOOK_S)


def _asked_to_stop(rig: Rig) -> bool:
    """Whether the supervisor has heard. One that was only just started has no keys yet: it is asked again."""
    try:
        with RequestClient(rig.name, "supervisor") as supervisor:
            supervisor.ask(Shutdown())
    except NodeAbsent:
        return False
    return True


def station_state(rig: Rig, timeout_ms: int = 3000) -> StationState:
    """What the supervisor last said. Raises NodeAbsent if it says nothing."""
    heard = Subscriber(rig.name, [("station", "supervisor")])
    try:
        sample = heard.receive(timeout_ms)
        if sample is None or not isinstance(sample.body, StationState):
            raise NodeAbsent(f"no station runs for rig {rig.name}. Next: `station up --rig {rig.name}`")
        return sample.body
    finally:
        heard.close()


def wait_ready(rig: Rig, popen: "subprocess.Popen[bytes] | None" = None) -> None:
    """Until every node is well. Raises StationError with each faulty device's own message, once nothing else is under way."""
    begun_ns = changed_ns = monotonic_ns()
    before: list[str] = []
    while True:
        if popen is not None and popen.poll() is not None:
            log = (runtime_folder(rig.name) / "supervisor.log").read_text().strip()
            raise StationError(log.splitlines()[-1] if log else "the supervisor ended without a word")
        now_ns = monotonic_ns()
        try:
            state = station_state(rig, 1500)
        except NodeAbsent:
            if now_ns - begun_ns > (READY_S if popen is not None else FAULT_S) * NS_PER_S:
                raise
            time.sleep(LOOK_S)  # there may be nobody to listen to yet
            continue
        waiting = [process for process in state.processes if not well(process)]
        if not waiting:
            return
        names = [process.node for process in waiting]
        if names != before:
            before, changed_ns = names, now_ns
        faults = [trouble(process) for process in waiting if trouble(process)]
        stuck = len(faults) == len(waiting) and now_ns - changed_ns > FAULT_S * NS_PER_S
        if stuck or now_ns - begun_ns > READY_S * NS_PER_S:
            raise StationError(
                "\n".join(map(shown, faults) if faults else [f"{process.node} did not come up" for process in waiting])
            )


def well(process: ProcessState) -> bool:
    """Does it run, and say that it works?"""
    return process.running and process.health is not None and process.health.state in ("ok", "warn")


def trouble(process: ProcessState) -> str:
    """What is wrong with a process, in its own words; "" if nothing is known."""
    if process.health is not None and process.health.error:
        return process.health.error
    if not process.running and process.last_exit:
        return f"{process.node} ended ({process.last_exit})"
    return ""
