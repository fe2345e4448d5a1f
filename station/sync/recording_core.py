"""One recording after the other, from the wish to begin to the closed journal. Pure: events with the time in, effects out.

A *wish* waits until every stream has a sample and the recording before is closed, for `STREAMS_S` at most. From then on the set of
streams is frozen: what appears later is told, not recorded. Rows begin once the journal is on the disk; the first end counts, whoever
gave it and whatever came late. No tick waits for any of this.
"""

from math import inf
from pathlib import Path
from typing import Literal, NamedTuple

from station.bus.messages import Row
from station.bus.messages.endings import Ending, EndReason
from station.bus.requests import BeginRecording, Done, EndRecording, KeepHold, Refused
from station.bus.requests.time_outs import STREAMS_S
from station.bus.wire import Sample
from station.clock import NS_PER_S
from station.episodes.journal import JournalHeader
from station.sync.effects import (
    Answer,
    Asker,
    CloseJournal,
    Effect,
    Flush,
    JournalClosed,
    JournalFailed,
    JournalFlushed,
    JournalNews,
    JournalOpened,
    OpenJournal,
    Record,
    Tell,
)

PATIENCE_NS = round(STREAMS_S * NS_PER_S)

State = Literal["idle", "opening", "rows", "closing"]
Event = Literal["begin", "opened", "end", "closed"]

TRANSITIONS: dict[tuple[State, Event], State] = {
    ("idle", "begin"): "opening",
    ("opening", "opened"): "rows",
    ("opening", "end"): "closing",  # once the journal is open, it is closed
    ("rows", "end"): "closing",
    ("closing", "opened"): "closing",  # nobody waits for that any more
    ("closing", "end"): "closing",  # the first end counts
    ("closing", "closed"): "idle",
}
"""Every transition there is; an event without an entry does not happen in that state."""


class Wish(NamedTuple):
    """A recording that somebody wants to begin."""

    request: BeginRecording
    asker: Asker
    until_ns: int


