"""Joins what a journal holds (ticks, rows and the samples they chose) into whole rows. Memory: a few ticks."""

from collections.abc import Callable, Iterator
from math import isfinite
from typing import Any, NamedTuple, TypeVar

import msgspec
from google.protobuf.message import DecodeError

from station.bus.messages import Frame, Header, Health, Mark, Message, Row, Tick
from station.episodes import layout
from station.episodes.journal import JournalHeader, recorded_streams
from station.episodes.journal_reader import JournalReader, Stored

M = TypeVar("M", bound=Message)
_STAMPS = 1 << 63
_VECTORS = [entry for entry in layout.DATASETS if entry.shape == ("T", "D")]
_PENDING_TICKS = 500
"""Ticks kept while their rows are awaited; a row closes one tick later."""


class Content(NamedTuple):
    """A chosen sample of a stream whose content goes into the file."""

    key: tuple[int, int]
    """Start id and sequence: the same key is the same sample."""
    body: Any
    payload: tuple[bytes, ...]


class Marked(msgspec.Struct, frozen=True, order=True):
    """A mark of the journal."""

    at_ns: int
    name: str


class WholeRow(NamedTuple):
    """One row with everything it chose."""

    tick: Tick
    row: Row
    contents: dict[str, Content]
    """Per stream that has content of its own (pictures, depth, extra); arms are in the tick's vectors."""


def _unseen(_stream: str, _header: Header) -> None:
    """Nobody wants to know."""


