"""The engine that is always there: processes of this computer, or none but this one."""

import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from importlib import import_module
from typing import Any, Self

from station.runtime.parent import end_with_parent

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


class Processes:
    """So many processes, or none but this one; a context manager. They stay from one round of work to the next, for each takes a second to
    begin: anew, so that nothing of an open file or a codec is inherited.
    """

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._pool: ProcessPoolExecutor | None = None
        self._modules: Sequence[str] = ()

    def begin(self, modules: Sequence[str]) -> None:
        """Begin them now, while whoever will give them work still imports and looks: each imports these modules before all else."""
        self._modules = modules
        for _ in range(self.workers):  # the pool begins a process for each thing to do that no idle one can take
            self.pool().submit(os.getpid)

    def executor(self) -> Executor:
        """For one round of work."""
        return _Round(self) if self.workers else InThisProcess()

    def pool(self) -> ProcessPoolExecutor:
        """The processes, begun where there are none."""
        if self._pool is None:
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(
                self.workers, context, _begin, (os.getpid(), self._modules), max_tasks_per_child=_PARTS_A_PROCESS
            )
        return self._pool

    def close(self) -> None:
        """End them; what has not begun is not done. Others begin where they are asked for again."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Round(Executor):
    """The processes for a while. Whatever breaks a round off, a worker's death above all, ends them."""

    def __init__(self, owner: Processes) -> None:
        self._owner = owner

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        """Have it done by one of them."""
        return self._owner.pool().submit(fn, *args, **kwargs)

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if kind is not None:
            self._owner.close()


def usual_workers() -> int:
    """One for each processor that this process may use."""
    return len(os.sched_getaffinity(0))


def _begin(parent: int, modules: Sequence[str]) -> None:
    """A rig that records on this computer goes first; and nobody waits for work that no one will give any more."""
    os.nice(10)
    end_with_parent()
    if os.getppid() != parent:
        os._exit(1)
    for module in modules:
        import_module(module)
