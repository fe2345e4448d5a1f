"""Parquet and MP4 for everybody: a file of numbers and one of each camera's pictures for every episode, named by its number.

episodes.parquet                    one row an episode: episode, frames, split, success, instruction, recording
data/episode_000012.parquet         one row a frame: frame, time_s, state, action, velocity, effort, row, tick_ns, stalled,
                                    intervention, instruction
videos/<camera>/episode_000012.mp4  frame k of it stands at k / rate
depth/<camera>/episode_000012.parquet  one row a frame, where depth was asked for: frame, png (16 bits, millimetres)
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from station.datasets.conversion import Space, Video
from station.datasets.depth import png, stored_of
from station.datasets.depth_streams import SUFFIX, camera_of
from station.datasets.formats.contract import EachFrame, Frame, Made, Numbers, Part, Place, ReadBack, Totals
from station.datasets.parts import parts_by_shard
from station.datasets.picture_rows import RGB
from station.datasets.plan import Plan
from station.datasets.statistics import Statistics
from station.datasets.video import video_notes, write_videos
from station.datasets.video_reading import VideoReader
from station.errors import EpisodeError

_VECTORS = ("state", "action", "velocity", "effort")
_SCALARS = {"row": pa.int64(), "tick_ns": pa.int64(), "stalled": pa.bool_(), "intervention": pa.bool_()}
_TABLE = "episodes.parquet"
_DEPTHS = 100
"""Of a row group."""


class Plain:
    """The format."""

    name = "plain"
    consumers = "anything that reads Parquet and MP4"
    videos: Sequence[Video] = ("h264", "av1", "as-shot")
    spaces: Sequence[Space] = ("joint", "ee", "ee-6d")
    depth = True
    by_episode = True

    def refuse(self, plan: Plan) -> None:
        """It holds whatever a plan can ask for."""

    def parts(self, plan: Plan) -> Sequence[Part]:
        """Numbers and cameras of each shard."""
        return parts_by_shard(plan, tuple(plan.cameras))

    def write(
        self, plan: Plan, part: Part, numbers: Numbers, frames: Mapping[str, EachFrame], place: Place
    ) -> Sequence[Path]:
        """A Parquet file, or a video file, for each episode of the shard."""
        if part.kind == "numbers":
            return _write_numbers(plan, part, numbers, place.out)
        if part.kind == "depth":
            return [_write_depth(plan, part, frames[part.camera], place.out)]
        folder = place.out / "videos" / part.camera
        paths = [folder / _file(episode.index, "mp4") for episode in plan.of(part.shard)]
        write_videos(paths, plan, part.camera, frames[part.camera])
        return paths

    def finish(self, plan: Plan, made: Sequence[Made], totals: Totals, place: Place) -> None:  # noqa: ARG002 (statistics are in the record)
        """The table of episodes."""
        columns = {
            "episode": pa.array([one.index for one in plan.episodes], pa.int64()),
            "frames": pa.array([one.length for one in plan.episodes], pa.int64()),
            "split": pa.array(["validation" if one.validation else "training" for one in plan.episodes]),
            "success": pa.array([one.success for one in plan.episodes], pa.bool_()),
            "instruction": pa.array([one.instruction for one in plan.episodes], pa.string()),
            "recording": pa.array([plan.sources[one.source].source.name for one in plan.episodes], pa.string()),
        }
        pq.write_table(pa.table(columns), place.out / _TABLE)

    def open(self, folder: Path) -> ReadBack:
        """Read what was written. Raises EpisodeError."""
        return _Reader(folder)

    def notes(self, plan: Plan) -> Sequence[str]:
        """Of pictures as shot."""
        return video_notes(plan.conversion.video)

    def training(self, plan: Plan, out: Path) -> str:  # noqa: ARG002 (the same whatever is in it)
        """How to begin."""
        return f'pyarrow.parquet.read_table("{out.name}/data/{_file(0, "parquet")}")'


def _write_numbers(plan: Plan, part: Part, numbers: Numbers, folder: Path) -> list[Path]:
    start = plan.of(part.shard)[0].start
    written = []
    for episode in plan.of(part.shard):
        rows = slice(episode.start - start, episode.start - start + episode.length)
        frame = np.arange(episode.length)
        columns: dict[str, Any] = {"frame": pa.array(frame, pa.int64()), "time_s": pa.array(frame / plan.rate_hz)}
        for name in _VECTORS:
            values = numbers[name][rows]
            columns[name] = pa.FixedSizeListArray.from_arrays(pa.array(values.ravel(), pa.float32()), values.shape[1])
        columns |= {name: pa.array(numbers[name][rows], kind) for name, kind in _SCALARS.items()}
        columns["instruction"] = pa.array([episode.instruction] * episode.length, pa.string())
        about = {
            b"names": ",".join(plan.dim_names).encode(),
            b"joint_names": ",".join(plan.sources[0].dim_names).encode(),
            b"effort_units": ",".join(plan.sources[0].effort_units).encode(),
            b"rate_hz": f"{plan.rate_hz:g}".encode(),
        }
        path = folder / "data" / _file(episode.index, "parquet")
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table(columns).replace_schema_metadata(about), path)
        written.append(path)
    return written


def _write_depth(plan: Plan, part: Part, each: EachFrame, folder: Path) -> Path:
    (episode,) = plan.of(part.shard)
    path = folder / _depth(part.camera, episode.index)
    path.parent.mkdir(parents=True, exist_ok=True)
    schema = pa.schema([("frame", pa.int64()), ("png", pa.binary())])
    with pq.ParquetWriter(path, schema, compression="none", use_dictionary=False) as writer:
        kept: list[tuple[int, bytes]] = []

        def put() -> None:
            columns = [
                pa.array(values, kind) for values, kind in zip(zip(*kept, strict=True), schema.types, strict=True)
            ]
            writer.write_table(pa.table(columns, schema=schema))
            kept.clear()

        def take(frame: Frame) -> None:
            kept.append((frame.frame, png(frame)))
            if len(kept) == _DEPTHS:
                put()

        each(take)
        if kept:
            put()
    return path


class _Reader:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._episodes = self._table(folder / _TABLE)

    def structure(self) -> Iterator[str]:
        named = {self._folder / "data" / _file(index, "parquet") for index in range(len(self._episodes))}
        cameras = [path for path in (self._folder / "videos").glob("*") if path.is_dir()]
        named |= {camera / _file(index, "mp4") for camera in cameras for index in range(len(self._episodes))}
        depths = [path for path in (self._folder / "depth").glob("*") if path.is_dir()]
        named |= {depth / _file(index, "parquet") for depth in depths for index in range(len(self._episodes))}
        there = {path for pattern in ("data/*", "videos/*/*", "depth/*/*") for path in self._folder.glob(pattern)}
        for path in sorted(named ^ there):
            yield f"{path.relative_to(self._folder)} {'is missing' if path in named else 'belongs to no episode'}"
        if self._episodes.column("episode").to_pylist() != list(range(len(self._episodes))):
            yield f"{_TABLE} does not count its episodes"
        for index, frames in enumerate(self.lengths()):
            if (self._folder / "data" / _file(index, "parquet")) not in there:
                continue
            table = self._data(index)
            if table.column("frame").to_pylist() != list(range(frames)):
                yield f"data/{_file(index, 'parquet')} does not count {frames} frames"
            rate_hz = float(table.schema.metadata[b"rate_hz"])
            if not np.array_equal(table.column("time_s").to_numpy(), np.arange(len(table)) / rate_hz):
                yield f"data/{_file(index, 'parquet')}: time_s is not frame / rate"
            for camera in cameras:
                if camera / _file(index, "mp4") in there:
                    yield from self._video_problems(camera / _file(index, "mp4"), frames, rate_hz)

    def lengths(self) -> Sequence[int]:
        return [int(frames) for frames in self._episodes.column("frames").to_pylist()]

    def numbers(self, episode: int) -> Mapping[str, NDArray[Any]]:
        table = self._data(episode)
        found: dict[str, NDArray[Any]] = {}
        for name in _VECTORS:
            column = table.column(name).combine_chunks()
            found[name] = np.asarray(column.flatten().to_numpy()).reshape(-1, column.type.list_size)
        return found | {name: np.asarray(table.column(name).to_numpy()) for name in _SCALARS}

    def instructions(self, episode: int) -> Sequence[str]:
        return [str(text) for text in self._data(episode).column("instruction").to_pylist()]

    def pictures(self, episode: int, camera: str, frames: Sequence[int]) -> Sequence[RGB | bytes]:
        if (self._folder / "depth" / camera_of(camera)).is_dir() and camera.endswith(SUFFIX):
            path = self._folder / _depth(camera, episode)
            stored = self._table(path)
            if stored.column("frame").to_pylist() != list(range(self.lengths()[episode])):
                raise EpisodeError(f"{path} does not count the episode's frames. Next: export again")
            return [stored_of(stored.column("png")[frame].as_py(), str(path)) for frame in frames]
        with VideoReader(self._folder / "videos" / camera / _file(episode, "mp4")) as video:
            return video.pictures(frames, float(self._data(episode).schema.metadata[b"rate_hz"]))

    def said(self, episode: int) -> Mapping[str, bool]:
        row = self._episodes.slice(episode, 1).to_pylist()[0]
        return {"validation": row["split"] == "validation", "success": row["success"] is True}

    def statistics(self) -> Mapping[str, Statistics]:
        return {}

    def _video_problems(self, path: Path, frames: int, rate_hz: float) -> Iterator[str]:
        try:
            with VideoReader(path) as video:
                yield from video.problems(frames, rate_hz)
        except EpisodeError as error:
            yield str(error)

    def _data(self, episode: int) -> Any:
        return self._table(self._folder / "data" / _file(episode, "parquet"))

    def _table(self, path: Path) -> Any:
        try:
            return pq.read_table(path)
        except (OSError, ValueError) as error:
            raise EpisodeError(f"{path} cannot be read: {error}. Next: export again") from error


def _depth(stream: str, episode: int) -> str:
    return f"depth/{camera_of(stream)}/{_file(episode, 'parquet')}"


def _file(episode: int, ending: str) -> str:
    return f"episode_{episode:06d}.{ending}"