class RowReader:
    """Iterates whole rows 0, 1, 2 … and stops where the journal, or its sense, ends."""

    def __init__(
        self, reader: JournalReader, header: JournalHeader, witness: Callable[[str, Header], None] = _unseen
    ) -> None:
        """`witness` is told of every sample of a recorded stream, chosen by a tick or not: stream and header."""
        self._reader, self._header, self._witness = reader, header, witness
        self._chosen: frozenset[str] | None = None
        self.streams = recorded_streams(header)
        self._frozen = frozenset(self.streams) if header.streams else None
        self._names = {source: stream for stream, source in self.streams.items()}
        self._by_source = {source: stream for source, stream in self._names.items() if source[0] != "arm_state"}
        self._kinds = {"tick", "row", "health", "mark", *(kind for kind, _ in self._names)}
        self._recent: dict[str, dict[tuple[int, int], Stored]] = {stream: {} for stream in self._by_source.values()}
        self._opened: dict[str, Content] = {}
        self._ticks: dict[int, tuple[Tick, dict[str, Content]]] = {}
        self.healths: list[Health] = []
        """What the policy's runner said of itself meanwhile."""
        self.marks: list[Marked] = []
        """In the order in which they were written."""
        self.unrecorded: set[str] = set()
        """Streams that ticks chose from and the episode does not have: they came after its first row."""
        self.damage = ""
        """What is wrong with the journal where the rows stop, "" if nothing but its end."""

    def __iter__(self) -> Iterator[WholeRow]:
        count = 0
        messages = self._reader.stored(self._kinds)
        try:
            for stored in messages:
                if stored.kind == "row":
                    yield self._close(stored, count)
                    count += 1
                elif stored.kind in ("tick", "health", "mark"):
                    self._take(stored)
                elif (stream := self._names.get((stored.kind, stored.node))) is not None:
                    self._witness(stream, stored.header)
                    if stream in self._recent:
                        self._recent[stream][stored.header.start_id, stored.header.sequence] = stored
        except (_Senseless, ValueError, DecodeError) as error:
            self._stop(count, str(error), messages)
            return
        ending, end = self._reader.ending, self._reader.end
        if ending is not None and ending.how == "damaged":
            self._stop(count, f"{ending.detail} at byte {ending.offset}", messages)
        elif end is not None and end.rows > count:
            self._stop(count, f"the recorder wrote {end.rows} rows, the journal has {count}", messages)

    def _stop(self, count: int, why: str, rest: Iterator[Stored]) -> None:
        """Rows end here; how many are beyond is told, for the journal is kept."""
        beyond = [number for number in (*map(_row_of, rest), *self._reader.beyond()) if number >= count]
        self.damage = f"after row {count - 1}: {why}" if count else f"before the first row: {why}"
        if beyond:
            self.damage += f"; {len(beyond)} rows beyond it ({min(beyond)} to {max(beyond)}) are in the journal"

    def _take(self, stored: Stored) -> None:
        if stored.kind == "tick":
            self._choose(stored)
        elif stored.kind == "health":
            self.healths.append(_body(stored, Health))
        else:
            self.marks.append(Marked(stored.header.captured_at_ns, _body(stored, Mark).name))

    def _choose(self, stored: Stored) -> None:
        tick = _body(stored, Tick)
        _check_stamps(tick)
        contents = {}
        if self._frozen is not None:
            tick = self._of(tick, self._frozen)
        for chosen in tick.chosen:
            if chosen.stream in self._recent:
                contents[chosen.stream] = self._content(chosen.stream, (chosen.start_id, chosen.sequence))
        self._ticks[tick.tick] = tick, contents
        while len(self._ticks) > _PENDING_TICKS:
            del self._ticks[next(iter(self._ticks))]

    def _content(self, stream: str, key: tuple[int, int]) -> Content:
        opened = self._opened.get(stream)
        if opened is not None and opened.key == key:
            return opened
        recent = self._recent[stream]
        if key not in recent:
            raise _Senseless(f"a tick chose sample {key[1]} of {stream}, which is not in the journal before it")
        for older in list(recent):  # what came before the chosen one will not be chosen any more
            stored = recent.pop(older)
            if older == key:
                break
        body, payload = stored.open()
        if isinstance(body, Frame) != (stored.kind in ("frame", "depth")) or isinstance(body, Frame) > len(payload):
            raise _Senseless(f"sample {key[1]} of {stream} is no {stored.kind}")
        content = self._opened[stream] = Content(key, body, payload)
        return content

    def _close(self, stored: Stored, count: int) -> WholeRow:
        row = _body(stored, Row)
        if row.row != count:
            raise _Senseless(f"row {count} is missing: row {row.row} follows")
        if row.tick not in self._ticks:
            raise _Senseless(f"row {count} is of tick {row.tick}, which is not in the journal before it")
        for older in [tick for tick in self._ticks if tick < row.tick]:
            del self._ticks[older]
        tick, contents = self._ticks.pop(row.tick)
        self._chosen = self._chosen or frozenset(choice.stream for choice in tick.chosen)
        tick = self._of(tick, self._chosen)
        self._check(tick, row, self._chosen)
        return WholeRow(tick, row, {stream: content for stream, content in contents.items() if stream in self._chosen})

    def _of(self, tick: Tick, streams: frozenset[str]) -> Tick:
        """The tick with what it chose of these streams: what appeared later is no part of the episode."""
        more = [choice.stream for choice in tick.chosen if choice.stream not in streams]
        if not more:
            return tick
        self.unrecorded.update(more)
        return msgspec.structs.replace(tick, chosen=tuple(c for c in tick.chosen if c.stream in streams))

    def _check(self, tick: Tick, row: Row, streams: frozenset[str]) -> None:
        """A number that was not read is not a number: nothing of the kind goes into ALOHA's datasets."""
        dimensions = len(self._header.dim_names)
        for entry in _VECTORS:
            of, _, name = entry.value.partition(".")
            vector = getattr(tick if of == "tick" else row, name)
            if vector is None and entry.optional:
                continue
            if len(vector) != dimensions:
                raise _Senseless(f"{name} of row {row.row} has {len(vector)} numbers, the rig {dimensions}")
            if not all(map(isfinite, vector)):
                raise _Senseless(f"{name} of row {row.row} is not a number throughout")
        missing = streams - {choice.stream for choice in tick.chosen}
        if missing:
            raise _Senseless(f"row {row.row} chose nothing of {', '.join(sorted(missing))}, which the first row has")


class _Senseless(Exception):
    """The journal is readable but does not add up."""


def _body(stored: Stored, kind: type[M]) -> M:
    body, _ = stored.open()
    if not isinstance(body, kind):
        raise _Senseless(f"a {stored.kind} of {stored.node} is a {type(body).__name__}")
    return body


def _row_of(stored: Stored) -> int:
    """Its number, where it is a row that can be read; −1."""
    try:
        return _body(stored, Row).row if stored.kind == "row" else -1
    except (_Senseless, ValueError, DecodeError):
        return -1


def _check_stamps(tick: Tick) -> None:
    stamps = [tick.t_ns, *(at for chosen in tick.chosen for at in (chosen.captured_at_ns, chosen.age_ns))]
    if not all(-_STAMPS <= at < _STAMPS for at in stamps):
        raise _Senseless(f"tick {tick.tick} has a time that is none")
