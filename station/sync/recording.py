"""One recording as the synchronizer sees it: from the first tick's pre-roll to the last row's flush.

The journal is written by a thread that no tick waits for; this object only hands it batches and reads its counters.
"""

from collections.abc import Iterable
from pathlib import Path

from station.bus.messages import Row, Tick
from station.bus.requests import BeginRecording
from station.bus.wire import Sample
from station.episodes.journal import JournalHeader
from station.episodes.journal_thread import JournalThread


class Recording:
    """Rows of one episode on their way into its journal."""

    def __init__(self, request: BeginRecording, header: JournalHeader, pre_roll: Iterable[Sample]) -> None:
        self.path = request.path
        self.wanted = request.ticks
        self.keep_hold = request.keep_hold
        self.rows = 0
        self.late = 0
        self.ended = ""
        self._thread = JournalThread(Path(request.path), header)
        self._thread.start()
        for sample in pre_roll:
            self._thread.put(sample)

    @property
    def opened(self) -> bool:
        """Is the journal on disk, so that rows may begin?"""
        return self._thread.opened

    @property
    def error(self) -> str:
        """Why the journal can't go on ("" if it can): disk full, folder gone."""
        return self._thread.error

    @property
    def acknowledged(self) -> int:
        """Rows flushed: they survive kill -9."""
        return self._thread.flushed_rows

    @property
    def closed(self) -> bool:
        """Is the journal closed and on the disk?"""
        return self._thread.closed

    def put(self, sample: Sample) -> None:
        """A sample at its native rate."""
        self._thread.put(sample)

    def add(self, tick: Sample, row: Sample) -> None:
        """Close one row: its tick, then the row, then a flush."""
        assert isinstance(tick.body, Tick)
        assert isinstance(row.body, Row)
        self._thread.put(tick)
        self._thread.put(row)
        self.rows += 1
        self.late += row.body.late
        self._thread.flush(self.rows)

    @property
    def complete(self) -> bool:
        """Are all the rows that were wanted there?"""
        return self.wanted is not None and self.rows >= self.wanted

    def end(self, why: str) -> None:
        """No more rows; the thread writes what it has, syncs and closes."""
        self.ended = why
        self._thread.close(why)
