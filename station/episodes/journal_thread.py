"""Writes a journal on a thread of its own, so that no tick ever waits for the disk.

`put` and `flush` only queue. The queue is bounded in bytes: a disk that cannot keep up is an error the caller is given,
never a wait and never memory that grows.
"""

import threading
from collections import deque

from station.bus.wire import Sample
from station.clock import NS_PER_S, Clock
from station.episodes.journal import JournalWriter
from station.errors import EpisodeError, StationError

QUEUE_BYTES = 128 << 20
SYNC_PERIOD_NS = NS_PER_S // 2
"""fdatasync this often: a power cut costs at most that and one write, under the second that is promised."""
_SAMPLE_BYTES = 512
"""What a queued sample costs besides its payload, about."""


class JournalThread:
    """Owns a JournalWriter until `close()`.

    `flushed_rows` have reached the kernel (they survive kill -9: acknowledged), `durable_rows` the disk.
    """

    def __init__(self, writer: JournalWriter, clock: Clock, queue_bytes: int = QUEUE_BYTES) -> None:
        self.flushed_rows = 0
        self.durable_rows = 0
        self._writer, self._clock, self._limit = writer, clock, queue_bytes
        self._queue: deque[Sample | int] = deque()
        self._bytes = 0
        self._flush_asked = False
        self._error: StationError | None = None
        self._closing: str | None = None
        self._unrecorded: tuple[str, ...] = ()
        self._wake = threading.Condition()
        self._synced_ns = clock()
        self._thread = threading.Thread(target=self._run, name="journal")
        self._thread.start()

    @property
    def error(self) -> StationError | None:
        """What went wrong, once it has: DiskFull, or a disk that cannot keep up. Nothing more is written then."""
        return self._error

    def put(self, sample: Sample) -> None:
        """Queue a sample. Raises what went wrong before, or EpisodeError when the queue is full; never waits."""
        size = _SAMPLE_BYTES + sum(map(len, sample.payload))
        with self._wake:
            if self._error is None and self._bytes + size > self._limit:
                self._error = EpisodeError(
                    f"{self._writer.path}: the disk does not keep up: {self._bytes >> 20} MiB are waiting. "
                    "Next: record to a faster disk, with fewer or smaller cameras, or images: jpeg"
                )
            if self._error is not None:
                raise self._error
            self._queue.append(sample)
            self._bytes += size

    def flush(self, rows: int) -> None:
        """Ask for everything put so far to be flushed; `flushed_rows` becomes `rows` when it is. Raises like `put`."""
        with self._wake:
            if self._error is not None:
                raise self._error
            self._queue.append(rows)
            self._flush_asked = True
            self._wake.notify()

    def close(self, why: str = "", unrecorded: tuple[str, ...] = ()) -> None:
        """Write what is queued, the journal's end, fsync, and let go. Raises what went wrong; waits for the disk."""
        with self._wake:
            self._closing, self._unrecorded = why, unrecorded
            self._wake.notify()
        self._thread.join()
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            while (batch := self._next()) is not None:
                for item in batch:
                    self._take(item)
            self._writer.close(self.flushed_rows, self._closing or "", self._unrecorded)
            self.durable_rows = self.flushed_rows
        except StationError as error:
            self._fail(error)
        except Exception as error:
            self._fail(EpisodeError(f"{self._writer.path}: the journal cannot be written: {error}"))

    def _next(self) -> list[Sample | int] | None:
        """Everything queued, once a flush was asked for; None when it is time to close."""
        with self._wake:
            self._wake.wait_for(lambda: self._closing is not None or self._flush_asked)
            self._flush_asked = False
            if self._closing is not None and not self._queue:
                return None
            batch = list(self._queue)
            self._queue.clear()
            return batch

    def _take(self, item: Sample | int) -> None:
        if not isinstance(item, int):
            self._writer.append(item)
            with self._wake:
                self._bytes -= _SAMPLE_BYTES + sum(map(len, item.payload))
            return
        self._writer.flush()
        self.flushed_rows = item
        if self._clock() - self._synced_ns >= SYNC_PERIOD_NS:
            self._writer.sync()
            self._synced_ns = self._clock()
            self.durable_rows = item

    def _fail(self, error: StationError) -> None:
        with self._wake:
            self._error = self._error or error
            self._queue.clear()
        try:
            self._writer.close(self.flushed_rows, str(error))
        except (StationError, OSError):
            return
