"""One part of an export: read, converted, written under a temporary name, synced, renamed, and noted as done. A pure function of the
plan and its sources; whoever makes it again finds it done.
"""

import os
from collections.abc import Callable, Sequence
from functools import lru_cache
from importlib.metadata import entry_points
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from station.datasets import earlier
from station.datasets.converted import Converted, converted, opened
from station.datasets.depth_streams import camera_of
from station.datasets.formats.contract import EachFrame, Format, Frame, Made, Numbers, Part, Place
from station.datasets.picture_rows import RGB, DepthRows, PictureRows
from station.datasets.plan import Plan, PlannedEpisode
from station.datasets.statistics import LEVELS, Statistics, histogram, of_numbers, of_pictures, sampled
from station.errors import EpisodeError, UsageError
from station.extras import missing
from station.files import durable

PLAN_FILE = "plan.json"
SCRATCH = "scratch"
"""Beside the dataset while it is made: what is done, and numbers for the whole set's statistics."""


class PartFailed(EpisodeError):
    """An episode could not be exported.

    Seen when: a picture of it is damaged, its file was changed or taken away meanwhile.
    Do: nothing at once; it is left out, and the report says why.
    """

    def __init__(self, source: int, why: str) -> None:
        super().__init__(source, why)
        self.source, self.why = source, why

    def __str__(self) -> str:
        return self.why


def formats() -> dict[str, Format]:
    """Every format that is installed, by name."""
    found: dict[str, Format] = {point.name: point.load()() for point in entry_points(group="station.formats")}
    return found


def format_named(name: str) -> Format:
    """Raises UsageError for one that is not there."""
    point = next((point for point in entry_points(group="station.formats") if point.name == name), None)
    if point is None:
        raise UsageError(f"no format {name!r}; there are {', '.join(sorted(formats()))}. Next: take one of these")
    try:
        found: Format = point.load()()
    except ModuleNotFoundError as error:
        raise UsageError(f"the format {name}: {missing(error.name or '') or error}") from error
    return found


def make_part(building: Path, before: Path | None, part: Part) -> Made:
    """Make a part of the plan in `building`, or find it made: there, or in the dataset `before`, which has the name until this one is
    finished. Raises PartFailed for what is wrong with a source.
    """
    done = building / SCRATCH / f"{part.name}.json"
    if done.exists():
        made = msgspec.json.decode(done.read_bytes(), type=Made)
        if all(
            (building / name).is_file() and (building / name).stat().st_size == size
            for name, size in made.files.items()
        ):
            return made
        earlier.unlink(made, building)
    plan = _plan(building / PLAN_FILE)
    if before is not None and (there := earlier.found(before, plan, part)) is not None:
        durable.replace(done, msgspec.json.encode(there))  # first, for whoever goes on then knows which files are links
        if earlier.link(before, there, building):
            return there
    made = _make(plan, part, building)
    durable.replace(done, msgspec.json.encode(made))
    return made


@lru_cache(maxsize=1)
def _plan(path: Path) -> Plan:
    return msgspec.json.decode(path.read_bytes(), type=Plan)


def _make(plan: Plan, part: Part, building: Path) -> Made:
    fmt = format_named(plan.format)
    numbers: Numbers = {}
    statistics: dict[str, list[Statistics]] = {}
    if part.kind in ("numbers", "all"):
        numbers, statistics = shard_numbers(plan, part.shard)
        for feature, values in numbers.items():
            np.save(building / SCRATCH / f"{feature}-{part.shard:05d}.npy", values)
    cameras = {"pictures": (part.camera,), "all": tuple(plan.cameras)}.get(part.kind, ())
    depths = {"depth": (part.camera,), "all": tuple(plan.depths)}.get(part.kind, ())
    looked = {camera: Looked(plan, part.shard) for camera in cameras}
    frames = {camera: _each_frame(plan, part.shard, camera, looked[camera]) for camera in cameras}
    frames |= {stream: _each_depth(plan, part.shard, stream) for stream in depths}
    files = fmt.write(plan, part, numbers, frames, place_in(building))
    for file in files:
        durable.sync(file)
        durable.sync(file.parent)
    return Made(
        part,
        {str(file.relative_to(building)): file.stat().st_size for file in files},
        statistics,
        {camera: one.statistics() for camera, one in looked.items()},
        {camera: one.levels() for camera, one in looked.items()},
    )


