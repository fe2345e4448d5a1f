"""A pool whose worker dies of one item, and what comes of each: `python -m tests.station.datasets.dying_worker`."""

import os
import signal

from station.datasets.engines.processes import Processes
from station.datasets.engines.work import work


def square_or_die(number: int) -> int:
    if number == 5:
        os.kill(os.getpid(), signal.SIGKILL)
    return number * number


if __name__ == "__main__":
    with Processes(2) as here:
        found = {one.item: one for one in work(here.executor, 2, square_or_die, range(8))}
    print(*(type(found[k].error).__name__ if found[k].error else found[k].result for k in range(8)))
