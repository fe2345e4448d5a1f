"""Everything in an episode but its pictures, as arrays. Reads the file; what is computed from it is in `rows_kept` and `frames`."""

from typing import NamedTuple

import h5py
import numpy as np
from numpy.typing import NDArray

from station.episodes import datasets
from station.episodes.reading import attribute, tick_hz

Table = NDArray[np.float32]
"""(T, D)"""
Flags = NDArray[np.bool_]
"""(T,)"""


class EpisodeNumbers(NamedTuple):
    """Row for row, as recorded."""

    tick_hz: float
    ticks_ns: NDArray[np.int64]
    """(T,)"""
    dim_names: tuple[str, ...]
    units: tuple[str, ...]
    qpos: Table
    qvel: Table
    effort: Table
    asked: Table
    sent: Table
    human: Table
    """NaN where no human commanded."""
    source: NDArray[np.uint8]
    """(T,) an index into `source_names`."""
    source_names: tuple[str, ...]
    intervention: Flags
    stalled: Flags
    """All false in episodes of the first layout, which does not say it."""


def read_numbers(file: h5py.File) -> EpisodeNumbers:
    """All of it. Raises EpisodeError where something is not as the layout's table has it."""
    names, units = datasets.dimensions(file)
    source, source_names = datasets.sources(file)
    old = int(attribute(file, "layout")) < 2
    return EpisodeNumbers(
        tick_hz=tick_hz(file),
        ticks_ns=datasets.ticks_ns(file),
        dim_names=names,
        units=units,
        qpos=datasets.table(file, "/observations/qpos"),
        qvel=datasets.table(file, "/observations/qvel"),
        effort=datasets.table(file, "/observations/effort"),
        asked=datasets.table(file, "/action"),
        sent=datasets.table(file, "/action_sent"),
        human=datasets.table(file, "/human_action"),
        source=source,
        source_names=source_names,
        intervention=datasets.table(file, "/control/intervention"),
        stalled=np.zeros(len(source), bool) if old else datasets.table(file, "/control/stalled"),
    )
