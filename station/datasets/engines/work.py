"""Hands parts to an executor and takes what comes back, whoever dies meanwhile."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from typing import Generic, NamedTuple, TypeVar

from station.errors import StationError

Item = TypeVar("Item")
Result = TypeVar("Result")
_AHEAD = 4
"""Items that wait for a worker: enough that none waits for us, and few that a worker's death makes suspect."""
_CHANCES = 2


class WorkerDied(StationError):
    """A worker process died of one part, twice.

    Seen when: it was killed (out of memory), or a library crashed on an episode.
    Do: look at the kernel's log; take the episode out with `exclude`, or give the export fewer workers.
    """


class EngineGone(StationError):
    """Nobody is there any more who could make anything.

    Seen when: a cluster's scheduler was ended.
    Do: what the message says; what was finished is not made again.
    """


class Outcome(NamedTuple, Generic[Item, Result]):
    """Of one item: a result, or why there is none."""

    item: Item
    result: Result | None
    error: StationError | None


def work(
    executors: Callable[[], Executor], workers: int, make: Callable[[Item], Result], items: Sequence[Item]
) -> Iterator[Outcome[Item, Result]]:
    """`make` of every item, as they are done. Errors of the station are outcomes, but for EngineGone; others are raised.

    A worker's death takes its whole executor along: what was under way then is made again, each alone, so that who kills is known;
    the rest goes on in another executor.
    """
    left = dict(enumerate(items))
    while left:
        running: dict[Future[Result], int] = {}
        try:
            yield from _many(executors, workers, make, left, running)
        except BrokenExecutor:
            for place in sorted(running.values()):
                yield _alone(executors, make, left.pop(place))


def _many(
    executors: Callable[[], Executor],
    workers: int,
    make: Callable[[Item], Result],
    left: dict[int, Item],
    running: dict["Future[Result]", int],
) -> Iterator[Outcome[Item, Result]]:
    waiting = iter(list(left.items()))
    with executors() as executor:
        while True:
            while len(running) < workers + _AHEAD and (following := next(waiting, None)) is not None:
                running[executor.submit(make, following[1])] = following[0]
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                outcome = _outcome(future, left[running[future]])
                del left[running.pop(future)]
                yield outcome


def _alone(executors: Callable[[], Executor], make: Callable[[Item], Result], item: Item) -> Outcome[Item, Result]:
    for _ in range(_CHANCES):
        try:
            with executors() as executor:
                return _outcome(executor.submit(make, item), item)
        except BrokenExecutor:
            continue
    return Outcome(item, None, WorkerDied(f"the process that worked on {item} died. Next: look at the kernel's log"))


def _outcome(future: "Future[Result]", item: Item) -> Outcome[Item, Result]:
    try:
        return Outcome(item, future.result(), None)
    except EngineGone:
        raise
    except StationError as error:
        return Outcome(item, None, error)
