"""Reads a journal up to its end, a torn tail or a damage, and says which. It never guesses beyond them."""

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

from station.bus.messages import Header, Message
from station.bus.streams import split_topic
from station.bus.wire import Sample
from station.episodes import encoding
from station.episodes.journal import (
    CHUNK,
    CHUNK_OPCODE,
    END_NAME,
    HEADER_NAME,
    LARGEST_CHUNK,
    MESSAGE,
    MESSAGE_OPCODE,
    JournalEnd,
    JournalHeader,
)  # fmt: skip

_RECORD = struct.Struct("<BQ")
S = TypeVar("S", bound=msgspec.Struct)


class Ending(NamedTuple):
    """How the journal ends."""

    how: Literal["closed", "torn", "damaged"]
    """closed: its end is written. torn: it breaks off (kill, power cut). damaged: bytes in it do not add up."""
    detail: str
    offset: int
    """Up to where it is good, bytes."""


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
        return encoding.decode(self.kind, self.encoding, self.schema_name, self.data)


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


class _Damage(Exception):
    """Bytes that do not add up."""


_UNREADABLE = (_Damage, McapError, struct.error, ValueError, KeyError, msgspec.MsgspecError)
"""What bytes that do not add up make the parsers below raise."""


class JournalReader:
    """Iterates a journal's samples. `ending` is known after the iteration."""

    def __init__(self, path: Path, more: Callable[[], bool] = lambda: False) -> None:
        """Raises OSError if the file cannot be opened, nothing else.

        `more` is asked where the file breaks off: True to look again (it waited for a recorder to write on), False when
        nobody writes it any more.
        """
        self.path, self._more = path, more
        self._file = path.open("rb", buffering=0)
        self.ending: Ending | None = None
        self.end: JournalEnd | None = None
        self.lost: dict[tuple[str, str], int] = {}
        """Per (kind, node): samples missing in its sequence since the first tick, as far as was read."""
        self._ticking = False
        self._channels: dict[int, _Channel] = {}
        self._schemas: dict[int, str] = {}
        self._lasts: dict[tuple[str, str, int], list[int]] = {}
        self.header = self._read_header()
        """None where not even the first record is whole: nothing was recorded."""

    def stored(self, kinds: Collection[str] | None = None) -> Iterator[Stored]:
        """Messages of `kinds` (all if None) in the order they were appended, undecoded. Memory: one chunk."""
        self._channels, self._schemas, self._lasts, self.lost = {}, {}, {}, {}
        self._ticking, self.ending, self.end = False, None, None
        offset = 0
        try:
            for offset, opcode, content in self._records():
                if opcode == CHUNK_OPCODE:
                    yield from self._messages(content, kinds)
                elif opcode == Opcode.METADATA:
                    self._note_end(content)
                elif opcode == Opcode.FOOTER and self.end is not None:
                    self.ending = Ending("closed", self.end.why, offset)
                    return
        except _Torn as torn:
            self.ending = Ending("torn", str(torn), torn.offset)
        except _UNREADABLE as damage:
            self.ending = Ending("damaged", str(damage), offset)

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

    def _records(self) -> Iterator[tuple[int, int, bytes]]:
        """(offset of the record's end, opcode, content) of every whole record. Raises _Torn where the file breaks off."""
        fd, offset = self._file.fileno(), len(MCAP0_MAGIC)
        if os.pread(fd, len(MCAP0_MAGIC), 0) != MCAP0_MAGIC:
            raise _Torn("not even the first bytes are there", 0)
        while True:
            try:
                opcode, length = _whole_record(fd, offset)
            except _Torn:
                if self._more():
                    continue
                raise
            content = os.pread(fd, length, offset + _RECORD.size)
            offset += _RECORD.size + length
            yield offset, opcode, content

    def _messages(self, content: bytes, kinds: Collection[str] | None) -> Iterator[Stored]:
        head = CHUNK.size - _RECORD.size
        *_, size, crc, compressed, again = CHUNK.unpack(_RECORD.pack(CHUNK_OPCODE, len(content)) + content[:head])
        if compressed or size != again or size != len(content) - head:
            raise _Damage("a chunk that is none of ours")
        view = memoryview(content)[head:]
        if zlib.crc32(view) != crc:
            raise _Damage("the checksum of a chunk is wrong")
        position = 0
        while position < size:
            if view[position] != MESSAGE_OPCODE:
                opcode, length = _RECORD.unpack_from(view, position)
                position += _RECORD.size + length
                self._open(opcode, view[position - length : position])
                continue
            _, length, number, low, sent, captured = MESSAGE.unpack_from(view, position)
            after = position + _RECORD.size + length
            found = self._channels[number]
            self._count(found, found.base + low)
            if kinds is None or found.kind in kinds:
                header = Header(found.schema, found.start_id, found.base + low, captured, sent)
                data = bytes(view[position + MESSAGE.size : after])
                yield Stored(found.kind, found.node, header, data, found.encoding, found.schema_name)
            position = after

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
            raise _Damage(f"a record {opcode} inside a chunk")
        channel = Channel.read(stream)
        kind, node = split_topic(f"{channel.topic}/".encode())
        extra = {name: int(value) for name, value in channel.metadata.items()}
        start_id = extra["start_id"]
        self._channels[channel.id] = _Channel(
            kind, node, start_id, extra["schema"], extra["sequence_base"] << 32, channel.message_encoding,
            self._schemas.get(channel.schema_id, ""), self._lasts.setdefault((kind, node, start_id), []),
        )  # fmt: skip

    def _read_header(self) -> JournalHeader | None:
        try:
            for _, opcode, content in self._records():
                if opcode == Opcode.METADATA:
                    return _struct(content, HEADER_NAME, JournalHeader)
        except (_Torn, *_UNREADABLE):
            return None
        return None

    def _note_end(self, content: bytes) -> None:
        self.end = _struct(content, END_NAME, JournalEnd) or self.end


class _Torn(Exception):
    def __init__(self, detail: str, offset: int) -> None:
        super().__init__(detail)
        self.offset = offset


def _whole_record(fd: int, offset: int) -> tuple[int, int]:
    """Opcode and length of the record at `offset`, all of which is there."""
    size = os.fstat(fd).st_size
    if offset == size:
        raise _Torn("the file breaks off", offset)
    if offset + _RECORD.size > size:
        raise _Torn("the last record lacks its length", offset)
    opcode, length = _RECORD.unpack(os.pread(fd, _RECORD.size, offset))
    if opcode == 0:  # a power cut leaves zeros where data had been announced
        raise _Torn("the tail was never written", offset)
    if offset + _RECORD.size + length > size:
        raise _Torn(f"the last record lacks {offset + _RECORD.size + length - size} bytes", offset)
    if length > LARGEST_CHUNK:
        raise _Damage(f"a record of {length} bytes")
    return opcode, length


def _struct(content: bytes, name: str, kind: type[S]) -> S | None:
    record = Metadata.read(ReadDataStream(BytesIO(content)))
    if record.name != name:
        return None
    text = record.metadata["json"].encode()
    if str(zlib.crc32(text)) != record.metadata["crc32"]:
        raise _Damage(f"the checksum of {name} is wrong")
    return msgspec.json.decode(text, type=kind)
