"""The HDF5 that grows while its journal is written: the same file, whatever happens on the way."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import h5py
import msgspec
import numpy as np
import pytest

from station.bus.wire import Sample
from station.episodes import naming
from station.episodes.finalise import finalise
from station.episodes.incremental_builder import LOOK_S, ROWS_A_SYNC, SLOW_NS, IncrementalBuilder, Unwanted
from station.episodes.journal import JournalWriter
from station.episodes.order import Order
from station.episodes.verify import verify
from station.errors import EpisodeError, NothingRecorded
from tests.station.episodes.recording import Recording, header, jpeg, write

PICTURES = [jpeg(), jpeg((200, 30, 30), quality=30), b"\xff\xd8\xff" + bytes(range(256)) * 60]


class Recorder:
    """Writes a batch of a recording each time somebody waits for more, then closes the journal and orders."""

    def __init__(self, part: Path, rows: int, last: Callable[[], Path] | None = None) -> None:
        self._writer = JournalWriter(part, header())
        self._batches: Iterator[list[Sample]] = iter(Recording(rows, PICTURES).batches())
        self._rows, self._last = rows, last or (lambda: part)
        self.waited_s: list[float] = []

    def listen(self, seconds: float) -> Order | None:
        self.waited_s.append(seconds)
        for sample in next(self._batches, ()):
            self._writer.append(sample)
        self._writer.flush()
        if self._rows < len(self.waited_s):
            self._writer.close(self._rows)
            return Order(str(self._last()), "")
        return None


def standing_still() -> int:
    return 0


def same(one: Path, other: Path) -> None:
    """Every dataset and attribute is equal."""
    with h5py.File(one) as left, h5py.File(other) as right:
        names: list[str] = []
        left.visit(names.append)
        found: list[str] = []
        right.visit(found.append)
        assert names == found
        for name in ["/", *names]:
            assert {k: str(v) for k, v in left[name].attrs.items()} == {k: str(v) for k, v in right[name].attrs.items()}
            if isinstance(left[name], h5py.Dataset):
                np.testing.assert_array_equal(left[name][()], right[name][()])


def test_what_grew_along_is_what_is_built_afterwards(tmp_path: Path) -> None:
    (tmp_path / "after").mkdir()
    part, later = naming.journal_path(tmp_path, 0), naming.journal_path(tmp_path / "after", 0)
    episode = IncrementalBuilder(Recorder(part, 120).listen, standing_still).build(part)
    assert episode == tmp_path / "episode_0.hdf5"
    assert verify(episode) == []
    write(later, Recording(120, PICTURES))
    same(episode, finalise(later))
    assert sorted(entry.name for entry in tmp_path.glob("*e*_0*")) == ["episode_0.hdf5"]


def test_a_discarded_one_gets_its_name(tmp_path: Path) -> None:
    part = naming.journal_path(tmp_path, 0)
    episode = IncrementalBuilder(Recorder(part, 5, lambda: naming.discard(part)).listen, standing_still).build(part)
    assert episode == tmp_path / "episode_0.hdf5.deleted"
    assert verify(episode) == []


def test_nothing_recorded_is_said(tmp_path: Path) -> None:
    part = naming.journal_path(tmp_path, 0)
    with pytest.raises(NothingRecorded):
        IncrementalBuilder(Recorder(part, 0).listen, standing_still).build(part)
    assert not part.exists()


@pytest.mark.parametrize(("takes_ns", "waits_s"), [(SLOW_NS - 1, []), (SLOW_NS, [0.15, 0.15])])
def test_a_slow_disk_is_left_to_the_journal_for_three_parts_of_four(
    tmp_path: Path, takes_ns: int, waits_s: list[float]
) -> None:
    part = naming.journal_path(tmp_path, 0)
    now_ns = 0

    def clock() -> int:
        nonlocal now_ns
        now_ns += takes_ns
        return now_ns

    recorder = Recorder(part, 2 * ROWS_A_SYNC + 5)
    IncrementalBuilder(recorder.listen, clock).build(part)
    assert [seconds for seconds in recorder.waited_s if seconds != LOOK_S] == pytest.approx(waits_s)


def test_whoever_began_anew_meanwhile_is_not_disturbed(tmp_path: Path) -> None:
    """A recovery that found the journal free before the order came has built and named it; or is about to."""
    part = naming.journal_path(tmp_path, 0)
    recorder = Recorder(part, 60)

    def listen(seconds: float) -> Order | None:
        order = recorder.listen(seconds)
        if order is not None:
            naming.temporary_path(tmp_path, 0).unlink()
            naming.temporary_path(tmp_path, 0).write_bytes(b"somebody else's")
        return order

    episode = IncrementalBuilder(listen, standing_still).build(part)
    assert verify(episode) == []

    part = naming.journal_path(tmp_path, 1)
    recorder = Recorder(part, 60, lambda: (finalise(part), part)[1])
    assert IncrementalBuilder(recorder.listen, standing_still).build(part) == tmp_path / "episode_1.hdf5"


def test_unwanted_leaves_the_journal_alone(tmp_path: Path) -> None:
    part = naming.journal_path(tmp_path, 0)
    recorder = Recorder(part, 60)

    def listen(seconds: float) -> Order | None:
        if len(recorder.waited_s) == 40:
            raise Unwanted
        return recorder.listen(seconds)

    with pytest.raises(Unwanted):
        IncrementalBuilder(listen, standing_still).build(part)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == [".highest_episode", "episode_0.mcap.part"]


def test_a_folder_that_is_gone_at_once_is_said(tmp_path: Path) -> None:
    part = naming.journal_path(tmp_path / "gone", 0)
    with pytest.raises(EpisodeError, match="bring the disk back"):
        IncrementalBuilder(lambda _: Order(str(part), ""), standing_still).build(part)


def process(part: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "station.episodes.incremental_builder", str(part)]
    return subprocess.Popen(command, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


@pytest.mark.slow
def test_the_process_takes_an_order_and_prints_the_path(tmp_path: Path) -> None:
    part = naming.journal_path(tmp_path, 0)
    writer = write(part, Recording(30, PICTURES), close=False)
    with process(part) as builder:
        writer.close(30)
        out, error = builder.communicate(msgspec.json.encode(Order(str(part), "")).decode() + "\n", timeout=60)
    assert (builder.returncode, out.strip(), error) == (0, str(tmp_path / "episode_0.hdf5"), "")
    assert verify(tmp_path / "episode_0.hdf5") == []


@pytest.mark.slow
def test_the_process_ends_with_its_session_and_may_be_killed(tmp_path: Path) -> None:
    part = naming.journal_path(tmp_path, 0)
    writer = write(part, Recording(30, PICTURES), close=False)
    temporary = naming.temporary_path(tmp_path, 0)
    with process(part) as builder:
        assert builder.communicate(timeout=60) == ("", "")
    assert builder.returncode == 0
    assert not temporary.exists()
    with process(part) as builder:
        assert builder.stdin is not None
        while not temporary.exists():
            assert builder.poll() is None
        os.kill(builder.pid, signal.SIGKILL)
    writer.close(30)
    assert temporary.exists()
    assert verify(finalise(part)) == []
    assert not temporary.exists()
