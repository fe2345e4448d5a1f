"""One camera's pictures in an episode's HDF5, written row by row while nobody knows yet how long the longest will be.

A row of JPEG lies in one piece (HDF5 chunk) with some room to spare, and one that is longer in several; what pads a row
beyond its last piece is never written. Raw and depth pictures are one piece. Every piece is read back and compared.
"""

from typing import Any

import h5py

from station.episodes import layout

ROOM = 1.125
"""Of a piece, times the first JPEG: a camera's pictures of one scene differ by less, as a rule."""
_PIECE_UNIT = 1024
_GROW_ROWS = 256


class PictureDataset:
    """One dataset while it is written."""

    def __init__(self, file: h5py.File, entry: layout.Expected, first: int) -> None:
        """`first`: bytes of the first row's JPEG, which give the size of the pieces."""
        keys: dict[str, Any] = {"compression": "gzip", "compression_opts": 1, "shuffle": True} if entry.gzip else {}
        self._jpeg = len(entry.shape) == 2
        row = entry.shape[1:]
        if self._jpeg:
            row = (-(-int(first * ROOM) // _PIECE_UNIT) * _PIECE_UNIT,)
        self._row = row
        limits = (None, None) if self._jpeg else (None, *row)
        self._dataset = file.create_dataset(
            entry.path, (0, *row), entry.dtype, chunks=(1, *row), maxshape=limits, **keys
        )
        self._rows, self._room = 0, (0, row[0])
        """How many there are; rows and bytes a row that the dataset has at present."""
        self.wrong: list[int] = []
        """Rows that did not read back as they were written."""

    def pieces(self, data: bytes) -> tuple[bytes, ...]:
        """A row's bytes cut up; made once for all rows that repeat the picture."""
        if not self._jpeg:
            return (data,)
        step = self._row[0]
        return tuple(data[start : start + step].ljust(step, b"\0") for start in range(0, len(data), step))

    def add(self, pieces: tuple[bytes, ...]) -> None:
        """The next row."""
        row = self._rows
        self._make_room(row, len(pieces))
        for place, piece in enumerate(pieces):
            at = (row, place * self._row[0]) if self._jpeg else (row, *(0 for _ in self._row))
            self._dataset.id.write_direct_chunk(at, piece)
            if self._dataset.id.read_direct_chunk(at)[1] != piece:
                self.wrong.append(row)
        self._rows += 1

    def _make_room(self, row: int, pieces: int) -> None:
        rows, length = self._room
        if row >= rows:
            rows = row + _GROW_ROWS
            self._dataset.resize(rows, axis=0)
        if self._jpeg and pieces * self._row[0] > length:
            length = pieces * self._row[0]
            self._dataset.resize(length, axis=1)
        self._room = rows, length

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
