"""One recording as the synchronizer sees it: from the pre-roll of its first tick to the last row's flush.

No tick waits for the disk: the journal is opened, written and closed on other threads, and this object only hands over
samples and reads counters.
"""

from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from station.bus.messages import Row
from station.bus.requests import BeginRecording
from station.bus.wire import Sample
from station.clock import Clock
from station.episodes.journal import JournalHeader, JournalWriter
from station.episodes.journal_thread import JournalThread
from station.errors import StationError


class Recording:
    """Rows of one episode on their way into its journal."""

    def __init__(self, request: BeginRecording, header: JournalHeader, clock: Clock) -> None:
        self.path = request.path
        self.streams = frozenset(stream.name for stream in header.streams)
        """Frozen: what appears later is told, not recorded."""
        self._sources = frozenset((stream.kind, stream.node) for stream in header.streams)
        self.unrecorded: dict[str, None] = {}
        """Streams that appeared later, in that order."""
        self.keep_hold = False
        """Keep rows while in hold: the operator paused."""
        self.rows = 0
        self.stalls = self.stalled_rows = 0
        self._stalled = False
        self.ended = ""
        """Why there are no more rows; "" while there are."""
        self._wanted = request.ticks
        self._clock = clock
        self._thread: JournalThread | None = None
        self._executor = ThreadPoolExecutor(1, "journal-open")
        self._creating: Future[JournalWriter] = self._executor.submit(JournalWriter, Path(request.path), header)
        self._closing: Future[None] | None = None

    def open_with(self, pre_roll: list[Sample]) -> bool:
        """True once the journal is on the disk; what the first tick may choose is written then."""
        if self._thread is None and not self.ended and self._creating.done() and self._creating.exception() is None:
            self._thread = JournalThread(self._creating.result(), self._clock)
            for sample in pre_roll:
                self.put(sample)
        return self._thread is not None

    def has(self, kind: str, node: str) -> bool:
        """Is that device's stream one of those recorded?"""
        return (kind, node) in self._sources

    @property
    def opened(self) -> bool:
        """May rows begin?"""
        return self._thread is not None

    @property
    def error(self) -> str:
        """Why the journal can't go on ("" if it can): disk full, folder gone, a disk too slow."""
        for work in (self._creating, self._closing):
            if work is not None and work.done() and (failed := work.exception()) is not None:
                return str(failed)
        return str(self._thread.error) if self._thread is not None and self._thread.error is not None else ""

    @property
    def acknowledged(self) -> int:
        """Rows flushed: they survive kill -9."""
        return self._thread.flushed_rows if self._thread is not None else 0

    @property
    def journal_bytes(self) -> int:
        """How long the journal is."""
        try:
            return Path(self.path).stat().st_size
        except OSError:
            return 0

    @property
    def closed(self) -> bool:
        """Has everything that could be written been written, and synced?"""
        return self._closing is not None and self._closing.done()

    @property
    def complete(self) -> bool:
        """Are all the rows that were wanted there?"""
        return self._wanted is not None and self.rows >= self._wanted

    def put(self, sample: Sample) -> None:
        """A sample at its native rate. After an error nothing more is taken; `error` says why."""
        if self._thread is not None and not self.ended and not self._thread.error:
            try:
                self._thread.put(sample)
            except StationError:
                return

    def add(self, tick: Sample, row: Sample) -> None:
        """Close one row: its tick, then the row, then a flush."""
        assert isinstance(row.body, Row)
        self.put(tick)
        self.put(row)
        self.rows += 1
        self.stalls += row.body.stalled and not self._stalled
        self.stalled_rows += row.body.stalled
        self._stalled = row.body.stalled
        if self._thread is not None and not self._thread.error:
            self._thread.flush(self.rows)

    def end(self, why: str) -> None:
        """No more rows; what was put is written, synced and closed on another thread, once the journal is open."""
        if self._closing is None:
            self.ended = why or "stopped"
            told = "" if self.ended in ("complete", "stopped") else self.ended
            self._closing = self._executor.submit(self._close, told, tuple(self.unrecorded))
            self._executor.shutdown(wait=False)

    def _close(self, why: str, unrecorded: tuple[str, ...]) -> None:
        """After the journal was created, on its thread."""
        if self._thread is not None:
            self._thread.close(why, unrecorded)
        elif self._creating.exception() is None:
            self._creating.result().close(0, why, unrecorded)
