"""What the episodes of a task have in common, and which are unlike the others. Pure: episodes and their measurements in, numbers out."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from station.clock import NS_PER_S
from station.episodes.catalogue import Episode, label
from station.episodes.index import Measured
from station.episodes.quality.card import LEVELS
from station.episodes.quality.facts import FACTS

SIGMAS = 3.5
"""k: how many standard deviations, estimated by 1.4826 · MAD, from the median; Iglewicz and Hoaglin's limit for their modified z."""
_MAD_SIGMA = 1.4826
FEWEST = 5
"""Of fewer episodes none is unlike the others."""
SPREAD = 2.0
"""min … max over q01 … q99, both as widths: above, one row in a hundred sets the scale for all others."""
_LENGTH_S = 1.0
_CONSTANT = 1e-6
_BINS = 4000


class Outlier(msgspec.Struct, frozen=True):
    """One episode that is unlike the others in one number."""

    episode: str
    """`cube/12`"""
    fact: str
    value: float
    median: float
    mad: float
    sigmas: float
    """How far, in standard deviations."""


class Share(msgspec.Struct, frozen=True):
    """The episodes of one operator, hour or scene."""

    name: str
    episodes: int
    successes: int
    failures: int
    """The others were not judged."""


class Numbers(msgspec.Struct, frozen=True):
    """One number of the vector over all rows of all episodes."""

    name: str
    least: float
    q01: float
    q99: float
    most: float
    constant: bool
    """It is the same in every row: whoever divides by its spread divides by nothing."""
    spread: float | None
    """(max − min) / (q99 − q01); None where the latter is nothing."""


class Workspace(msgspec.Struct, frozen=True):
    """Where one arm's fingertips were, in the frame of its own base, m."""

    arm: str
    lower_m: tuple[float, float, float]
    upper_m: tuple[float, float, float]


class Stats(msgspec.Struct, frozen=True):
    """`station dataset stats --json`: one task's episodes compared."""

    name: str
    episodes: int
    measured: int
    """How many have a quality card; the rest is in the counts and lengths only."""
    rows: int
    minutes: float
    length_median_s: float
    length_mad_s: float
    length_least_s: float
    length_most_s: float
    speed_median_rad_s: float | None
    by_operator: tuple[Share, ...]
    by_hour: tuple[Share, ...]
    by_scene: tuple[Share, ...]
    outliers: tuple[Outlier, ...]
    findings: dict[str, int]
    """How many episodes have a finding of that name."""
    state: tuple[Numbers, ...]
    action: tuple[Numbers, ...]
    workspaces: tuple[Workspace, ...]
    without_workspace: dict[str, str]
    """Per arm, why none is known."""


class Path(NamedTuple):
    """One episode's way through space."""

    episode: Episode
    positions_m: NDArray[np.float64]
    """(N, 3)"""


def compare(
    name: str, found: Sequence[tuple[Episode, Measured | None]], paths: Mapping[str, Sequence[Path]], unknown: Mapping[str, str]
) -> Stats:  # fmt: skip
    """`found`: a task's episodes, at least one. `paths`: per arm; `unknown`: arms without, and why."""
    episodes = [episode for episode, _ in found]
    measured = [(episode, each) for episode, each in found if each is not None]
    lengths = np.array([episode.seconds for episode in episodes])
    median, mad = _median_mad(lengths)
    speeds = [speed for _, each in measured if (speed := each.facts.get("speed_rad_s")) is not None]
    names = _dims(episodes)
    return Stats(
        name=name, episodes=len(episodes), measured=len(measured), rows=sum(episode.rows for episode in episodes),
        minutes=float(lengths.sum() / 60), length_median_s=median, length_mad_s=mad, length_least_s=float(lengths.min()),
        length_most_s=float(lengths.max()), speed_median_rad_s=float(np.median(speeds)) if speeds else None,
        by_operator=shares(episodes, lambda episode: episode.operator or "not said"),
        by_hour=shares(episodes, hour_of), by_scene=shares(episodes, lambda episode: episode.scene or "not said"),
        outliers=tuple(outliers(found)), findings=_count(measured),
        state=numbers(names, [(each.state, episode.rows) for episode, each in measured]),
        action=numbers(names, [(each.action, episode.rows) for episode, each in measured]),
        workspaces=tuple(_workspace(arm, each) for arm, each in paths.items() if each), without_workspace=dict(unknown),
    )  # fmt: skip


def hour_of(episode: Episode) -> str:
    """The hour of the day, by this computer's wall clock: `14 h`."""
    try:
        return f"{datetime.fromtimestamp(episode.recorded_ns / NS_PER_S).hour:02} h"
    except (ValueError, OverflowError, OSError):
        return "not said"


