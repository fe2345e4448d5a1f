"""Makes the process table true, again and again: `python -m station.runtime.supervisor --rig R`.

Children are exec'ed, never forked; the kernel tells them when this process dies, however it dies (`station.runtime.node`). One that dies
is started again with back-off, one that is alive but says nothing (SIGSTOP, a blocked call) is killed first. The wait is on
their pidfds and the bus, so an idle supervisor sleeps.
"""

import argparse
import contextlib
import logging
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TextIO

import psutil
import setproctitle
import zmq

from station.bus import keys
from station.bus.messages import Health, ProcessState, StationState
from station.bus.requests import Done, Refused, Reply, Restart, Shutdown, SupervisorRequest
from station.bus.sockets import RequestServer, Subscriber, milliseconds_until
from station.bus.streams import period_ns
from station.clock import NS_PER_S
from station.errors import StationError
from station.extras import told
from station.files.lock import Lock
from station.files.logs import Stderr, log_to_file, log_to_stderr
from station.rig.rig import Rig, load_rig
from station.runtime.backoff import Backoff
from station.runtime.endings import all_ended, asleep_in
from station.runtime.launch import HUNG, python, refuse_foreign
from station.runtime.life import LifeFile
from station.runtime.node import Node, die_with_parent, is_ending
from station.runtime.processes import COMMANDS, Process, processes
from station.terminal.shown import shown
from station.version import installed_version

DEVICE_OPENS_NS = 20 * NS_PER_S
"""A process that starts or opens its device may be silent this long (big imports, a camera's reset)."""
SILENT_NS = 3 * NS_PER_S
"""Health comes twice a second; six missing in a row is stuck."""
STARTING_NICE = -10
STOP_S = {0: 3.0, 1: 1.5, 2: 2.0, 3: 1.0}
"""How long each stage may take to stop before SIGKILL (drivers exit within 2 s of SIGTERM)."""
KILL_S = 0.3
"""How long the kernel may take for a SIGKILL before the process is left behind. All stages together stay below
`station.client.station.KILL_S`, whatever hangs."""
LEFTOVERS_S = 3.0
"""How long an earlier station's nodes may take to go down by themselves."""
PERIOD_NS = NS_PER_S // 2
UNWELL_PERIOD_NS = NS_PER_S // 10
"""While a node is not well somebody waits for it: what changes is told at once then, not at the next second."""
SILENT = "was alive but silent: killed"

_log = logging.getLogger("supervisor")


