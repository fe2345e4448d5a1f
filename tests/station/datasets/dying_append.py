"""An export that adds to a dataset and is killed while the name changes hands.

python -m tests.station.datasets.dying_append OUT DATA WHERE      WHERE: exchanged, or between (two renames, as on a file system that
exchanges nothing)
"""

import os
import signal
import sys
from pathlib import Path
from typing import Any

import station.datasets.earlier
from station.datasets.selection import Selection
from tests.station.datasets.exported import export_to


def main(out: str, data: str, where: str) -> None:
    earlier: Any = station.datasets.earlier
    put, done = earlier.put_in_place, earlier.durable.sync
    if where == "between":
        earlier.exchange = lambda *_: False

    def sync(path: Path) -> None:
        """The first thing that is done when a rename is."""
        done(path)
        if path in (Path(out).parent, Path(out).with_name(f".{Path(out).name}.building")):
            os.kill(os.getpid(), signal.SIGKILL)

    def killed(*given: Path) -> None:
        earlier.durable.sync = sync
        put(*given)

    earlier.put_in_place = killed
    export_to(Path(out), Path(data), "plain", Selection(folders=(data,)))


if __name__ == "__main__":
    main(*sys.argv[1:])
