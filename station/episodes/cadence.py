"""How regular an episode came out: rate, late ticks, ages, losses, clips, holds. Pure but for reading the file.

Rows are on the grid by construction; what can go wrong is that ticks were late, that streams were old or lost, that limits
clipped what was asked for, and that the arms held.
"""

from collections.abc import Iterable, Mapping
from math import pi
from pathlib import Path
from typing import NamedTuple

import h5py
import msgspec
import numpy as np
from numpy.typing import NDArray

from station.clock import NS_PER_MS, NS_PER_S
from station.episodes import datasets
from station.episodes.reading import attribute, reading

CLIP = 2 * pi / 4096
"""One tick of a 12-bit servo, rad: what is sent may differ from what was asked by that much without having been clipped."""
COMMANDING = ("leader", "vr", "policy", "replay")
"""Sources of somebody who does the task: neither on the way to a pose nor in hold."""


class StreamCadence(msgspec.Struct, frozen=True):
    """One stream over the rows of an episode."""

    age_p50_ms: float
    age_p99_ms: float
    new_share: float
    """Rows with a sample that the row before had not, 0…1."""
    lost: int


class Cadence(msgspec.Struct, frozen=True):
    """One episode, or several taken together."""

    rows: int
    seconds: float
    rate_hz: float
    """Rows per second of the grid they stand on; below the rig's only if ticks are missing."""
    late: int
    clipped: int
    """Rows in which somebody commanded and a goal differs from the setpoint by more than `CLIP` (hand-over ramps included)."""
    holds: int
    """How often the arms held."""
    held_rows: int
    streams: Mapping[str, StreamCadence]

    @property
    def lost(self) -> int:
        """Samples lost over all streams."""
        return sum(stream.lost for stream in self.streams.values())

    @property
    def oldest(self) -> str:
        """The stream with the highest p99 age, "" without streams."""
        return max(self.streams, key=lambda name: self.streams[name].age_p99_ms, default="")


class Arrays(NamedTuple):
    """What the report is made of. T rows, D numbers."""

    tick_ns: NDArray[np.int64]
    late: NDArray[np.bool_]
    action: NDArray[np.float32]
    action_sent: NDArray[np.float32]
    source: NDArray[np.uint8]
    source_names: tuple[str, ...]
    ages_ns: Mapping[str, NDArray[np.int64]]
    is_new: Mapping[str, NDArray[np.bool_]]
    lost: Mapping[str, int]


def cadence(arrays: Arrays) -> Cadence:
    """The report of one episode."""
    rows = len(arrays.tick_ns)
    span_s = float(arrays.tick_ns[-1] - arrays.tick_ns[0]) / NS_PER_S if rows > 1 else 0.0
    rate_hz = (rows - 1) / span_s if span_s > 0 else 0.0
    names = np.array(arrays.source_names)[arrays.source] if rows else np.array([], str)
    commanded = np.isin(names, COMMANDING)
    off = np.abs(arrays.action_sent - arrays.action).max(axis=1, initial=0.0) > CLIP
    held = names == "hold"
    starts = held & ~np.concatenate(([False], held[:-1])) if rows else held
    return Cadence(
        rows, rows / rate_hz if rate_hz else 0.0, rate_hz, int(arrays.late.sum()), int((off & commanded).sum()),
        int(starts.sum()), int(held.sum()), {name: _stream(name, arrays) for name in arrays.ages_ns},
    )  # fmt: skip


def _stream(name: str, arrays: Arrays) -> StreamCadence:
    ages = arrays.ages_ns[name]
    if not len(ages):
        return StreamCadence(0.0, 0.0, 0.0, arrays.lost.get(name, 0))
    p50, p99 = np.percentile(ages, (50, 99)) / NS_PER_MS
    return StreamCadence(float(p50), float(p99), float(arrays.is_new[name].mean()), arrays.lost.get(name, 0))


def read_cadence(episode: Path) -> Cadence:
    """The report of an episode's file. Raises EpisodeError if it is none."""
    with reading(episode) as file:
        return cadence_in(file)


def cadence_in(file: h5py.File) -> Cadence:
    """The same of a file that is open. Raises EpisodeError."""
    return cadence(_arrays(file))


def _arrays(file: h5py.File) -> Arrays:
    streams = datasets.streams(file)
    source, source_names = datasets.sources(file)
    return Arrays(
        datasets.ticks_ns(file), datasets.table(file, "/control/late"), datasets.table(file, "/action"),
        datasets.table(file, "/action_sent"), source, source_names,
        {name: datasets.table(file, f"/sync/age/{name}") for name in streams},
        {name: datasets.table(file, f"/sync/is_new/{name}") for name in streams},
        {name: int(attribute(file, "lost", f"/timestamps/{name}")) for name in streams},
    )  # fmt: skip


def together(reports: Iterable[Cadence]) -> Cadence:
    """A whole sitting: sums, shares weighted by rows, and of each stream's ages the worst episode's."""
    found = list(reports)
    rows, seconds = sum(c.rows for c in found), sum(c.seconds for c in found)
    names = dict.fromkeys(name for c in found for name in c.streams)
    streams = {name: _worst([(c.rows, c.streams[name]) for c in found if name in c.streams]) for name in names}
    return Cadence(
        rows, seconds, rows / seconds if seconds else 0.0, sum(c.late for c in found), sum(c.clipped for c in found),
        sum(c.holds for c in found), sum(c.held_rows for c in found), streams,
    )  # fmt: skip


def _worst(found: list[tuple[int, StreamCadence]]) -> StreamCadence:
    rows = sum(count for count, _ in found)
    return StreamCadence(
        max(stream.age_p50_ms for _, stream in found),
        max(stream.age_p99_ms for _, stream in found),
        sum(count * stream.new_share for count, stream in found) / rows if rows else 0.0,
        sum(stream.lost for _, stream in found),
    )


def in_words(report: Cadence) -> str:
    """One line: what an operator wants to know before going on."""
    parts = [f"{report.rows} rows, {report.seconds:.1f} s at {report.rate_hz:.2f} Hz", f"late {report.late}"]
    parts.append(f"lost {report.lost}")
    if report.clipped:
        parts.append(f"clipped {report.clipped}")
    if report.holds:
        parts.append(f"holds {report.holds} ({report.held_rows} rows)")
    if report.oldest:
        parts.append(f"oldest {report.oldest} {report.streams[report.oldest].age_p99_ms:.0f} ms (p99)")
    return " · ".join(parts)
