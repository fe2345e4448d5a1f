"""The card of an episode: measured while its file is built, or later from the file alone.

Rows (poses, goals, ages, who commanded) are in the file in either case. What only the building sees is the stamp of every sample, and each
picture as it comes, so that none has to be read a second time.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import h5py
import msgspec
import numpy as np

from station.bus.messages import Header
from station.clock import NS_PER_MS, NS_PER_S
from station.episodes import datasets
from station.episodes.cadence import COMMANDING
from station.episodes.journal import JournalHeader, recorded_streams
from station.episodes.labels import recording_in
from station.episodes.quality import findings, motion
from station.episodes.quality.card import (
    VERSION,
    ArmCard,
    Card,
    CheckLink,
    Finding,
    MotionCard,
    PictureCard,
    StreamCard,
)
from station.episodes.quality.devices import Device, check_link, devices_of
from station.episodes.quality.pictures import PictureGauge, picture_card
from station.episodes.quality.stamps import Regularity, StampGauge
from station.episodes.reading import attribute, tick_hz, wrong
from station.episodes.rows import WholeRow

_FROZEN_GOAL_RAD = 0.05
"""An arm whose reading stays the same, to the last bit of position, velocity and effort, while its goal moves by so much is frozen."""


class Gauge:
    """What is measured while an episode's rows come."""

    def __init__(self, declared_hz: Mapping[str, float]) -> None:
        """`declared_hz`: per stream, what its device says (0: nothing)."""
        self.stamps = {stream: StampGauge(rate) for stream, rate in declared_hz.items()}
        self.pictures: dict[str, PictureGauge] = {}
        self.problem = ""
        """Why pictures were not looked at from some row on."""
        self._shown: dict[str, tuple[int, int]] = {}
        self._row = 0

    def sample(self, stream: str, header: Header) -> None:
        """Every sample of a stream, in the order in which they were recorded, those before the first row included."""
        if self._row and (gauge := self.stamps.get(stream)) is not None:
            gauge.take(header.captured_at_ns)

    def row(self, whole: WholeRow) -> None:
        """The next row. Raises nothing: no measurement keeps an episode from being saved."""
        if not self.problem:
            try:
                self._look(whole)
            except Exception as error:
                self.problem = f"pictures from row {self._row} on: {type(error).__name__}: {error}"
        self._row += 1

    def _look(self, whole: WholeRow) -> None:
        captured = {chosen.stream: chosen.captured_at_ns for chosen in whole.tick.chosen}
        for stream, content in whole.contents.items():
            if self._shown.get(stream) == content.key or getattr(content.body, "encoding", "z16") == "z16":
                continue
            self._shown[stream] = content.key
            frame = content.body
            gauge = self.pictures.setdefault(stream, PictureGauge())
            shape = frame.height, frame.width
            gauge.take(self._row, captured[stream], content.payload[0], frame.encoding == "jpeg", shape)


def declared_rates(header: JournalHeader) -> dict[str, float]:
    """Per recorded stream, the rate its device declares."""
    return {
        stream: next((found.rate_hz for found in header.descriptions[node].streams if found.kind == kind), 0.0)
        for stream, (kind, node) in recorded_streams(header).items()
    }  # fmt: skip


class _Rows(NamedTuple):
    """An episode's numbers."""

    ticks_ns: Any
    hz: float
    names: tuple[str, ...]
    units: tuple[str, ...]
    measured: Any
    velocity: Any
    effort: Any
    asked: Any
    sent: Any
    commanded: Any
    held: Any


