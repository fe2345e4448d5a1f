"""Who goes first: what a command borrows while it asks every tick, and gives back."""

import gc
import os
import threading

from station.realtime import in_time

PRIORITY = 10


def priorities() -> dict[int, tuple[int, int]]:
    threads = map(int, os.listdir("/proc/self/task"))
    return {thread: (os.sched_getscheduler(thread), os.sched_getparam(thread).sched_priority) for thread in threads}


def may_hurry() -> bool:
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(PRIORITY))
    except PermissionError:
        return False
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    return True


def test_every_thread_is_in_time_for_as_long_and_no_longer() -> None:
    wanted = (os.SCHED_FIFO, PRIORITY) if may_hurry() else (os.SCHED_OTHER, 0)
    finish = threading.Event()
    other = threading.Thread(target=finish.wait)
    other.start()
    try:
        before = priorities()
        assert other.native_id in before
        with in_time(PRIORITY):
            assert priorities() == dict.fromkeys(before, wanted)
            assert gc.get_freeze_count() > 0
        assert priorities() == before
        assert gc.get_freeze_count() == 0
    finally:
        finish.set()
        other.join()


def test_a_thread_that_ends_meanwhile_is_in_nobodys_way() -> None:
    finish = threading.Event()
    other = threading.Thread(target=finish.wait)
    other.start()
    with in_time(PRIORITY):
        finish.set()
        other.join()
    assert other.native_id not in priorities()
