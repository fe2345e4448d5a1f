"""What every process on the bus has in common: one owner per node, signals, dying with the supervisor, logging, health.

A node's module ends with `if __name__ == "__main__": run(main)`, where `main(node)` is its loop.
"""

import argparse
import gc
import logging
import os
import secrets
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import setproctitle

from station.bus import door, keys
from station.bus.messages import Health
from station.bus.sockets import Publisher
from station.bus.streams import period_ns
from station.clock import NS_PER_S, Clock, monotonic_ns
from station.errors import StationError
from station.files.lock import Lock
from station.files.logs import log_to_file, log_to_stderr
from station.rig.rig import Rig, load_rig
from station.runtime import realtime
from station.runtime.launch import refuse_foreign
from station.runtime.parent import end_with_parent
from station.terminal.shown import shown

HEALTH_PERIOD_NS = period_ns("health")
YOUNG, YOUNG_PERIOD_NS = 10, NS_PER_S // 10
"""A node's first words come faster: those who heard its last life are still connecting."""
SWITCH_S = 0.0005
"""Python lets a busy thread keep the interpreter for 5 ms by default: a whole cycle of a 200 Hz arm."""


class Node:
    """One process on the bus."""

    def __init__(self, rig: Rig, name: str, clock: Clock = monotonic_ns) -> None:
        self.rig, self.name, self.clock = rig, name, clock
        self.start_id = secrets.randbits(48)
        self.stopping = threading.Event()
        """Somebody wants this process to end (signal, or the supervisor died)."""
        self.finish = threading.Event()
        """The loop's end: set when it is this node's turn to stop. Loops run `while not node.finish.is_set()`."""
        self.orphaned = False
        self.error = ""
        self.notes: tuple[str, ...] = ()
        self._lock = Lock(rig.name, name)
        self.publisher = Publisher(rig.name, name, self.start_id, clock)
        self._health_due_ns = self._healths = 0
        self.log = logging.getLogger(name)

    def health_due(self, now_ns: int) -> bool:
        """True about twice a second, at first ten times; the loop then publishes its Health. The thread's connections are looked
        after by the way.
        """
        if now_ns < self._health_due_ns:
            return False
        self._healths += 1
        door.mend()
        self._health_due_ns = now_ns + (YOUNG_PERIOD_NS if self._healths <= YOUNG else HEALTH_PERIOD_NS)
        return True

    def publish_health(self, health: Health) -> None:
        """Publish now."""
        self.publisher.publish("health", msgspec.structs.replace(health, realtime=realtime.has()))

    def close(self) -> None:
        """Unbind and let go of the lock."""
        self.publisher.close()
        self._lock.release()


def die_with_parent(node: Node, parent: int) -> None:
    """Ask the kernel for SIGTERM when the supervisor dies, however it dies."""
    end_with_parent()
    if os.getppid() != parent:
        node.orphaned = True
        node.stopping.set()


def is_ending(parent: int) -> bool:
    """Is a parent that may be told by the kernel to have died really dead, or about to be?

    The signal comes when its main thread ends; while its other threads do, it is still everybody's parent, as a zombie.
    """
    if os.getppid() != parent:
        return True
    try:
        state = Path(f"/proc/{parent}/stat").read_text().rpartition(")")[2].split()[0]  # proc(5)
    except FileNotFoundError:
        return True
    return state in "ZX"


def run(
    main: Callable[[Node], None],
    stop_delay_s: float = 0.0,
    prepare: Callable[[Rig, str], None] = lambda _rig, _node: None,
) -> None:
    """A node process's whole life: arguments, lock, signals, `main`, exit code.

    `stop_delay_s`: how long an orphan waits before it stops, so that a killed supervisor's nodes go down in order:
    those that record first, then the pilot, then the arms (held), then the world.
    `prepare`: what takes the processor for long before `main` can begin, done before the priority is taken.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--rig", required=True, type=Path)
    parser.add_argument("--node", required=True)
    parser.add_argument("--realtime", type=int, default=0)
    parser.add_argument("--keys", type=int)
    arguments = parser.parse_args()
    setproctitle.setproctitle(f"station:{arguments.node}")
    log_to_stderr()
    parent = os.getppid()
    try:
        refuse_foreign()
        keys.hold(keys.received(arguments.keys, arguments.node))
        rig = load_rig(arguments.rig)
        prepare(rig, arguments.node)
        realtime.take_priority(arguments.realtime)  # before there are sockets: their threads must be in time too
        node = Node(rig, arguments.node)
        log_to_file(rig.name, node.name)
        node.log.info("begins: process %d, life %x", os.getpid(), node.start_id)
    except StationError as error:
        sys.exit(shown(f"{arguments.node}: {error}"))

    def stop(_signal: int, _frame: object) -> None:
        node.orphaned = is_ending(parent)
        node.stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the command's business; nodes stop when they are told
    die_with_parent(node, parent)
    sys.setswitchinterval(SWITCH_S)
    gc.collect()
    gc.freeze()
    worker = _Worker(node, main)
    worker.start()
    while not node.stopping.wait(0.5) and worker.is_alive():
        pass
    if node.orphaned:
        time.sleep(stop_delay_s)
    node.finish.set()
    worker.join()
    node.log.info("ends%s", f": {worker.failed}" if worker.failed else "")
    node.close()
    if worker.failed:
        sys.exit(shown(f"{arguments.node}: {worker.failed}"))


class _Worker(threading.Thread):
    """`main` runs here, so that the main thread is always free for signals."""

    def __init__(self, node: Node, main: Callable[[Node], None]) -> None:
        super().__init__(name=node.name)
        self.node, self.main, self.failed = node, main, ""

    def run(self) -> None:
        try:
            self.main(self.node)
        except StationError as error:
            self.failed = str(error)
        except BaseException:
            self.node.log.exception("the node fell over")
            self.failed = "the node fell over; its log has the trace"
