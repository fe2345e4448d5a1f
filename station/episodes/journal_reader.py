"""Reads a journal up to its end, a torn tail or a damage, and says which. It never guesses beyond them.

A recorder that is killed leaves whole records and at most the beginning of one more: then the journal is torn. Anything else
that keeps it from being read on is damage, the more so where whole chunks follow, or the end that a closed journal has.
"""

import contextlib
import os
import struct
import zlib
from collections.abc import Callable, Collection, Iterator
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import Literal, NamedTuple, Self, TypeVar

import msgspec
from google.protobuf.message import DecodeError
from mcap.data_stream import ReadDataStream
from mcap.exceptions import McapError
from mcap.opcode import Opcode
from mcap.records import Channel, Metadata, Schema
from mcap.writer import MCAP0_MAGIC

from station.borders.regular_file import open_regular, reason
from station.bus.messages import Header, Message, Row
from station.bus.streams import split_topic
from station.bus.wire import Sample
from station.episodes import encoding, older
from station.episodes.journal import (
    CHUNK,
    CHUNK_OPCODE,
    END_NAME,
    HEADER_NAME,
    MESSAGE,
    MESSAGE_OPCODE,
    JournalEnd,
    JournalHeader,
)  # fmt: skip
from station.episodes.journal_records import RECORD, Damage, Torn, begins_a_record, next_chunk, whole_record, written

S = TypeVar("S", bound=msgspec.Struct)


class Ending(NamedTuple):
    """How the journal ends."""

    how: Literal["closed", "torn", "damaged"]
    """closed: its end is written. torn: it breaks off (kill, power cut). damaged: bytes in it do not add up."""
    detail: str
    offset: int
    """Up to where it is good, bytes."""
    left: int = 0
    """Torn: bytes behind that which were written and are no whole record."""


class Stored(NamedTuple):
    """One message as it lies in the journal; `open()` decodes it."""

    kind: str
    node: str
    header: Header
    data: bytes
    encoding: str
    schema_name: str

    def open(self) -> tuple[Message, tuple[bytes, ...]]:
        """Body and payload. Raises ValueError or DecodeError."""
        return encoding.decode(self.kind, self.encoding, self.schema_name, self.data, self.header.schema)


class _Channel(NamedTuple):
    kind: str
    node: str
    start_id: int
    schema: int
    base: int
    encoding: str
    schema_name: str
    last: list[int]
    """Its stream's last sequence, shared by the channels of one stream and start id; empty before the first."""


class _Foreign(Damage):
    """Bytes that are as they were written, by another version of this software."""


_UNREADABLE = (Damage, McapError, struct.error, ValueError, KeyError, msgspec.MsgspecError)
"""What bytes that do not add up make the parsers below raise."""
_OURS = (Opcode.HEADER, Opcode.METADATA, CHUNK_OPCODE, Opcode.DATA_END, Opcode.FOOTER)


