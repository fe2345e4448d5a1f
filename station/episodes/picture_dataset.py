"""One camera's pictures in an episode's HDF5, written row by row while nobody knows yet how long the longest will be.

A row of JPEG lies in pieces (HDF5 chunks), so padding beyond its last piece is never written and a longer picture only
needs one more; raw and depth pictures are one piece. Every piece is read back from the file and its checksum compared.
"""

import zlib
from array import array
from typing import Any, NamedTuple

import h5py

from station.episodes import layout

PIECES = 4
"""Of a row of JPEG, about: more of them waste less of the last one, fewer are read faster."""
_PIECE_UNIT = 1024
_GROW_ROWS = 256


class Piece(NamedTuple):
    """The bytes of one chunk as they lie in the file."""

    data: bytes
    crc: int


class PictureDataset:
    """One dataset while it is written."""

    def __init__(self, file: h5py.File, entry: layout.Expected) -> None:
        """`entry` as the first row has it: a JPEG's length gives the size of the pieces."""
        keys: dict[str, Any] = {"compression": "gzip", "compression_opts": 1, "shuffle": True} if entry.gzip else {}
        self.path, self._jpeg = entry.path, len(entry.shape) == 2
        row = entry.shape[1:]
        if self._jpeg:
            row = (-(-row[0] // (PIECES * _PIECE_UNIT)) * _PIECE_UNIT,)
        self._row = row
        limits = (None, None) if self._jpeg else (None, *row)
        self._dataset = file.create_dataset(
            entry.path, (0, *row), entry.dtype, chunks=(1, *row), maxshape=limits, **keys
        )
        self._room = 0, row[0]
        """Rows and bytes a row that the dataset has at present."""
        self._counts, self._crcs = array("H"), array("L")
        self._compared_rows = self._compared_pieces = 0
        self.wrong: list[int] = []
        """Rows that did not read back as they were written."""

    def pieces(self, data: bytes) -> tuple[Piece, ...]:
        """A row's bytes cut up; made once for all rows that repeat the picture."""
        step = self._row[0] if self._jpeg else max(1, len(data))
        cut = [data[start : start + step] for start in range(0, len(data), step)]
        if self._jpeg:
            cut[-1] = cut[-1].ljust(step, b"\0")
        return tuple(Piece(piece, zlib.crc32(piece)) for piece in cut)

    def add(self, pieces: tuple[Piece, ...]) -> None:
        """The next row."""
        row = len(self._counts)
        self._make_room(row, len(pieces))
        for place, piece in enumerate(pieces):
            self._dataset.id.write_direct_chunk(self._coordinates(row, place), piece.data)
            self._crcs.append(piece.crc)
        self._counts.append(len(pieces))

    def _make_room(self, row: int, pieces: int) -> None:
        rows, length = self._room
        if row >= rows:
            rows = row + _GROW_ROWS
            self._dataset.resize(rows, axis=0)
        if self._jpeg and pieces * self._row[0] > length:
            length = pieces * self._row[0]
            self._dataset.resize(length, axis=1)
        self._room = rows, length

    def _coordinates(self, row: int, place: int) -> tuple[int, ...]:
        return (row, place * self._row[0]) if self._jpeg else (row, *(0 for _ in self._row))

    def compare(self) -> None:
        """Read back from the file what was added since the last time; see `wrong`."""
        for row in range(self._compared_rows, len(self._counts)):
            for place in range(self._counts[row]):
                _, data = self._dataset.id.read_direct_chunk(self._coordinates(row, place))
                if zlib.crc32(data) != self._crcs[self._compared_pieces]:
                    self.wrong.append(row)
                self._compared_pieces += 1
        self._compared_rows = len(self._counts)

    def finish(self, shape: tuple[int, ...]) -> None:
        """No more rows; `shape` is what the dataset has in the end."""
        self._dataset.resize(shape)


def chunk_places(dataset: Any) -> list[list[tuple[int, int]]]:
    """(offset, size) of every chunk in the file, by row and by place in it."""
    found: dict[tuple[int, ...], tuple[int, int]] = {}

    def note(chunk: Any) -> None:
        found[chunk.chunk_offset] = chunk.byte_offset, chunk.size

    dataset.id.chunk_iter(note)
    rows: dict[int, list[tuple[int, int]]] = {}
    for place in sorted(found):
        rows.setdefault(place[0], []).append(found[place])
    return [rows[row] for row in sorted(rows)]