class RecordingCore:
    """Appends what is to be done to `out`. Its counts are those of the recording that goes on, or of the last one."""

    def __init__(self, out: list[Effect]) -> None:
        self._out = out
        self.state: State = "idle"
        self.wish: Wish | None = None
        self.path = ""
        self.streams: frozenset[str] = frozenset()
        """Names of those recorded. Frozen."""
        self._sources: frozenset[tuple[str, str]] = frozenset()
        self.unrecorded: tuple[str, ...] = ()
        """Streams that appeared later, in that order."""
        self.keep_hold = False
        """Keep rows while in hold: the operator paused."""
        self.rows = self.acknowledged = self.journal_bytes = 0
        self.stalls = self.stalled_rows = 0
        self._stalled = False
        self.ending: Ending | None = None
        """Why there are no more rows; None while there are, and before the first recording."""
        self.trouble = ""
        """What went wrong with the journal."""
        self._wanted: int | None = None
        self._begins: Asker | None = None
        self._ends: list[Asker] = []
        self._marks: list[tuple[Asker, int]] = []
        """Who waits for a mark, and how many rows are flushed when it is."""

    @property
    def ended(self) -> Ending | None:
        """How the last recording ended, once its journal is closed."""
        return self.ending if self.state == "idle" else None

    @property
    def complete(self) -> bool:
        """Are all the rows that were wanted there?"""
        return self._wanted is not None and self.rows >= self._wanted

    @property
    def takes_rows(self) -> bool:
        """Is a tick to become a row?"""
        return self.state == "rows" and not self.complete

    @property
    def frozen(self) -> bool:
        """Is the set of streams that of a recording which may still get rows?"""
        return self.state in ("opening", "rows")

    def has(self, kind: str, node: str) -> bool:
        """Is that device's stream one of those recorded?"""
        return (kind, node) in self._sources

    # -- requests --

    def ask(self, request: BeginRecording, asker: Asker, now_ns: int) -> None:
        """Somebody wants a recording."""
        if self.wish is not None or self.frozen:
            path = self.wish.request.path if self.wish is not None else self.path
            self._answer(asker, Refused(f"{path} is being recorded. Next: stop it first"))
        else:
            self.wish = Wish(request, asker, now_ns + PATIENCE_NS)

    def decide(self, obstacle: str, now_ns: int) -> BeginRecording | None:
        """The recording to begin now, with `begin`. What is in its way (`obstacle`) is waited for, then it is refused."""
        wish = self.wish
        if wish is None:
            return None
        obstacle = obstacle or (
            f"{self.path} is still being recorded. Next: stop it first" if self.state != "idle" else ""
        )
        if obstacle and now_ns < wish.until_ns:
            return None
        self.wish = None
        if obstacle:
            self._answer(wish.asker, Refused(obstacle))
            return None
        self._begins = wish.asker
        return wish.request

    def begin(self, request: BeginRecording, header: JournalHeader) -> None:
        """Begin what `decide` gave, with the streams of `header` and no others."""
        self._go("begin")
        self.path, self._wanted = request.path, request.ticks
        self.streams = frozenset(stream.name for stream in header.streams)
        self._sources = frozenset((stream.kind, stream.node) for stream in header.streams)
        self.unrecorded, self.keep_hold, self.ending, self.trouble = (), False, None, ""
        self.rows = self.acknowledged = self.journal_bytes = self.stalls = self.stalled_rows = 0
        self._stalled = False
        self._out.append(OpenJournal(Path(request.path), header))
        self._out.append(Tell("info", f"{request.path} begins: {', '.join(stream.name for stream in header.streams)}"))

    def keep(self, request: KeepHold, asker: Asker) -> None:
        """Rows in hold are kept, or end the episode again."""
        if not self.path:  # only who believes that a recording goes on asks this: it was another life's
            self._answer(asker, Refused(Ending(EndReason.SYNCHRONIZER_KILLED).sentence))
            return
        self.keep_hold = request.keep
        self._answer(asker, Done())

    def mark(self, path: str, mark: Sample, asker: Asker) -> None:
        """A mark for the recording at `path`; answered when it is flushed, which the next row is with."""
        if self.state != "rows" or path != self.path:
            self._answer(asker, Refused(f"{path} is not being recorded"))
            return
        self.put(mark)
        self._marks.append((asker, self.rows + 1))

    def ask_end(self, request: EndRecording, asker: Asker) -> None:
        """End what is recorded, or is still to begin. Answered when it is closed."""
        wish = self.wish
        if wish is not None and request.path in ("", wish.request.path):
            self.wish = None
            self._answer(wish.asker, Refused("it was ended before it began"))
            self._answer(asker, Done("0 rows"))
        elif not self.path:
            self._answer(asker, Refused(Ending(EndReason.SYNCHRONIZER_KILLED).sentence))
        elif request.path not in ("", self.path):
            self._answer(asker, Refused(f"{request.path} is not being recorded"))
        elif self.state == "idle":
            self._answer(asker, Done(f"{self.acknowledged} rows"))
        else:
            self._ends.append(asker)
            self.end(request.ending)

    # -- what happens --

    def end(self, ending: Ending) -> None:
        """No more rows. Nothing, if there are none to come any more."""
        if self.frozen:
            self.ending = ending
            self._out.append(CloseJournal(ending.cause, self.unrecorded))
            self._go("end")

    def appeared(self, stream: str) -> None:
        """A stream that is no part of this recording."""
        if self.frozen and stream not in self.unrecorded:
            self.unrecorded += (stream,)
            words = f"{stream} appeared after {self.path} had begun: it is not recorded"
            self._out.append(Tell("warning", words))

    def put(self, sample: Sample) -> None:
        """A sample at its native rate; dropped while there is no journal to take it."""
        if self.state == "rows":
            self._out.append(Record(sample))

    def add(self, tick: Sample, row: Sample) -> None:
        """Close one row: its tick, then the row, then a flush."""
        assert isinstance(row.body, Row)
        self.rows += 1
        stalled = row.body.stalled
        self.stalls += stalled and not self._stalled
        self.stalled_rows += stalled
        self._stalled = stalled
        self._out += (Record(tick), Record(row), Flush(self.rows))
        if self.complete:
            self.end(Ending(EndReason.COMPLETE))

    def journal(self, news: JournalNews) -> None:
        """What became of the journal."""
        if isinstance(news, JournalOpened):
            self._go("opened")
            self._answer_begin(Done())
        elif isinstance(news, JournalFlushed):
            self.acknowledged, self.journal_bytes = news.rows, news.journal_bytes
            self._answer_marks(news.rows, Done())
        elif isinstance(news, JournalFailed):
            self._failed(news.why)
        else:
            self._closed(news)

    def _answer_marks(self, rows: float, reply: Done | Refused) -> None:
        waiting, self._marks = self._marks, []
        for asker, flushed in waiting:
            if flushed <= rows:
                self._answer(asker, reply)
            else:
                self._marks.append((asker, flushed))

    def _failed(self, why: str) -> None:
        self.trouble = why
        self._answer_marks(inf, Refused(why))
        self._answer_begin(Refused(why))
        self.end(Ending(EndReason.JOURNAL_FAILED, why))

    def _closed(self, news: JournalClosed) -> None:
        self._go("closed")
        assert self.ending is not None
        self.trouble = news.why or self.trouble
        self._out.append(Tell("info", f"{self.path}: {self.ending.sentence}, {self.acknowledged} rows"))
        self._answer_begin(Refused(news.why) if news.why else Done())
        self._answer_marks(inf, Refused(news.why) if news.why else Done())
        ends, self._ends = self._ends, []
        for asker in ends:
            self._answer(asker, Done(f"{self.acknowledged} rows"))

    def _answer_begin(self, reply: Done | Refused) -> None:
        asker, self._begins = self._begins, None
        if asker is not None:
            self._answer(asker, reply)

    def _answer(self, asker: Asker, reply: Done | Refused) -> None:
        self._out.append(Answer(asker, reply))

    def _go(self, event: Event) -> None:
        self.state = TRANSITIONS[self.state, event]
