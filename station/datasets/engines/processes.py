"""The engine that is always there: processes of this computer, or none but this one."""

import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from typing import Any

_PARTS_A_PROCESS = 200
"""Then it is replaced: what a codec leaks does not add up."""


class InThisProcess(Executor):
    """Each part at once, here: for debugging, and to compare bytes with."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        """Do it."""
        done: Future[Any] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except Exception as error:  # a future holds whatever was raised
            done.set_exception(error)
        return done


def processes(workers: int) -> Callable[[], Executor]:
    """So many processes, each beginning anew: nothing of an open file or a codec is inherited."""
    if workers == 0:
        return InThisProcess
    context = multiprocessing.get_context("spawn")
    return lambda: ProcessPoolExecutor(
        workers, mp_context=context, max_tasks_per_child=_PARTS_A_PROCESS, initializer=_low_priority
    )


def usual_workers() -> int:
    """One for each processor that this process may use."""
    return len(os.sched_getaffinity(0))


def _low_priority() -> None:
    """A rig that records on this computer goes first."""
    os.nice(10)
