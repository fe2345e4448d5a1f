"""Builds an episode's HDF5 while it is being recorded, so that it is there a moment after the stop.

`python -m station.episodes.incremental_builder PART` is the low-priority process that the session starts beside a recording. Its
orders come on stdin: one line when the journal is closed (an `Order`) and it is to finish; the end of stdin means that
nobody wants the file any more, and the unfinished file is deleted. It may be killed at any point: the journal has everything.

It must never be in the journal's way: what it has written it hands to the disk itself, in small portions (large ones
made ticks late), and where the disk takes a quarter of their time or more it is left alone for three times as long.
"""

import argparse
import select
import sys
from collections.abc import Callable
from contextlib import closing, nullcontext
from pathlib import Path

import msgspec

from station.clock import NS_PER_S, Clock, monotonic_ns
from station.episodes.episode_writer import EpisodeWriter
from station.episodes.finalise import finalise
from station.episodes.order import Order
from station.errors import StationError

ROWS_A_SYNC = 10
"""A portion: a fifth of a second of recording."""
SLOW_NS = NS_PER_S // 20
"""A disk that takes so long for it is slow."""
_LEFT_ALONE = 3
"""Times as long as it took."""
LOOK_S = 0.5
"""How often a journal is looked at that has nothing new. An order is heard at once; small portions cost more altogether."""


class Unwanted(Exception):
    """Whoever wanted the episode is gone."""


class IncrementalBuilder:
    """Follows one journal until its order comes. `listen(seconds)` waits for an order that long."""

    def __init__(self, listen: Callable[[float], Order | None], clock: Clock) -> None:
        self._listen, self._clock = listen, clock
        self.order: Order | None = None

    def more(self) -> bool:
        """The journal has nothing new: wait; after the order it is looked at once more."""
        if self.order is not None:
            return False
        self._wait(LOOK_S)
        return True

    def build(self, part: Path) -> Path:
        """Write the episode while `part` is recorded, finish it when ordered, and return the episode's path.

        Raises what finalising raises, and Unwanted.
        """
        try:
            opened = EpisodeWriter(part, self.more)
        except OSError:  # its folder went away at once: finalising says so
            opened = None
        with closing(opened) if opened is not None else nullcontext() as writer:
            if writer is not None:
                self._grow(writer)
            while self.order is None:
                self._wait(LOOK_S)
            order = self.order
            return finalise(
                Path(order.part), ended=order.ended, wait=True, writer=writer, acknowledged=order.acknowledged
            )

    def _grow(self, writer: EpisodeWriter) -> None:
        for rows in writer.grow():
            if rows % ROWS_A_SYNC == 0 and self.order is None:
                self._hand_over(writer)

    def _hand_over(self, writer: EpisodeWriter) -> None:
        began_ns = self._clock()
        writer.sync()
        took_ns = self._clock() - began_ns
        if took_ns >= SLOW_NS:
            self._wait(_LEFT_ALONE * took_ns / NS_PER_S)

    def _wait(self, seconds: float) -> None:
        self.order = self.order or self._listen(seconds)


def from_stdin(seconds: float) -> Order | None:
    """The order, if it comes within `seconds`. Raises Unwanted at the end of stdin."""
    if not select.select([sys.stdin], [], [], seconds)[0]:
        return None
    line = sys.stdin.readline()
    if not line:
        raise Unwanted
    return msgspec.json.decode(line, type=Order)


def main() -> None:
    """The process: prints the episode's path; exit 1 with the reason when it could not be saved."""
    parser = argparse.ArgumentParser(description="Build an episode's HDF5 while it is recorded.")
    parser.add_argument("part", type=Path)
    arguments = parser.parse_args()
    try:
        sys.stdout.write(f"{IncrementalBuilder(from_stdin, monotonic_ns).build(arguments.part)}\n")
    except StationError as error:
        sys.exit(str(error))
    except Unwanted:
        return


if __name__ == "__main__":
    main()