class JournalReader:
    """Iterates a journal's samples. `ending` is known after the iteration."""

    def __init__(self, path: Path, more: Callable[[], bool] = lambda: False) -> None:
        """Raises OSError if the file cannot be opened, or is none; nothing else.

        `more` is asked where the file breaks off: True to look again (it waited for a recorder to write on), False when
        nobody writes it any more.
        """
        self.path, self._more = path, more
        self._file = os.fdopen(open_regular(path), "rb", buffering=0)
        self._fd = self._file.fileno()
        self.ending: Ending | None = None
        self.end: JournalEnd | None = None
        self.lost: dict[tuple[str, str], int] = {}
        """Per (kind, node): samples missing in its sequence since the first tick, as far as was read."""
        self._at = 0
        """Where the record begins that is being read."""
        self._ticking = False
        self._channels: dict[int, _Channel] = {}
        self._schemas: dict[int, str] = {}
        self._lasts: dict[tuple[str, str, int], list[int]] = {}
        self.header: JournalHeader | None = None
        """The first record; None where it cannot be read."""
        self.unreadable = ""
        """Why it cannot; "" where it can."""
        self.foreign = False
        """It is whole, but of another version of this software."""
        self._read_header()

    def stored(self, kinds: Collection[str] | None = None) -> Iterator[Stored]:
        """Messages of `kinds` (all if None) in the order they were appended, undecoded. Memory: one chunk. Raises nothing for a journal
        that is torn or damaged: `ending` says so afterwards.
        """
        self._channels, self._schemas, self._lasts, self.lost = {}, {}, {}, {}
        self._ticking, self.ending, self.end = False, None, None
        try:
            for opcode, content in self._records():
                if opcode == CHUNK_OPCODE:
                    yield from self._messages(content, kinds)
                elif opcode == Opcode.METADATA:
                    self.end = _struct(content, END_NAME, JournalEnd) or self.end
                elif opcode == Opcode.FOOTER and self.end is not None:
                    self._close_at(RECORD.size + len(content))
                    return
                elif opcode not in _OURS:
                    raise Damage(f"a record of kind {opcode}, which no journal has")
        except Torn as torn:
            self.ending = self._broken_off(torn)
        except OSError as error:
            self.ending = Ending("damaged", f"it cannot be read on: {reason(error)}", self._at)
        except _UNREADABLE as damage:
            self.ending = Ending("damaged", str(damage), self._at)

    def beyond(self) -> list[int]:
        """Numbers of the rows that can still be read behind the damage, known after an iteration."""
        if self.ending is None or self.ending.how != "damaged":
            return []
        found: list[int] = []
        with contextlib.suppress(OSError):  # a sick disk gives what it gives
            at = next_chunk(self._fd, self.ending.offset)
            while at is not None:
                _, length = RECORD.unpack(os.pread(self._fd, RECORD.size, at))
                with contextlib.suppress(DecodeError, *_UNREADABLE):
                    for stored in self._messages(os.pread(self._fd, length, at + RECORD.size), {"row"}):
                        body, _ = stored.open()
                        found.append(body.row if isinstance(body, Row) else -1)
                at = next_chunk(self._fd, at + RECORD.size + length)
        return found

    def samples(self, kinds: Collection[str] | None = None) -> Iterator[Sample]:
        """Samples of `kinds` (all if None), exactly as they were appended."""
        for stored in self.stored(kinds):
            try:
                body, payload = stored.open()
            except (ValueError, DecodeError) as error:
                self.ending = Ending("damaged", f"a {stored.kind} of {stored.node} cannot be read: {error}", 0)
                return
            yield Sample(stored.kind, stored.node, stored.header, body, payload)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _records(self) -> Iterator[tuple[int, bytes]]:
        """(opcode, content) of every whole record. Raises Torn where the file breaks off."""
        fd, self._at = self._fd, 0
        begin = os.pread(fd, len(MCAP0_MAGIC), 0)
        if begin != MCAP0_MAGIC:
            if MCAP0_MAGIC.startswith(begin):
                raise Torn("not even the first bytes are there", 0)
            raise Damage("its first bytes are not a journal's")
        self._at = len(MCAP0_MAGIC)
        while True:
            try:
                opcode, length = whole_record(fd, self._at)
            except Torn:
                if self._more():
                    continue
                raise
            yield opcode, os.pread(fd, length, self._at + RECORD.size)
            self._at += RECORD.size + length

    def _close_at(self, footer: int) -> None:
        """After the footer comes the end of the file."""
        assert self.end is not None
        if not MCAP0_MAGIC.startswith(os.pread(self._fd, len(MCAP0_MAGIC) + 1, self._at + footer)):
            raise Damage("something follows its end")
        self.ending = Ending("closed", self.end.why, self._at)

    def _broken_off(self, torn: Torn) -> Ending:
        """Is it the end of a recorder, or a wound in the middle?"""
        fd, offset = self._fd, torn.offset
        size = os.fstat(fd).st_size
        left = written(fd, offset)
        if not left or self.end is not None:
            return Ending("torn", str(torn), offset)
        if os.pread(fd, len(MCAP0_MAGIC), max(offset, size - len(MCAP0_MAGIC))) == MCAP0_MAGIC:
            return Ending("damaged", f"{torn}, but it was closed", offset)
        if next_chunk(fd, offset) is not None:
            return Ending("damaged", f"{torn}, but whole records follow", offset)
        if offset and not begins_a_record(os.pread(fd, CHUNK.size, offset)):
            return Ending("damaged", "what follows is no beginning of a record", offset)
        return Ending("torn", str(torn), offset, left)

    def _messages(self, content: bytes, kinds: Collection[str] | None) -> Iterator[Stored]:
        head = CHUNK.size - RECORD.size
        *_, size, crc, compressed, again = CHUNK.unpack(RECORD.pack(CHUNK_OPCODE, len(content)) + content[:head])
        if compressed or size != again or size != len(content) - head:
            raise Damage("a chunk that is none of ours")
        view = memoryview(content)[head:]
        if zlib.crc32(view) != crc:
            raise Damage("the checksum of a chunk is wrong")
        position = 0
        while position < size:
            if view[position] != MESSAGE_OPCODE:
                opcode, length = RECORD.unpack_from(view, position)
                position += RECORD.size + length
                self._open(opcode, view[position - length : position])
                continue
            _, length, number, low, sent, captured = MESSAGE.unpack_from(view, position)
            after = position + RECORD.size + length
            found = self._channel(number)
            self._count(found, found.base + low)
            if kinds is None or found.kind in kinds:
                header = Header(found.schema, found.start_id, found.base + low, captured, sent)
                data = bytes(view[position + MESSAGE.size : after])
                yield Stored(found.kind, found.node, header, data, found.encoding, found.schema_name)
            position = after

    def _channel(self, number: int) -> _Channel:
        if number not in self._channels:
            raise Damage(f"a message of channel {number}, which was never opened")
        return self._channels[number]

    def _count(self, channel: _Channel, sequence: int) -> None:
        last = channel.last
        if self._ticking and last and sequence > last[0] + 1:
            key = channel.kind, channel.node
            self.lost[key] = self.lost.get(key, 0) + sequence - last[0] - 1
        last[:] = (sequence,)
        self._ticking = self._ticking or channel.kind == "tick"

    def _open(self, opcode: int, content: memoryview) -> None:
        stream = ReadDataStream(BytesIO(content))
        if opcode == Opcode.SCHEMA:
            schema = Schema.read(stream)
            self._schemas[schema.id] = schema.name
            return
        if opcode != Opcode.CHANNEL:
            raise Damage(f"a record {opcode} inside a chunk")
        channel = Channel.read(stream)
        kind, node = split_topic(f"{channel.topic}/".encode())
        extra = {name: int(value) for name, value in channel.metadata.items()}
        start_id = extra["start_id"]
        kind = older.kind_of(kind, node, extra["schema"])
        self._channels[channel.id] = _Channel(
            kind, node, start_id, extra["schema"], extra["sequence_base"] << 32, channel.message_encoding,
            self._schemas.get(channel.schema_id, ""), self._lasts.setdefault((kind, node, start_id), []),
        )  # fmt: skip

    def _read_header(self) -> None:
        try:
            for opcode, content in self._records():
                if opcode == Opcode.HEADER:
                    continue
                self.header = _struct(content, HEADER_NAME, JournalHeader) if opcode == Opcode.METADATA else None
                self.unreadable = "" if self.header else "its first record is not a journal's"
                return
        except _Foreign as error:
            self.foreign, self.unreadable = True, str(error)
        except OSError as error:
            self.unreadable = f"it cannot be read: {reason(error)}"
        except (Torn, *_UNREADABLE) as error:
            why = "it is no text" if isinstance(error, UnicodeDecodeError) else error
            self.unreadable = f"its first record is damaged: {why}"


def _struct(content: bytes, name: str, kind: type[S]) -> S | None:
    record = Metadata.read(ReadDataStream(BytesIO(content)))
    if record.name != name:
        return None
    text = record.metadata["json"].encode()
    if str(zlib.crc32(text)) != record.metadata["crc32"]:
        raise Damage(f"the checksum of {name} is wrong")
    try:
        if kind is JournalHeader:
            return msgspec.convert(older.header(msgspec.json.decode(text)), kind)
        return msgspec.json.decode(text, type=kind)
    except msgspec.ValidationError as error:
        raise _Foreign(f"it was written by another version of the station ({error})") from error