def place_in(building: Path) -> Place:
    """The folders of a dataset that is being built."""
    return Place(building / "out", building / SCRATCH / "pieces")


def shard_numbers(plan: Plan, shard: int) -> tuple[Numbers, dict[str, list[Statistics]]]:
    """A shard's numbers, and each of its episodes' statistics. Raises PartFailed."""
    found: list[Converted] = []
    for episode in plan.of(shard):
        with blamed(plan, episode), opened(plan, episode) as file:
            found.append(converted(plan, episode, file))
    numbers = {name: np.concatenate([getattr(one, name) for one in found]) for name in Converted._fields}
    statistics = {name: [of_numbers(getattr(one, name)) for one in found] for name in Converted._fields}
    return numbers, statistics


def _each_frame(plan: Plan, shard: int, camera: str, looked: "Looked") -> EachFrame:
    """Every frame of a camera in a shard, in order, those shown to `looked` that it wants. Raises PartFailed."""

    def each(take: Callable[[Frame], None]) -> None:
        for episode in plan.of(shard):
            with blamed(plan, episode), opened(plan, episode) as file:
                pictures = PictureRows(file, camera, plan.conversion.crop_of(camera))
                for frame, row in enumerate(plan.frames_of(episode).rows.tolist()):
                    stored = pictures.stored(row)
                    if looked.wants(episode.index, frame):
                        looked.look(episode.index, pictures.thumbnail(row, stored))
                    take(Frame(episode, frame, pictures, row, stored))

    return each


def _each_depth(plan: Plan, shard: int, stream: str) -> EachFrame:
    """Every depth picture of a stream in a shard, in order. Raises PartFailed."""

    def each(take: Callable[[Frame], None]) -> None:
        for episode in plan.of(shard):
            with blamed(plan, episode), opened(plan, episode) as file:
                pictures = DepthRows(file, camera_of(stream))
                for frame, row in enumerate(plan.frames_of(episode).rows.tolist()):
                    take(Frame(episode, frame, pictures, row, pictures.stored(row)))

    return each


class blamed:  # noqa: N801 (reads as a word in `with`)
    """What goes wrong inside is said of that episode's source."""

    def __init__(self, plan: Plan, episode: PlannedEpisode) -> None:
        self._source = episode.source
        self._found = plan.sources[episode.source].source

    def __enter__(self) -> None:
        try:
            at = os.stat(self._found.path)
        except OSError as error:
            raise PartFailed(self._source, f"{self._found.path}: {error.strerror}") from error
        if (at.st_size, at.st_mtime_ns) != (self._found.size_bytes, self._found.modified_ns):
            raise PartFailed(self._source, f"{self._found.path}: it was changed while it was being exported")

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, EpisodeError) and not isinstance(error, PartFailed):
            raise PartFailed(self._source, str(error)) from error


class Looked:
    """The levels of the pictures that statistics are of."""

    def __init__(self, plan: Plan, shard: int) -> None:
        self._wanted = {one.index: frozenset(sampled(one.length, plan.rate_hz)) for one in plan.of(shard)}
        self._levels: dict[int, NDArray[np.int64]] = {
            one.index: np.zeros((3, LEVELS), np.int64) for one in plan.of(shard)
        }

    def wants(self, episode: int, frame: int) -> bool:
        """Is this frame one of them?"""
        return frame in self._wanted[episode]

    def look(self, episode: int, picture: RGB) -> None:
        """Look at it."""
        self._levels[episode] += histogram(picture)

    def statistics(self) -> list[Statistics]:
        """Of each episode."""
        return [of_pictures(levels, len(self._wanted[index])) for index, levels in self._levels.items()]

    def levels(self) -> list[list[int]]:
        """(3, 256) of all of them together."""
        total: list[list[int]] = sum(self._levels.values(), np.zeros((3, LEVELS), np.int64)).tolist()
        return total


def parts_by_shard(plan: Plan, cameras: Sequence[str]) -> list[Part]:
    """The usual parts: of each shard the numbers, and each camera's pictures and depth."""
    return [
        part
        for shard in plan.shards
        for part in (
            Part("numbers", shard.index),
            *(Part("pictures", shard.index, camera) for camera in cameras),
            *(Part("depth", shard.index, stream) for stream in plan.depths),
        )
    ]
