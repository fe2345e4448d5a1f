"""What is in an episode's datasets, held against the layout's table before anybody computes with it or draws it.

A file may have been damaged, or made to break who reads it: another type, other lengths, times that run backwards, a camera a
thousand times. Everything here raises EpisodeError, one sentence for the first dataset that is not what the table says.
"""

from collections.abc import Sequence
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from station.episodes import layout
from station.episodes.reading import attribute, group, rows_of, text, wrong

MOST = 256
"""Streams, cameras or numbers a row: a rig has a tenth of it."""
_TABLE_BYTES = 256 << 20
"""No table of numbers is larger: 26 hours of 14 numbers at 50 Hz."""
_LATEST_NS = 1 << 62
"""146 years after a start: differences of two such times still fit into their int64."""


def dataset(file: h5py.File, path: str) -> Any:
    """The dataset at `path`, of the type and the shape that the table gives it; a picture's own size is free."""
    found = file.get(path)
    if not isinstance(found, h5py.Dataset):
        raise wrong(file, f"{path} is no dataset" if found is not None else f"{path} is missing")
    entries = layout.entries_of(path)
    sizes = {"T": rows_of(file), "D": file["/action"].shape[1]}
    for entry in entries:
        shape = tuple(sizes.get(size, size) if isinstance(size, str) else size for size in entry.shape)
        if found.dtype == np.dtype(entry.dtype) and _fits(found.shape, shape):
            return found
    demanded = " or ".join(
        f"{entry.dtype} ({', '.join(str(sizes.get(str(size), size)) for size in entry.shape)})" for entry in entries
    )
    raise wrong(file, f"{path} is {str(found.dtype)[:60]} {found.shape}, not {demanded}")


def table(file: h5py.File, path: str) -> NDArray[Any]:
    """All of a dataset of numbers, (T,) or (T, …): a row each tick. Raises EpisodeError for one that is missing or too long."""
    found = dataset(file, path)
    if found.nbytes > _TABLE_BYTES:
        raise wrong(file, f"{path} is {found.nbytes} bytes long, an episode's are {_TABLE_BYTES} at most")
    return np.asarray(found[()])


def ticks_ns(file: h5py.File) -> NDArray[np.int64]:
    """(T,) when each row's tick is on the grid: rising."""
    ticks = table(file, "/timestamps/tick")
    if ticks.size and not (ticks.min() >= 0 and ticks.max() < _LATEST_NS and (np.diff(ticks) > 0).all()):
        raise wrong(file, "/timestamps/tick does not rise, or leaves what a clock can show")
    return ticks


def sources(file: h5py.File) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """(T,) who commanded, and the names that these numbers stand for."""
    numbers = table(file, "/control/source")
    names = texts(file, "/control/source", "names")
    if numbers.size and numbers.max() >= len(names):
        raise wrong(file, f"/control/source has the number {numbers.max()}, and names for {len(names)}")
    return numbers, names


def marked(file: h5py.File) -> dict[str, int]:
    """In how many rows each mark of the table is set (late, stalled, …), of those that the file has."""
    marks = [entry for entry in layout.DATASETS if entry.per == "always" and entry.dtype == "bool"]
    return {entry.name: int(table(file, entry.path).sum()) for entry in marks if entry.path in file}


def streams(file: h5py.File) -> tuple[str, ...]:
    """Names of the streams whose ages the file has."""
    names = tuple(group(file, "/sync/age"))
    if len(names) > MOST:
        raise wrong(file, f"/sync/age has {len(names)} streams, an episode has {MOST} at most")
    return names


def dimensions(file: h5py.File) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(D,) names and units of /action's numbers."""
    width = dataset(file, "/action").shape[1]
    if not 0 < width <= MOST:
        raise wrong(file, f"/action has {width} numbers a row, an episode's has 1 to {MOST}")
    names, units = texts(file, "/", "dim_names"), texts(file, "/", "units")
    if (len(names), len(units)) != (width, width):
        raise wrong(file, f"/action has {width} numbers a row, dim_names {len(names)} and units {len(units)}")
    return names, units


def cameras(file: h5py.File) -> tuple[str, ...]:
    """Names of the cameras whose pictures the file has, in the rig's order."""
    names = texts(file, "/", "camera_names")
    there = group(file, "/observations/images")
    absent = [name for name in names if name not in there]
    if absent or len(set(names)) != len(names):
        raise wrong(
            file,
            f"camera_names has {(absent or names)[0][:60]!r}, {'without pictures' if absent else 'more than once'}",
        )
    if len(names) > MOST:
        raise wrong(file, f"camera_names has {len(names)} cameras, an episode has {MOST} at most")
    return names


def texts(file: h5py.File, on: str, name: str) -> tuple[str, ...]:
    """The words of an attribute."""
    values: NDArray[Any] = attribute(file, name, on)
    if values.ndim != 1 or values.dtype.kind != "O":
        raise wrong(file, f"{on}: attribute {name} is no list of words")
    return tuple(each.decode(errors="replace") if isinstance(each, bytes) else text(str(each)) for each in values)


def _fits(shape: Sequence[int], demanded: Sequence[str | int]) -> bool:
    """What is a symbol still may be any size but none."""
    return len(shape) == len(demanded) and all(
        size > 0 if isinstance(wanted, str) else size == wanted for size, wanted in zip(shape, demanded, strict=True)
    )
