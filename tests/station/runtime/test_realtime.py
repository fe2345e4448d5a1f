"""Who goes first: what a command borrows while it asks every tick, and gives back."""

import gc
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from station.rig.rig import find_rig, load_rig
from station.runtime.processes import processes
from station.runtime.realtime import at_priority, has, keeping_priority, start_ordinary
from station.runtime.supervisor import STARTING_NICE

PRIORITY = 10
PREPARED = """
import os, sys
from pathlib import Path
from station.rig.rig import load_rig
from station.devices.serving import prepare
prepare(load_rig(Path(sys.argv[1])), sys.argv[2])
print(os.environ["OPENBLAS_NUM_THREADS"], len(os.listdir("/proc/self/task")), "numpy" in sys.modules)
"""


def priorities() -> dict[int, tuple[int, int]]:
    threads = map(int, os.listdir("/proc/self/task"))
    return {thread: (os.sched_getscheduler(thread), os.sched_getparam(thread).sched_priority) for thread in threads}


def may_take_priority() -> bool:
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(PRIORITY))
    except PermissionError:
        return False
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    return True


@pytest.mark.slow
def test_every_thread_is_in_time_for_as_long_and_no_longer() -> None:
    wanted = (os.SCHED_FIFO, PRIORITY) if may_take_priority() else (os.SCHED_OTHER, 0)
    finish = threading.Event()
    other = threading.Thread(target=finish.wait)
    other.start()
    try:
        before = priorities()
        assert other.native_id in before
        with at_priority(PRIORITY):
            assert priorities() == dict.fromkeys(before, wanted)
            assert gc.get_freeze_count() > 0
        assert priorities() == before
        assert gc.get_freeze_count() == 0
    finally:
        finish.set()
        other.join()


@pytest.mark.slow
def test_a_thread_that_ends_meanwhile_is_in_nobodys_way() -> None:
    finish = threading.Event()
    other = threading.Thread(target=finish.wait)
    other.start()
    with at_priority(PRIORITY):
        finish.set()
        other.join()
    assert other.native_id not in priorities()


@pytest.fixture
def prepared(monkeypatch: pytest.MonkeyPatch) -> Callable[[str | None], list[str]]:
    """What a camera's process is like before it takes its priority: the pool it asks for, its threads, has it NumPy."""

    def run(asked: str | None) -> list[str]:
        monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
        if asked is not None:
            monkeypatch.setenv("OPENBLAS_NUM_THREADS", asked)
        command = [sys.executable, "-c", PREPARED, str(find_rig("bench")), "cam_high"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()

    return run


@pytest.mark.slow
def test_a_camera_starts_no_pool_of_numpys(prepared: Callable[[str | None], list[str]]) -> None:
    assert prepared(None) == ["1", "1", "True"]


@pytest.mark.slow
def test_who_wants_a_pool_has_it(prepared: Callable[[str | None], list[str]]) -> None:
    assert prepared("2")[0] == "2"


def test_a_thread_says_the_priority_it_has() -> None:
    found: list[int] = []

    def ask() -> None:
        found.append(has())
        if may_take_priority():
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(PRIORITY))
            found.append(has())
            start_ordinary()  # what it starts is ordinary; it keeps its own
            found.append(has())

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    assert found in ([0], [0, PRIORITY, PRIORITY])


def test_the_unit_grants_what_the_process_table_and_the_supervisor_ask_for() -> None:
    unit = Path(__file__).parents[3] / "udev" / "station@.service"
    limits = dict(line.split("=", 1) for line in unit.read_text().splitlines() if line.startswith("Limit"))
    highest = max(row.realtime for name in ("aloha", "sim") for row in processes(load_rig(find_rig(name))))
    assert int(limits["LimitRTPRIO"]) >= highest
    assert int(limits["LimitNICE"]) <= STARTING_NICE


def test_what_a_library_takes_for_itself_and_its_threads_it_does_not_keep() -> None:
    may = may_take_priority()
    finish, before = threading.Event(), priorities()
    with keeping_priority():
        if may:
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(PRIORITY))
        other = threading.Thread(target=finish.wait)
        other.start()  # inherits it
    try:
        now = priorities()
        assert {thread: now[thread] for thread in before if thread in now} == before
        assert now[other.native_id or 0] == (os.SCHED_OTHER, 0)
    finally:
        finish.set()
        other.join()
