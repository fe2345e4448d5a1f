"""Whoever tests something gives back its threads, ports, pipes, sockets, child processes and real-time priority."""

import contextlib
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

_LEAKY = ("/dev/pts/", "/dev/ptmx", "/dev/tty", "/dev/video", "pipe:", "socket:")
"""Descriptors that a test must give back (library caches, event descriptors and captured output are none of ours)."""


@contextlib.contextmanager
def giving_back() -> Iterator[None]:
    """Nothing that is taken within is left after it, a moment later. Raises AssertionError with what is."""
    before = (set(threading.enumerate()), _descriptors(), _children(), _scheduler())
    yield
    deadline = time.monotonic() + 3.0
    while (left := _leaks(*before)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not left, f"left behind: {', '.join(left)}"


def _descriptors() -> dict[str, int]:
    counted: dict[str, int] = {}
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            target = os.readlink(f"/proc/self/fd/{name}")
            if target.startswith(_LEAKY):
                kind = target.partition(":")[0]
                counted[kind] = counted.get(kind, 0) + 1
    return counted


def _children() -> set[int]:
    """From each thread's own list: to look through every process of the computer took longer than most tests."""
    lists = Path("/proc/self/task").glob("*/children")
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # a thread that ends meanwhile
        return {int(pid) for each in lists for pid in each.read_text().split()}
    return _children()


def _scheduler() -> tuple[int, int]:
    """A real-time priority that a test keeps takes a processor from every test after it, and from all else."""
    return os.sched_getscheduler(0), os.sched_getparam(0).sched_priority


def _leaks(
    threads: set[threading.Thread], descriptors: dict[str, int], children: set[int], scheduler: tuple[int, int]
) -> list[str]:
    left = [f"thread {t.name}" for t in threading.enumerate() if t not in threads and t.is_alive()]
    left += [f"{n}× {kind}" for kind, n in _descriptors().items() if n > descriptors.get(kind, 0)]
    left += [f"child {_named(pid)}" for pid in _children() - children]
    left += [f"scheduler {now}, was {scheduler}" for now in [_scheduler()] if now != scheduler]
    return left


def _named(pid: int) -> str:
    try:
        return f"{pid} {psutil.Process(pid).name()}"
    except psutil.NoSuchProcess:
        return f"{pid}, which has ended"
