"""A LeRobot 2.1 dataset as LeRobot and GR00T read it: tables by their indices, data files by globbing, a video of each episode."""

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from station.datasets.formats import gr00t
from station.datasets.formats import lerobot_checks as checks
from station.datasets.formats import lerobot_tables as tables
from station.datasets.formats.lerobot_v21 import SUBTASKS
from station.datasets.picture_rows import RGB
from station.datasets.record import read_record
from station.datasets.statistics import QUANTILES, Statistics, of_numbers
from station.datasets.video_reading import VideoReader
from station.errors import EpisodeError

_NONE = [float("nan")]


class LerobotV21Reader:
    """The dataset in a folder."""

    def __init__(self, folder: Path) -> None:
        """Raises EpisodeError where a table is missing or is none."""
        self._folder = folder
        try:
            self._info: dict[str, Any] = json.loads((folder / "meta/info.json").read_bytes())
            self._stats: dict[str, Any] = json.loads((folder / "meta/stats.json").read_bytes())
            self._modality: dict[str, Any] = json.loads((folder / "meta/modality.json").read_bytes())
            self._rows = self._lines("episodes")
            self._episode_stats = self._lines("episodes_stats")
            self._tasks = {int(row["task_index"]): str(row["task"]) for row in self._lines("tasks")}
            self._fps, self._chunk = float(self._info["fps"]), int(self._info["chunks_size"])
            self._features: dict[str, Any] = self._info["features"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise EpisodeError(f"{folder}: a table of meta/ cannot be read: {error!r}. Next: export again") from error
        if not self._rows:
            raise EpisodeError(f"{folder}/meta/episodes.jsonl lacks episodes. Next: export again")

    def _lines(self, name: str) -> list[dict[str, Any]]:
        text = (self._folder / f"meta/{name}.jsonl").read_text()
        return [json.loads(line) for line in text.splitlines()]

    def structure(self) -> Iterator[str]:
        """Totals, counts, files that are there and none besides, frames of videos, statistics, what GR00T is told."""
        try:
            yield from self._totals()
            yield from self._files()
            yield from self._counted()
            yield from self._videos()
            yield from self._statistics_of_episodes()
            yield from gr00t.problems(self._modality, self._stats, self._features)
        except (KeyError, TypeError, ValueError) as error:
            yield f"meta/: {error!r} is missing or wrong"

    def lengths(self) -> Sequence[int]:
        """By their order in episodes.jsonl, which is where LeRobot counts frames from."""
        return [int(row["length"]) for row in self._rows]

    def numbers(self, episode: int) -> Mapping[str, NDArray[Any]]:
        """State, action and our columns."""
        found = checks.checked_numbers(self._of(episode), episode, sum(self.lengths()[:episode]), self._fps)
        return {**found, **self._subtasks(episode)}

    def instructions(self, episode: int) -> Sequence[str]:
        """Each row's text: that of its task_index."""
        return [self._tasks.get(int(index), "") for index in checks.array(self._of(episode), "task_index")]

    def pictures(self, episode: int, camera: str, frames: Sequence[int]) -> Sequence[RGB | bytes]:
        """By frame / fps in the episode's video."""
        with VideoReader(self._video(episode, tables.camera_key(camera))) as video:
            return video.pictures(frames, self._fps)

    def said(self, episode: int) -> Mapping[str, bool]:
        """By the splits, which LeRobot itself does not read."""
        return {"validation": checks.held_back(self._info["splits"], episode)}

    def statistics(self) -> Mapping[str, Statistics]:
        """Of state and action those of stats.json; of cameras the means that LeRobot adds up from the episodes'."""
        found = {}
        try:
            for name, field in tables.VECTORS.items():
                claimed = self._stats[name]
                none = _NONE * len(claimed["mean"])
                named = {0.01: claimed["q01"], 0.99: claimed["q99"]}
                quantiles = [named.get(share, none) for share in QUANTILES]
                found[field] = Statistics(
                    claimed["min"], claimed["max"], claimed["mean"], claimed["std"], sum(self.lengths()), quantiles
                )
            for key in self._cameras:
                stats = [row["stats"][key] for row in self._episode_stats]
                counts = np.array([one["count"][0] for one in stats])
                mean = np.average([np.ravel(one["mean"]) for one in stats], axis=0, weights=counts)
                camera = key.removeprefix(tables.camera_key(""))
                found[camera] = Statistics(_NONE, _NONE, mean.tolist(), _NONE, int(counts.sum()), [])
        except (KeyError, TypeError, ValueError) as error:
            raise EpisodeError(
                f"{self._folder}/meta: statistics: {error!r} is missing or wrong. Next: export again"
            ) from error
        return found

    def _subtasks(self, episode: int) -> Mapping[str, NDArray[np.int64]]:
        """(N,) which of the record's subtasks each frame is in, where the episode's line says any. Raises EpisodeError."""
        row, names = self._rows[episode], read_record(self._folder).plan.subtasks
        if SUBTASKS not in row:
            return {}
        numbers = np.zeros(int(row["length"]), np.int64)
        try:
            for one in row[SUBTASKS]:
                numbers[one["start"] : one["end"]] = names.index(one["text"])
        except (KeyError, TypeError, ValueError) as error:
            raise EpisodeError(
                f"meta/episodes.jsonl: {SUBTASKS} of episode {episode}: {error!r}. Next: export again"
            ) from error
        return {tables.SUBTASK: numbers}

    def _totals(self) -> Iterator[str]:
        counted = {
            "codebase_version": "v2.1", "total_episodes": len(self._rows), "total_frames": sum(self.lengths()),
            "total_tasks": len(self._tasks), "total_videos": len(self._rows) * len(self._cameras),
            "total_chunks": (len(self._rows) - 1) // self._chunk + 1,
        }  # fmt: skip
        for name, count in counted.items():
            if self._info[name] != count:
                yield f"meta/info.json: {name} is {self._info[name]}, there are {count}"
        yield from checks.split_problems(self._info["splits"], len(self._rows))

    def _counted(self) -> Iterator[str]:
        for name, rows in (("episodes", self._rows), ("episodes_stats", self._episode_stats)):
            if [row["episode_index"] for row in rows] != list(range(len(self._rows))):
                yield f"meta/{name}.jsonl does not count its episodes"
        if sorted(self._tasks) != list(range(len(self._tasks))):
            yield "meta/tasks.jsonl does not count its tasks"
        marked = bool(read_record(self._folder).plan.subtasks)
        for row in self._rows:
            if (SUBTASKS in row) != marked:
                yield f"meta/episodes.jsonl: episode {row['episode_index']} {'lacks' if marked else 'has'} {SUBTASKS}"
            if row["tasks"] != sorted(set(self.instructions(row["episode_index"]))):
                yield f"meta/episodes.jsonl: episode {row['episode_index']} says {row['tasks']}, its rows have another task"

    def _files(self) -> Iterator[str]:
        """All data files are globbed: what is left over is loaded too."""
        episodes = range(len(self._rows))
        named = {self._data(one) for one in episodes} | {
            self._video(one, key) for one in episodes for key in self._cameras
        }
        yield from checks.file_problems(self._folder, named)
        expected = {*self._features} - set(self._cameras)
        for episode, frames in enumerate(self.lengths()):
            if self._data(episode).exists():
                yield from checks.data_problems(self._folder, self._data(episode), expected, frames)

    def _videos(self) -> Iterator[str]:
        for key in self._cameras:
            height, width, _ = self._features[key]["shape"]
            if self._features[key]["info"]["video.fps"] != self._fps:
                yield f"meta/info.json: {key} is said to have {self._features[key]['info']['video.fps']} frames a second"
            for episode, frames in enumerate(self.lengths()):
                try:
                    with VideoReader(self._video(episode, key)) as video:
                        yield from video.problems(frames, self._fps, (width, height))
                except EpisodeError as error:
                    yield str(error)

    def _statistics_of_episodes(self) -> Iterator[str]:
        """LeRobot's are the sum of these."""
        for row in self._episode_stats:
            table = self._of(row["episode_index"])
            for name in {*self._features} - set(self._cameras):
                right, claimed = of_numbers(checks.array(table, name)), row["stats"][name]
                for key in ("min", "max", "mean", "std"):
                    if not np.allclose(getattr(right, key), np.ravel(claimed[key]), rtol=1e-6, atol=1e-9):
                        yield f"meta/episodes_stats.jsonl: episode {row['episode_index']}: {key} of {name} is wrong"
                if claimed["count"] != [right.count]:
                    yield f"meta/episodes_stats.jsonl: episode {row['episode_index']}: {name} is of {claimed['count']} frames"

    @cached_property
    def _cameras(self) -> list[str]:
        return [name for name, feature in self._features.items() if feature["dtype"] == "video"]

    def _data(self, episode: int) -> Path:
        return self._folder / str(self._info["data_path"]).format(
            episode_chunk=episode // self._chunk, episode_index=episode
        )

    def _video(self, episode: int, key: str) -> Path:
        return self._folder / str(self._info["video_path"]).format(
            episode_chunk=episode // self._chunk, episode_index=episode, video_key=key
        )

    def _of(self, episode: int) -> Any:
        path = self._data(episode)
        try:
            return pq.read_table(path)
        except (OSError, ValueError) as error:
            raise EpisodeError(f"{path} cannot be read: {error}. Next: export again") from error
