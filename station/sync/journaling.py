"""The journal's threads: what the core wants written is handed over here, and what became of it is asked for at every tick.

No tick waits for the disk: the journal is opened, written and closed on other threads.
"""

from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from station.bus.wire import Sample
from station.clock import Clock
from station.episodes.journal import JournalHeader, JournalWriter
from station.episodes.journal_thread import JournalThread
from station.errors import StationError
from station.sync.effects import (
    CloseJournal,
    Flush,
    JournalClosed,
    JournalFailed,
    JournalFlushed,
    JournalNews,
    JournalOpened,
    OpenJournal,
    Record,
)


class _Journal:
    """One journal, from its creation to its last sync."""

    def __init__(self, path: Path, header: JournalHeader, clock: Clock) -> None:
        self.path, self._clock = path, clock
        self._thread: JournalThread | None = None
        self._executor = ThreadPoolExecutor(1, "journal-open")
        self._creating: Future[JournalWriter] = self._executor.submit(JournalWriter, path, header)
        self._closing: Future[None] | None = None
        self._failed = False
        self._rows = 0

    def put(self, sample: Sample) -> None:
        if self._thread is not None and not self._thread.error:
            try:
                self._thread.put(sample)
            except StationError:
                return  # `news` says why

    def flush(self, rows: int) -> None:
        if self._thread is not None and not self._thread.error:
            try:
                self._thread.flush(rows)
            except StationError:
                return

    def close(self, cause: str, unrecorded: tuple[str, ...]) -> None:
        """After it was created, on its thread."""
        self._closing = self._executor.submit(self._close, cause, unrecorded)
        self._executor.shutdown(wait=False)

    def _close(self, cause: str, unrecorded: tuple[str, ...]) -> None:
        if self._thread is not None:
            self._thread.close(cause, unrecorded)
        elif self._creating.exception() is None:
            self._creating.result().close(0, cause, unrecorded)

    def news(self) -> list[JournalNews]:
        """Since the last time."""
        found: list[JournalNews] = []
        if self._thread is None and self._closing is None and not self._failed and self._creating.done():
            if (error := self._creating.exception()) is not None:
                self._failed = True
                found.append(JournalFailed(str(error)))
            else:
                self._thread = JournalThread(self._creating.result(), self._clock)
                found.append(JournalOpened())
        closed = self._closing is not None and self._closing.done()
        thread = self._thread
        if thread is not None:
            if thread.flushed_rows != self._rows:
                self._rows = thread.flushed_rows
                found.append(JournalFlushed(self._rows, self._bytes()))
            if thread.error is not None and not self._failed and self._closing is None:
                self._failed = True
                found.append(JournalFailed(str(thread.error)))
        if closed:
            assert self._closing is not None
            failure = self._closing.exception()
            found.append(JournalClosed(str(failure) if failure is not None else ""))
        return found

    def _bytes(self) -> int:
        try:
            return self.path.stat().st_size
        except OSError:
            return 0


class Journaling:
    """One journal at a time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._journal: _Journal | None = None

    def do(self, effect: OpenJournal | Record | Flush | CloseJournal) -> None:
        """What the core wants."""
        if isinstance(effect, OpenJournal):
            self._journal = _Journal(effect.path, effect.header, self._clock)
            return
        assert self._journal is not None
        if isinstance(effect, Record):
            self._journal.put(effect.sample)
        elif isinstance(effect, Flush):
            self._journal.flush(effect.rows)
        else:
            self._journal.close(effect.cause, effect.unrecorded)

    def news(self) -> list[JournalNews]:
        """What became of it since the last time."""
        if self._journal is None:
            return []
        found = self._journal.news()
        if found and isinstance(found[-1], JournalClosed):
            self._journal = None
        return found
