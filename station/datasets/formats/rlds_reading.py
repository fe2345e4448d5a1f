"""An RLDS dataset as TensorFlow Datasets reads it: what its two JSON files say, and records in the order of their files."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import simplejpeg
from numpy.typing import NDArray

from station.datasets.depth import stored_of
from station.datasets.formats.rlds_description import INNER, NAME, SPLITS
from station.datasets.formats.tf_records import Example, is_damaged, records
from station.datasets.picture_rows import RGB
from station.datasets.statistics import Statistics
from station.errors import EpisodeError

_VECTORS = {
    "state": "observation/state", "action": "action", "velocity": "observation/velocity", "effort": "observation/effort",
}  # fmt: skip


class _Record(NamedTuple):
    """Where an episode is."""

    split: str
    path: Path
    first: int
    length: int


class RldsReader:
    """The dataset in a folder. Episodes are numbered as they lie: train, then val."""

    def __init__(self, folder: Path) -> None:
        """Raises EpisodeError where a file is missing or damaged."""
        self._folder = folder / INNER
        try:
            self._info: dict[str, Any] = json.loads((self._folder / "dataset_info.json").read_bytes())
            described = json.loads((self._folder / "features.json").read_bytes())["featuresDict"]["features"]
            self._steps: dict[str, Any] = described["steps"]["sequence"]["feature"]["featuresDict"]["features"]
            self._observation: dict[str, Any] = self._steps["observation"]["featuresDict"]["features"]
            self._splits = {
                split["name"]: [int(one) for one in split["shardLengths"]] for split in self._info["splits"]
            }
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise EpisodeError(
                f"{self._folder}: its description cannot be read: {error!r}. Next: export again"
            ) from error
        self._records = [
            _Record(split, path, first, length)
            for split in SPLITS
            for path in self._files(split)
            if path.exists()
            for first, length in records(path)
        ]
        if not self._records:
            raise EpisodeError(f"{self._folder} has no records. Next: export again")

    def structure(self) -> Iterator[str]:
        """Files, counts, bytes; each record's features and lengths."""
        there = set(self._folder.glob("*.tfrecord*"))
        named = {path for split in self._splits for path in self._files(split)}
        for path in sorted(named ^ there):
            yield f"{path.name} {'is missing' if path in named else 'belongs to no split'}"
        for split in self._info["splits"]:
            name, files = split["name"], [path for path in self._files(split["name"]) if path in there]
            counts = [sum(one.path == path for one in self._records) for path in files]
            if counts != self._splits[name]:
                yield f"dataset_info.json: {name} is said to have {self._splits[name]} episodes in its files, they have {counts}"
            size = sum(path.stat().st_size for path in files)
            if int(split["numBytes"]) != size:
                yield f"dataset_info.json: {name} is said to have {split['numBytes']} bytes, it has {size}"
        for episode, record in enumerate(self._records):
            if is_damaged(record.path, record.first, record.length):
                yield f"{record.path.name}: episode {episode}'s record is damaged"
            yield from self._problems(episode)

    def lengths(self) -> Sequence[int]:
        """By their flags, which every record has one of for each step."""
        return [len(self._example(episode).integers("steps/is_last")) for episode in range(len(self._records))]

    def numbers(self, episode: int) -> Mapping[str, NDArray[Any]]:
        """All fields, as wide as features.json says."""
        example = self._example(episode)
        count = len(example.integers("steps/is_last"))
        found: dict[str, NDArray[Any]] = {}
        for field, name in _VECTORS.items():
            flat = example.floats(f"steps/{name}")
            if not count or len(flat) % count:
                raise EpisodeError(
                    f"episode {episode}: {name} has {len(flat)} numbers in {count} steps. Next: export again"
                )
            found[field] = flat.reshape(count, -1).astype(np.float32)
        found |= {name: example.integers(f"steps/{name}") for name in ("row", "tick_ns")}
        return found | {name: example.integers(f"steps/{name}").astype(bool) for name in ("stalled", "intervention")}

    def instructions(self, episode: int) -> Sequence[str]:
        """Of each step."""
        return [str(text, "utf-8") for text in self._example(episode).strings("steps/language_instruction")]

    def pictures(self, episode: int, camera: str, frames: Sequence[int]) -> Sequence[RGB | bytes]:
        """The JPEGs: as they are where they are the camera's own, which the verifier sees; decoded otherwise."""
        stored = self._example(episode).strings(f"steps/observation/{camera}")
        try:
            if self._observation[camera]["image"]["encodingFormat"] == "png":
                return [stored_of(stored[frame], f"episode {episode}: {camera}") for frame in frames]
            return [np.asarray(simplejpeg.decode_jpeg(stored[frame], "RGB"), np.uint8) for frame in frames]
        except (ValueError, IndexError, KeyError) as error:
            raise EpisodeError(
                f"episode {episode}: a picture of {camera} cannot be read: {error}. Next: export again"
            ) from error

    def said(self, episode: int) -> Mapping[str, bool]:
        """By the split's name, and by the path that openpi looks at."""
        (path,) = self._example(episode).strings("episode_metadata/file_path")
        return {"validation": SPLITS[self._records[episode].split], "success": "success" in str(path, "utf-8")}

    def statistics(self) -> Mapping[str, Statistics]:
        """It has none of its own."""
        return {}

    def _problems(self, episode: int) -> Iterator[str]:
        example = self._example(episode)
        inside = [*(f"observation/{name}" for name in self._observation), *(set(self._steps) - {"observation"})]
        named = {
            *(f"steps/{name}" for name in inside),
            "episode_metadata/file_path",
            "episode_metadata/recording_folderpath",
        }
        for name in sorted(named ^ example.names()):
            yield f"episode {episode}: {name} is {'missing' if name in named else 'not in features.json'}"
        if named - example.names():
            return
        count = len(example.integers("steps/is_last"))
        for name, place in (("is_first", 0), ("is_last", count - 1), ("is_terminal", count - 1)):
            if not np.array_equal(example.integers(f"steps/{name}"), np.arange(count) == place):
                yield f"episode {episode}: {name} is not 1 at step {place} alone"
        for field, name in _VECTORS.items():
            about = self._observation[field] if name.startswith("observation") else self._steps[field]
            width = int(about["tensor"]["shape"]["dimensions"][0])
            if len(example.floats(f"steps/{name}")) != width * count:
                yield f"episode {episode}: {name} has not {width} numbers in each of {count} steps"
        for name in self._observation:
            if "image" in self._observation[name]:
                yield from self._picture_problems(example, episode, name, count)

    def _picture_problems(self, example: Example, episode: int, name: str, count: int) -> Iterator[str]:
        stored = example.strings(f"steps/observation/{name}")
        height, width = (int(one) for one in self._observation[name]["image"]["shape"]["dimensions"][:2])
        if len(stored) != count:
            yield f"episode {episode}: {name} has {len(stored)} pictures, {count} steps"
        if self._observation[name]["image"]["encodingFormat"] == "png":
            counts = {len(stored_of(one, f"episode {episode}: {name}")) for one in (*stored[:1], *stored[-1:])}
            sizes = {(height, width)} if counts == {2 * height * width} else set()
        else:
            sizes = {simplejpeg.decode_jpeg_header(one)[:2] for one in (*stored[:1], *stored[-1:])}
        if sizes != {(height, width)}:
            yield f"episode {episode}: {name}: pictures are not {width} × {height} as features.json says"

    def _files(self, split: str) -> list[Path]:
        count = len(self._splits.get(split, ()))
        return [self._folder / f"{NAME}-{split}.tfrecord-{at:05d}-of-{count:05d}" for at in range(count)]

    def _example(self, episode: int) -> Example:
        if episode >= len(self._records):
            raise EpisodeError(f"episode {episode} is not in it. Next: export again")
        record = self._records[episode]
        return Example(record.path, record.first, record.length)
