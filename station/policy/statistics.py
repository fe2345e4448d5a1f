"""The statistics a policy was trained with, as one affine map each way.

Training and deployment must use the same numbers; a mismatch is a common cause of slow or jerky motion. Two usual
forms are read, and both are y = (x − centre) / scale:

    mean, std:   centre = mean,             scale = std
    min, max:    centre = (min + max) / 2,  scale = (max − min) / 2     (onto −1 … 1)
"""

import math
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

_LARGEST = 1e9
"""Above every unit's numbers, below what overflows float32."""


class Statistics(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Per dimension, as policy.yaml gives them: `mean` and `std`, or `min` and `max`. (D,) each."""

    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    min: tuple[float, ...] = ()
    max: tuple[float, ...] = ()


class Wrong(NamedTuple):
    """What is wrong with statistics: the key below them, what was found, the fix."""

    key: str
    found: str
    fix: str


class Affine(NamedTuple):
    """y = (x − centre) / scale and back. (D,) each, float64."""

    centre: NDArray[np.float64]
    scale: NDArray[np.float64]

    def normalise(self, x: NDArray[np.floating]) -> NDArray[np.float32]:
        """(…, D) in physical units → (…, D) as the network wants it."""
        return ((x - self.centre) / self.scale).astype(np.float32)

    def unnormalise(self, y: NDArray[np.floating]) -> NDArray[np.float64]:
        """(…, D) as the network gives it → (…, D) in physical units."""
        return y * self.scale + self.centre


def affine(statistics: Statistics | None, dims: int) -> Affine:
    """The map of checked statistics; the identity where there are none."""
    if statistics is None:
        return Affine(np.zeros(dims), np.ones(dims))
    if statistics.mean:
        return Affine(np.array(statistics.mean), np.array(statistics.std))
    low, high = np.array(statistics.min), np.array(statistics.max)
    return Affine((low + high) / 2, (high - low) / 2)


def wrong(statistics: Statistics, dims: int) -> Wrong | None:
    """The first thing wrong with statistics for `dims` dimensions, or None."""
    given = [name for name in ("mean", "std", "min", "max") if getattr(statistics, name)]
    if given not in (["mean", "std"], ["min", "max"]):
        return Wrong("", f"has {' and '.join(given) or 'nothing'}", "give either mean and std, or min and max")
    for name in given:
        values = getattr(statistics, name)
        if len(values) != dims:
            return Wrong(
                name, f"{len(values)} numbers for {dims} dimensions", "one number per dimension, in the vector's order"
            )
        for i, value in enumerate(values):
            if not abs(value) <= _LARGEST:
                what = "is not a number" if not math.isfinite(value) else "is no number of an arm"
                fix = "compute the statistics again; the training data may hold NaN"
                return Wrong(f"{name}[{i}]", f"{value:g} {what}", fix)
    return _no_width(statistics)


def _no_width(statistics: Statistics) -> Wrong | None:
    for i, std in enumerate(statistics.std):
        if not std > 0:
            return Wrong(
                f"std[{i}]",
                f"{std} would divide by nothing",
                "clip it at training (ACT uses 0.01), and use the same here",
            )
    for i, (low, high) in enumerate(zip(statistics.min, statistics.max, strict=True)):
        if not high > low:
            return Wrong(
                f"max[{i}]", f"{high} is not above min {low}", "widen a dimension that never moved, as at training"
            )
    return None