class Child:
    """One row of the table and the process that makes it true."""

    def __init__(self, row: Process, rig: Rig, ring: keys.KeyRing) -> None:
        self.row, self._rig, self._ring = row, rig, ring
        self._version = installed_version()
        self.stderr = Stderr(rig.name, row.node)
        self._log: TextIO | None = None
        self.popen: subprocess.Popen[bytes] | None = None
        self.pidfd = -1
        self.restarts = -1
        self._started_ns = 0
        self.backoff = Backoff()
        self.last_exit = ""
        self.health: Health | None = None
        self.health_at_ns = 0
        self._usage: psutil.Process | None = None
        self._killed = False
        """It was, and has not gone yet: it may be asleep in a driver of the kernel's."""

    def start_if_due(self, now_ns: int) -> bool:
        """Start it unless it runs or its back-off has not passed."""
        if self.popen is not None or now_ns < self.backoff.due_ns:
            return False
        if self.restarts >= 0 and (changed := self._changed()):
            self.last_exit = changed
            self.backoff.ended(now_ns)
            return False
        self._log = self.stderr.open()
        command = python(self.row.module, "--rig", self._rig.file, "--node", self.row.node)
        command += ["--realtime", str(self.row.realtime)]
        with keys.handed_over(self._ring) as pipe:
            self.popen = subprocess.Popen(
                [*command, "--keys", str(pipe)], stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log,
                start_new_session=True, pass_fds=(pipe,),
            )  # fmt: skip
        self.pidfd = os.pidfd_open(self.popen.pid)
        self.restarts += 1
        self._started_ns = now_ns
        self.health, self.health_at_ns = None, 0
        if self.row.realtime:
            with contextlib.suppress(PermissionError):  # ahead of what is no node, until it takes its priority itself
                os.setpriority(os.PRIO_PROCESS, self.popen.pid, STARTING_NICE)
        self._usage = psutil.Process(self.popen.pid)
        self._usage.cpu_percent()
        return True

    def _changed(self) -> str:
        """What to say where the software was changed under the running station: its nodes are not mixed. "" where it was not."""
        now = installed_version()
        if now == self._version:
            return ""
        return (
            f"{self.row.node} is not started again: version {now} was installed beside the running {self._version}. "
            f"Next: `station stop --rig {self._rig.name}`, then start it again"
        )

    def reap(self, now_ns: int) -> bool:
        """Notice that it has died: why, and when it may start again."""
        if self.popen is None or self.popen.poll() is None:
            return False
        code = self.popen.returncode
        how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit {code}"
        self.last_exit = f"{how}: {told(self.stderr.last_line())}" if code > 0 else how
        if self._killed:
            self.last_exit = SILENT
        _log.warning("%s ended: %s", self.row.node, self.last_exit)
        self.backoff.ended(now_ns)
        self._forget()
        return True

    def hear(self, health: Health, now_ns: int) -> None:
        """It says how it is."""
        self.health, self.health_at_ns = health, now_ns
        if health.state in ("ok", "warn"):
            self.backoff.well(now_ns)

    def stuck(self, now_ns: int) -> bool:
        """Is it alive without a word, and not killed yet?"""
        if self.popen is None or self._killed:
            return False
        if self.health is None or self.health.state == "opening":
            return now_ns - max(self._started_ns, self.health_at_ns) > DEVICE_OPENS_NS
        return now_ns - self.health_at_ns > SILENT_NS

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, if it runs."""
        if self.popen is not None:
            self.popen.send_signal(number)

    def kill(self, why: str) -> None:
        """SIGKILL, waiting for nothing: a process in uninterruptible sleep ends when the kernel lets it, or never."""
        _log.error("%s %s: killed", self.row.node, why)
        self.signal(signal.SIGKILL)
        self._killed = True
        self.health, self.health_at_ns = None, 0
        self.last_exit = (
            f"{SILENT}, and the kernel has not let go of it: {asleep_in(self.pid)}. Next: unplug its device"
        )

    @property
    def stand(self) -> str:
        """How it is, as far as others act on it; what changes in it is told at once."""
        if self.popen is None:
            return f"ended {self.restarts}"
        return self.health.state if self.health is not None else "starting"

    @property
    def frozen(self) -> bool:
        """Does somebody's SIGSTOP keep it from running?"""
        with contextlib.suppress(psutil.NoSuchProcess):
            return self._usage is not None and self._usage.status() == psutil.STATUS_STOPPED
        return False

    @property
    def gone(self) -> bool:
        """Has its process ended, or was it never started?"""
        return self.popen is None or self.popen.poll() is not None

    def leave(self) -> None:
        """At the end: nothing is left of it, or its process is left behind, and that told."""
        if not self.gone:
            _log.error("%s (process %s) is left behind: %s", self.row.node, self.pid, asleep_in(self.pid))
        if self.popen is not None:
            self._forget()

    @property
    def pid(self) -> int:
        """Of its process; −1 without one."""
        return self.popen.pid if self.popen is not None else -1

    def state(self, now_ns: int) -> ProcessState:
        """For the status table."""
        cpu = rss = 0.0
        if self.popen is not None and self._usage is not None:
            with contextlib.suppress(psutil.NoSuchProcess):
                cpu, rss = self._usage.cpu_percent(), self._usage.memory_info().rss / 1e6
        age_ns = now_ns - self.health_at_ns if self.health_at_ns else -1
        pid = self.popen.pid if self.popen is not None else None
        running = pid is not None and not self._killed
        return ProcessState(
            self.row.node, pid, running, max(0, self.restarts), cpu, rss, self.health, age_ns, self.last_exit
        )  # fmt: skip

    def _forget(self) -> None:
        os.close(self.pidfd)
        self.popen, self.pidfd, self._usage, self._killed = None, -1, None, False
        if self._log is not None:
            self._log.close()
            self._log = None


