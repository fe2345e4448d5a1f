"""One camera's pictures in an episode's HDF5, written row by row while nobody knows yet how long the longest will be.

A row of JPEG lies in one piece (HDF5 chunk) with some room to spare, and one that is longer in several; what pads a row
beyond its last piece is never written. Raw and depth pictures are one piece. Every piece is read back and compared.

A row is as wide as the longest picture so far: HDF5 widens a dataset by a number in its header, but when it is made
narrower it reads and writes every chunk again.
"""

from typing import Any, NamedTuple

import h5py

from station.episodes import layout

ROOM = 1.125
"""Of a piece, times the first JPEG: a camera's pictures of one scene differ by less, as a rule."""
_PIECE_UNIT = 1024
_GROW_ROWS = 256


class Picture(NamedTuple):
    """A row's bytes: how many there are, and cut up into chunks; made once for all rows that repeat the picture."""

    length: int
    pieces: tuple[bytes, ...]


class PictureDataset:
    """One dataset while it is written."""

    def __init__(self, file: h5py.File, entry: layout.Expected, first: int) -> None:
        """`first`: bytes of the first row's JPEG, which give the size of the pieces."""
        keys: dict[str, Any] = {"compression": "gzip", "compression_opts": 1, "shuffle": True} if entry.gzip else {}
        self._jpeg = len(entry.shape) == 2
        self._piece = (-(-int(first * ROOM) // _PIECE_UNIT) * _PIECE_UNIT,) if self._jpeg else entry.shape[1:]
        row, limits = ((first,), (None, None)) if self._jpeg else (self._piece, (None, *self._piece))
        self._dataset = file.create_dataset(
            entry.path, (0, *row), entry.dtype, chunks=(1, *self._piece), maxshape=limits, **keys
        )
        self._rows, self._room = 0, (0, row[0])
        """How many there are; rows and bytes a row that the dataset has at present."""
        self.wrong: list[int] = []
        """Rows that did not read back as they were written."""

    def cut(self, data: bytes) -> Picture:
        """A row's bytes, cut up."""
        if not self._jpeg:
            return Picture(len(data), (data,))
        step = self._piece[0]
        pieces = tuple(data[start : start + step].ljust(step, b"\0") for start in range(0, len(data), step))
        return Picture(len(data), pieces)

    def add(self, picture: Picture) -> None:
        """The next row."""
        row = self._rows
        self._make_room(row, picture.length)
        for place, piece in enumerate(picture.pieces):
            at = (row, place * self._piece[0]) if self._jpeg else (row, *(0 for _ in self._piece))
            self._dataset.id.write_direct_chunk(at, piece)
            if self._dataset.id.read_direct_chunk(at)[1] != piece:
                self.wrong.append(row)
        self._rows += 1

    def _make_room(self, row: int, length: int) -> None:
        rows, longest = self._room
        if row >= rows:
            rows = row + _GROW_ROWS
            self._dataset.resize(rows, axis=0)
        if self._jpeg and length > longest:
            longest = length
            self._dataset.resize(longest, axis=1)
        self._room = rows, longest

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
