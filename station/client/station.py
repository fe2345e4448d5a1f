"""Find the rig's running station, or start one for as long as it is needed, and talk to its nodes.

Only a station started by `up` outlives its terminal; who finds none starts one as its child and stops it at the end, arms
held.
"""

import contextlib
import getpass
import logging
import os
import signal
import subprocess
import sys
import time
import weakref
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from station.bus.messages import ProcessState, StationState
from station.bus.requests import Done, Shutdown, Who
from station.bus.requests.request import Request
from station.bus.sockets import RequestClient, Subscriber
from station.bus.wire import Sample
from station.client.faults import fault_told
from station.client.health import trouble, well
from station.client.session import SessionClient
from station.clock import NS_PER_MS, NS_PER_S, monotonic_ns
from station.errors import NodeAbsent, OtherVersion, StationError
from station.extras import INSTALL
from station.files.lock import Lock
from station.files.runtime_folder import open_own, runtime_folder
from station.rig.rig import Rig, find_rig, load_rig
from station.runtime.launch import HUNG, python
from station.runtime.life import running, was_told
from station.terminal.shown import shown
from station.version import same, station_version

READY_S = 60.0
"""How long a rig may take to come up: servos pinged, cameras reset, a simulated world compiled."""
FAULT_S = 6.0
"""A device that is still faulty this long after the rest is up is told to the operator instead of being waited for."""
ASKED_S, HURRY_S, KILL_S, STOP_S = 1.0, 2.0, 9.0, 10.0
"""Stopping: how long a supervisor may take to answer; when one that does not is sent a signal; when it and its nodes are killed (it needs
less itself, whatever hangs: `station/runtime/supervisor.py`); when it is given up."""
_log = logging.getLogger(__name__)
LOOK_S = 0.05
"""Between two looks for a station that is being started."""
_HEAR_MS = 500
LONGEST_NAME = 60

Streams = Iterable[tuple[str, str]]
"""(kind, node), as `station/bus/streams.py` has the kinds: `("tick", "synchronizer")`, `("arm_state", "follower_left")`."""