class Supervisor:
    """One rig's processes."""

    def __init__(self, node: Node, rings: dict[str, keys.KeyRing]) -> None:
        self._node, self._rig, self._rings = node, node.rig, rings
        self._children = {row.node: Child(row, self._rig, rings[row.node]) for row in processes(self._rig)}
        self._request_server: RequestServer[SupervisorRequest] = RequestServer(
            self._rig.name, "supervisor", SupervisorRequest
        )
        self._health = Subscriber(self._rig.name, [("health", name) for name in self._children])
        self._since_ns = node.clock()
        self._state_due_ns = 0
        self._told: tuple[str, ...] = ()

    def run(self, life: LifeFile) -> None:
        """Until told to stop; then stop every node in order."""
        try:
            self._clear_leftovers()
            while not self._node.stopping.is_set():
                self.ensure()
                life.sign(self._node.clock())
                self._wait()
        finally:
            self.stop()
            self._request_server.close()
            self._health.close()

    def _clear_leftovers(self) -> None:
        """Nodes of a supervisor that was killed go down by themselves, in order; one that was stopped could not hear it."""
        owners = [Lock.owner(self._rig.name, node) for node in self._children]
        left = []
        for pid in owners:
            with contextlib.suppress(psutil.NoSuchProcess):
                if pid is not None:
                    left.append(psutil.Process(pid))
        for process in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGCONT)
        _, stubborn = psutil.wait_procs(left, LEFTOVERS_S)
        for process in stubborn:
            _log.error("%s of an earlier station did not end: killed", process.pid)
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()

    def ensure(self) -> None:
        """One round: hear, reap, unstick, start, tell."""
        now_ns = self._node.clock()
        for sample in self._health.newest().values():
            if sample.kind == "health" and isinstance(sample.body, Health):
                child = self._children[sample.node]
                child.hear(sample.body, now_ns)
        for child in self._children.values():
            child.reap(now_ns)
            if child.stuck(now_ns):
                child.kill("is alive but silent")
            if child.start_if_due(now_ns):
                _log.info("%s started: process %d", child.row.node, child.pid)
        stand = tuple(child.stand for child in self._children.values())
        if now_ns >= self._state_due_ns or stand != self._told:
            self._told = stand
            self._state_due_ns = now_ns + period_ns("station")
            states = tuple(child.state(now_ns) for child in self._children.values())
            state = StationState(self._rig.name, str(self._rig.file), os.getpid(), self._since_ns, states)
            self._node.publisher.publish("station", state)
            for child in self._children.values():
                if child.stderr.bound():
                    _log.warning("%s writes to stderr without end: what it wrote was dropped", child.row.node)
        self._request_server.serve(self._handle)

    def stop(self) -> None:
        """Stop every node: who records first, then the pilot, then the arms (torque as it is), then the world."""
        for stage in sorted({child.row.stage for child in self._children.values()}):
            members = [child for child in self._children.values() if child.row.stage == stage]
            for child in members:
                if child.frozen:
                    print(f"{HUNG}{child.row.node} was frozen (SIGSTOP): woken to end", file=sys.stderr, flush=True)
                child.signal(signal.SIGCONT)
                child.signal(signal.SIGTERM)
            if not all_ended((child.pidfd for child in members), STOP_S[stage]):
                self._end_stubborn([child for child in members if not child.gone])
        for child in self._children.values():
            child.leave()

    def _end_stubborn(self, stubborn: list[Child]) -> None:
        """What does not stop is killed, and what the kernel does not let go of then is left behind: the others must still stop."""
        for child in stubborn:
            child.kill("did not stop in time")
            print(f"{HUNG}{child.row.node} did not stop in time: killed", file=sys.stderr, flush=True)
        all_ended((child.pidfd for child in stubborn), KILL_S)

    def _wait(self) -> None:
        now_ns = self._node.clock()
        all_well = all(child.stand in ("ok", "warn") for child in self._children.values())
        due_ns = [now_ns + (PERIOD_NS if all_well else UNWELL_PERIOD_NS)]
        poller = zmq.Poller()
        poller.register(self._request_server.socket, zmq.POLLIN)
        for child in self._children.values():
            if child.pidfd >= 0:
                poller.register(child.pidfd, zmq.POLLIN)
            else:
                due_ns.append(child.backoff.due_ns)
        poller.poll(milliseconds_until(min(due_ns), now_ns) + 1)

    def _handle(self, request: SupervisorRequest) -> Reply:
        if isinstance(request, Shutdown):
            self._node.stopping.set()
            return Done("stopping; arms hold")
        if isinstance(request, Restart):
            child = self._children.get(request.node)
            if child is None:
                return Refused(f"no node {request.node}; there are {', '.join(self._children)}")
            child.signal(signal.SIGTERM)
            return Done()
        if request.node not in COMMANDS:
            return Refused(f"the key of {request.node} is nobody else's. Next: only {', '.join(COMMANDS)} can be lent")
        return Done(token=self._rings[request.node].secret)


def main() -> None:
    """The supervisor's process. `--child`: end when the process that started it ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rig", required=True, type=Path)
    parser.add_argument("--child", action="store_true")
    arguments = parser.parse_args()
    setproctitle.setproctitle("station:supervisor")
    log_to_stderr()
    parent = os.getppid()
    try:
        refuse_foreign()
        rig = load_rig(arguments.rig)
        rings = keys.make_rings(("supervisor", *COMMANDS, *(row.node for row in processes(rig))))
        keys.hold(rings["supervisor"])
        node = Node(rig, "supervisor")
        log_to_file(rig.name, node.name)
        keys.write_client(rig.name, rings[keys.CLIENT])
        _log.info("begins: process %d, rig %s", os.getpid(), rig.file)
    except StationError as error:
        sys.exit(shown(str(error)))
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: node.stopping.set())
    if not arguments.child:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    else:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the command that started it decides
        die_with_parent(node, parent)
    life = LifeFile(rig.name, rig.file)
    fault = "its supervisor fell over: `station logs supervisor` has the trace"
    try:
        Supervisor(node, rings).run(life)
        fault = "the command that had started it was killed" if arguments.child and is_ending(parent) else ""
    except Exception:
        _log.exception("the supervisor fell over")
        raise
    finally:
        life.end(fault)
        keys.forget_client(rig.name)
        _log.info("ends")
        node.close()


if __name__ == "__main__":
    main()
