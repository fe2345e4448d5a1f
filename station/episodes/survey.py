"""What a journal's rows come to: how many, how large everything is, what was late, lost and stale."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from station.bus.messages import Frame
from station.clock import NS_PER_S
from station.episodes import layout
from station.episodes.journal import JournalHeader, recorded_streams
from station.episodes.journal_reader import JournalReader
from station.episodes.rows import Marked, RowReader, WholeRow
from station.errors import EpisodeError


class PolicyRun(NamedTuple):
    """How the policy that ran did, as its runner said about twice a second."""

    delay_p95_ms: float
    """The worst windowed 95th percentile from an observation's tick to its chunk being usable; NaN without a policy."""
    starved_ticks: int
    faults: int


class Survey(NamedTuple):
    """What is known of an episode once its last row is."""

    header: JournalHeader
    rows: int
    plan: layout.Plan
    kinds: dict[str, str]
    """Kind of every stream the ticks chose from."""
    fields: dict[str, tuple[str, ...]]
    """Where an extra stream's numbers are in its message."""
    columns: dict[str, tuple[str, ...]]
    """What they are called: the device's own names where it has as many, else those places."""
    counts: dict[str, int]
    """Attribute → how many rows, or runs of rows, are marked so."""
    lost: dict[str, int]
    stale: dict[str, int]
    ended: str
    recovered: bool
    """The journal has no end of its own: it was cut off."""
    damage: str
    left: int
    """Bytes behind the last whole record of a journal that was cut off: half a record."""
    policy: PolicyRun
    marks: tuple[Marked, ...]
    unrecorded: tuple[str, ...]
    """Streams that appeared while it was recorded."""


CUT_OFF = "cut off: whoever recorded was killed, or power was lost"
DAMAGED = "its journal is damaged: the rows end there"


def _ended(reader: JournalReader, rows: RowReader, known: str) -> str:
    if rows.damage:
        return DAMAGED
    return reader.end.why if reader.end else known or CUT_OFF


def policy_run(readings: Sequence[Mapping[str, float]]) -> PolicyRun:
    """Counts are what was added meanwhile; they begin again with every rollout."""
    delays = [entry["delay_p95_ms"] for entry in readings if "delay_p95_ms" in entry]
    return PolicyRun(
        max(delays, default=float("nan")), _added(readings, "starved_ticks"), _added(readings, "faults")
    )  # fmt: skip


def _added(readings: Sequence[Mapping[str, float]], name: str) -> int:
    counts = [int(entry[name]) for entry in readings if name in entry]
    return sum(max(0, later - before) for before, later in pairwise(counts))


