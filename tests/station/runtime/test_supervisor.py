"""The supervisor beside a child that the kernel does not let go of: nobody waits for it."""

import os
import signal
import time
from collections.abc import Iterator

import pytest

from station.bus import keys
from station.bus.messages import Health, StationState
from station.clock import NS_PER_S
from station.rig.rig import Rig, find_rig, load_rig
from station.runtime import supervisor as module
from station.runtime.node import Node
from station.runtime.processes import Process
from station.runtime.supervisor import DEVICE_OPENS_NS, Supervisor

ROWS = tuple(Process(name, "tests.station.silent_node", 0, 10, stage) for name, stage in (("a", 0), ("b", 1)))
NOBODY_WAITS_S = 1.0
BOUNDED_S = 12.0
"""Two stages that stop, one of them with a child that does not end: 3 s for SIGTERM, 1 s for SIGKILL."""


@pytest.fixture
def told(runtime: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Supervisor, list[int]]]:
    """A supervisor of two children, and its clock."""
    table: tuple[Process, ...] = ROWS

    def processes(rig: Rig) -> tuple[Process, ...]:
        return table

    monkeypatch.setattr(module, "processes", processes)
    now_ns = [100 * NS_PER_S]
    node = Node(load_rig(find_rig("bench")), "supervisor", lambda: now_ns[0])
    supervisor = Supervisor(node, keys.make_rings(row.node for row in ROWS))
    supervisor.ensure()
    pids = [child.pid for child in supervisor._children.values()]
    yield supervisor, now_ns
    for child in supervisor._children.values():
        pids.append(child.pid)
    for pid in {pid for pid in pids if pid > 0}:
        try:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass
    supervisor._request_server.close()
    supervisor._health.close()
    node.close()


def uninterruptible(supervisor: Supervisor, node: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """As a process that sleeps in a driver of the kernel's: signals come and change nothing. Its pid."""
    popen = supervisor._children[node].popen
    assert popen is not None
    monkeypatch.setattr(popen, "send_signal", lambda number: None)
    monkeypatch.setattr(popen, "kill", lambda: None)
    return popen.pid


def test_a_child_that_does_not_die_of_sigkill_holds_nobody_up(
    told: tuple[Supervisor, list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    supervisor, now_ns = told
    stuck = uninterruptible(supervisor, "a", monkeypatch)
    before = supervisor._children["b"].pid
    now_ns[0] += DEVICE_OPENS_NS + 1
    begun = time.monotonic()
    supervisor.ensure()
    assert time.monotonic() - begun < NOBODY_WAITS_S
    state = supervisor._children["a"].state(now_ns[0])
    assert (state.pid, state.running) == (stuck, False)
    assert "was alive but silent: killed, and the kernel has not let go of it" in state.last_exit
    os.waitid(os.P_PID, before, os.WEXITED | os.WNOWAIT)
    supervisor.ensure()
    assert supervisor._children["b"].last_exit == "was alive but silent: killed"
    now_ns[0] += 10 * NS_PER_S
    begun = time.monotonic()
    supervisor.ensure()
    assert supervisor._children["b"].pid not in (-1, before)
    assert supervisor._children["a"].pid == stuck
    os.kill(stuck, signal.SIGKILL)  # the kernel lets go of it
    os.waitid(os.P_PID, stuck, os.WEXITED | os.WNOWAIT)
    supervisor.ensure()
    now_ns[0] += 10 * NS_PER_S
    supervisor.ensure()
    assert supervisor._children["a"].pid not in (-1, stuck)
    assert time.monotonic() - begun < 3 * NOBODY_WAITS_S
    supervisor.stop()


def test_a_stop_names_what_was_frozen_and_wakes_it(
    told: tuple[Supervisor, list[int]], capsys: pytest.CaptureFixture[str]
) -> None:
    supervisor, _ = told
    frozen = supervisor._children["b"]
    os.kill(frozen.pid, signal.SIGSTOP)
    os.waitid(os.P_PID, frozen.pid, os.WSTOPPED | os.WNOWAIT)
    supervisor.stop()
    assert "hung: b was frozen (SIGSTOP): woken to end" in capsys.readouterr().err.splitlines()
    assert frozen.gone


@pytest.mark.slow
def test_a_stop_leaves_behind_what_does_not_end_and_stops_the_others(
    told: tuple[Supervisor, list[int]], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    supervisor, _ = told
    stuck = uninterruptible(supervisor, "a", monkeypatch)
    popen = supervisor._children["a"].popen
    other = supervisor._children["b"].pid
    begun = time.monotonic()
    supervisor.stop()
    assert time.monotonic() - begun < BOUNDED_S
    assert f"a (process {stuck}) is left behind" in caplog.text
    with pytest.raises(ChildProcessError):
        os.waitpid(other, 0)  # ended and reaped
    assert popen is not None
    os.kill(stuck, signal.SIGKILL)
    popen.wait()


def test_a_node_is_not_started_again_as_other_software(
    told: tuple[Supervisor, list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    supervisor, now_ns = told
    child = supervisor._children["a"]
    monkeypatch.setattr(module, "installed_version", lambda: "9.0.0")
    child.signal(signal.SIGKILL)
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    supervisor.ensure()
    now_ns[0] += 60 * NS_PER_S
    supervisor.ensure()
    assert child.popen is None
    assert "a is not started again: version 9.0.0 was installed beside the running" in child.last_exit
    assert supervisor._children["b"].popen is not None, "what runs goes on"
    supervisor.stop()


def test_what_changes_is_told_at_once_and_what_does_not_once_a_second(
    told: tuple[Supervisor, list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    supervisor, now_ns = told
    published: list[StationState] = []
    monkeypatch.setattr(supervisor._node.publisher, "publish", lambda _, state: published.append(state))

    def round_after(ns: int) -> int:
        now_ns[0] += ns
        supervisor.ensure()
        return len(published)

    assert [round_after(NS_PER_S // 10) for _ in range(3)] == [0, 0, 0], "both are starting, as was told"
    supervisor._children["a"].hear(Health("a", "ok", ""), now_ns[0])
    assert round_after(NS_PER_S // 10) == 1
    assert [process.health is not None for process in published[-1].processes] == [True, False]
    supervisor._children["a"].hear(Health("a", "ok", "", readings={"volts": 12.0}), now_ns[0])
    assert round_after(NS_PER_S // 10) == 1, "a reading is no change of how it is"
    supervisor._children["a"].hear(Health("a", "fault", "its cable is out"), now_ns[0])
    assert round_after(NS_PER_S // 10) == 2
    assert [round_after(NS_PER_S // 2) for _ in range(4)] == [2, 3, 3, 4]
    supervisor.stop()
