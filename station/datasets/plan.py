"""The plan of an export: every number of the dataset is fixed before any work is done, so that parts can be made in any order,
anywhere, and again. Pure.

Stretches of episodes become the dataset's episodes: first those for training, then those held back (who takes the last n of each task
for validation takes these). Consecutive ones are grouped into shards: a shard is what one task writes, and one file of each kind.
"""

import math
from collections.abc import Sequence

import msgspec

from station.datasets import mixture
from station.datasets.choosing import is_held_back
from station.datasets.conversion import Conversion
from station.datasets.frames import Frames, frames_of
from station.datasets.rows_kept import Stretch
from station.datasets.selection import Selection
from station.datasets.survey import Camera, Surveyed, stretches_of
from station.errors import UsageError

SHARD_SECONDS = 1000
"""Of a video file: from 1,024 s on, float32 stamps of LeRobot's loader miss its own tolerance."""
SHARD_BYTES = 200 << 20
_H264_SHARE = 0.1
"""Of a JPEG's bytes: what an encoded picture takes, roughly."""


class PlannedEpisode(msgspec.Struct, frozen=True):
    """One episode of the dataset."""

    index: int
    source: int
    """Place in the plan's sources."""
    first: int
    end: int
    """Its rows in that file."""
    length: int
    """Frames."""
    start: int
    """Frames of all episodes before it."""
    instruction: str
    task_index: int
    validation: bool
    success: bool | None
    weight: float


class Shard(msgspec.Struct, frozen=True):
    """Consecutive episodes."""

    index: int
    first: int
    end: int


class Plan(msgspec.Struct, frozen=True):
    """All of it; as JSON it is what workers are given."""

    format: str
    selection: Selection
    conversion: Conversion
    rate_hz: float
    dim_names: tuple[str, ...]
    """Of the exported state and action."""
    units: tuple[str, ...]
    """Before the grippers' convention."""
    cameras: dict[str, Camera]
    """Those that are exported, in the rig's order."""
    robot: str
    sources: tuple[Surveyed, ...]
    episodes: tuple[PlannedEpisode, ...]
    tasks: tuple[str, ...]
    """Instructions, by task_index."""
    shards: tuple[Shard, ...]
    subtasks: tuple[str, ...] = ()
    """Names of marks, by subtask_index; the first is "", for what comes before a recording's first mark. None where nothing was marked."""

    depths: dict[str, tuple[int, int]] = {}
    """(width, height) of exported depth, by stream: `cam_high_depth`."""

    @property
    def frames(self) -> int:
        """Of all episodes."""
        return sum(episode.length for episode in self.episodes)

    def of(self, shard: int) -> tuple[PlannedEpisode, ...]:
        """The episodes of a shard."""
        found = self.shards[shard]
        return self.episodes[found.first : found.end]

    def frames_of(self, episode: PlannedEpisode) -> Frames:
        """Which rows an episode's frames are."""
        source = self.sources[episode.source]
        frames = frames_of(Stretch(episode.first, episode.end), source.tick_hz, self.rate_hz, self.conversion.action_at)
        return Frames(*(rows[: episode.length] for rows in frames))

    def size_of(self, camera: str) -> tuple[int, int]:
        """(width, height) of exported pictures."""
        shown = self.conversion.size or self.conversion.crop_of(camera) or self.cameras[camera]
        return shown.width, shown.height


def make_plan(
    format_name: str,
    selection: Selection,
    conversion: Conversion,
    surveyed: Sequence[Surveyed],
    by_episode: bool = False,
) -> Plan:
    """Number everything; `by_episode`: each has a shard of its own. Raises UsageError where nothing is left, or where the episodes do
    not go together.
    """
    usable = tuple(found for found in surveyed if not found.problem)
    if not usable:
        why = f": {surveyed[0].problem}" if surveyed else ". Next: `station dataset select` says why each was left out"
        raise UsageError(f"no episode is left to export{why}")
    common = mixture.common(usable, conversion)
    episodes, tasks = _episodes(usable, selection, conversion, common.rate_hz)
    if not episodes:
        raise UsageError(
            "no row is left to export: "
            + ", ".join(f"{count} {why}" for why, count in _left_out(usable).items())
            + ". Next: look at `sources`, `trim` and `shortest_s` of the selection, and at --action"
        )
    bytes_a_frame = math.inf if by_episode else _bytes_a_frame(common.cameras, conversion)
    shards = _shards(episodes, common.rate_hz, bytes_a_frame)
    return Plan(
        format_name, selection, conversion, common.rate_hz, common.dim_names, common.units, common.cameras, common.robot,
        usable, episodes, tasks, shards, _subtasks(usable), common.depths,
    )  # fmt: skip


def _subtasks(surveyed: Sequence[Surveyed]) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name for found in surveyed for name, _ in found.marks))
    return ("", *names) if names else ()


def _left_out(surveyed: Sequence[Surveyed]) -> dict[str, int]:
    total: dict[str, int] = {}
    for found in surveyed:
        for why, count in found.left_out.items():
            total[why] = total.get(why, 0) + count
    return total


def _episodes(
    surveyed: Sequence[Surveyed], selection: Selection, conversion: Conversion, rate_hz: float
) -> tuple[tuple[PlannedEpisode, ...], tuple[str, ...]]:
    held = [is_held_back(selection, found.source) for found in surveyed]
    order = sorted(range(len(surveyed)), key=lambda place: held[place])
    episodes: list[PlannedEpisode] = []
    tasks: dict[str, int] = {}
    start = 0
    shorter = conversion.representation == "step-delta"
    for place in order:
        facts = surveyed[place].source.facts
        task = str(facts.get("task") or "")
        instruction = str(facts.get("instruction") or "") or task
        for stretch in stretches_of(surveyed[place]):
            rows = frames_of(stretch, surveyed[place].tick_hz, rate_hz, conversion.action_at).rows
            length = len(rows) - shorter
            if length < 1:
                continue
            success = facts.get("success")
            episodes.append(
                PlannedEpisode(
                    len(episodes), place, stretch.first, stretch.end, length, start, instruction,
                    tasks.setdefault(instruction, len(tasks)), held[place],
                    success if isinstance(success, bool) else None, selection.weights.get(task, 1.0),
                )
            )  # fmt: skip
            start += length
    return tuple(episodes), tuple(tasks)


def _bytes_a_frame(cameras: dict[str, Camera], conversion: Conversion) -> float:
    """Of the camera whose files grow fastest."""
    share = _H264_SHARE if conversion.video in ("h264", "av1") else 1.0
    return max((camera.mean_bytes * share for camera in cameras.values()), default=1.0)


def _shards(episodes: Sequence[PlannedEpisode], rate_hz: float, bytes_a_frame: float) -> tuple[Shard, ...]:
    """As many episodes as fit; one that is longer than a shard has one of its own."""
    most = int(min(SHARD_SECONDS * rate_hz, max(1, SHARD_BYTES / bytes_a_frame)))
    shards: list[Shard] = []
    first, frames = 0, 0
    for episode in episodes:
        if frames and frames + episode.length > most:
            shards.append(Shard(len(shards), first, episode.index))
            first, frames = episode.index, 0
        frames += episode.length
    shards.append(Shard(len(shards), first, len(episodes)))
    return tuple(shards)
