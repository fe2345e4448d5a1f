"""One episode's file as a page plays it: pictures by row, straight from where they lie in the file; columns of numbers, whole.

Nothing is encoded again: a JPEG is read from its chunks, 13 µs a picture, without HDF5 and its lock. Pictures stay where they are in a
whole episode, so places are looked up once. Raw pictures are made JPEG when they are asked for.
"""

import os
from bisect import bisect_right
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
from numpy.typing import NDArray

from station.borders.jpeg import MOST_PIXELS
from station.borders.regular_file import open_regular
from station.console.pictures import JPEG_QUALITY
from station.episodes import datasets
from station.episodes.marks import marks_in
from station.episodes.picture_dataset import chunk_places
from station.episodes.reading import reading, rows_of, tick_hz, wrong
from station.errors import EpisodeError

MOST_ROWS = 50
"""Of one question for pictures."""
MOST_BYTES = 8 << 20
COLUMNS = {
    "qpos": "/observations/qpos", "action": "/action", "action_sent": "/action_sent", "source": "/control/source",
}  # fmt: skip
"""What a page may ask for by name, besides `age:CAMERA`."""
Stamp = tuple[int, int]
"""Inode and size: what does not change when a label is written into the file."""


class Outline(NamedTuple):
    """What a player knows before the first picture."""

    rows: int
    tick_hz: float
    names: tuple[str, ...]
    units: tuple[str, ...]
    sources: tuple[str, ...]
    cameras: dict[str, list[int]]
    """By camera: the rows that have another picture than the row before; the first row is one."""
    marks: list[tuple[str, int]]


def stamp_of(path: Path) -> Stamp:
    """Raises OSError."""
    about = path.stat()
    return about.st_ino, about.st_size


class Played:
    """An episode that somebody looks at. Its file is open from here to `close`."""

    def __init__(self, path: Path) -> None:
        """Raises EpisodeError."""
        self.path, self._columns = path, dict[str, NDArray[np.float32]]()
        self._places: dict[str, list[list[tuple[int, int]]]] = {}
        self._lengths: dict[str, NDArray[np.int64]] = {}
        with reading(path) as file:
            self.outline = self._look(file)
            self._fd = open_regular(path)

    def _look(self, file: h5py.File) -> Outline:
        rows = rows_of(file)
        if not rows:
            raise wrong(file, "no rows")
        names, units = datasets.dimensions(file)
        numbers, sources = datasets.sources(file)
        for name, column in COLUMNS.items():
            self._columns[name] = np.asarray(numbers if name == "source" else datasets.table(file, column), np.float32)
        cameras = {}
        for place, camera in enumerate(datasets.cameras(file)):
            images = datasets.dataset(file, f"/observations/images/{camera}")
            new = datasets.table(file, f"/sync/is_new/{camera}").astype(bool)
            new[:1] = True
            cameras[camera] = np.flatnonzero(new).tolist()
            ages = datasets.table(file, f"/sync/age/{camera}")
            self._columns[f"age:{camera}"] = np.asarray(ages / 1e6, np.float32)
            if images.ndim == 2:
                self._find(file, camera, place, images)
        marks = [(mark.name, mark.row) for mark in marks_in(file)]
        return Outline(rows, tick_hz(file), names, units, sources, cameras, marks)

    def _find(self, file: h5py.File, camera: str, place: int, images: Any) -> None:
        """How long each row's JPEG is, and where it lies; a file that somebody else wrote in another way is read by HDF5."""
        lengths = datasets.table(file, "/compress_len")
        if place >= len(lengths) or not ((lengths[place] >= 0) & (lengths[place] <= images.shape[1])).all():
            raise wrong(file, f"{images.name} and /compress_len do not add up")
        self._lengths[camera] = lengths[place].astype(np.int64)
        if images.chunks is not None and images.chunks[0] == 1 and not images.id.get_create_plist().get_nfilters():
            places = chunk_places(images)
            rooms = np.array([sum(size for _, size in row) for row in places], np.int64)
            if len(places) == len(images) and (self._lengths[camera] <= rooms).all():
                self._places[camera] = places

    def column(self, name: str) -> bytes | None:
        """All rows of a column as float32, little endian, row by row; None where there is no such column."""
        found = self._columns.get(name)
        return None if found is None else np.ascontiguousarray(found, "<f4").tobytes()

    def pictures(self, camera: str, rows: list[int]) -> list[tuple[int, bytes]]:
        """The JPEGs of those rows, so many as may be asked for at once. Raises EpisodeError."""
        if camera not in self.outline.cameras:
            raise EpisodeError(f"{self.path}: it has no camera of that name. Next: `station episodes show {self.path}`")
        found: list[tuple[int, bytes]] = []
        size = 0
        for row in [row for row in rows if 0 <= row < self.outline.rows][:MOST_ROWS]:
            picture = self._read(camera, row) if camera in self._places else self._through_hdf5(camera, row)
            size += len(picture)
            if found and size > MOST_BYTES:
                break
            found.append((row, picture))
        return found

    def moment(self, row: int) -> list[tuple[int, bytes]]:
        """What is seen in that row, camera by camera in their order: the row whose picture that is, and its JPEG. Raises EpisodeError."""
        shown = [rows[max(0, bisect_right(rows, row) - 1)] for rows in self.outline.cameras.values()]
        return [
            pair for camera, at in zip(self.outline.cameras, shown, strict=True) for pair in self.pictures(camera, [at])
        ]

    def _read(self, camera: str, row: int) -> bytes:
        parts = [os.pread(self._fd, size, offset) for offset, size in self._places[camera][row]]
        return b"".join(parts)[: int(self._lengths[camera][row])]

    def _through_hdf5(self, camera: str, row: int) -> bytes:
        with reading(self.path) as file:
            images = datasets.dataset(file, f"/observations/images/{camera}")
            if camera in self._lengths:
                return bytes(images[row][: int(self._lengths[camera][row])])
            if images.shape[1] * images.shape[2] > MOST_PIXELS:
                raise wrong(file, f"{images.name}: {images.shape[2]} × {images.shape[1]} pixels are no camera's")
            bgr = np.ascontiguousarray(images[row][:, :, ::-1])
        import cv2  # here, as in `pictures`

        done, jpeg = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        if not done:
            raise EpisodeError(f"{self.path}: row {row} of {camera} cannot be shown")
        return jpeg.tobytes()

    def close(self) -> None:
        """The file is let go of."""
        os.close(self._fd)
