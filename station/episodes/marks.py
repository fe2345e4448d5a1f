"""Marks: named instants of an episode that whoever recorded it has set. In the file they are `/marks`."""

from collections.abc import Sequence

import h5py
import msgspec
import numpy as np
from numpy.typing import NDArray

from station.episodes.datasets import texts, ticks_ns
from station.episodes.reading import wrong
from station.episodes.rows import Marked

MOST = 100_000
"""One a second for a day."""


class Mark(msgspec.Struct, frozen=True):
    """One of them."""

    name: str
    row: int
    """The newest row whose tick is at or before it."""
    at_ns: int
    seconds: float
    """From the first row; negative for one that was set before it."""


def names_of(marks: Sequence[Marked]) -> tuple[str, ...]:
    """Each name once, by the first time it was set."""
    return tuple(dict.fromkeys(mark.name for mark in marks))


def columns(marks: Sequence[Marked], ticks: NDArray[np.int64]) -> dict[str, list[int]]:
    """The datasets of an episode's marks. `ticks`: (T,) ns."""
    names = names_of(marks)
    return {
        "/marks/time": [mark.at_ns for mark in marks],
        "/marks/row": [row_at(mark.at_ns, ticks) for mark in marks],
        "/marks/name": [names.index(mark.name) for mark in marks],
    }


def row_at(at_ns: int, ticks: NDArray[np.int64]) -> int:
    """The newest row whose tick is at or before it; 0 where none is."""
    return max(0, int(np.searchsorted(ticks, at_ns, "right")) - 1)


def marks_in(file: h5py.File) -> list[Mark]:
    """The marks of an episode, in the order of time; none in one of an earlier layout. Raises EpisodeError."""
    if "/marks" not in file:
        return []
    times, rows, numbers = (_column(file, path) for path in ("/marks/time", "/marks/row", "/marks/name"))
    ticks = ticks_ns(file)
    if not len(times):
        return []
    names = texts(file, "/marks/name", "names")
    if not (
        len(times) == len(rows) == len(numbers)
        and numbers.max() < len(names)
        and rows.min() >= 0
        and rows.max() < len(ticks)
    ):
        raise wrong(file, "/marks does not add up")
    return [
        Mark(names[number], row, at, (at - int(ticks[0])) / 1e9)
        for at, row, number in zip(times.tolist(), rows.tolist(), numbers.tolist(), strict=True)
    ]


def _column(file: h5py.File, path: str) -> NDArray[np.int64]:
    found = file.get(path)
    if not isinstance(found, h5py.Dataset) or found.ndim != 1 or found.dtype.kind not in "iu" or len(found) > MOST:
        raise wrong(file, f"{path} is no column of marks")
    return np.asarray(found[()])


def in_words(marks: Sequence[Mark], most: int = 12) -> str:
    """`reach 1.2 s, grasp 3.4 s`, of many the first."""
    told = ", ".join(f"{mark.name} {mark.seconds:.1f} s" for mark in marks[:most])
    return told + (f", … {len(marks) - most} more" if len(marks) > most else "")