class Surveyor:
    """Measures whole rows as they come."""

    def __init__(self, header: JournalHeader) -> None:
        self.header, self._sources = header, recorded_streams(header)
        self.rows = 0
        self._counts = {entry.counted.attribute: 0 for entry in layout.DATASETS if entry.counted is not None}
        self._marked: dict[str, bool] = {}
        self._streams: tuple[str, ...] = ()
        self.kinds: dict[str, str] = {}
        self._stale: dict[str, int] = {}
        self._stale_ns: dict[str, int] = {}
        self._longest = 0
        self._sizes: dict[str, tuple[int, int]] = {}
        self._fields: dict[str, dict[str, None]] = {}
        self._seen: dict[str, tuple[int, int]] = {}

    def take(self, whole: WholeRow) -> None:
        """One more row. Raises EpisodeError where a camera's pictures do not fit the rig file."""
        if self.rows == 0:
            self._begin(whole)
        self.rows += 1
        self._count(whole)
        for chosen in whole.tick.chosen:
            if chosen.age_ns > self._stale_ns[chosen.stream]:
                self._stale[chosen.stream] += 1
        for stream, content in whole.contents.items():
            if self._seen.get(stream) != content.key:
                self._seen[stream] = content.key
                self._measure(stream, content.body, content.payload)

    def _count(self, whole: WholeRow) -> None:
        for entry in layout.DATASETS:
            if entry.counted is not None:
                marked = bool(layout.value_of(entry, whole.row))
                before = self._marked.get(entry.path, False) if entry.counted.of == "runs" else False
                self._counts[entry.counted.attribute] += marked and not before
                self._marked[entry.path] = marked

    def survey(self, reader: JournalReader, rows: RowReader, ended: str = "") -> Survey:
        """After the last row. `ended`: why the journal has no end of its own, where that is known."""
        closed = reader.ending is not None and reader.ending.how == "closed"
        lost = {
            stream: reader.lost.get(self._sources[stream], 0) for stream in self._streams if stream in self._sources
        }
        return Survey(
            header=self.header, rows=self.rows, plan=self.plan()._replace(marks=len(rows.marks)), kinds=self.kinds, fields=self.fields(),
            columns=self._columns(), counts=self._counts, lost=lost, stale=self._stale,
            ended=_ended(reader, rows, ended), recovered=not closed, damage=rows.damage,
            left=reader.ending.left if reader.ending else 0,
            policy=policy_run([health.readings for health in rows.healths]),
            marks=tuple(sorted(rows.marks)), unrecorded=tuple(sorted({*rows.unrecorded, *(reader.end.unrecorded if reader.end else ())})),
        )  # fmt: skip

    def _begin(self, whole: WholeRow) -> None:
        self._streams = tuple(chosen.stream for chosen in whole.tick.chosen)
        for stream in self._streams:
            self.kinds[stream] = self._sources[stream][0] if stream in self._sources else ""
            self._stale[stream] = 0
            self._stale_ns[stream] = self._stale_after_ns(stream)

    def _stale_after_ns(self, stream: str) -> int:
        if stream not in self._sources:
            return layout.STALE_DEFAULT_NS
        kind, node = self._sources[stream]
        rates = [found.rate_hz for found in self.header.descriptions[node].streams if found.kind == kind]
        return round(layout.STALE_PERIODS * NS_PER_S / rates[0]) if rates[0] > 0 else layout.STALE_DEFAULT_NS

    def _measure(self, stream: str, body: Any, payload: tuple[bytes, ...]) -> None:
        if not isinstance(body, Frame):
            self._fields.setdefault(stream, {}).update(dict.fromkeys(layout.numbers(body)))
            return
        size = body.height, body.width
        jpeg = self.header.images == "jpeg"
        if self.kinds[stream] == "frame" and jpeg:
            if body.encoding != "jpeg":
                raise EpisodeError(
                    f"{stream} sent {body.encoding} where the rig file says images: jpeg. The journal is kept. "
                    "Next: make its driver encode, or set images: raw"
                )
            self._longest = max(self._longest, len(payload[0]))
        elif self._sizes.setdefault(stream, size) != size:
            raise EpisodeError(
                f"{stream} changed its size from {self._sizes[stream]} to {size} in the episode. The journal is kept"
            )

    def fields(self) -> dict[str, tuple[str, ...]]:
        """Per extra stream, where its numbers are in its message, in the order in which they appeared."""
        return {stream: tuple(names) for stream, names in self._fields.items()}

    def _columns(self) -> dict[str, tuple[str, ...]]:
        found = self.fields()
        for stream, fields in found.items():
            kind, node = self._sources[stream]
            described = next(entry.dimensions for entry in self.header.descriptions[node].streams if entry.kind == kind)
            if kind == "vector" and len(described) == len(fields):
                found[stream] = tuple(dimension.name for dimension in described)
        return found

    def plan(self) -> layout.Plan:
        """What the episode has, of the rows so far."""
        return layout.Plan(
            rows=self.rows,
            dimensions=len(self.header.dim_names),
            jpeg=self.header.images == "jpeg",
            padded=self._longest,
            cameras=tuple(name for name in self.header.cameras if self.kinds.get(name) == "frame"),
            pictures=self._sizes,
            depths={self._sources[name][1]: size for name, size in self._sizes.items() if self.kinds[name] == "depth"},
            extras={stream: len(names) for stream, names in self._fields.items()},
            streams=self._streams,
        )
