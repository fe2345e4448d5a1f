"""Boots a rig for the tests of this folder and the commands beside them, breaks things in it, and waits for what follows.

Everything goes the station's own ways: a supervisor process, requests, streams, signals. Nothing here sleeps: it waits for a
state, and says what it saw instead when the state does not come.
"""

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import h5py
import numpy as np
import psutil
import yaml

from drivers.sim.world.requests import CameraFault, ServoFault, SetCameraFault, SetServoFault
from station.bus import keys
from station.bus.messages import Health, PilotState, RecorderState, SessionState, StationState
from station.bus.requests import Align, CloseSession, Done, OpenSession, SaveTruth, Shutdown, Start, Stop
from station.bus.requests.request import Request
from station.bus.sockets import Subscriber
from station.bus.wire import Sample
from station.cli.patience import Patience
from station.client import Station
from station.clock import NS_PER_S, monotonic_ns
from station.episodes.verify import verify
from station.errors import NodeAbsent, RequestRefused
from station.files import check_results
from station.files.check_results import CheckResult, StoredCheck
from station.files.runtime_folder import runtime_folder
from station.rig.rig import Rig, find_rig, load_rig
from station.runtime.processes import processes

PATIENCE_S = 60.0
"""How long anything may take on a machine that does other things too; what is waited for comes in a second or two."""
TASK = "faults"
STEPPING = Path(__file__).parent / "stepping_clock"
T = TypeVar("T")


def light_rig(folder: Path, **changes: Any) -> Path:
    """The bench rig at half the load (two cameras, 100 Hz), so that a busy machine of two cores runs it in time.

    What is a pause on a computer that does nothing else (`stale_ms`) is an everyday one where tests share it.
    """
    described = yaml.safe_load(find_rig("bench").read_text())
    for side in described["arms"].values():
        for arm in side.values():
            arm["rate_hz"] = 100
    described["cameras"] = {name: described["cameras"][name] | {"fps": 15} for name in ("cam_high", "cam_low")}
    described["safety"] = {"stale_ms": 250, "resume_ms": 450}
    described["data"] = str(folder / "data")
    path = folder / "faults.yaml"
    path.write_text(yaml.safe_dump(described | {"name": "faults"} | changes, sort_keys=False))
    return path


BUILT_S = 300.0
"""For an episode's HDF5: its builder has the lowest priority of all, and other programs may take both processors."""


