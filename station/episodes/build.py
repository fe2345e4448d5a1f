"""Writes an episode's HDF5 row by row: pictures at once, numbers (half a kilobyte a row) when the last row is known."""

import contextlib
import logging
import os
import zlib
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import h5py
import numpy as np
import numpy.typing as npt

from station.bus.messages import Frame
from station.episodes import layout, marks
from station.episodes.attributes import write_attributes
from station.episodes.journal import recorded_streams
from station.episodes.picture_dataset import Picture, PictureDataset
from station.episodes.quality.measure import Gauge, card_of, encoded
from station.episodes.rows import Content, WholeRow
from station.episodes.survey import Survey, Surveyor
from station.errors import EpisodeError

_BLOCK = 256
"""Rows for which memory is taken at once."""
_KEPT = "The journal is kept"
_OF_ROWS = [entry for entry in layout.DATASETS if entry.per == "always"]
_OF_STREAMS = [entry for entry in layout.DATASETS if entry.per == "stream"]


class _Cached(NamedTuple):
    key: tuple[int, int]
    picture: Picture


class Builder:
    """One HDF5 file while it grows. Raises OSError or RuntimeError (h5py's) where it cannot be written."""

    def __init__(self, path: Path, surveyor: Surveyor, first: WholeRow) -> None:
        """Make the file; `surveyor` has taken the first row, and takes every other one before this does."""
        self._surveyor = surveyor
        self._rows = 0
        self._plan = surveyor.plan()
        self._file = h5py.File(path, "w")
        self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self.identity = os.fstat(self._fd).st_ino
        self._cache: dict[str, _Cached] = {}
        self._lengths = {camera: array("f") for camera in self._plan.cameras}
        self._extras: dict[str, list[array[float]]] = {stream: [] for stream in self._plan.extras}
        self._blocks: dict[str, list[npt.NDArray[Any]]] = {}
        self._pictures: dict[str, PictureDataset] = {}
        self._numbers: dict[str, layout.Expected] = {}
        self._picture_paths = self._paths_of_pictures()
        lengths = {path: len(first.contents[stream].payload[0]) for stream, path in self._picture_paths.items()}
        for entry in layout.expected(self._plan):
            if entry.picture:
                self._pictures[entry.path] = PictureDataset(self._file, entry, lengths[entry.path])
            else:
                self._numbers[entry.path] = entry

    def _paths_of_pictures(self) -> dict[str, str]:
        """Stream → path of its pictures."""
        nodes = recorded_streams(self._surveyor.header)
        paths = {camera: f"/observations/images/{camera}" for camera in self._plan.cameras}
        return paths | {
            stream: f"/observations/depth/{nodes[stream][1]}"
            for stream, kind in self._surveyor.kinds.items()
            if kind == "depth"
        }

    def take(self, whole: WholeRow) -> None:
        """Add the next row."""
        place = self._rows % _BLOCK
        for path, value in _values(whole):
            if place == 0:
                entry = self._numbers[path]
                self._blocks.setdefault(path, []).append(np.zeros((_BLOCK, *entry.shape[1:]), entry.dtype))
            self._blocks[path][-1][place] = value
        for stream, rows in self._extras.items():
            numbers = layout.numbers(whole.contents[stream].body)
            rows.append(array("d", (numbers.get(name, np.nan) for name in self._surveyor.fields()[stream])))
        for stream, path in self._picture_paths.items():
            dataset = self._pictures[path]
            dataset.add(self._picture(stream, dataset, whole.contents[stream]))
        if self._plan.jpeg:
            for camera, lengths in self._lengths.items():
                lengths.append(len(whole.contents[camera].payload[0]))
        self._rows += 1

    def sync(self) -> None:
        """Have the disk take what was written so far."""
        os.fdatasync(self._fd)

    def finish(self, found: Survey, gauge: Gauge | None = None) -> None:
        """After the last row: the numbers, the attributes, the quality card; the file is whole then, and closed."""
        for entry in layout.expected(found.plan):
            if entry.picture:
                self._pictures[entry.path].finish(entry.shape)
            else:
                self._file.create_dataset(entry.path, data=self._whole(entry, found), dtype=entry.dtype)
        write_attributes(self._file, found)
        self._file.attrs["quality"] = _card(self._file, gauge)
        self._file.close()

    def wrong(self) -> list[str]:
        """Which pictures are not what was written."""
        return [
            f"{path}: rows {dataset.wrong[:5]} are not what was written"
            for path, dataset in self._pictures.items()
            if dataset.wrong
        ]

    def close(self) -> None:
        """Let go of the file, finished or not."""
        with contextlib.suppress(OSError, RuntimeError):  # on a full disk HDF5 cannot even close what is given up
            self._file.close()
        os.close(self._fd)

    def _whole(self, entry: layout.Expected, found: Survey) -> npt.NDArray[Any]:
        if entry.entry.per == "cameras jpeg":
            return np.array([self._lengths[camera] for camera in found.plan.cameras], entry.dtype).reshape(entry.shape)
        if entry.entry.per == "extra":
            whole = np.full(entry.shape, np.nan, entry.dtype)
            for row, numbers in enumerate(self._extras[entry.name]):
                whole[row, : len(numbers)] = numbers
            return whole
        if entry.entry.per == "marks":
            ticks = np.concatenate(self._blocks["/timestamps/tick"])[: found.rows]
            return np.array(marks.columns(found.marks, ticks)[entry.path], entry.dtype)
        return np.concatenate(self._blocks[entry.path])[: found.rows]

    def _picture(self, stream: str, dataset: PictureDataset, content: Content) -> Picture:
        cached = self._cache.get(stream)
        if cached is None or cached.key != content.key:
            cached = self._cache[stream] = _Cached(content.key, dataset.cut(self._encode(stream, content)))
        return cached.picture

    def _encode(self, stream: str, content: Content) -> bytes:
        frame, data = content.body, content.payload[0]
        if self._surveyor.kinds[stream] == "depth":
            # What HDF5's shuffle and gzip filters would make of it, made once for all rows that repeat the picture.
            if len(data) != 2 * frame.height * frame.width:
                raise EpisodeError(
                    f"{stream}: a depth picture is not the {frame.width}×{frame.height} it says. {_KEPT}"
                )
            return zlib.compress(np.frombuffer(data, np.uint8).reshape(-1, 2).T.tobytes(), 1)
        if self._plan.jpeg:
            return bytes(data)
        return _rgb(stream, frame, data)


