"""A long measurement of stalls, episode after episode: each thing found is a line of a file, and the same command goes on from it."""

import os
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec

from station.bench.measure import Listener
from station.bench.stalls import EpisodeSeen, StallSeen
from station.bus.requests import OpenSession
from station.client import Station
from station.clock import NS_PER_S, monotonic_ns
from station.errors import StationError, UsageError

KEPT_NOWHERE = "a measurement: what is recorded is thrown away"
"""Why it goes on although the check failed."""
STEP_S = 5.0
"""How often what was found is written down."""


class Progress(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="progress"):
    """So much has been measured by now."""

    at_s: float


class Trouble(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="trouble"):
    """Recording could not go on, and was begun anew."""

    at_s: float
    why: str


Record = Callable[[OpenSession, int, float, Callable[[], None]], object]
"""Records so many episodes of so many seconds; calls the last argument often meanwhile."""
Line = StallSeen | EpisodeSeen | Progress | Trouble


def read_lines(path: Path) -> list[Line]:
    """What was found so far; [] where there is no file yet. Raises UsageError for a file of something else."""
    if not path.exists():
        return []
    try:
        # the last line may be half one: whoever wrote it was killed
        return [msgspec.json.decode(line, type=Line) for line in path.read_bytes().split(b"\n")[:-1]]
    except msgspec.MsgspecError as error:
        raise UsageError(f"{path} is no list of stalls: {error}. Next: name a new file") from error


def measured_s(lines: list[Line]) -> float:
    """How much has been measured."""
    return max((line.at_s for line in lines if isinstance(line, Progress)), default=0.0)


class _Journal:
    """Lines, appended and on the disk at once. A half line at the end is cut off first."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            whole = path.read_bytes()
            with path.open("r+b") as file:
                file.truncate(whole.rfind(b"\n") + 1)
        self._file = path.open("ab")

    def add(self, line: Line) -> None:
        self._file.write(msgspec.json.encode(line) + b"\n")
        self._file.flush()
        os.fdatasync(self._file.fileno())

    def close(self) -> None:
        self._file.close()


def watch_stalls(station: Station, seconds: float, episode_s: float, path: Path, record: Record | None) -> list[Line]:
    """Listen to a running rig until `seconds` are measured in all, what stands in `path` included; returns all of it.

    With `record` episodes of `episode_s` are recorded meanwhile, one after another, and thrown away.
    """
    before_s = measured_s(read_lines(path))
    journal = _Journal(path)
    begin_ns = monotonic_ns() - round(before_s * NS_PER_S)
    until_ns = begin_ns + round(seconds * NS_PER_S)
    listener = Listener(station, monotonic_ns, begin_ns, figures=False)
    data = station.rig.data
    data.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=data, prefix=".bench-", ignore_cleanup_errors=True) as folder:
        recorder = _Recorder(record, Path(folder), episode_s, begin_ns, until_ns)
        recorder.start()
        try:
            while monotonic_ns() < until_ns or recorder.is_alive():
                listener.listen(monotonic_ns() + round(STEP_S * NS_PER_S))
                found: list[Line] = [*listener.stalls, *listener.episodes, *recorder.take()]
                for line in found:
                    journal.add(line)
                listener.stalls.clear()
                listener.episodes.clear()
                journal.add(Progress((monotonic_ns() - begin_ns) / NS_PER_S))
        finally:
            recorder.enough.set()
            listener.close()
            journal.close()
    return read_lines(path)


class _Recorder(threading.Thread):
    """Records one episode after another until the time is over; begins anew where that breaks off."""

    def __init__(self, record: Record | None, folder: Path, episode_s: float, begin_ns: int, until_ns: int) -> None:
        super().__init__(name="bench-recorder", daemon=True)
        self._record, self._folder, self._episode_s = record, folder, episode_s
        self._begin_ns, self._until_ns = begin_ns, until_ns
        self._troubles: list[Trouble] = []
        self.enough = threading.Event()

    def run(self) -> None:
        while (
            self._record is not None
            and (left_s := (self._until_ns - monotonic_ns()) / NS_PER_S) > 1.0
            and not self.enough.is_set()
        ):
            seconds = min(self._episode_s, left_s)
            # a new sitting every ten: the folder's numbers begin anew, and nothing piles up
            count = min(10, max(1, int(left_s // seconds)))
            try:
                self._record(
                    OpenSession("bench", str(self._folder), "bench", override=KEPT_NOWHERE),
                    count,
                    seconds,
                    self._discard,
                )
            except StationError as error:
                self._troubles.append(Trouble((monotonic_ns() - self._begin_ns) / NS_PER_S, str(error)))
                self.enough.wait(1.0)

    def take(self) -> list[Trouble]:
        """What went wrong since this was last asked."""
        taken, self._troubles = self._troubles, []
        return taken

    def _discard(self) -> None:
        """An hour of episodes would fill the disk: what is whole has served its purpose."""
        for path in self._folder.glob("*/episode_*.hdf5"):
            path.unlink(missing_ok=True)
