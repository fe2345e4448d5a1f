"""LeRobot's dataset format 2.1 (lerobot 0.1 to 0.3, openpi, GR00T): a Parquet file of each episode, and a video of each of its cameras.

meta/info.json, meta/tasks.jsonl, meta/episodes.jsonl, meta/episodes_stats.jsonl; data/chunk-CCC/episode_NNNNNN.parquet;
videos/chunk-CCC/<feature>/episode_NNNNNN.mp4. For GR00T besides meta/modality.json (which numbers are which arm) and meta/stats.json.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from station.datasets.conversion import Space, Video
from station.datasets.formats import gr00t
from station.datasets.formats import lerobot_tables as tables
from station.datasets.formats.contract import EachFrame, Made, Numbers, Part, Place, ReadBack, Totals
from station.datasets.marks import subtasks_of
from station.datasets.parts import parts_by_shard
from station.datasets.plan import Plan, PlannedEpisode
from station.datasets.video import video_notes, write_videos
from station.files import durable

CHUNK = 1000
"""Episodes in a folder."""
DATA = "data/chunk-{episode_chunk:03d}/episode_{episode_index:06d}.parquet"
SUBTASKS = "sub_tasks"
"""Of an episode's line: stretches of frames with their text, `end` exclusive, as GR00T N1.6 reads them (language key `sub_task`)."""
VIDEO = "videos/chunk-{episode_chunk:03d}/{video_key}/episode_{episode_index:06d}.mp4"


class LerobotV21:
    """The format."""

    name = "lerobot-v2.1"
    consumers = "openpi (π0, π0.5), GR00T, LeRobot up to 0.3"
    videos: Sequence[Video] = ("h264", "av1", "as-shot")
    spaces: Sequence[Space] = ("joint", "ee", "ee-6d")
    depth = False
    by_episode = True

    def refuse(self, plan: Plan) -> None:
        """Raises UsageError for a rate that is no whole number."""
        tables.refuse(plan)

    def parts(self, plan: Plan) -> Sequence[Part]:
        """Numbers and cameras of each episode."""
        return parts_by_shard(plan, tuple(plan.cameras))

    def write(
        self, plan: Plan, part: Part, numbers: Numbers, frames: Mapping[str, EachFrame], place: Place
    ) -> Sequence[Path]:
        """One Parquet file, or one video file."""
        (episode,) = plan.of(part.shard)
        if part.kind == "numbers":
            path = place.out / _of_episode(DATA, episode.index)
            path.parent.mkdir(parents=True, exist_ok=True)
            tables.write_data(path, plan, [episode], numbers)
        else:
            path = place.out / _of_episode(VIDEO, episode.index, video_key=tables.camera_key(part.camera))
            write_videos([path], plan, part.camera, frames[part.camera])
        return [path]

    def finish(self, plan: Plan, made: Sequence[Made], totals: Totals, place: Place) -> None:
        """The tables under meta/; info.json is the last."""
        meta = place.out / "meta"
        meta.mkdir(exist_ok=True)
        found = tables.by_part(made)
        _write_lines(meta / "tasks.jsonl", [{"task_index": at, "task": text} for at, text in enumerate(plan.tasks)])
        _write_lines(
            meta / "episodes.jsonl",
            [
                {"episode_index": one.index, "tasks": [one.instruction], "length": one.length, **_subtasks(plan, one)}
                for one in plan.episodes
            ],
        )
        _write_lines(
            meta / "episodes_stats.jsonl",
            [
                {"episode_index": one.index, "stats": _without_quantiles(tables.episode_stats(plan, one.index, 0, one, found))}
                for one in plan.episodes
            ],
        )  # fmt: skip
        tables.write_json(meta / "modality.json", gr00t.modality(plan))
        tables.write_json(
            meta / "stats.json", {name: gr00t.stats(totals.numbers[of]) for name, of in tables.VECTORS.items()}
        )
        tables.write_json(meta / "info.json", info(plan))

    def open(self, folder: Path) -> ReadBack:
        """Read what was written. Raises EpisodeError."""
        from station.datasets.formats.lerobot_v21_reading import LerobotV21Reader

        return LerobotV21Reader(folder)

    def notes(self, plan: Plan) -> Sequence[str]:
        """Of grippers, normalisation, the split, GR00T's statistics, marks."""
        return (
            *tables.notes(plan),
            "Nothing is normalised, for each consumer does it after its own transforms.",
            "openpi: `adapt_to_pi` turns joints and grippers of ALOHA's ViperX arms (0 closed, 1 open) and of no other; leave it off "
            "for other arms, for `--space ee` and for another gripper convention.",
            "GR00T computes its statistics of relative actions itself (they depend on its horizon); `meta/stats.json` has the others.",
            *(
                ["Marks are `sub_tasks` in meta/episodes.jsonl, which GR00T N1.6 reads; LeRobot 0.3 and openpi do not."]
                if plan.subtasks
                else []
            ),
            *video_notes(plan.conversion.video),
        )

    def training(self, plan: Plan, out: Path) -> str:  # noqa: ARG002 (the same whatever is in it)
        """Of openpi and of GR00T."""
        return (
            f"# openpi: a TrainConfig with data=LeRobotAlohaDataConfig(repo_id={out.name!r}), this folder under $HF_LEROBOT_HOME\n"
            "uv run scripts/compute_norm_stats.py --config-name CONFIG && uv run scripts/train.py CONFIG --exp-name=one\n"
            f"# GR00T\npython scripts/gr00t_finetune.py --dataset-path {out.name} --data-config CONFIG"
        )


def info(plan: Plan) -> dict[str, Any]:
    """meta/info.json."""
    return {
        "codebase_version": "v2.1", "robot_type": plan.robot, "total_episodes": len(plan.episodes), "total_frames": plan.frames,
        "total_tasks": len(plan.tasks), "total_videos": len(plan.episodes) * len(plan.cameras),
        "total_chunks": (len(plan.episodes) - 1) // CHUNK + 1, "chunks_size": CHUNK, "fps": int(plan.rate_hz),
        "splits": tables.splits(plan), "data_path": DATA, "video_path": VIDEO if plan.cameras else None,
        "features": {name: _with_rate(feature, plan.rate_hz) for name, feature in tables.features(plan).items()},
    }  # fmt: skip


def _with_rate(feature: dict[str, Any], rate_hz: float) -> dict[str, Any]:
    """GR00T looks for a video's rate in `info`, of JPEGs as shot too."""
    if feature["dtype"] != "video" or "info" in feature:
        return feature
    height, width, channels = feature["shape"]
    about = {
        "video.height": height, "video.width": width, "video.codec": "mjpeg", "video.pix_fmt": "yuvj420p",
        "video.is_depth_map": False, "video.fps": int(rate_hz), "video.channels": channels, "has_audio": False,
    }  # fmt: skip
    return {**feature, "info": about}


def _subtasks(plan: Plan, episode: PlannedEpisode) -> dict[str, Any]:
    """Of every episode where anything was marked: GR00T's loader asks for the key."""
    return {SUBTASKS: msgspec.to_builtins(subtasks_of(plan, episode))} if plan.subtasks else {}


def _without_quantiles(stats: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {
        name: {key: values[key] for key in ("min", "max", "mean", "std", "count")} for name, values in stats.items()
    }


def _of_episode(template: str, index: int, **names: str) -> str:
    return template.format(episode_chunk=index // CHUNK, episode_index=index, **names)


def _write_lines(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    durable.replace(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode())
