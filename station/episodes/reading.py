"""Opens an episode to read it. Whatever the file is: it cannot hang, lead into other files, fill the memory, or raise anything
but one sentence.

Readers take no lock: HDF5's own would shut out whoever labels the episode, and be shut out by any program that has it open.
Nothing in a whole episode is ever rewritten but one byte, its attribute `success`.
"""

import math
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
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
_MOST_LINKS = 10_000
"""Datasets and groups; an episode of a large rig has 200."""
_TABLES_BYTES = 512 << 10
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
            _keep_little(file)
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


def attribute(file: h5py.File, name: str, on: str = "/") -> Any:
    """An attribute of the file itself or of a dataset, of the type the layout's table gives it. Raises EpisodeError."""
    kind = next(entry.type for entry in layout.ATTRIBUTES if entry.name == name and _is_on(entry.on, on))
    named = f"attribute {name}" if on == "/" else f"{on}: attribute {name}"
    if on not in file or name not in (attributes := file[on].attrs):
        raise wrong(file, f"{named} is missing")
    value = attributes[name]
    if not isinstance(value, TYPES[kind]):
        raise wrong(file, f"{named} is {type(value).__name__}, not {kind}")
    return text(value) if isinstance(value, str) else value


def text(value: str) -> str:
    """A text of the file as everybody can write it on: what is no UTF-8 in it, which h5py hands over as surrogates, is `?`."""
    return value.encode(errors="replace").decode()


def _is_on(pattern: str, on: str) -> bool:
    return pattern == on or (pattern.endswith("/<stream>") and on.rpartition("/")[0] == pattern.rpartition("/")[0])


def tick_hz(file: h5py.File) -> float:
    """The rate of the grid. Raises EpisodeError where it is none."""
    rate = float(attribute(file, "tick_hz"))
    if not is_rate(rate):
        raise wrong(file, f"attribute tick_hz is {rate:g}, no rate")
    return rate


def is_rate(rate_hz: float) -> bool:
    """Is it one that a rig can have (NaN is none)?"""
    return 0.1 <= rate_hz <= 1000


def rows_of(file: h5py.File) -> int:
    """How many rows the episode has. Raises EpisodeError where /action is no table."""
    action = file.get("/action")
    if not isinstance(action, h5py.Dataset) or len(action.shape) != 2:
        raise wrong(file, "/action is no dataset of rows and numbers")
    return int(action.shape[0])


def group(file: h5py.File, path: str) -> Mapping[str, Any]:
    """The datasets of a group by name; none where there is no such group. Raises EpisodeError where something else is there."""
    found = file.get(path, {})
    if not isinstance(found, h5py.Group | dict):
        raise wrong(file, f"{path} is no group")
    for name, inside in found.items():
        if not isinstance(inside, h5py.Dataset):
            raise wrong(file, f"{path}/{name} is no dataset")
    return found


def wrong(file: h5py.File, what: str) -> EpisodeError:
    """The sentence about a file that HDF5 reads and that is no episode as the layout has them."""
    return EpisodeError(f"{file.filename}: {what}. Next: `station episodes verify {file.filename}`")


def _keep_little(file: h5py.File) -> None:
    """HDF5 keeps what it reads of its own tables, 1 MB for a thousand rows of four cameras, and the process never gets that memory back:
    it begins with less, and takes more only where that is looked at again.
    """
    kept = file.id.get_mdc_config()
    kept.set_initial_size, kept.initial_size, kept.min_size = True, _TABLES_BYTES, _TABLES_BYTES
    file.id.set_mdc_config(kept)


def _stay_inside(file: h5py.File) -> None:
    """Raises EpisodeError where something in the file lies in another one, or is larger than it can be."""
    links = 0

    def told_of(name: bytes, link: Any) -> str | None:
        nonlocal links
        links += 1
        if links > _MOST_LINKS:
            return f"there are more than {_MOST_LINKS} things in it"
        return (
            None
            if link.type == h5py.h5l.TYPE_HARD
            else f"/{os.fsdecode(name)} is a link; an episode has everything in itself"
        )

    told = file.id.links.visit(told_of, info=True) or _impossible(file)
    if told is not None:
        raise wrong(file, told)


def _impossible(file: h5py.File) -> str | None:
    """By HDF5's own calls: the objects that h5py makes of each dataset are half the time that opening an episode takes."""

    def told_of(name: bytes, about: Any) -> str | None:
        if about.type != h5py.h5o.TYPE_DATASET:
            return None
        item = h5py.h5d.open(file.id, name)
        plist, path = item.get_create_plist(), os.fsdecode(name)
        if plist.get_layout() == h5py.h5d.VIRTUAL or plist.get_external_count():
            return f"/{path} lies in another file"
        shape = item.shape or ()
        size = math.prod(shape) * item.get_type().get_size()
        row = size // max(1, shape[0]) if shape else size
        pictures = path.startswith(
            ("observations/images/", "observations/depth/")
        )  # HDF5 counts their chunks one by one
        if row > _ROW_BYTES or (not pictures and size > item.get_storage_size() * _SHRINKS + _FREE_BYTES):
            return f"/{path} says it has {size} bytes, and has {item.get_storage_size()}"
        return None

    found: str | None = h5py.h5o.visit(file.id, told_of, info=True)
    return found