def _card(file: h5py.File, gauge: Gauge | None) -> str:
    """Its card as JSON; "" where it cannot be measured: no measurement keeps an episode from being saved."""
    try:
        return encoded(card_of(file, gauge)) if gauge is not None else ""
    except Exception as error:
        logging.getLogger("station").warning("no quality card: %s: %s", type(error).__name__, error)
        return ""


def _values(whole: WholeRow) -> Iterator[tuple[str, Any]]:
    """Path and value of every number of a row, as the table says where it comes from."""
    for entry in _OF_ROWS:
        yield entry.path, layout.value_of(entry, whole.tick if entry.value.startswith("tick.") else whole.row)
    for chosen in whole.tick.chosen:
        for entry in _OF_STREAMS:
            yield entry.path.replace("<stream>", chosen.stream), layout.value_of(entry, chosen)


def _rgb(stream: str, frame: Frame, data: bytes) -> bytes:
    """A picture as (H, W, 3) uint8 RGB, row by row."""
    if frame.encoding == "rgb8":
        picture: Any = np.frombuffer(data, np.uint8)
    elif frame.encoding == "bgr8":
        picture = np.frombuffer(data, np.uint8).reshape(-1, 3)[:, ::-1]
    else:
        decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        picture = np.empty(0, np.uint8) if decoded is None else decoded[:, :, ::-1]
    if picture.size != frame.height * frame.width * 3:
        raise EpisodeError(f"{stream}: a picture is not the {frame.width}×{frame.height} it says. {_KEPT}")
    return bytes(picture.tobytes())
