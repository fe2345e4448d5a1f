"""LeRobot's dataset format 3.0 (lerobot 0.4 and later): Parquet for numbers, MP4 for pictures, one file of each a shard.

meta/info.json, meta/tasks.parquet (and subtasks.parquet, where something was marked), meta/stats.json,
meta/episodes/chunk-000/file-000.parquet; data/chunk-CCC/file-FFF.parquet; videos/<feature>/chunk-CCC/file-FFF.mp4.
LeRobot looks texts and episodes up by position, so that their order is their meaning.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from station.datasets.conversion import Space, Video
from station.datasets.formats import lerobot_tables as tables
from station.datasets.formats.contract import EachFrame, Made, Numbers, Part, Place, ReadBack, Totals
from station.datasets.parts import parts_by_shard
from station.datasets.plan import Plan, PlannedEpisode
from station.datasets.video import VideoWriter, video_notes

CHUNK = 1000
"""Files in a folder."""
DATA = "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
VIDEO = "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4"


class LerobotV3:
    """The format."""

    name = "lerobot-v3"
    consumers = "LeRobot 0.4 and later: ACT, Diffusion Policy, π0, SmolVLA"
    videos: Sequence[Video] = ("h264", "av1", "as-shot")
    spaces: Sequence[Space] = ("joint", "ee", "ee-6d")
    depth = False
    by_episode = False

    def refuse(self, plan: Plan) -> None:
        """Raises UsageError for a rate that is no whole number."""
        tables.refuse(plan)

    def parts(self, plan: Plan) -> Sequence[Part]:
        """Numbers and cameras of each shard."""
        return parts_by_shard(plan, tuple(plan.cameras))

    def write(
        self, plan: Plan, part: Part, numbers: Numbers, frames: Mapping[str, EachFrame], place: Place
    ) -> Sequence[Path]:
        """One Parquet file, a row group for each episode; or one video file: the shard's episodes one behind the other."""
        if part.kind == "numbers":
            path = place.out / _numbered(DATA, part.shard)
            path.parent.mkdir(parents=True, exist_ok=True)
            tables.write_data(path, plan, plan.of(part.shard), numbers)
        else:
            path = place.out / _numbered(VIDEO, part.shard, video_key=tables.camera_key(part.camera))
            path.parent.mkdir(parents=True, exist_ok=True)
            with VideoWriter(path, *plan.size_of(part.camera), plan.rate_hz, plan.conversion.video) as video:
                frames[part.camera](lambda frame: video.add(frame.pictures, frame.row, frame.stored))
        return [path]

    def finish(self, plan: Plan, made: Sequence[Made], totals: Totals, place: Place) -> None:
        """The tables under meta/; info.json is the last."""
        meta = place.out / "meta"
        (meta / "episodes/chunk-000").mkdir(parents=True, exist_ok=True)
        pq.write_table(_texts("task_index", plan.tasks), meta / "tasks.parquet")
        if plan.subtasks:
            pq.write_table(_texts(tables.SUBTASK, plan.subtasks), meta / "subtasks.parquet")
        pq.write_table(_episodes(plan, made), meta / "episodes/chunk-000/file-000.parquet")
        tables.write_json(meta / "stats.json", tables.total_stats(plan, totals))
        tables.write_json(meta / "info.json", info(plan))

    def open(self, folder: Path) -> ReadBack:
        """Read what was written. Raises EpisodeError."""
        from station.datasets.formats.lerobot_v3_reading import LerobotV3Reader

        return LerobotV3Reader(folder)

    def notes(self, plan: Plan) -> Sequence[str]:
        """Of the split, and of pictures as shot."""
        return (*tables.notes(plan), *video_notes(plan.conversion.video))

    def training(self, plan: Plan, out: Path) -> str:  # noqa: ARG002 (the same whatever is in it)
        """LeRobot's own command."""
        return f"lerobot-train --dataset.repo_id=local/{out.name} --dataset.root={out.name} --policy.type=act --policy.push_to_hub=false"


def info(plan: Plan) -> dict[str, Any]:
    """meta/info.json."""
    return {
        "codebase_version": "v3.0", "robot_type": plan.robot, "total_episodes": len(plan.episodes),
        "total_frames": plan.frames, "total_tasks": len(plan.tasks), "chunks_size": CHUNK, "data_files_size_in_mb": 100,
        "video_files_size_in_mb": 200, "fps": int(plan.rate_hz), "splits": tables.splits(plan), "data_path": DATA,
        "video_path": VIDEO if plan.cameras else None, "features": tables.features(plan),
    }  # fmt: skip


def _numbered(template: str, shard: int, **names: str) -> str:
    return template.format(chunk_index=shard // CHUNK, file_index=shard % CHUNK, **names)


def _texts(column: str, texts: Sequence[str]) -> Any:
    """As pandas writes a table whose index is the text: LeRobot asks for the index, and finds 0 in a plain one."""
    index = {
        "index_columns": ["__index_level_0__"], "column_indexes": [], "pandas_version": "2.0.0",
        "columns": [
            {"name": column, "field_name": column, "pandas_type": "int64", "numpy_type": "int64", "metadata": None},
            {"name": None, "field_name": "__index_level_0__", "pandas_type": "unicode", "numpy_type": "object", "metadata": None},
        ],
    }  # fmt: skip
    schema = pa.schema(
        [(column, pa.int64()), ("__index_level_0__", pa.string())],
        metadata={b"pandas": json.dumps(index).encode()},
    )
    return pa.table([pa.array(range(len(texts)), pa.int64()), pa.array(texts, pa.string())], schema=schema)


def _episodes(plan: Plan, made: Sequence[Made]) -> Any:
    """meta/episodes: where each episode's rows and pictures are, and its statistics."""
    found = tables.by_part(made)
    rows = [
        row
        for shard in plan.shards
        for place, episode in enumerate(plan.of(shard.index))
        for row in [_episode(plan, shard.index, place, episode, found)]
    ]
    columns = list(rows[0])
    return pa.table([_typed(name, [row[name] for row in rows]) for name in columns], names=columns)


def _episode(plan: Plan, shard: int, place: int, episode: PlannedEpisode, made: tables.ByPart) -> dict[str, Any]:
    where = {"chunk_index": shard // CHUNK, "file_index": shard % CHUNK}
    row: dict[str, Any] = {"episode_index": episode.index, "tasks": [episode.instruction], "length": episode.length}
    row |= {f"data/{name}": value for name, value in where.items()}
    row |= {"dataset_from_index": episode.start, "dataset_to_index": episode.start + episode.length}
    before = episode.start - plan.of(shard)[0].start
    for camera in plan.cameras:
        key = f"videos/{tables.camera_key(camera)}"
        row |= {f"{key}/{name}": value for name, value in where.items()}
        row[f"{key}/from_timestamp"] = before / plan.rate_hz
        row[f"{key}/to_timestamp"] = (before + episode.length) / plan.rate_hz
    for feature, stats in tables.episode_stats(plan, shard, place, episode, made).items():
        row |= {f"stats/{feature}/{name}": value for name, value in stats.items()}
    return row | {"meta/episodes/chunk_index": 0, "meta/episodes/file_index": 0}


def _typed(name: str, values: list[Any]) -> Any:
    if name == "tasks":
        return pa.array(values, pa.list_(pa.string()))
    if name.endswith(("from_timestamp", "to_timestamp")):
        return pa.array(values, pa.float64())
    return pa.array(values) if name.startswith("stats/") else pa.array(values, pa.int64())
