"""TFRecord files and the tf.Examples in them, written and read without TensorFlow.

A record is its length (u64), the masked CRC-32C of that, the data, the masked CRC-32C of the data. A tf.Example is protobuf: Example{1:
Features{1: map<string, Feature>}}, Feature{1: BytesList{1: bytes …} | 2: FloatList{1: packed floats} | 3: Int64List{1: packed varints}}.
"""

import os
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple, overload

import numpy as np
from fastcrc.crc32 import iscsi
from numpy.typing import NDArray

from station.errors import EpisodeError

_BYTES, _FLOATS, _INTEGERS = 1, 2, 3
_LARGEST = (1 << 31) - 1
"""Of a record: protobuf takes no more."""
_PIECE = 1 << 22
_HEAD = 16
"""Bytes in which a field's number and length are."""


class Spooled(NamedTuple):
    """A list of byte strings that is too large for memory: a file that has them as protobuf does, each behind its tag and length."""

    path: Path


Feature = NDArray[Any] | Sequence[bytes] | Spooled
"""Floats, whole numbers or booleans; byte strings."""


def spool(file: IO[bytes], value: bytes) -> None:
    """Another byte string of a `Spooled`."""
    file.write(_tagged(1, len(value)))
    file.write(value)


def write_record(file: IO[bytes], features: Mapping[str, Feature]) -> None:
    """One tf.Example, its features by name. Raises EpisodeError where it is larger than protobuf takes."""
    entries = [(name.encode(), *_encoded(features[name])) for name in sorted(features)]
    sizes = [_entry_size(name, inner) for name, _, inner, _ in entries]
    inside = sum(len(_varint(size)) + 1 + size for size in sizes)
    total = 1 + len(_varint(inside)) + inside
    if total > _LARGEST:
        raise EpisodeError(
            f"an episode of {total >> 20} MiB is more than a record can hold (2 GiB). "
            "Next: --size, --video jpeg, --camera or a shorter range"
        )
    head = struct.pack("<Q", total)
    file.write(head + struct.pack("<I", _masked(iscsi(head))))
    crc: int | None = None
    for piece in _pieces(entries, sizes, inside):
        crc = iscsi(piece) if crc is None else iscsi(piece, crc)
        file.write(piece)
    assert crc is not None
    file.write(struct.pack("<I", _masked(crc)))


def _pieces(
    entries: Sequence[tuple[bytes, int, int, Iterable[bytes]]], sizes: Sequence[int], inside: int
) -> Iterator[bytes]:
    yield _tagged(1, inside)
    for (name, kind, inner, data), size in zip(entries, sizes, strict=True):
        feature = len(_tagged(kind, inner)) + inner
        yield _tagged(1, size) + _tagged(1, len(name)) + name + _tagged(2, feature) + _tagged(kind, inner)
        yield from data


def _entry_size(name: bytes, inner: int) -> int:
    feature = 1 + len(_varint(inner)) + inner
    return 1 + len(_varint(len(name))) + len(name) + 1 + len(_varint(feature)) + feature


def _encoded(feature: Feature) -> tuple[int, int, Iterable[bytes]]:
    """(field of Feature, bytes of the list's content, the content in pieces)."""
    if isinstance(feature, Spooled):
        return _BYTES, feature.path.stat().st_size, _file_pieces(feature.path)
    if not isinstance(feature, np.ndarray):
        content = b"".join(_tagged(1, len(value)) + value for value in feature)
        return _BYTES, len(content), [content]
    if feature.dtype.kind == "f":
        packed = np.ascontiguousarray(feature, "<f4").tobytes()
        kind = _FLOATS
    else:
        packed = b"".join(_varint(value & (1 << 64) - 1) for value in feature.ravel().tolist())
        kind = _INTEGERS
    content = _tagged(1, len(packed)) + packed
    return kind, len(content), [content]


def _file_pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            yield piece


def _tagged(field: int, length: int) -> bytes:
    return bytes([field << 3 | 2]) + _varint(length)


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    found.append(value)
    return bytes(found)


def _masked(crc: int) -> int:
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def records(path: Path) -> list[tuple[int, int]]:
    """(first byte, length) of each record of a file; the lengths are held against their checks. Raises EpisodeError."""
    found: list[tuple[int, int]] = []
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            while head := file.read(12):
                length, check = struct.unpack("<QI", head)
                if check != _masked(iscsi(head[:8])):
                    raise ValueError(f"the length of record {len(found)} is damaged")
                found.append((file.tell(), length))
                if file.seek(length + 4, 1) > size:
                    raise ValueError(f"record {len(found) - 1} is cut off")
    except (OSError, ValueError, struct.error) as error:
        raise EpisodeError(f"{path} cannot be read: {error}. Next: export again") from error
    return found