def card_of(file: h5py.File, gauge: Gauge | None = None) -> Card:
    """The card of the episode in `file`, which has its datasets and attributes. Without a gauge its pictures are read for it.

    Raises EpisodeError where the file is not what the layout says.
    """
    rows = _rows(file)
    if not len(rows.ticks_ns):
        raise wrong(file, "no rows")
    devices = devices_of(str(attribute(file, "devices")))
    missing = [gauge.problem] if gauge is not None and gauge.problem else []
    pictures = _pictures_of(file, rows) if gauge is None else gauge.pictures
    streams = {name: _stream(file, name, rows, devices, gauge, pictures.get(name)) for name in datasets.streams(file)}
    seconds = len(rows.ticks_ns) / rows.hz
    looked = {camera: picture_card(found.looks, seconds) for camera, found in pictures.items()}
    missing += [f"{camera}: no picture could be decoded" for camera, found in looked.items() if found is None]
    there = {camera: found for camera, found in looked.items() if found is not None}
    arms = _arms(rows, devices)
    stalls = int(attribute(file, "stalls")) if "stalls" in file.attrs else 0
    grippers = np.array([unit == "1" for unit in rows.units])
    moved = motion.motion_card(rows.measured, rows.asked, grippers, rows.held, stalls, rows.hz)
    check = check_link(file)
    return Card(
        VERSION, recording_in(file), len(rows.ticks_ns), rows.hz, gauge is not None, streams, there, arms, moved, check,
        motion.outline(rows.measured, rows.asked), tuple(_findings(file, streams, there, arms, moved, check)), tuple(missing),
    )  # fmt: skip


def _findings(
    file: h5py.File, streams: Mapping[str, StreamCard], pictures: Mapping[str, PictureCard], arms: Mapping[str, ArmCard],
    moved: MotionCard, check: CheckLink | None,
) -> Iterator[Finding]:  # fmt: skip
    for name, stream in streams.items():
        of_stream = findings.of_stream(name, stream)
        yield from (each for each in of_stream if each.name != "frozen" or not _still_life(file, stream))
    for name, picture in pictures.items():
        yield from findings.of_pictures(name, picture)
    for name, arm in arms.items():
        yield from findings.of_arm(name, arm)
    yield from findings.of_motion(moved, len(file["/action"]))
    yield from findings.of_check(check, bool(attribute(file, "sim")))


def _still_life(file: h5py.File, stream: StreamCard) -> bool:
    """A rendered camera gives the same bytes while nothing moves; a real one never does."""
    if not attribute(file, "sim") or stream.kind != "frame":
        return False
    sent = datasets.table(file, "/action_sent")
    end = stream.frozen_row + round(stream.frozen_s * tick_hz(file))
    return bool(np.ptp(sent[stream.frozen_row : end + 1], axis=0).max(initial=0.0) < _FROZEN_GOAL_RAD)


def _rows(file: h5py.File) -> _Rows:
    source, known = datasets.sources(file)
    who = np.array(known)[source] if len(source) else np.array([], str)
    names, units = datasets.dimensions(file)
    tables = {
        path: np.asarray(datasets.table(file, path), np.float64)
        for path in ("/observations/qpos", "/observations/qvel", "/observations/effort", "/action", "/action_sent")
    }
    qpos, qvel, effort, asked, sent = tables.values()
    return _Rows(
        datasets.ticks_ns(file), tick_hz(file), names, units, qpos, qvel, effort, asked, sent,
        np.isin(who, COMMANDING), who == "hold",
    )  # fmt: skip


def _stream(
    file: h5py.File, name: str, rows: _Rows, devices: Mapping[str, Device], gauge: Gauge | None, pictures: PictureGauge | None
) -> StreamCard:  # fmt: skip
    ages_ms = datasets.table(file, f"/sync/age/{name}") / NS_PER_MS
    kind = str(attribute(file, "kind", f"/timestamps/{name}"))
    node = name.removesuffix("_depth") if kind == "depth" else name
    declared = devices[node].rate_hz(kind) if node in devices else 0.0
    native = gauge is not None and name in gauge.stamps
    found = gauge.stamps[name].regularity() if gauge is not None and native else _of_rows(file, name, declared, rows.hz)
    p50, p99 = np.percentile(ages_ms, (50, 99)) if len(ages_ms) else (0.0, 0.0)
    repeats, frozen_ns, frozen_row = _repeats(name, rows, devices, pictures)
    gap_row = int((found.longest_gap_at_ns - rows.ticks_ns[0]) / NS_PER_S * rows.hz) if found.longest_gap_at_ns else -1
    return StreamCard(
        kind=kind, native=native, samples=found.samples, declared_hz=declared, rate_hz=found.rate_hz,
        jitter_p99_ms=found.jitter_p99_ms, gaps=found.gaps, longest_gap_ms=found.longest_gap_ms,
        longest_gap_row=max(-1, min(gap_row, len(rows.ticks_ns) - 1)), lost=int(attribute(file, "lost", f"/timestamps/{name}")),
        age_p50_ms=float(p50), age_p99_ms=float(p99), repeats=repeats, frozen_s=frozen_ns / NS_PER_S, frozen_row=frozen_row,
    )  # fmt: skip


