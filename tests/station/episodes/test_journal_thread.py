"""The journal's thread: bounded, never waited for, its errors surfaced."""

import os
import threading
from pathlib import Path

import pytest

from station.bus.messages import Header, Vector
from station.bus.wire import Sample
from station.clock import monotonic_ns
from station.episodes.journal import JournalWriter
from station.episodes.journal_reader import JournalReader
from station.episodes.journal_thread import JournalThread
from station.errors import DiskFull, EpisodeError
from tests.station.episodes.recording import Recording, header


def vector(sequence: int, size: int = 0) -> Sample:
    return Sample("vector", "force", Header(1, 1, sequence, 0, 0), Vector((1.0,)), (bytes(size),) if size else ())


def _put_until_refused(thread: JournalThread, taken: list[int]) -> None:
    for sequence in range(1, 1000):
        thread.put(vector(sequence, 1000))
        taken[0] = sequence


def test_rows_are_acknowledged_when_flushed_and_durable_when_closed(tmp_path: Path) -> None:
    path = tmp_path / "episode_0.mcap.part"
    thread = JournalThread(JournalWriter(path, header()), monotonic_ns)
    recording = Recording(50, [b"\xff\xd8\xff"])
    sent = []
    for rows, batch in enumerate(recording.batches()):
        for sample in batch:
            thread.put(sample)
        sent += batch
        thread.flush(rows)
    thread.close("asked")
    assert (thread.flushed_rows, thread.durable_rows) == (50, 50)
    with JournalReader(path) as reader:
        assert list(reader.samples()) == sent
        assert reader.end is not None
        assert (reader.end.rows, reader.end.why) == (50, "asked")


def test_it_syncs_by_its_clock(tmp_path: Path) -> None:
    path = tmp_path / "episode_0.mcap.part"
    now = [0]
    writer = JournalWriter(path, header())
    synced = threading.Event()
    real = writer.sync

    def sync() -> None:
        real()
        synced.set()

    writer.sync = sync  # type: ignore[method-assign]
    thread = JournalThread(writer, lambda: now[0])
    thread.put(vector(0))
    thread.flush(1)
    now[0] = 1_000_000_000
    thread.put(vector(1))
    thread.flush(2)
    assert synced.wait(20)
    thread.close()
    assert thread.durable_rows == 2


def test_a_full_queue_is_an_error_and_no_wait(tmp_path: Path) -> None:
    path = tmp_path / "episode_0.mcap.part"
    writer = JournalWriter(path, header())
    stuck, entered = threading.Event(), threading.Event()

    def flush() -> None:
        entered.set()
        assert stuck.wait(20)
        JournalWriter.flush(writer)

    writer.flush = flush  # type: ignore[method-assign]
    thread = JournalThread(writer, monotonic_ns, queue_bytes=100_000)
    thread.put(vector(0))
    thread.flush(1)
    assert entered.wait(20)
    with pytest.raises(EpisodeError, match="does not keep up"):
        _put_until_refused(thread, taken := [0])
    sequence = taken[0] + 1
    assert sequence < 100
    assert thread.error is not None
    with pytest.raises(EpisodeError, match="does not keep up"):
        thread.flush(2)
    stuck.set()
    with pytest.raises(EpisodeError, match="does not keep up"):
        thread.close("too slow")
    with JournalReader(path) as reader:  # what had been queued is there
        assert len(list(reader.samples())) == sequence
        assert reader.end is not None


def test_a_full_disk_reaches_the_caller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "episode_0.mcap.part"
    writer = JournalWriter(path, header())
    thread = JournalThread(writer, monotonic_ns)
    with open("/dev/full", "wb", buffering=0) as full:
        real = os.writev
        monkeypatch.setattr(os, "writev", lambda fd, parts: real(full.fileno(), parts))
        thread.put(vector(0))
        thread.flush(1)
        with pytest.raises(DiskFull):
            thread.close()
    assert thread.flushed_rows == 0
    with pytest.raises(DiskFull):
        thread.put(vector(1))