class Station:
    """The station of one rig, running or not. What it gives out belongs to the thread that asked for it.

    A context manager: at the end its sockets are closed, and a station that was started for it is stopped, arms held.
    """

    def __init__(self, rig: Rig, who: Who | None = None) -> None:
        """Does nothing yet: `connect` attaches. `who` asks: this program and the person who is logged in, unless it is said."""
        self.rig = rig
        self._who = who or asker()
        self._name = rig.name
        self._started: subprocess.Popen[bytes] | None = None
        self.fault = ""
        """What `connect` was told of a life before this one that nobody asked to end (`station.client.faults`)."""
        self._given: weakref.WeakSet[Subscriber | RequestClient] = weakref.WeakSet()

    # -- its life --

    @property
    def runs(self) -> bool:
        """Does a supervisor own this rig?"""
        return Lock.held(self._name, "supervisor")

    def start(self, child: bool) -> "subprocess.Popen[bytes]":
        """Start a supervisor: as this process's child, or detached from the terminal. `wait_ready` waits for the rest."""
        command = python("station.runtime.supervisor", "--rig", self.rig.file, *(["--child"] if child else []))
        descriptor = open_own(self._log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, private=False)
        with os.fdopen(descriptor, "w") as output:
            self._started = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
            )
        return self._started

    @property
    def _log(self) -> Path:
        return runtime_folder(self._name) / "supervisor.log"

    @property
    def other_version(self) -> str:
        """Which software runs there, where that is not this; "" if it is, if nothing runs, or where it cannot be told."""
        life = running(self._name)
        if life is None or same(life.version, station_version()):
            return ""
        return (
            f"the station of rig {self._name} runs version {life.version}, this command is {station_version()}: they are not mixed. "
            f"Next: `station stop --rig {self._name}`, then the same command again"
        )

    def wait_ready(self) -> None:
        """Until every node is well. Raises StationError with each faulty device's own message, once nothing else is under way."""
        begun_ns = changed_ns = monotonic_ns()
        before: list[str] = []
        heard: Subscriber | None = None
        with contextlib.ExitStack() as subscribed:
            while True:
                self._refuse_ended()
                now_ns = monotonic_ns()
                try:
                    heard = heard or subscribed.enter_context(self.subscribe([("station", "supervisor")]))
                    state = self._state_heard(heard, 1500)
                except NodeAbsent:
                    subscribed.close()
                    heard = None  # another supervisor has other keys
                    if now_ns - begun_ns > (READY_S if self._started is not None else FAULT_S) * NS_PER_S:
                        raise
                    time.sleep(LOOK_S)  # there may be nobody to listen to yet
                    continue
                waiting = [process for process in state.processes if not well(process)]
                if not waiting:
                    return
                names = [process.node for process in waiting]
                if names != before:
                    before, changed_ns = names, now_ns
                _refuse_faulty(waiting, (now_ns - changed_ns) / NS_PER_S, (now_ns - begun_ns) / NS_PER_S)

    def _refuse_ended(self) -> None:
        """Raises StationError, with its last word, where the supervisor that was started has ended again."""
        if self._started is not None and self._started.poll() is not None:
            said = self._log.read_text().strip()
            raise StationError(said.splitlines()[-1] if said else "the supervisor ended without a word")

    def stop(self) -> tuple[str, ...]:
        """Ask the supervisor to stop every node in order, and wait until it is gone: 10 s at most, whatever hangs.

        Returns what did not end by itself and what was done about it, a sentence each.
        Raises StationError if something stays all the same.
        """
        begun_ns, asked, hurried = monotonic_ns(), False, False
        killed: list[str] = []
        while self._alive:
            waited_s = (monotonic_ns() - begun_ns) / NS_PER_S
            if waited_s > STOP_S:
                raise StationError(
                    f"the station of rig {self._name} did not stop within {STOP_S:g} s, killed or not: the kernel has not let go of it. "
                    f"Next: unplug what hangs; `station logs supervisor --rig {self._name}`"
                )
            if waited_s > KILL_S and not killed:
                killed = self._kill()
            elif waited_s > HURRY_S and not asked and not hurried:
                hurried = True
                self._signal("supervisor", signal.SIGCONT, signal.SIGTERM)
            elif not asked and not hurried:
                asked = self._asked_to_stop()
            time.sleep(LOOK_S)
        return (*self._told_hung(), *killed)

    @property
    def _alive(self) -> bool:
        return self._started.poll() is None if self._started is not None else self.runs

    def _asked_to_stop(self) -> bool:
        """Whether the supervisor has heard. One that was only just started has no keys yet: it is asked again."""
        try:
            self.ask("supervisor", Shutdown(), round(1000 * ASKED_S))
        except NodeAbsent:
            return False
        return True

    def _kill(self) -> list[str]:
        """The supervisor, and the nodes that it leaves: they hold no order any more."""
        owned = {path.stem for path in runtime_folder(self._name).glob("*.lock")} - {"supervisor"}
        return [f"{node} hung: killed" for node in ("supervisor", *sorted(owned)) if self._signal(node, signal.SIGKILL)]

    def _signal(self, node: str, *numbers: signal.Signals) -> bool:
        """Send the owner of a node's lock these signals. Was there one?"""
        owner = Lock.owner(self._name, node)
        with contextlib.suppress(ProcessLookupError):
            for number in numbers:
                if owner is not None:
                    os.kill(owner, number)
        return owner is not None

    def _told_hung(self) -> tuple[str, ...]:
        """What the supervisor says of nodes that hung, in its last life's own words."""
        try:
            lines = self._log.read_text(errors="replace").splitlines()
        except OSError:
            return ()
        return tuple(line.removeprefix(HUNG) for line in lines if line.startswith(HUNG))

    def close(self) -> None:
        """Let go of every socket, and stop what was started for this client."""
        for given in tuple(self._given):
            given.close()
        if self._started is not None:
            self.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # -- what it says --

    def subscribe(self, streams: Streams, publishers: Iterable[str] = ()) -> Subscriber:
        """Hear these streams from now on. `publishers`: whose sockets to listen at, where not the streams' own nodes.

        Raises NodeAbsent where no station runs.
        """
        heard = Subscriber(self._name, streams, publishers)
        self._given.add(heard)
        return heard

    def listen(self, streams: Streams, seconds: float | None = None) -> Iterator[Sample]:
        """Every message of these streams for so long, or for ever. Raises NodeAbsent where no station runs."""
        ends_ns = None if seconds is None else monotonic_ns() + round(seconds * NS_PER_S)
        with self.subscribe(streams) as heard:
            while (left_ms := _HEAR_MS if ends_ns is None else (ends_ns - monotonic_ns()) // NS_PER_MS) > 0:
                if (sample := heard.receive(min(left_ms, _HEAR_MS))) is not None:
                    yield sample

    def state(self, timeout_ms: int = 3000) -> StationState:
        """How every process is, as the supervisor says once a second, and when it changes. Raises NodeAbsent if it says nothing."""
        with self.subscribe([("station", "supervisor")]) as heard:
            return self._state_heard(heard, timeout_ms)

    def _state_heard(self, heard: Subscriber, timeout_ms: int) -> StationState:
        sample = heard.receive(timeout_ms)
        if sample is None or not isinstance(sample.body, StationState):
            if other := self.other_version:  # what it says may be no message of ours
                raise OtherVersion(other)
            raise NodeAbsent(f"no station runs for rig {self._name}. Next: `station up --rig {self._name}`")
        return sample.body

    # -- what is asked --

    def request_client(self, node: str) -> RequestClient:
        """For requests to one node that are not waited for, or for many. Raises NodeAbsent where no station runs."""
        client = RequestClient(self._name, node, who=self._who)
        self._given.add(client)
        return client

    def ask(self, node: str, request: Request, timeout_ms: int | None = None) -> Done:
        """Ask a node (`station/bus/requests`) and wait, as long as its table of time-outs says unless it is said here.

        Raises RequestRefused with the node's reason, NodeAbsent without an answer.
        """
        with self.request_client(node) as client:
            return client.ask(request, timeout_ms)

    def session(self, meanwhile: Callable[[], None] = lambda: None) -> SessionClient:
        """The session: its state, and requests to it. `meanwhile` is called while it is waited for, 20 times a second at least."""
        return SessionClient(
            self.request_client("session"), self.subscribe([("session", "session")]), self._name, meanwhile
        )


def _refuse_faulty(waiting: Iterable[ProcessState], unchanged_s: float, waited_s: float) -> None:
    """Raises StationError where waiting on leads nowhere: by what is faulty, how long that is the same, and how long it took."""
    faults = [trouble(process) for process in waiting]
    told = [fault for fault in faults if fault]
    not_installed = [fault for fault in told if INSTALL in fault]
    if not_installed:  # what others miss by it, an arm's port or a picture, is no fault of theirs
        raise StationError("\n".join(map(shown, not_installed)))
    if (all(faults) and unchanged_s > FAULT_S) or waited_s > READY_S:
        raise StationError("\n".join(map(shown, told or [f"{process.node} did not come up" for process in waiting])))


def asker(operator: str = "") -> Who:
    """This program, and the `operator`, or without a name who is logged in: what a node's log says of a request."""
    program = Path(sys.argv[0]).name
    words = [program, *sys.argv[1:2]] if program == "station" else [program]
    try:
        person = operator or getpass.getuser()
    except (KeyError, OSError):  # a user without a name, as in a container
        person = ""
    return Who(shown(" ".join(words))[:LONGEST_NAME], shown(person)[:LONGEST_NAME])


def connect(rig: Rig | str | Path, start: bool = True, operator: str = "") -> Station:
    """The rig's running station with every node well; one that is started for it if there is none, and ends with it.

    `rig`: a shipped name, a rig file, or what was loaded from one. `start`: False attaches only. `operator`: who asks, where it is
    not whoever is logged in. Raises RigError for a file that is wrong, NodeAbsent where nothing runs and nothing may be started,
    OtherVersion where other software runs, StationError with the message of each device that does not come up. A station before it
    that nobody asked to end is told once, as a warning in the log.
    """
    station = Station(rig if isinstance(rig, Rig) else load_rig(find_rig(str(rig))), asker(operator))
    station.fault = fault_told(station.rig)
    if station.fault:
        _log.warning("%s", station.fault)
    if not station.runs:
        if not start:
            raise NodeAbsent(f"no station runs for rig {station.rig.name}. Next: `station up --rig {rig}`")
        station.start(child=True)
    elif other := station.other_version:
        raise OtherVersion(other)
    try:
        station.wait_ready()
    except BaseException:
        station.close()
        raise
    was_told(station.rig.name)
    return station
