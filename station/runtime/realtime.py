"""Real-time priorities (docs/decisions/0012): taking, lending and keeping SCHED_FIFO.

All of it is refused silently where the user may not (no root, no RLIMIT_RTPRIO, which udev/station@.service grants).
"""

import contextlib
import gc
import os
from collections.abc import Iterator


def take_priority(priority: int) -> None:
    """The calling thread takes the priority of the process table, now that everything is imported: a process that starts must
    not displace those that run, and the kernel gives the real-time scheduler no more than 95 % of a second.
    """
    if priority:
        with contextlib.suppress(PermissionError):
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(priority))
            os.setpriority(os.PRIO_PROCESS, 0, 0)  # what the supervisor gave it to start with


def has() -> int:
    """The calling thread's real-time priority; 0 under the ordinary scheduler."""
    return os.sched_getparam(0).sched_priority if _policy(0) == os.SCHED_FIFO else 0


def start_ordinary() -> None:
    """The calling thread keeps the priority of the process table; threads and processes it starts from here on do not get it."""
    if _policy(0) == os.SCHED_FIFO:
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_getparam(0))


def single_threaded_numpy() -> None:
    """NumPy makes no pool of threads where it is imported from here on, by this process or those it starts: nobody there multiplies
    large matrices, and every thread of the pool spins for 0.1 s when it starts. Who sets it otherwise means it.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


@contextlib.contextmanager
def at_priority(priority: int) -> Iterator[None]:
    """For a command that asks for something every tick: it must not wait for a browser, nor for Python's garbage.

    Every thread that the process has by now (the bus's own are among them) has `priority` for as long, and then its own again.
    """
    before = dict(_priorities())
    gc.collect()
    gc.freeze()
    try:
        for thread in before:
            _set(thread, os.SCHED_FIFO, os.sched_param(priority))
        yield
    finally:
        gc.unfreeze()
        for thread, (policy, parameter) in before.items():
            _set(thread, policy, parameter)


@contextlib.contextmanager
def keeping_priority() -> Iterator[None]:
    """A library that is called within takes no real-time priority for itself: SVT-AV1 gives its threads and its caller's the highest
    there is, 99, where it may (root), and an export would stand before the arms.
    """
    before, own = dict(_priorities()), (os.sched_getscheduler(0), os.sched_getparam(0))
    try:
        yield
    finally:
        for thread, now in _priorities():
            meant = before.get(thread, own)
            if now[0] != meant[0] or now[1].sched_priority != meant[1].sched_priority:
                _set(thread, *meant)


def _policy(thread: int) -> int:
    return os.sched_getscheduler(thread) & ~os.SCHED_RESET_ON_FORK


def _priorities() -> Iterator[tuple[int, tuple[int, os.sched_param]]]:
    for thread in map(int, os.listdir("/proc/self/task")):
        with contextlib.suppress(ProcessLookupError):  # it has ended meanwhile
            yield thread, (os.sched_getscheduler(thread), os.sched_getparam(thread))


def _set(thread: int, policy: int, parameter: os.sched_param) -> None:
    with contextlib.suppress(PermissionError, ProcessLookupError):
        os.sched_setscheduler(thread, policy, parameter)
