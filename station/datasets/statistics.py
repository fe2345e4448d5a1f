"""A dataset's statistics, as trainers normalise with them: exact, in float64, over all of it. Pure.

What others do and is not done here: weighted means of episodes' quantiles (wrong by up to 60 % of the range), sums of squares of bytes
that overflow, float32 sums that give a constant number a deviation.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

QUANTILES = (0.01, 0.1, 0.5, 0.9, 0.99)
LEVELS = 256
"""Of a picture's channel."""
SAMPLES_PER_S = 2.0
"""Pictures of an episode and camera that its statistics are of, about; evenly spread."""


class Statistics(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Of each number of a feature, or of each channel of a camera's pictures scaled to 0…1."""

    min: list[float]
    max: list[float]
    mean: list[float]
    std: list[float]
    """Of the whole set (divided by n)."""
    count: int
    """Rows, or pictures."""
    quantiles: list[list[float]]
    """By QUANTILES, then by number."""


def of_numbers(values: NDArray[Any]) -> Statistics:
    """`values`: (N, D) or (N,), of any type; N > 0. What is not known counts as 0."""
    table = columns(values)
    return Statistics(
        table.min(axis=0).tolist(), table.max(axis=0).tolist(), table.mean(axis=0).tolist(), _std(table).tolist(),
        len(table), np.quantile(table, QUANTILES, axis=0).tolist(),
    )  # fmt: skip


def columns(values: NDArray[Any]) -> NDArray[np.float64]:
    """(N, D) or (N,) as (N, D), with 0 for what is not known: velocities and efforts of recordings that were imported."""
    table = np.asarray(values, np.float64).reshape(len(values), -1)
    return np.where(np.isnan(table), 0.0, table)


def _std(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """0 for what is constant: its mean need not be that constant in floating point."""
    return np.where(table.min(axis=0) == table.max(axis=0), 0.0, table.std(axis=0))


def histogram(rgb: NDArray[np.uint8]) -> NDArray[np.int64]:
    """(3, 256) how often each level is in each channel of a picture. Sums of these are as good as the pictures."""
    return np.stack([np.bincount(rgb[..., channel].ravel(), minlength=LEVELS) for channel in range(3)])


def of_pictures(levels: NDArray[np.int64], pictures: int) -> Statistics:
    """`levels`: (3, 256), of so many pictures."""
    values = np.arange(LEVELS) / (LEVELS - 1)
    total = levels.sum(axis=1)
    mean = levels @ values / total
    std = np.sqrt(np.maximum(levels @ values**2 / total - mean**2, 0))
    present = [values[channel > 0] for channel in levels]
    ranks = np.cumsum(levels, axis=1)
    quantiles = [
        [float(values[np.searchsorted(rank, quantile * rank[-1])]) for rank in ranks] for quantile in QUANTILES
    ]
    return Statistics(
        [float(channel[0]) for channel in present], [float(channel[-1]) for channel in present],
        mean.tolist(), std.tolist(), pictures, quantiles,
    )  # fmt: skip


def sampled(length: int, rate_hz: float) -> Sequence[int]:
    """Which of an episode's frames its picture statistics are of."""
    count = min(length, max(2, round(length / rate_hz * SAMPLES_PER_S)))
    return sorted({int(place) for place in np.linspace(0, length - 1, count).round()})
