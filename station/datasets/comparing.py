"""What two datasets differ in, by their records: what went in, how it was converted, what came out."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from station.datasets.plan import Plan
from station.datasets.record import Record, read_record

_SHOWN = 10


def differences(one: Path, other: Path) -> list[str]:
    """One sentence each; none where both hold the same. Raises EpisodeError where one is no dataset of ours."""
    return list(_between(read_record(one), read_record(other)))


def _between(one: Record, other: Record) -> Iterator[str]:
    yield from _values("", {"station_version": one.station_version}, {"station_version": other.station_version})
    yield from _values("", _plain(one.plan), _plain(other.plan))
    yield from _values(
        "conversion.", msgspec.to_builtins(one.plan.conversion), msgspec.to_builtins(other.plan.conversion)
    )
    yield from _values("selection.", msgspec.to_builtins(one.plan.selection), msgspec.to_builtins(other.plan.selection))
    yield from _episodes(one.plan, other.plan)
    for name in one.statistics.numbers.keys() & other.statistics.numbers.keys():
        mine, others = one.statistics.numbers[name], other.statistics.numbers[name]
        if len(mine.mean) == len(others.mean) and mine != others:
            far = np.abs(np.asarray(mine.mean) - others.mean).max()
            yield f"statistics of {name} differ: the mean by {far:g} at most"


def _plain(plan: Plan) -> dict[str, Any]:
    return {
        "format": plan.format, "rate_hz": plan.rate_hz, "dim_names": plan.dim_names, "units": plan.units, "robot": plan.robot,
        "cameras": tuple(plan.cameras), "episodes": len(plan.episodes), "frames": plan.frames, "tasks": plan.tasks,
    }  # fmt: skip


def _values(prefix: str, one: dict[str, Any], other: dict[str, Any]) -> Iterator[str]:
    for name in sorted(one.keys() | other.keys()):
        if one.get(name) != other.get(name):
            yield f"{prefix}{name}: {one.get(name)} and {other.get(name)}"


def _episodes(one: Plan, other: Plan) -> Iterator[str]:
    """By recording and rows: what is only in one of them, what is on the other side of the split, whose file or label is another."""
    mine, others = _named(one), _named(other)
    for told, names in (
        ("only in the first", mine.keys() - others.keys()),
        ("only in the second", others.keys() - mine.keys()),
    ):
        if names:
            shown = [f"{name} rows {first} to {end - 1}" for _, name, first, end in sorted(names)[:_SHOWN]]
            yield f"{len(names)} episodes {told}: {', '.join(shown)}{', …' if len(names) > _SHOWN else ''}"
    for key in sorted(mine.keys() & others.keys()):
        for what, values in mine[key].items():
            if values != others[key][what]:
                yield f"{key[1]}: {what} is {values} and {others[key][what]}"


def _named(plan: Plan) -> dict[tuple[str, str, int, int], dict[str, Any]]:
    return {
        (plan.sources[episode.source].source.identity, plan.sources[episode.source].source.name, episode.first, episode.end): {
            "sha256": plan.sources[episode.source].sha256, "instruction": episode.instruction, "success": episode.success,
            "held back": episode.validation, "weight": episode.weight,
        }
        for episode in plan.episodes
    }  # fmt: skip
