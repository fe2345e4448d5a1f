"""Arrays of zarr's format 2, in a folder or in a zip: JSON beside chunks. Written and read by hand, for zarr itself pins old libraries.

Only what the formats here need: C order, little-endian, chunked along the first dimension alone, nothing compressed, or chunks that are
JPEGs (the codec `imagecodecs_jpeg`, which Diffusion Policy and UMI register).
"""

import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from station.errors import EpisodeError

ROWS = 16_384
"""Of numbers in a chunk."""
JPEG: Mapping[str, Any] = {"id": "imagecodecs_jpeg"}
_LONG_AGO = (1980, 1, 1, 0, 0, 0)
"""A zip has a time of each file: the same one, whenever it is made."""


class Store(Protocol):
    """Where arrays go."""

    def put(self, name: str, data: bytes) -> None:
        """Under a name as `data/action/0.0`."""


class Folder:
    """A store that is a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, name: str, data: bytes) -> None:
        """Raises OSError."""
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


class Zip:
    """A store that is a zip whose files are not compressed."""

    def __init__(self, file: zipfile.ZipFile) -> None:
        self._file = file

    def put(self, name: str, data: bytes) -> None:
        """Raises OSError."""
        self._file.writestr(zipfile.ZipInfo(name, _LONG_AGO), data)


def put_groups(store: Store, attributes: Mapping[str, Mapping[str, Any]]) -> None:
    """The root, `data`, `meta`, and what is said of them."""
    for group in ("", "data/", "meta/"):
        store.put(f"{group}.zgroup", json.dumps({"zarr_format": 2}).encode())
    for group, values in attributes.items():
        store.put(f"{group}/.zattrs", json.dumps(values, ensure_ascii=False, sort_keys=True).encode())


def put_array(store: Store, name: str, shape: tuple[int, ...], dtype: Any, pieces: Iterable[NDArray[Any]]) -> None:
    """Numbers, handed over in pieces of any length one behind the other, that make `shape` together."""
    kind = np.dtype(dtype).newbyteorder("<")
    step = max(1, min(ROWS, shape[0]))
    _describe(store, name, shape, (step, *shape[1:]), kind, None)
    left = np.empty((0, *shape[1:]), kind)
    place = 0
    for piece in pieces:
        left = np.concatenate([left, piece.astype(kind, copy=False)])
        while len(left) >= step:
            store.put(f"{name}/{_key(place, len(shape))}", left[:step].tobytes())
            left, place = left[step:], place + 1
    if len(left):  # a chunk is always whole
        whole = np.zeros((step, *shape[1:]), kind)
        whole[: len(left)] = left
        store.put(f"{name}/{_key(place, len(shape))}", whole.tobytes())


def put_pictures(
    store: Store, name: str, shape: tuple[int, ...], codec: Mapping[str, Any] | None, chunks: Iterable[bytes]
) -> None:
    """(T, H, W, 3) pictures, each a chunk: pixels, or what the codec decodes."""
    _describe(store, name, shape, (1, *shape[1:]), np.dtype(np.uint8), codec)
    for place, data in enumerate(chunks):
        store.put(f"{name}/{_key(place, 4)}", data)


def _describe(
    store: Store,
    name: str,
    shape: tuple[int, ...],
    chunks: tuple[int, ...],
    dtype: Any,
    codec: Mapping[str, Any] | None,
) -> None:
    about = {
        "zarr_format": 2, "shape": list(shape), "chunks": list(chunks), "dtype": dtype.str, "compressor": dict(codec) if codec else None,
        "fill_value": None if dtype.kind == "U" else False if dtype.kind == "b" else 0, "order": "C", "filters": None,
    }  # fmt: skip
    store.put(f"{name}/.zarray", json.dumps(about).encode())


def _key(place: int, dimensions: int) -> str:
    return ".".join([str(place), *["0"] * (dimensions - 1)])


class Reader:
    """Arrays of a store, read back. Everything raises EpisodeError for what is missing or wrong."""

    def __init__(self, path: Path) -> None:
        """`path`: a folder, or a zip."""
        self._path = path
        try:
            self._zip = zipfile.ZipFile(path) if path.is_file() else None
            if self._zip is None and not path.is_dir():
                raise FileNotFoundError(path)
        except (OSError, zipfile.BadZipFile) as error:
            raise EpisodeError(f"{path} cannot be opened: {error}. Next: export again") from error

    def about(self, name: str) -> dict[str, Any]:
        """An array's .zarray."""
        try:
            found = json.loads(self._get(f"{name}/.zarray"))
            if not isinstance(found, dict) or not {"shape", "chunks", "dtype"} <= found.keys():
                raise ValueError("no shape, chunks or dtype")
        except ValueError as error:
            raise EpisodeError(f"{self._path}: {name}/.zarray: {error}. Next: export again") from error
        return found

    def attributes(self, group: str) -> dict[str, Any]:
        """A group's .zattrs."""
        try:
            found = json.loads(self._get(f"{group}/.zattrs"))
        except ValueError as error:
            raise EpisodeError(f"{self._path}: {group}/.zattrs: {error}. Next: export again") from error
        return found if isinstance(found, dict) else {}

    def names(self) -> set[str]:
        """Arrays, as `data/action`."""
        return {file.removesuffix("/.zarray") for file in self._files() if file.endswith("/.zarray")}

    def rows(self, name: str, first: int, end: int) -> NDArray[Any]:
        """Rows first … end − 1 of an array of numbers."""
        about = self.about(name)
        step, width = about["chunks"][0], about["shape"][1:]
        kind = np.dtype(about["dtype"])
        found = [np.empty((0, *width), kind)]
        for place in range(first // step, -(-end // step)):
            data = self._get(f"{name}/{_key(place, len(about['shape']))}")
            if len(data) != step * int(np.prod(width, dtype=np.int64)) * kind.itemsize:
                raise EpisodeError(f"{self._path}: {name}: chunk {place} has {len(data)} bytes. Next: export again")
            chunk = np.frombuffer(data, kind).reshape(step, *width)
            found.append(chunk[max(0, first - place * step) : end - place * step])
        return np.concatenate(found)

    def picture(self, name: str, place: int) -> bytes:
        """A picture's chunk as it is stored."""
        return self._get(f"{name}/{_key(place, 4)}")

    def problems(self, rows: int) -> Iterator[str]:
        """Has every array of `data` so many rows, and all its chunks and none besides?"""
        files = self._files()
        for name in sorted(self.names()):
            about = self.about(name)
            shape, chunks = about["shape"], about["chunks"]
            if name.startswith("data/") and shape[0] != rows:
                yield f"{self._path.name}: {name} has {shape[0]} rows, its episodes have {rows}"
            right = {f"{name}/{_key(place, len(shape))}" for place in range(-(-shape[0] // max(1, chunks[0])))}
            there = {
                file for file in files if file.startswith(f"{name}/") and not file.rpartition("/")[2].startswith(".")
            }
            for file in sorted(right ^ there)[:3]:
                yield f"{self._path.name}: {file} {'is missing' if file in right else 'belongs to no row'}"

    def _files(self) -> set[str]:
        if self._zip is not None:
            return set(self._zip.namelist())
        return {str(file.relative_to(self._path)) for file in self._path.rglob("*") if file.is_file()}

    def _get(self, name: str) -> bytes:
        try:
            return self._zip.read(name) if self._zip is not None else (self._path / name).read_bytes()
        except (OSError, KeyError, zipfile.BadZipFile) as error:
            raise EpisodeError(f"{self._path}: {name} cannot be read: {error}. Next: export again") from error
