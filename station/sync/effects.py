"""What the synchronizer's core wants done, and what it is told of what was done: values, no calls."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal, NamedTuple

from station.bus.messages import Message
from station.bus.requests import Reply
from station.bus.wire import Sample
from station.episodes.journal import JournalHeader

Asker = Callable[[Reply], None]
"""Whoever waits for an answer. Only who does the I/O calls it; a core hands it back with the answer."""


class Now(NamedTuple):
    """When something happens."""

    ns: int
    """On the monotonic clock."""
    wall_ns: int


# -- what is to be done --
class OpenJournal(NamedTuple):
    """Create the journal. `JournalOpened` or `JournalFailed` follows."""

    path: Path
    header: JournalHeader


class Record(NamedTuple):
    """Append to the open journal."""

    sample: Sample


class Flush(NamedTuple):
    """Everything so far to the kernel: so many rows are safe then."""

    rows: int


class CloseJournal(NamedTuple):
    """Once it is open: write what is queued, its end, sync it. `JournalClosed` follows."""

    cause: str
    """Of an early end."""
    unrecorded: tuple[str, ...]


class Answer(NamedTuple):
    """To a request."""

    asker: Asker
    reply: Reply


class Publish(NamedTuple):
    """On the bus."""

    kind: str
    body: Message
    captured_at_ns: int


class Tell(NamedTuple):
    """Into the log."""

    level: Literal["info", "warning"]
    words: str


Effect = OpenJournal | Record | Flush | CloseJournal | Answer | Publish | Tell


# -- what became of it --
class JournalOpened(NamedTuple):
    """Rows may begin."""


class JournalFailed(NamedTuple):
    """It cannot be created, or not go on: disk full, folder gone, a disk too slow."""

    why: str


class JournalFlushed(NamedTuple):
    """So many rows survive kill -9."""

    rows: int
    journal_bytes: int


class JournalClosed(NamedTuple):
    """Everything that could be written has been, and is synced."""

    why: str = ""
    """What went wrong with its end; "" if nothing."""


JournalNews = JournalOpened | JournalFailed | JournalFlushed | JournalClosed