def is_damaged(path: Path, first: int, length: int) -> bool:
    """Is a record another than its check was made of? Raises OSError."""
    with path.open("rb") as file:
        file.seek(first)
        crc: int | None = None
        for place in range(0, length, _PIECE):
            piece = file.read(min(_PIECE, length - place))
            crc = iscsi(piece) if crc is None else iscsi(piece, crc)
        return bool(file.read(4) != struct.pack("<I", _masked(iscsi(b"") if crc is None else crc)))


class Strings(Sequence[bytes]):
    """Byte strings of a record, each read when it is asked for."""

    def __init__(self, path: Path, spans: Sequence[tuple[int, int]]) -> None:
        self._path, self._spans = path, spans

    def __len__(self) -> int:
        return len(self._spans)

    @overload
    def __getitem__(self, place: int) -> bytes: ...

    @overload
    def __getitem__(self, place: slice) -> "Strings": ...

    def __getitem__(self, place: int | slice) -> "bytes | Strings":
        if isinstance(place, slice):
            return Strings(self._path, self._spans[place])
        with self._path.open("rb") as file:
            return _content(file, *self._spans[place])


class Example:
    """One record, read where it lies: nothing is in memory before it is asked for, for there may be gigabytes of pictures."""

    def __init__(self, path: Path, first: int, length: int) -> None:
        """Raises EpisodeError for what is no tf.Example."""
        self._path = path
        self._features: dict[str, tuple[int, int, int]] = {}
        try:
            with path.open("rb") as file:
                for _, *entries in _fields(file, first, first + length):
                    for _, *entry in _fields(file, *entries):
                        parts = {field: span for field, *span in _fields(file, *entry)}
                        (feature,) = _fields(file, *parts[2])
                        self._features[str(_content(file, *parts[1]), "utf-8")] = feature
        except (OSError, ValueError, KeyError, IndexError) as error:
            raise EpisodeError(f"{path} holds no tf.Example: {error!r}. Next: export again") from error

    def names(self) -> set[str]:
        """Of its features."""
        return set(self._features)

    def floats(self, name: str) -> NDArray[np.float32]:
        """(N,)"""
        return np.frombuffer(self._packed(name, _FLOATS), "<f4")

    def integers(self, name: str) -> NDArray[np.int64]:
        """(N,)"""
        data, place = self._packed(name, _INTEGERS), 0
        found: list[int] = []
        while place < len(data):
            value, place = _read_varint(data, place)
            found.append(value - (1 << 64) if value >> 63 else value)
        return np.array(found, np.int64)

    def strings(self, name: str) -> Strings:
        """Byte strings. Raises EpisodeError, ValueError, IndexError."""
        return Strings(self._path, self._spans(name, _BYTES))

    def _packed(self, name: str, wanted: int) -> bytes:
        spans = self._spans(name, wanted)
        if len(spans) != 1:
            raise self._wrong(name)
        return Strings(self._path, spans)[0]

    def _spans(self, name: str, wanted: int) -> list[tuple[int, int]]:
        kind, first, end = self._features.get(name, (0, 0, 0))
        if kind != wanted:
            raise self._wrong(name)
        with self._path.open("rb") as file:
            return [(start, stop) for _, start, stop in _fields(file, first, end)]

    def _wrong(self, name: str) -> EpisodeError:
        return EpisodeError(f"{self._path}: feature {name} is missing or of another kind. Next: export again")


def _content(file: IO[bytes], first: int, end: int) -> bytes:
    return os.pread(file.fileno(), end - first, first)


def _fields(file: IO[bytes], first: int, end: int) -> Iterator[tuple[int, int, int]]:
    """(field, first byte, end) of a message of nothing but fields with a length. Raises ValueError, IndexError."""
    place = first
    while place < end:
        head = os.pread(file.fileno(), min(_HEAD, end - place), place)
        tag, behind = _read_varint(head, 0)
        length, behind = _read_varint(head, behind)
        place += behind
        if tag & 7 != 2 or place + length > end:
            raise ValueError(f"byte {place} is none of a tf.Example")
        yield tag >> 3, place, place + length
        place += length


def _read_varint(data: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[place]
        value |= (byte & 127) << shift
        place, shift = place + 1, shift + 7
        if byte < 128:
            return value, place