def _of_rows(file: h5py.File, name: str, declared: float, hz: float) -> Regularity:
    """From the samples that rows chose: all of a slow stream, a part of one faster than the grid."""
    gauge = StampGauge(min(declared, hz) if declared > 0 else hz)
    stamps, new = datasets.table(file, f"/timestamps/{name}"), datasets.table(file, f"/sync/is_new/{name}")
    for stamp in stamps[new | (np.arange(len(new)) == 0)]:
        gauge.take(int(stamp))
    return gauge.regularity()


def _repeats(
    name: str, rows: _Rows, devices: Mapping[str, Device], pictures: PictureGauge | None
) -> tuple[int, int, int]:
    """How many, how long the longest run is (ns), where it begins."""
    if pictures is not None:
        return pictures.repeats, pictures.frozen_ns, pictures.frozen_row
    places = _places(rows, name) if name in devices and name.startswith("follower_") else []
    if not places or len(rows.ticks_ns) < 2:
        return 0, 0, -1
    readings = np.concatenate([table[:, places] for table in (rows.measured, rows.velocity, rows.effort)], axis=1)
    same = np.concatenate(([False], (np.diff(readings, axis=0) == 0).all(axis=1)))
    frozen = [
        run for run in motion.runs(same) if np.ptp(rows.sent[run[0] : run[1], places], axis=0).max() > _FROZEN_GOAL_RAD
    ]
    longest = max(frozen, key=lambda run: run[1] - run[0], default=(-1, -1))
    return (
        sum(end - start for start, end in frozen), round((longest[1] - longest[0]) / rows.hz * NS_PER_S), longest[0],
    )  # fmt: skip


def _places(rows: _Rows, follower: str) -> list[int]:
    side = follower.removeprefix("follower_")
    return [place for place, name in enumerate(rows.names) if name.startswith(f"{side}_")]


def _arms(rows: _Rows, devices: Mapping[str, Device]) -> dict[str, ArmCard]:
    found = {}
    for node in sorted(node for node in devices if node.startswith("follower_")):
        places = _places(rows, node)
        if not places or not len(rows.ticks_ns):
            continue
        lower, upper = devices[node].limits(len(places))
        gripper = rows.units[places[-1]] == "1"
        arm = motion.Arm(
            tuple(rows.names[place] for place in places), rows.measured[:, places], rows.sent[:, places], rows.asked[:, places],
            rows.commanded, lower, upper, gripper,
        )  # fmt: skip
        found[node] = motion.arm_card(arm, rows.hz)
    return found


def _pictures_of(file: h5py.File, rows: _Rows) -> dict[str, PictureGauge]:
    """Read back from the file, only what is new in its row."""
    jpeg = bool(attribute(file, "compress"))
    lengths = file["/compress_len"][()] if jpeg else None
    found = {}
    for place, camera in enumerate(datasets.cameras(file)):
        images = datasets.dataset(file, f"/observations/images/{camera}")
        new = (
            datasets.table(file, f"/sync/is_new/{camera}")
            if camera in datasets.streams(file)
            else np.ones(len(images), bool)
        )
        stamps = datasets.table(file, f"/timestamps/{camera}") if camera in datasets.streams(file) else rows.ticks_ns
        gauge = found[camera] = PictureGauge()
        for row in np.flatnonzero(new | (np.arange(len(new)) == 0)):
            data = images[row]
            if lengths is not None:
                data = data[: int(lengths[place, row])]
            gauge.take(int(row), int(stamps[row]), np.ascontiguousarray(data).tobytes(), jpeg, images.shape[1:3])
    return found


def encoded(card: Card) -> str:
    """As it stands in a file."""
    return msgspec.json.encode(card).decode()