def shares(episodes: Iterable[Episode], key: Callable[[Episode], str]) -> tuple[Share, ...]:
    """Counts by what `key` gives, in its order."""
    counts: dict[str, list[int]] = {}
    for episode in episodes:
        count = counts.setdefault(key(episode), [0, 0, 0])
        count[0] += 1
        count[1] += episode.success is True
        count[2] += episode.success is False
    return tuple(Share(name, *counts[name]) for name in sorted(counts))


def outliers(found: Sequence[tuple[Episode, Measured | None]]) -> list[Outlier]:
    """Episodes whose length, or one of whose compared facts, is further from the median than `SIGMAS` · 1.4826 · MAD, and further than what
    matters of that fact; the farthest first.
    """
    matters = {"length_s": _LENGTH_S} | {name: fact.matters for name, fact in FACTS.items() if fact.matters is not None}
    table = np.array([_compared(episode, each, matters) for episode, each in found], np.float64)  # None becomes NaN
    unlike = []
    for name, column in zip(matters, table.T, strict=True):
        there = np.flatnonzero(~np.isnan(column))
        if len(there) < FEWEST:
            continue
        values = column[there]
        median, mad = _median_mad(values)
        sigma = max(_MAD_SIGMA * mad, matters[name] / SIGMAS)
        for at in np.flatnonzero(np.abs(values - median) > SIGMAS * sigma):
            episode = found[int(there[at])][0]
            value = float(values[at])
            unlike.append(Outlier(label(episode), name, value, median, mad, abs(value - median) / sigma))
    return sorted(unlike, key=lambda each: (-each.sigmas, each.episode, each.fact))


def _compared(episode: Episode, each: Measured | None, names: Iterable[str]) -> list[float | None]:
    """The numbers of these names; the first is the length."""
    facts = {} if each is None else each.facts
    return [episode.seconds if name == "length_s" else facts.get(name) for name in names]


def _median_mad(values: NDArray[np.float64]) -> tuple[float, float]:
    median = float(np.median(values))
    return median, float(np.median(np.abs(values - median)))


def _dims(episodes: Sequence[Episode]) -> tuple[str, ...]:
    form = next((episode.form for episode in episodes if episode.form is not None), None)
    return () if form is None else form.dims


def numbers(names: Sequence[str], tables: Sequence[tuple[NDArray[np.float32], int]]) -> tuple[Numbers, ...]:
    """Per number of the vector, over all rows of all episodes. `tables`: (D, LEVELS) quantiles of an episode, and how many rows it has.

    Extremes are exact. Quantiles are those of the mixture: every episode's mass between two of its levels is put in the middle between
    them, weighted by its rows, and counted in 4,000 bins from the least to the most. (A mean of the episodes' quantiles would be wrong by
    up to 60 % of the range.)
    """
    there = [(table, rows) for table, rows in tables if len(table) == len(names)]
    if not there:
        return ()
    levels = np.array([table for table, _ in there], np.float64)  # (N, D, L)
    weights = np.array([rows for _, rows in there], np.float64)[:, None] * np.diff(LEVELS)[None, :]
    middles = (levels[:, :, 1:] + levels[:, :, :-1]) / 2
    return tuple(
        _number(name, levels[:, place, 0].min(), levels[:, place, -1].max(), middles[:, place], weights)
        for place, name in enumerate(names)
    )


def _number(
    name: str, least: float, most: float, middles: NDArray[np.float64], weights: NDArray[np.float64]
) -> Numbers:
    if most - least < _CONSTANT:
        return Numbers(name, float(least), float(least), float(most), float(most), True, None)
    bins = np.minimum(((middles - least) * (_BINS / (most - least))).astype(np.intp), _BINS - 1)
    counted = np.bincount(bins.ravel(), weights.ravel(), _BINS)  # np.histogram sorts them, and takes ten times as long
    edges = np.linspace(least, most, _BINS + 1)
    below = np.concatenate(([0.0], np.cumsum(counted))) / counted.sum()
    q01, q99 = (float(np.interp(share, below, edges)) for share in (0.01, 0.99))
    spread = float((most - least) / (q99 - q01)) if q99 - q01 > _CONSTANT else None
    return Numbers(name, float(least), q01, q99, float(most), False, spread)


def wide(number: Numbers) -> bool:
    """Do a few rows set the scale for all others?"""
    return not number.constant and (number.spread is None or number.spread > SPREAD)


def _count(measured: Iterable[tuple[Episode, Measured]]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for _, each in measured:
        for name in dict.fromkeys(name for name, _ in each.findings):
            counts[name] = counts.get(name, 0) + 1
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _workspace(arm: str, paths: Sequence[Path]) -> Workspace:
    went = np.concatenate(
        [path.positions_m for path in paths]
    )  # at once: thousands of small arrays take ten times as long
    return Workspace(arm, _triple(went.min(axis=0)), _triple(went.max(axis=0)))


def _triple(vector: Any) -> tuple[float, float, float]:
    x, y, z = (round(float(value), 4) for value in vector)
    return x, y, z
