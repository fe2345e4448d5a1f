"""A LeRobot 3.0 dataset as LeRobot reads it: tables by position, folders by globbing, video by timestamps."""

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from numpy.typing import NDArray

from station.datasets.formats import lerobot_checks as checks
from station.datasets.formats import lerobot_tables as tables
from station.datasets.picture_rows import RGB
from station.datasets.record import read_record
from station.datasets.statistics import Statistics
from station.datasets.video_reading import VideoReader
from station.errors import EpisodeError

_KEYS = (
    "codebase_version",
    "robot_type",
    "total_episodes",
    "total_frames",
    "total_tasks",
    "fps",
    "splits",
    "data_path",
    "features",
)


class LerobotV3Reader:
    """The dataset in a folder."""

    def __init__(self, folder: Path) -> None:
        """Raises EpisodeError where a table is missing or is none."""
        self._folder = folder
        try:
            self._info: dict[str, Any] = json.loads((folder / "meta/info.json").read_bytes())
            self._stats: dict[str, Any] = json.loads((folder / "meta/stats.json").read_bytes())
            self._rows: list[dict[str, Any]] = [
                row
                for path in sorted(folder.glob("meta/episodes/*/*.parquet"))
                for row in pq.read_table(path).to_pylist()
            ]
            self._tasks = pq.read_table(folder / "meta/tasks.parquet")
            missing = [key for key in _KEYS if key not in self._info]
        except (OSError, ValueError) as error:
            raise EpisodeError(f"{folder}: a table of meta/ cannot be read: {error}. Next: export again") from error
        if missing or not self._rows:
            raise EpisodeError(f"{folder}/meta/info.json lacks {', '.join(missing) or 'episodes'}. Next: export again")
        self._fps = float(self._info["fps"])
        self._file: tuple[Path, Any] | None = None

    def structure(self) -> Iterator[str]:
        """Totals, positions, files that are there and none besides, frames of videos."""
        yield from self._totals()
        yield from self._positions()
        yield from self._files()
        yield from _problems_of_texts("tasks", self._tasks, "task_index")
        yield from self._subtask_table()
        yield from self._videos()

    def lengths(self) -> Sequence[int]:
        """By position in meta/episodes, which is how LeRobot finds them."""
        return [int(row["length"]) for row in self._rows]

    def numbers(self, episode: int) -> Mapping[str, NDArray[Any]]:
        """State, action ((N, D) each) and our columns ((N,)), of the N rows that meta/episodes gives the episode.

        Raises EpisodeError where LeRobot's own counting columns are not what its loader takes them for.
        """
        first = int(self._rows[episode]["dataset_from_index"])
        table = self._of(episode)
        found = checks.checked_numbers(table, episode, first, self._fps)
        return found | ({tables.SUBTASK: checks.array(table, tables.SUBTASK)} if self._has_subtasks else {})

    def instructions(self, episode: int) -> Sequence[str]:
        """Each row's text: the task table's row at position task_index."""
        texts = self._tasks.column("__index_level_0__").to_pylist()
        return [
            texts[place] if 0 <= place < len(texts) else "" for place in checks.array(self._of(episode), "task_index")
        ]

    def pictures(self, episode: int, camera: str, frames: Sequence[int]) -> Sequence[RGB | bytes]:
        """By from_timestamp + frame / fps in the file that meta/episodes names. Raises EpisodeError where that is between two frames."""
        row, key = self._rows[episode], tables.camera_key(camera)
        first = row[f"videos/{key}/from_timestamp"] * self._fps
        if abs(first - round(first)) > 1e-3:
            raise EpisodeError(
                f"episode {episode}: from_timestamp of {camera} lies between two frames. Next: export again"
            )
        with VideoReader(self._video(row, key)) as video:
            return video.pictures([round(first) + frame for frame in frames], self._fps)

    def said(self, episode: int) -> Mapping[str, bool]:
        """By the splits, which LeRobot itself does not read."""
        return {"validation": checks.held_back(self._info["splits"], episode)}

    def statistics(self) -> Mapping[str, Statistics]:
        """meta/stats.json, by field and by camera. Raises EpisodeError where a number of it is missing or wrong."""
        named = {**tables.VECTORS, **{name: field for name, (field, _) in tables.OWN.items()}}
        prefix = tables.camera_key("")
        try:
            return {
                named.get(name, name.removeprefix(prefix)): tables.read_stats(stats)
                for name, stats in self._stats.items()
                if name in named or name.startswith(prefix)
            }
        except (KeyError, TypeError, ValueError) as error:
            raise EpisodeError(
                f"{self._folder}/meta/stats.json: {error} is missing or wrong. Next: export again"
            ) from error

    def _totals(self) -> Iterator[str]:
        counted = {
            "total_episodes": len(self._rows), "total_frames": sum(self.lengths()), "total_tasks": len(self._tasks),
        }  # fmt: skip
        for name, count in counted.items():
            if self._info[name] != count:
                yield f"meta/info.json: {name} is {self._info[name]}, there are {count}"
        yield from checks.split_problems(self._info["splits"], len(self._rows))

    def _positions(self) -> Iterator[str]:
        start = 0
        for place, row in enumerate(self._rows):
            if row["episode_index"] != place:
                yield f"meta/episodes: row {place} is episode {row['episode_index']}; LeRobot takes it for episode {place}"
            said = row["dataset_from_index"], row["dataset_to_index"]
            if said != (start, start + row["length"]):
                right = f"{start} to {start + row['length']}"
                yield f"meta/episodes: episode {place} says rows {said[0]} to {said[1]}, not {right}"
            start += row["length"]
            for key in self._cameras:
                lasts = row[f"videos/{key}/to_timestamp"] - row[f"videos/{key}/from_timestamp"]
                if abs(lasts * self._fps - row["length"]) > 1e-3:
                    yield f"meta/episodes: episode {place} has {row['length']} rows, {key} lasts {lasts:g} s"

    def _files(self) -> Iterator[str]:
        """Data and episodes are globbed: what is left over is loaded too."""
        named = {self._data(row) for row in self._rows} | {
            self._video(row, key) for row in self._rows for key in self._cameras
        }
        yield from checks.file_problems(self._folder, named)
        expected = {*self._info["features"]} - set(self._cameras)
        for path in sorted(path for path in named if path.suffix == ".parquet" and path.exists()):
            rows = sum(row["length"] for row in self._rows if self._data(row) == path)
            yield from checks.data_problems(self._folder, path, expected, rows)

    def _subtask_table(self) -> Iterator[str]:
        expected, path = list(read_record(self._folder).plan.subtasks), self._folder / "meta/subtasks.parquet"
        if self._has_subtasks != bool(expected):
            there, right = ("no feature", "one") if expected else ("a feature", "none")
            yield f"meta/info.json: {there} {tables.SUBTASK}, by the record there is {right}"
        if not expected:
            return
        try:
            table = pq.read_table(path)
        except (OSError, ValueError) as error:
            yield f"meta/subtasks.parquet cannot be read: {error}"
            return
        wrong = list(_problems_of_texts("subtasks", table, tables.SUBTASK))
        yield from wrong
        if not wrong and table.column("__index_level_0__").to_pylist() != expected:
            yield "meta/subtasks.parquet: its texts are not the marks' names by the record"

    def _videos(self) -> Iterator[str]:
        for key in self._cameras:
            height, width, _ = self._info["features"][key]["shape"]
            frames: dict[Path, int] = {}
            for row in self._rows:
                frames[self._video(row, key)] = frames.get(self._video(row, key), 0) + row["length"]
            for path, count in frames.items():
                try:
                    with VideoReader(path) as video:
                        yield from video.problems(count, self._fps, (width, height))
                except EpisodeError as error:
                    yield str(error)

    @cached_property
    def _has_subtasks(self) -> bool:
        return tables.SUBTASK in self._info["features"]

    @cached_property
    def _cameras(self) -> list[str]:
        return [name for name, feature in self._info["features"].items() if feature["dtype"] == "video"]

    def _data(self, row: dict[str, Any]) -> Path:
        where = {name: row[f"data/{name}"] for name in ("chunk_index", "file_index")}
        return self._folder / str(self._info["data_path"]).format(**where)

    def _video(self, row: dict[str, Any], key: str) -> Path:
        where = {name: row[f"videos/{key}/{name}"] for name in ("chunk_index", "file_index")}
        return self._folder / str(self._info["video_path"]).format(video_key=key, **where)

    def _of(self, episode: int) -> Any:
        """The rows dataset_from_index … dataset_to_index of all data files one behind the other."""
        row = self._rows[episode]
        path = self._data(row)
        if self._file is None or self._file[0] != path:
            try:
                self._file = path, pq.read_table(path)
            except (OSError, ValueError) as error:
                raise EpisodeError(f"{path} cannot be read: {error}. Next: export again") from error
        before = next(int(other["dataset_from_index"]) for other in self._rows if self._data(other) == path)
        return self._file[1].slice(
            row["dataset_from_index"] - before, row["dataset_to_index"] - row["dataset_from_index"]
        )


def _problems_of_texts(name: str, table: Any, column: str) -> Iterator[str]:
    """Of a table whose text LeRobot looks up by position."""
    if "__index_level_0__" not in table.column_names or b"pandas" not in (table.schema.metadata or {}):
        yield f"meta/{name}.parquet: the text is no pandas index; LeRobot would read the instruction `0`"
    elif table.column(column).to_pylist() != list(range(len(table))):
        yield f"meta/{name}.parquet: rows are not in the order of {column}; LeRobot would read another {name[:-1]}'s text"
