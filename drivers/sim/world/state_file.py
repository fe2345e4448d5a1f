"""The physics state in shared memory: the world writes it 100 times a second, each camera maps it.

A seqlock in an mmapped file (little endian):

    0   magic      8 bytes
    8   scene      16 bytes, its name in ASCII, filled up with zeros
    24  sequence   u64     odd while a write is under way
    32  time_ns    i64     CLOCK_MONOTONIC at which the world looked like that
    40  count      u32
    44  crc32      u32     over time_ns, count and the numbers
    48  numbers    f64 × count

The reader takes a snapshot only if the sequence was even and the same before and after, and the CRC agrees, which
holds on processors that reorder stores too. No lock, so neither side can stop the other.
"""

import mmap
import os
import struct
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_MAGIC = b"STNWRLD2"
_SCENE = struct.Struct("16s")
_SEQUENCE = struct.Struct("<Q")
_BODY = struct.Struct("<qI")
_CRC = struct.Struct("<I")
_SEQUENCE_AT = len(_MAGIC) + _SCENE.size
_BODY_AT = _SEQUENCE_AT + _SEQUENCE.size
_NUMBERS = _BODY_AT + _BODY.size + _CRC.size
_TRIES = 100


class Snapshot(NamedTuple):
    """The state at one instant."""

    time_ns: int
    numbers: NDArray[np.float64]


class StateWriter:
    """The world's side: makes a new file at `path` (a reader of an older one sees it stand still)."""

    def __init__(self, path: Path, count: int, scene: str = "handover") -> None:
        self.path, self._count, self._sequence = path, count, 0
        fresh = path.with_name(path.name + ".new")
        fresh.unlink(missing_ok=True)
        with fresh.open("xb+") as file:
            file.truncate(_NUMBERS + 8 * count)
            self._map = mmap.mmap(file.fileno(), 0)
        self._map[:_SEQUENCE_AT] = _MAGIC + _SCENE.pack(scene.encode())
        self.write(0, np.zeros(count))
        fresh.replace(path)

    def write(self, time_ns: int, numbers: NDArray[np.float64]) -> None:
        """Publish a state, `numbers` (count,). Raises ValueError for another count."""
        if len(numbers) != self._count:
            raise ValueError(f"{len(numbers)} numbers instead of {self._count}")
        body = _BODY.pack(time_ns, self._count)
        raw = numbers.astype("<f8", copy=False).tobytes()
        crc = zlib.crc32(raw, zlib.crc32(body))
        self._set_sequence(self._sequence + 1)
        self._map[_BODY_AT:] = body + _CRC.pack(crc) + raw
        self._set_sequence(self._sequence + 1)

    def _set_sequence(self, sequence: int) -> None:
        """In one store: pack_into clears what it is about to write, which a reader would see as a sequence of 0."""
        self._map[_SEQUENCE_AT:_BODY_AT] = _SEQUENCE.pack(sequence)
        self._sequence = sequence

    def close(self) -> None:
        """Take the file away."""
        self.path.unlink(missing_ok=True)
        self._map.close()


class StateReader:
    """A camera's side."""

    def __init__(self, path: Path) -> None:
        """Raises OSError if it cannot be opened, ValueError if it is no state file."""
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            self._map = mmap.mmap(descriptor, 0, prot=mmap.PROT_READ)
        finally:
            os.close(descriptor)
        if len(self._map) < _NUMBERS or self._map[: len(_MAGIC)] != _MAGIC:
            self._map.close()
            raise ValueError(f"{path} is not a world's state")
        self.scene = self._map[len(_MAGIC) : _SEQUENCE_AT].rstrip(b"\0").decode("ascii", "replace")
        """Which one the numbers are of."""

    def read(self) -> Snapshot | None:
        """The newest state; None if every try met a write (the writer died in the middle of one)."""
        for _ in range(_TRIES):
            before = self._map[_SEQUENCE_AT:_BODY_AT]
            data = self._map[_BODY_AT:]
            if before != self._map[_SEQUENCE_AT:_BODY_AT] or before[0] & 1:
                continue
            snapshot = _decode(data)
            if snapshot is not None:
                return snapshot
        return None

    def close(self) -> None:
        """Unmap."""
        self._map.close()


def _decode(data: bytes) -> Snapshot | None:
    body, raw = data[: _BODY.size], data[_BODY.size + _CRC.size :]
    if _CRC.unpack_from(data, _BODY.size)[0] != zlib.crc32(raw, zlib.crc32(body)):
        return None
    return Snapshot(_BODY.unpack(body)[0], np.frombuffer(raw, "<f8"))
