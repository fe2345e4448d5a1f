"""The append-only file behind the episode being recorded: MCAP, one uncompressed chunk per flush, a CRC on each.

What `flush()` has returned from is in the kernel's hands and survives kill -9; what `sync()` has returned from survives
a power cut. The first record (a metadata record, `station.journal`) is the JournalHeader, the last one (`station.end`)
the JournalEnd; where that one is missing, the recording was cut off.

Records are laid down here and not by mcap's Writer, because that one keeps an index entry per chunk in memory for as
long as it writes. Format: https://mcap.dev/spec.
"""

import errno
import fcntl
import os
import struct
import zlib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from mcap import records
from mcap.data_stream import RecordBuilder
from mcap.writer import MCAP0_MAGIC

from station.bus.requests import RecordingInfo
from station.bus.wire import Sample
from station.devices.contract import Description, Dimension
from station.episodes import encoding, layout
from station.episodes.naming import number_of, remember
from station.errors import DiskFull, EpisodeError
from station.files import durable
from station.rig.file import Base
from station.rig.rig import Rig
from station.version import station_version

HEADER_NAME = "station.journal"
END_NAME = "station.end"
CHUNK = struct.Struct("<BQQQQIIQ")
"""Opcode, length, first and last log time, size, CRC, length of the compression's name (0), size again."""
MESSAGE = struct.Struct("<BQHIqq")
"""Opcode, length, channel, sequence, log time (sent), publish time (captured)."""
CHUNK_OPCODE, MESSAGE_OPCODE = 6, 5
LAYOUT = 2
"""Version of what lies in a journal; 2: units of effort, and where the arms stand (`station.episodes.older` reads earlier ones). One of a
later version is refused by name and kept, never taken for damaged.
"""
LARGEST_CHUNK = 256 << 20
_SPLIT = 8 << 20
"""A chunk is closed at this size even before the flush, so that memory stays bounded."""
_SEQUENCE_BITS = 32
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class RecordedStream(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One stream of an episode: its name in ticks and in the file, and where it comes from."""

    name: str
    kind: str
    node: str


class JournalHeader(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is known before the first row. `start_ns` and `start_wall_ns` are the same instant on both clocks."""

    rig: str
    rig_yaml: str
    rig_sha256: str
    station_version: str
    info: RecordingInfo
    descriptions: dict[str, Description]
    """Per device node, as it described itself."""
    dim_names: tuple[str, ...]
    """The vector's names, in the rig's order: `left_waist` … (D,)"""
    units: tuple[str, ...]
    start_ns: int
    start_wall_ns: int
    tick_hz: float
    images: str
    """jpeg or raw: how the HDF5 keeps pictures."""
    cameras: tuple[str, ...]
    """In the rig file's order: the row order of `compress_len`."""
    simulated: bool
    streams: tuple[RecordedStream, ...] = ()
    """The recorded streams, frozen when the recording begins: what appears later is no part of it. Journals before this was
    kept have none; theirs are those of the descriptions.
    """
    layout: int = 1
    """Version of the journal's layout; those of the first one do not say it."""
    effort_units: tuple[str, ...] = ()
    """Of the followers' efforts, in the vector's order. (D,)"""
    bases: dict[str, Base] = {}
    """Where each follower stands in the rig frame."""


class JournalEnd(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The last record of a journal that was closed."""

    rows: int
    why: str
    """"" when the recording was asked to stop, else what ended it."""
    unrecorded: tuple[str, ...] = ()
    """Streams that appeared while it was recorded, and so are not in it."""


def recorded_streams(header: JournalHeader) -> dict[str, tuple[str, str]]:
    """Name → (kind, node) of an episode's streams. Raises EpisodeError for an older journal with two streams of one name."""
    if header.streams:
        return {stream.name: (stream.kind, stream.node) for stream in header.streams}
    return layout.streams(header.descriptions)


def vector_dimensions(rig: Rig, descriptions: Mapping[str, Description]) -> list[tuple[str, Dimension]]:
    """Name and dimension of every number of the rig's vector, in its order. KeyError for a follower without description."""
    return [
        (f"{side.name}_{dimension.name}", dimension)
        for side in rig.sides
        if side.follower
        for stream in descriptions[side.follower].streams
        if stream.kind == "arm_state"
        for dimension in stream.dimensions
    ]


def journal_header(
    rig: Rig, info: RecordingInfo, descriptions: Mapping[str, Description], start_ns: int, start_wall_ns: int,
    streams: Collection[str] | None = None,
) -> JournalHeader:  # fmt: skip
    """The header of a recording on `rig`. `start_ns` (monotonic) and `start_wall_ns` are one instant on both clocks.

    `streams`: those that are recorded, of what the descriptions name; all of them if None.
    """
    named = layout.streams(descriptions)
    dimensions = vector_dimensions(rig, descriptions)
    return JournalHeader(
        rig=rig.name, rig_yaml=rig.file.read_text(), rig_sha256=rig.sha256, station_version=station_version(),
        info=info, descriptions=dict(descriptions), dim_names=tuple(name for name, _ in dimensions),
        units=tuple(dimension.unit for _, dimension in dimensions), start_ns=start_ns, start_wall_ns=start_wall_ns,
        tick_hz=rig.tick_hz, images=rig.images, cameras=rig.cameras, simulated=rig.world is not None,
        streams=tuple(
            RecordedStream(name, kind, node) for name, (kind, node) in named.items() if streams is None or name in streams
        ),
        layout=LAYOUT, effort_units=tuple(dimension.effort_unit for _, dimension in dimensions),
        bases={side.follower: side.base for side in rig.sides if side.follower},
    )  # fmt: skip


class _ChannelKey(NamedTuple):
    topic: str
    start_id: int
    schema: int
    sequence_base: int
    encoding: str
    schema_name: str


class JournalWriter:
    """Writes one journal. Not thread-safe; it belongs to the thread that flushes."""

    def __init__(self, path: Path, first: JournalHeader) -> None:
        """Make `path` (a `*.mcap.part`), locked and with its header durable, before anybody else can see it.

        Raises EpisodeError if there is a journal of that name or the folder cannot be written, DiskFull if there is no
        room.
        """
        self.path = path
        self._fd = -1
        self._whole = 0
        self._failed = False
        self._parts: list[bytes] = []
        self._size = 0
        self._times: tuple[int, int] | None = None
        self._channels: dict[_ChannelKey, int] = {}
        self._schemas: dict[str, int] = {}
        try:
            self._create(first)
        except OSError as error:
            self._abandon()
            raise EpisodeError(
                f"{path}: cannot be made: {error}. "
                "Next: check the folder and its permissions, or name another with --data"
            ) from error
        except BaseException:
            self._abandon()
            raise

    def _create(self, first: JournalHeader) -> None:
        folder = self.path.parent
        folder.mkdir(parents=True, exist_ok=True)
        hidden = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        self._fd = os.open(hidden, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._write_start(first)
            os.link(hidden, self.path)
        except FileExistsError:
            raise EpisodeError(
                f"{self.path} exists already. Next: `station episodes recover` saves what it holds"
            ) from None
        finally:
            hidden.unlink()
        remember(folder, number_of(self.path))
        durable.sync(folder)

    def append(self, sample: Sample) -> None:
        """Take a sample; it is safe once `flush()` has returned. Raises DiskFull (a long batch is written early)."""
        header = sample.header
        kind, schema_name, data = encoding.encode(sample)
        base = header.sequence >> _SEQUENCE_BITS
        key = _ChannelKey(f"{sample.kind}/{sample.node}", header.start_id, header.schema, base, kind, schema_name)
        channel = self._channels.get(key) or self._open_channel(key)
        low = header.sequence & (1 << _SEQUENCE_BITS) - 1
        sent, captured = header.sent_at_ns, header.captured_at_ns
        self._add(MESSAGE.pack(MESSAGE_OPCODE, 22 + len(data), channel, low, sent, captured))
        self._add(data)
        first, last = self._times or (sent, sent)
        self._times = min(first, sent), max(last, sent)
        if self._size > _SPLIT:
            self._write_chunk()

    def flush(self) -> None:
        """Hand everything appended so far to the kernel: it survives kill -9.

        Raises DiskFull; what was flushed before stays readable.
        """
        if self._parts:
            self._write_chunk()

    def sync(self) -> None:
        """Make everything flushed survive a power cut (fdatasync)."""
        os.fdatasync(self._fd)

    def close(self, rows: int, why: str = "", unrecorded: tuple[str, ...] = ()) -> None:
        """Flush, write the end, make it durable, let go of the lock. After a DiskFull: only let go."""
        try:
            if not self._failed:
                self.flush()
                self._write(_metadata(END_NAME, JournalEnd(rows, why, unrecorded)) + _closing())
                os.fsync(self._fd)
        finally:
            self._abandon()

    def _abandon(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
        self._fd = -1

    def _write_start(self, first: JournalHeader) -> None:
        start = _laid_down(records.Header(profile="station", library="teleop-station"))
        self._write(MCAP0_MAGIC + start + _metadata(HEADER_NAME, first))
        os.fsync(self._fd)

    def _open_channel(self, key: _ChannelKey) -> int:
        schema_id = self._schemas.get(key.schema_name, 0)
        if key.schema_name and not schema_id:
            schema_id = self._schemas[key.schema_name] = len(self._schemas) + 1
            found = encoding.schema(key.schema_name)
            self._add(
                _laid_down(records.Schema(id=schema_id, data=found.data, encoding=found.encoding, name=found.name))
            )
        channel = self._channels[key] = len(self._channels) + 1
        extra = {"start_id": str(key.start_id), "schema": str(key.schema), "sequence_base": str(key.sequence_base)}
        opened = records.Channel(
            id=channel, topic=key.topic, message_encoding=key.encoding, schema_id=schema_id, metadata=extra
        )
        self._add(_laid_down(opened))
        return channel

    def _add(self, data: bytes) -> None:
        self._parts.append(data)
        self._size += len(data)

    def _write_chunk(self) -> None:
        data = b"".join(self._parts)
        first, last = self._times or (0, 0)
        # MCAP's times are unsigned; a clock's are not below zero, but what was given must come back.
        stamps = first & (1 << 64) - 1, last & (1 << 64) - 1
        head = CHUNK.pack(CHUNK_OPCODE, CHUNK.size - 9 + len(data), *stamps, len(data), zlib.crc32(data), 0, len(data))
        self._parts, self._size, self._times = [], 0, None
        self._write(head, data)

    def _write(self, *parts: bytes) -> None:
        if self._failed:
            raise DiskFull(f"{self.path}: writing had failed before; the journal is closed")
        size = sum(map(len, parts))
        try:
            _write_whole(self._fd, parts, size)
        except OSError as error:
            self._failed = True
            os.ftruncate(self._fd, self._whole)
            if error.errno in _NO_ROOM:
                raise DiskFull(
                    f"{self.path}: no room left for {size} bytes ({error.strerror}); what was flushed is kept. "
                    "Next: free space or name another folder with --data"
                ) from error
            raise EpisodeError(f"{self.path}: cannot be written: {error}. Next: check the disk") from error
        self._whole += size


def _write_whole(fd: int, parts: tuple[bytes, ...], size: int) -> None:
    """Write all of it: a single write may take less than it was given."""
    written = os.writev(fd, parts)
    if written < size:
        rest = memoryview(b"".join(parts))
        while written < size:
            written += os.write(fd, rest[written:])


def _laid_down(record: records.McapRecord) -> bytes:
    built: Any = RecordBuilder()
    record.write(built)
    return bytes(built.end())


def _metadata(name: str, value: msgspec.Struct) -> bytes:
    text = msgspec.json.encode(value)
    return _laid_down(records.Metadata(name=name, metadata={"json": text.decode(), "crc32": str(zlib.crc32(text))}))


def _closing() -> bytes:
    footer = records.Footer(summary_start=0, summary_offset_start=0, summary_crc=0)
    return _laid_down(records.DataEnd(data_section_crc=0)) + _laid_down(footer) + MCAP0_MAGIC