class Booted:
    """A rig that runs, as its clients see it."""

    def __init__(self, rig: Rig, data: Path, environment: dict[str, str] | None = None) -> None:
        self.rig, self.data, self.station = rig, data, Station(rig)
        self.nodes = tuple(row.node for row in processes(rig))
        self._environment = {**os.environ, **(environment or {})}
        self._heard: Subscriber | None = None
        self._newest: dict[tuple[str, str], Sample] = {}
        self._patience: Patience | None = None
        self._ring: keys.KeyRing | None = None
        self.begun_ns = monotonic_ns()
        self.supervisor = self.start()

    # -- the station itself --

    def start(self) -> "subprocess.Popen[bytes]":
        """Start a supervisor; `ready` waits for it."""
        self.begun_ns = monotonic_ns()
        with (runtime_folder(self.rig.name) / "supervisor.log").open("a") as log:
            self.supervisor = subprocess.Popen(
                [sys.executable, "-m", "station.runtime.supervisor", "--rig", str(self.rig.file), "--child"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self._environment, start_new_session=True,
            )  # fmt: skip
        if self._heard is not None:  # every supervisor makes keys of its own
            self._heard.close()
        self._heard = None
        self.until("keys of this life", self._attach)
        return self.supervisor

    def _attach(self) -> bool:
        """As a client, once this life of the station has keys."""
        try:
            ring = keys.read_client(self.rig.name)
        except NodeAbsent:
            return False
        if ring == self._ring:
            return False
        self._ring = ring
        self._patience = self._patience or Patience(self.station, 2 * PATIENCE_S, announce_s=0.0)
        self._heard = self.station.subscribe(
            [("station", "supervisor"), ("session", "session"), ("pilot", "pilot"), ("recorder", "synchronizer")]
            + [("health", node) for node in self.nodes],
        )
        return True

    def ready(self) -> None:
        """Every node is well, in this life of the station."""
        self.until("every node well", lambda: all(self.well(node, self.begun_ns) for node in self.nodes))

    def stop(self) -> None:
        """Shut down in order; nothing may be left."""
        pids = list(self.pids().values()) if self.supervisor.poll() is None else []
        if self.supervisor.poll() is None:
            try:
                self.ask("supervisor", Shutdown())
                self.supervisor.wait(PATIENCE_S)
            except (NodeAbsent, subprocess.TimeoutExpired):
                self.supervisor.kill()
                self.supervisor.wait()
                raise
        gone(pids)

    def close(self) -> None:
        """Stop, whatever state it is in, and let go of the sockets."""
        try:
            self.stop()
        finally:
            if self._patience is not None:
                self._patience.close()
            if self._heard is not None:
                self._heard.close()

    # -- what is seen --

    def until(self, what: str, seen: Callable[[], T | None], seconds: float = PATIENCE_S) -> T:
        """Hear until `seen` gives something; AssertionError with everybody's state if it does not."""
        deadline_ns = monotonic_ns() + int(seconds * NS_PER_S)
        while not (found := seen()):
            if monotonic_ns() > deadline_ns:
                raise AssertionError(f"no {what} within {seconds:g} s: {self.told()}")
            self.hear(100)
        return found

    def hear(self, timeout_ms: int) -> None:
        """Take what has come, waiting at most so long for the first."""
        if self._heard is None:
            time.sleep(timeout_ms / 1000)
            return
        sample = self._heard.receive(timeout_ms)
        while sample is not None:
            self._newest[sample.kind, sample.node] = sample
            sample = self._heard.receive()

    def _body(self, kind: str, node: str, since_ns: int = 0) -> Any:
        sample = self._newest.get((kind, node))
        return sample.body if sample is not None and sample.header.sent_at_ns >= since_ns else None

    def session(self, since_ns: int = 0) -> SessionState | None:
        """What the session last said (None: nothing since then)."""
        found: SessionState | None = self._body("session", "session", since_ns)
        return found

    def pilot(self, since_ns: int = 0) -> PilotState | None:
        """What the pilot last said."""
        found: PilotState | None = self._body("pilot", "pilot", since_ns)
        return found

    def recorder(self, since_ns: int = 0) -> RecorderState | None:
        """What the synchronizer last said."""
        found: RecorderState | None = self._body("recorder", "synchronizer", since_ns)
        return found

    def station_state(self, since_ns: int = 0) -> StationState | None:
        """What the supervisor last said."""
        found: StationState | None = self._body("station", "supervisor", since_ns)
        return found

    def health(self, node: str, since_ns: int = 0) -> Health | None:
        """What a node last said of itself."""
        found: Health | None = self._body("health", node, since_ns)
        return found

    def well(self, node: str, since_ns: int = 0) -> bool:
        """Has it said since then that it works?"""
        health = self.health(node, since_ns)
        return health is not None and health.state in ("ok", "warn")

    def life(self, node: str) -> int:
        """The start id of what a node last said."""
        return self._newest["health", node].header.start_id

    def life_began_ns(self, node: str, before: int) -> int | None:
        """When a node first said that it works in a life after `before`; None while it has not."""
        sample = self._newest.get(("health", node))
        if sample is None or sample.header.start_id == before or not self.well(node):
            return None
        return sample.header.sent_at_ns

    def pids(self) -> dict[str, int]:
        """Every node's process, as the supervisor tells it."""
        station = self.until("station state", lambda: self.station_state(self.begun_ns))
        return {process.node: process.pid for process in station.processes if process.pid is not None}

    def pid(self, node: str) -> int:
        """One node's process now (its lock says who it is)."""
        return int((runtime_folder(self.rig.name) / f"{node}.lock").read_text())

    def told(self) -> str:
        """Who said what last, for people."""
        self.hear(50)
        lines = [str(self.session()), str(self.pilot()), str(self.recorder())]
        lines += [f"{node}: {h.state} {h.error}" for node in self.nodes if (h := self.health(node)) is not None]
        return "\n  ".join(lines)

    # -- what is done --

    def ask(self, node: str, request: Request) -> Done:
        """Ask a node; RequestRefused with its reason. The session is asked about what it says now."""
        if node != "session":
            return self.station.ask(node, request)
        now_ns = monotonic_ns()
        seen = self.until("word from the session", lambda: self.session(now_ns))
        with self.station.request_client(node) as client:
            return client.answer_to(client.send(request, seen.sequence), request)

    def signal(self, node: str, number: signal.Signals) -> int:
        """Send a node's process a signal; returns when, ns."""
        os.kill(self.pid(node), number)
        return monotonic_ns()

    def servo_fault(self, arm: str, what: ServoFault, servo: int | None = None, value: float = 0.0) -> None:
        """Break something on an arm's bus, or mend it."""
        self.ask("world", SetServoFault(arm, what, servo, value))

    def camera_fault(self, camera: str, what: CameraFault, value: float = 0.0) -> None:
        """Break a camera, or mend it."""
        self.ask("world", SetCameraFault(camera, what, value))

    def truth(self, seconds: float) -> dict[str, Any]:
        """What the servos themselves went through lately."""
        path = self.data.parent / "truth.npz"
        self.ask("world", SaveTruth(str(path), seconds))
        with np.load(path) as file:
            return dict(file)

    # -- a sitting --

    def open_session(self) -> None:
        """Open a sitting and engage."""
        self.align()

    def phase(self) -> str:
        """The phase, freshly told."""
        now_ns = monotonic_ns()
        state = self.until("word from the session", lambda: self.session(now_ns))
        return state.phase

    def align(self) -> None:
        """Out of a hold, as unattended recording does: what is in the way is waited for."""
        assert self._patience is not None
        self._patience.until_done("the alignment", self._to_ready)

    def _to_ready(self) -> None:
        phase = self.phase()
        if phase == "ended":
            self.ask("session", OpenSession(TASK, str(self.data)))
        elif phase == "hold":
            self.ask("session", Align())
        elif phase == "recording":
            self.ask("session", Stop())
        phase = self.phase()
        if phase != "ready":
            raise RequestRefused(f"the session is {phase}, not ready: {self.told()}")

    def record(self, rows: int = 25, seconds: float | None = None) -> int:
        """Start an episode, and wait until so many rows are acknowledged; returns its number."""
        self.ready()
        self.align()
        self.ask("session", Start(seconds))
        started_ns = monotonic_ns()
        state = self.until("episode", lambda: self._after_start(rows, started_ns))
        assert state.phase == "recording" or seconds is not None, f"it ended before {rows} rows: {self.told()}"
        return state.episode

    def _after_start(self, rows: int, since_ns: int) -> SessionState | None:
        state = self.session(since_ns)
        if state is None or (state.phase == "recording" and state.recorded_ticks < rows):
            return None
        return state

    def ended(self, number: int) -> SessionState:
        """The session once that episode is over."""
        return self.until(
            f"end of episode {number}",
            lambda: s if (s := self.session()) is not None and s.episode > number and s.phase != "saving" else None,
        )

    def saved(self, number: int) -> "Saved":
        """That episode, whole in its place."""
        path = self.in_place(number)
        self.until(f"whoever built {path.name}", self._finalised)
        return Saved(path)

    def in_place(self, number: int) -> Path:
        """Where that episode is, once it is there: a file has its name when it is whole."""
        path = self.data / TASK / f"episode_{number}.hdf5"
        self.until(path.name, path.exists, BUILT_S)
        return path

    def _finalised(self) -> bool:
        state = self.session()
        return state is not None and state.finalising == 0

    def close_session(self) -> None:
        """End the sitting."""
        if self.phase() != "ended":
            self.ask("session", CloseSession())


class Saved:
    """An episode file as a test looks at it; it must be whole."""

    def __init__(self, path: Path) -> None:
        self.path = path
        findings = verify(path)
        assert not findings, f"{path}: {findings}"
        with h5py.File(path) as file:
            self.rows = len(file["/action"])
            self.attributes = dict(file.attrs)
            self.sources = [str(file["/control/source"].attrs["names"][n]) for n in file["/control/source"][:]]
            self.stale = {
                name: int(file[f"/timestamps/{name}"].attrs["stale"]) for name in file["/timestamps"] if name != "tick"
            }
            self.ages_s = {name: file[f"/sync/age/{name}"][:] / 1e9 for name in file["/sync/age"]}

    @property
    def ended(self) -> str:
        """Why it ended by itself."""
        return str(self.attributes["ended"])


@contextmanager
def booted(path: Path, data: Path, environment: dict[str, str] | None = None) -> Iterator[Booted]:
    """A rig from boot to orderly stop."""
    rig = load_rig(path)
    if rig.moves_real_arms:  # as far as the session knows: it opens no sitting then before they are checked
        check_results.store(rig.name, StoredCheck(rig.sha256, time.time(), CheckResult("pass", ())))
    running = Booted(rig, data, environment)
    try:
        running.ready()
        yield running
    finally:
        running.close()


def endings(pids: dict[str, int], seconds: float = 30.0) -> dict[str, int]:
    """When each of these processes was seen to have ended, ns (the same for those seen at once); AssertionError if one does not."""
    poller, nodes, ended = select.poll(), {os.pidfd_open(pid): node for node, pid in pids.items()}, {}
    for descriptor in nodes:
        poller.register(descriptor, select.POLLIN)
    deadline_ns = monotonic_ns() + int(seconds * NS_PER_S)
    while nodes and monotonic_ns() < deadline_ns:
        found = poller.poll(200)
        seen_ns = monotonic_ns()
        for descriptor, _ in found:
            poller.unregister(descriptor)
            os.close(descriptor)
            ended[nodes.pop(descriptor)] = seen_ns
    assert not nodes, f"still there after {seconds:g} s: {', '.join(nodes.values())}"
    return ended


def gone(pids: "list[int]", seconds: float = 20.0) -> None:
    """These processes end by themselves in that time."""
    _, alive = psutil.wait_procs([psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)], seconds)
    assert not alive, f"still there after {seconds:g} s: {[(p.pid, p.name()) for p in alive]}"
