"""The second pass: writes the HDF5 that the survey measured."""

import os
import zlib
from array import array
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import h5py
import numpy as np
import numpy.typing as npt

from station.bus.messages import SOURCES, Frame
from station.episodes import layout
from station.episodes.attributes import write_attributes
from station.episodes.journal_reader import JournalReader
from station.episodes.rows import Content, RowReader, WholeRow
from station.episodes.survey import Survey
from station.episodes.verify import chunk_places
from station.errors import EpisodeError

_BLOCK = 256
"""Rows buffered before they are written."""
_KEPT = "The journal is kept"
Check = Callable[[], list[str]]


def build(reader: JournalReader, found: Survey, path: Path) -> Check:
    """Write the episode to `path`. Returns what re-reads the file and says which pictures are not what was written."""
    with h5py.File(path, "w") as file:
        writer = _Writer(file, found)
        rows = iter(RowReader(reader, found.header, trusted=True))
        for index in range(found.rows):
            writer.take(index, next(rows))
        writer.finish(found.rows)
    return lambda: writer.compare(path)


class _Cached(NamedTuple):
    key: tuple[int, int]
    chunk: bytes
    crc: int


class _Writer:
    def __init__(self, file: h5py.File, found: Survey) -> None:
        self._file, self._found, self._plan = file, found, found.plan
        self._datasets: dict[str, Any] = {}
        self._blocks: dict[str, npt.NDArray[Any]] = {}
        self._lengths = np.zeros((len(found.plan.cameras), _BLOCK), np.float32)
        self._cache: dict[str, _Cached] = {}
        self._crcs: dict[str, array[int]] = {}
        self._chunks: dict[str, tuple[Any, tuple[int, ...]]] = {}
        """Per dataset of pictures: its HDF5 handle, and where a chunk begins within its row."""
        for entry in layout.expected(found.plan):
            self._create(entry)
        self._pictures = self._picture_paths()
        write_attributes(file, found)

    def _create(self, entry: layout.Expected) -> None:
        keys: dict[str, Any] = {"compression": "gzip", "compression_opts": 1, "shuffle": True} if entry.gzip else {}
        if entry.chunk_per_row:
            keys["chunks"] = (1, *entry.shape[1:])
        dataset = self._datasets[entry.path] = self._file.create_dataset(entry.path, entry.shape, entry.dtype, **keys)
        if entry.chunk_per_row:
            self._crcs[entry.path] = array("Q")
            self._chunks[entry.path] = dataset.id, (0,) * (len(entry.shape) - 1)
        elif entry.path != "/compress_len":
            self._blocks[entry.path] = np.zeros((_BLOCK, *dataset.shape[1:]), dataset.dtype)

    def _picture_paths(self) -> dict[str, str]:
        """Stream → dataset of its pictures."""
        colour = {camera: f"/observations/images/{camera}" for camera in self._plan.cameras}
        nodes = layout.streams(self._found.header.descriptions)
        depth = {
            stream: f"/observations/depth/{nodes[stream][1]}"
            for stream, kind in self._found.kinds.items()
            if kind == "depth"
        }
        return colour | depth

    def take(self, index: int, whole: WholeRow) -> None:
        """Add row `index`."""
        place = index % _BLOCK
        for path, value in self._values(whole):
            self._blocks[path][place] = value
        for stream, path in self._pictures.items():
            cached = self._chunk(stream, whole.contents[stream])
            chunks, within = self._chunks[path]
            chunks.write_direct_chunk((index, *within), cached.chunk)
            self._crcs[path].append(cached.crc)
        if self._plan.jpeg:
            for row, camera in enumerate(self._plan.cameras):
                self._lengths[row, place] = len(whole.contents[camera].payload[0])
        if place == _BLOCK - 1:
            self.finish(index + 1)

    def finish(self, rows: int) -> None:
        """Write the block that ends with row `rows` − 1."""
        count = (rows - 1) % _BLOCK + 1
        start = rows - count
        for path, block in self._blocks.items():
            self._datasets[path][start:rows] = block[:count]
        if self._plan.jpeg:
            self._datasets["/compress_len"][:, start:rows] = self._lengths[:, :count]

    def _values(self, whole: WholeRow) -> list[tuple[str, Any]]:
        tick, row = whole.tick, whole.row
        values: list[tuple[str, Any]] = [
            ("/observations/qpos", tick.qpos),
            ("/observations/qvel", tick.qvel),
            ("/observations/effort", tick.effort),
            ("/action", row.action),
            ("/action_sent", row.action_sent),
            ("/policy_action", np.nan if row.policy_action is None else row.policy_action),
            ("/human_action", np.nan if row.human_action is None else row.human_action),
            ("/control/source", SOURCES.index(row.source)),
            ("/control/intervention", row.intervention),
            ("/control/late", row.late),
            ("/timestamps/tick", tick.t_ns),
        ]
        for chosen in tick.chosen:
            values.append((f"/timestamps/{chosen.stream}", chosen.captured_at_ns))
            values.append((f"/sync/age/{chosen.stream}", chosen.age_ns))
            values.append((f"/sync/is_new/{chosen.stream}", chosen.is_new))
        for stream, fields in self._found.fields.items():
            numbers = layout.numbers(whole.contents[stream].body)
            values.append((f"/observations/extra/{stream}", [numbers.get(field, np.nan) for field in fields]))
        return values

    def _chunk(self, stream: str, content: Content) -> _Cached:
        """The bytes of one row's chunk; a repeated picture is made ready once."""
        cached = self._cache.get(stream)
        if cached is None or cached.key != content.key:
            data = self._encode(stream, content)
            cached = self._cache[stream] = _Cached(content.key, data, zlib.crc32(data))
        return cached

    def _encode(self, stream: str, content: Content) -> bytes:
        frame, data = content.body, content.payload[0]
        if self._found.kinds[stream] == "depth":
            # What HDF5's shuffle and gzip filters would make of it, made once for all rows that repeat the picture.
            if len(data) != 2 * frame.height * frame.width:
                raise EpisodeError(
                    f"{stream}: a depth picture is not the {frame.width}×{frame.height} it says. {_KEPT}"
                )
            return zlib.compress(np.frombuffer(data, np.uint8).reshape(-1, 2).T.tobytes(), 1)
        if self._plan.jpeg:
            return bytes(data).ljust(self._plan.padded, b"\0")
        return _rgb(stream, frame, data)

    def compare(self, path: Path) -> list[str]:
        """Read every picture's bytes back from `path` and compare their checksums with what was meant."""
        with h5py.File(path) as file:
            places = {name: chunk_places(file[name]) for name in self._crcs}
        with ThreadPoolExecutor(os.cpu_count()) as pool:  # reading and checksums both let go of the interpreter's lock
            wrong = pool.map(lambda name: _wrong_rows(path, places[name], self._crcs[name]), self._crcs)
            return [
                f"{name}: rows {rows[:5]} are not what was written"
                for name, rows in zip(self._crcs, wrong, strict=True)
                if rows
            ]


def _wrong_rows(path: Path, places: list[tuple[int, int]], crcs: "array[int]") -> list[int]:
    fd = os.open(path, os.O_RDONLY)
    try:
        got = [zlib.crc32(os.pread(fd, size, at)) for at, size in places]
    finally:
        os.close(fd)
    return [row for row, crc in enumerate(crcs) if row >= len(got) or got[row] != crc]


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
