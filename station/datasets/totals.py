"""Statistics of the whole dataset out of what the parts left beside it: exact, and in bounded memory."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from station.datasets.converted import Converted
from station.datasets.formats.contract import Made, Totals
from station.datasets.plan import Plan
from station.datasets.statistics import LEVELS, QUANTILES, Statistics, of_numbers, of_pictures

_BYTES = 128 << 20
"""Of one feature's columns at a time, as float64."""


def totals(plan: Plan, made: Sequence[Made], scratch: Path) -> Totals:
    """Of every feature, and of every camera."""
    return Totals(
        {name: _of_feature(plan, scratch, name) for name in Converted._fields},
        {camera: _of_camera(made, camera) for camera in plan.cameras},
    )


def _of_feature(plan: Plan, scratch: Path, name: str) -> Statistics:
    files = [np.load(scratch / f"{name}-{shard.index:05d}.npy", mmap_mode="r") for shard in plan.shards]
    width = 1 if files[0].ndim == 1 else files[0].shape[1]
    step = max(1, _BYTES // (8 * plan.frames))
    found = [of_numbers(_columns(files, first, min(width, first + step))) for first in range(0, width, step)]
    if len(found) == 1:
        return found[0]
    return Statistics(
        min=[value for part in found for value in part.min],
        max=[value for part in found for value in part.max],
        mean=[value for part in found for value in part.mean],
        std=[value for part in found for value in part.std],
        count=plan.frames,
        quantiles=[[value for part in found for value in part.quantiles[place]] for place in range(len(QUANTILES))],
    )


def _columns(files: Sequence[NDArray[Any]], first: int, end: int) -> NDArray[Any]:
    return np.concatenate([file.reshape(len(file), -1)[:, first:end] for file in files])


def _of_camera(made: Sequence[Made], camera: str) -> Statistics:
    mine = [one for one in made if camera in one.pictures]
    levels = sum((np.asarray(one.levels[camera], np.int64) for one in mine), np.zeros((3, LEVELS), np.int64))
    return of_pictures(levels, sum(stats.count for one in mine for stats in one.pictures[camera]))
