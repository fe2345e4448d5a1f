"""Opens an episode to read it. Whatever the file is: it cannot hang, lead into other files, fill the memory, or raise anything
but one sentence.

Readers take no lock: HDF5's own would shut out whoever labels the episode, and be shut out by any program that has it open.
Nothing in a whole episode is ever rewritten but one byte, its attribute `success`.
"""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from math import isfinite
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from station.borders.regular_file import open_regular, reason
from station.episodes import layout
from station.errors import EpisodeError

TYPES: Mapping[str, type] = {
    "bool": np.bool_,
    "int8": np.int8,
    "int64": np.int64,
    "float64": np.float64,
    "string": str,
    "strings": np.ndarray,
}
"""What h5py reads an attribute of the layout's table as."""
_ROW_BYTES = 256 << 20
"""No picture is larger."""
_FREE_BYTES = 1 << 20
_SHRINKS = 1100
"""Deflate makes nothing smaller than by 1032: what claims more is not there."""
_HOSTILE = (
    OSError, RuntimeError, LookupError, ValueError, TypeError, AttributeError, ArithmeticError, MemoryError, RecursionError
)  # fmt: skip
"""What h5py and NumPy raise on a file that is broken or was made to break a reader."""
_TRUNCATED = re.compile(r"truncated file: eof = (\d+).*stored_eof = (\d+)")
_GONE = "bring it back from a copy, or move it away"


@contextmanager
def reading(path: Path) -> Iterator[h5py.File]:
    """The episode's file, for as long as the block lasts. Raises EpisodeError, for what the block meets in the file too."""
    try:
        os.close(open_regular(path))
    except OSError as error:
        raise EpisodeError(
            f"{path}: cannot be read: {reason(error)}. Next: check what it is, and its permissions"
        ) from error
    try:
        with h5py.File(path, "r", locking=False) as file:
            _stay_inside(file)
            yield file
    except _HOSTILE as error:
        if isinstance(error, OSError):
            raise EpisodeError(f"{path}: not a whole HDF5 file: {_plainly(error)}. Next: {_GONE}") from error
        told = (
            str(error)
            if isinstance(error, LookupError | ValueError | RuntimeError)
            else f"{type(error).__name__}: {error}"
        )
        raise EpisodeError(f"{path}: not an episode: {told}. Next: `station episodes verify {path}`") from error


def _plainly(error: OSError) -> str:
    """HDF5's own words for the two commonest cases are for those who wrote it."""
    words = str(error)
    if "signature not found" in words:
        return "it does not begin as one does"
    if found := _TRUNCATED.search(words):
        return f"{found[1]} of its {found[2]} bytes are there"
    return " ".join(words.split())


def attribute(file: h5py.File, name: str) -> Any:
    """An attribute of the file itself, of the type the layout's table gives it. Raises EpisodeError."""
    kind = next(entry.type for entry in layout.ATTRIBUTES if entry.on == "/" and entry.name == name)
    if name not in file.attrs:
        raise EpisodeError(f"{file.filename}: attribute {name} is missing")
    value = file.attrs[name]
    if not isinstance(value, TYPES[kind]):
        raise EpisodeError(f"{file.filename}: attribute {name} is {type(value).__name__}, not {kind}")
    return value


def tick_hz(file: h5py.File) -> float:
    """The rate of the grid. Raises EpisodeError where it is none."""
    rate = float(attribute(file, "tick_hz"))
    if not (isfinite(rate) and rate > 0):
        raise EpisodeError(f"{file.filename}: attribute tick_hz is {rate:g}, no rate")
    return rate


def rows_of(file: h5py.File) -> int:
    """How many rows the episode has. Raises EpisodeError where /action is no table."""
    action = file.get("/action")
    if not isinstance(action, h5py.Dataset) or len(action.shape) != 2:
        raise EpisodeError(f"{file.filename}: /action is no dataset of rows and numbers")
    return int(action.shape[0])


def group(file: h5py.File, path: str) -> Mapping[str, Any]:
    """The datasets of a group by name; none where there is no such group. Raises EpisodeError where something else is there."""
    found = file.get(path, {})
    if not isinstance(found, h5py.Group | dict):
        raise EpisodeError(f"{file.filename}: {path} is no group")
    for name, inside in found.items():
        if not isinstance(inside, h5py.Dataset):
            raise EpisodeError(f"{file.filename}: {path}/{name} is no dataset")
    return found


def _stay_inside(file: h5py.File) -> None:
    """Raises EpisodeError where something in the file lies in another one, or is larger than it can be."""

    def elsewhere(name: bytes, link: Any) -> bytes | None:
        return None if link.type == h5py.h5l.TYPE_HARD else name

    found = file.id.links.visit(elsewhere, info=True)
    if found is not None:
        raise EpisodeError(f"{file.filename}: /{os.fsdecode(found)} is a link; an episode has everything in itself")
    told = file.visititems(_impossible)
    if told is not None:
        raise EpisodeError(f"{file.filename}: {told}")


def _impossible(name: str, item: Any) -> str | None:
    if not isinstance(item, h5py.Dataset):
        return None
    plist = item.id.get_create_plist()
    if item.is_virtual or plist.get_external_count():
        return f"/{name} lies in another file"
    row = item.nbytes // max(1, item.shape[0]) if item.shape else item.nbytes
    pictures = name.startswith(("observations/images/", "observations/depth/"))
    there = item.id.get_storage_size() * _SHRINKS + _FREE_BYTES
    if row > _ROW_BYTES or (not pictures and item.nbytes > there):
        return f"/{name} says it has {item.nbytes} bytes, and has {item.id.get_storage_size()}"
    return None
