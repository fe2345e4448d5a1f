"""LeRobot's datasets, 3.0 and 2.1: numbers from Parquet, pictures from MP4 or from the Parquet itself.

They say rate and names (of their own choosing), and no units; pictures are evenly spaced by construction, so that nothing is known of
their real age.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from station.datasets.importing.foreign import Foreign, Pictures, Said, in_units, named, units_of
from station.errors import EpisodeError, UsageError

STATE, ACTION, IMAGES = "observation.state", "action", "observation.images."


class Place(NamedTuple):
    """Where an episode is in its dataset."""

    number: int
    length: int
    data: Path
    videos: Mapping[str, tuple[Path, int]]
    """Camera's feature → file, and the frame there that is the episode's first."""
    instruction: str


class Dataset:
    """One in a folder."""

    def __init__(self, folder: Path) -> None:
        """Raises UsageError where it is none, or of another version."""
        self.folder = folder
        try:
            self.info: dict[str, Any] = json.loads((folder / "meta/info.json").read_bytes())
            version = str(self.info["codebase_version"])
            self.fps = float(self.info["fps"])
            self.features: dict[str, Any] = dict(self.info["features"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UsageError(
                f"{folder}: no dataset of LeRobot: {error}. Next: name the folder that has meta/info.json"
            ) from error
        if version not in ("v3.0", "v2.1", "v2.0"):
            raise UsageError(
                f"{folder} is of version {version[:20]}; 3.0, 2.1 and 2.0 can be read. Next: convert it with LeRobot's script"
            )
        missing = [name for name in (STATE, ACTION) if name not in self.features]
        if missing:
            raise UsageError(
                f"{folder} has no {', '.join(missing)}: an episode here has a state and an action for each row"
            )
        self.places = self._places_3() if version == "v3.0" else self._places_2()
        self.cameras = {name.removeprefix(IMAGES): name for name in self.features if name.startswith(IMAGES)}

    def _places_3(self) -> list[Place]:
        tasks = _texts_3(self.folder / "meta/tasks.parquet")
        rows = [
            row
            for path in sorted(self.folder.glob("meta/episodes/*/*.parquet"))
            for row in pq.read_table(path).to_pylist()
        ]
        found = []
        for row in rows:
            data = self.info["data_path"].format(chunk_index=row["data/chunk_index"], file_index=row["data/file_index"])
            videos = {}
            for name, feature in self.features.items():
                if feature["dtype"] == "video":
                    where = {key: row[f"videos/{name}/{key}"] for key in ("chunk_index", "file_index")}
                    path = self.folder / self.info["video_path"].format(video_key=name, **where)
                    videos[name] = path, round(row[f"videos/{name}/from_timestamp"] * self.fps)
            said = row.get("tasks") or [tasks.get(0, "")]
            found.append(Place(row["episode_index"], row["length"], self.folder / data, videos, str(said[0])))
        return found

    def _places_2(self) -> list[Place]:
        size = int(self.info.get("chunks_size", 1000))
        found = []
        for line in (self.folder / "meta/episodes.jsonl").read_text().splitlines():
            row = json.loads(line)
            index = int(row["episode_index"])
            where = {"episode_chunk": index // size, "episode_index": index}
            videos = {
                name: (self.folder / self.info["video_path"].format(video_key=name, **where), 0)
                for name, feature in self.features.items()
                if feature["dtype"] == "video"
            }
            said = row.get("tasks") or [""]
            found.append(
                Place(
                    index,
                    int(row["length"]),
                    self.folder / self.info["data_path"].format(**where),
                    videos,
                    str(said[0]),
                )
            )
        return found

    def read(self, place: Place, said: Said) -> Foreign:
        """One episode. Raises EpisodeError for what is wrong with its files, UsageError where something has to be said."""
        table = _rows(place)
        state, action = _vector(table, STATE, place), _vector(table, ACTION, place)
        if state.shape != action.shape:
            raise EpisodeError(
                f"{place.data}: {STATE} has {state.shape[1]} numbers a row, {ACTION} {action.shape[1]}; here a state and its goal are "
                "of the same joints. Next: leave it out"
            )
        names = named(_names(self.features[ACTION]), state.shape[1], said, self.folder)
        units = units_of(names, said, "")
        cameras = {camera: self._pictures(place, name, table) for camera, name in self.cameras.items()}
        as_jpeg = all(self._is_jpeg(place, name, table) for name in self.cameras.values())
        return Foreign(
            f"lerobot {self.folder.name} episode {place.number}", _sha256(place), said.rate_hz or self.fps, names,
            tuple("rad" if unit == "deg" else unit for unit in units), in_units(state, units), in_units(action, units), None, None,
            cameras, as_jpeg or not said.raw, place.instruction,
        )  # fmt: skip

    def _is_jpeg(self, place: Place, name: str, table: Any) -> bool:
        if name in place.videos:
            with av.open(str(place.videos[name][0])) as container:
                return bool(container.streams.video[0].codec_context.name == "mjpeg")
        return bytes(table.column(name)[0].as_py()["bytes"] or b"").startswith(b"\xff\xd8")

    def _pictures(self, place: Place, name: str, table: Any) -> Pictures:
        if name in place.videos:
            path, first = place.videos[name]
            return lambda: _frames(path, first, place.length, self.fps)
        return lambda: (_picture(row["bytes"], place) for row in table.column(name).to_pylist())


def _rows(place: Place) -> Any:
    try:
        table = pq.read_table(place.data, filters=[("episode_index", "=", place.number)])
    except (OSError, ValueError) as error:
        raise EpisodeError(f"{place.data}: cannot be read: {error}. Next: leave episode {place.number} out") from error
    if len(table) != place.length:
        raise EpisodeError(
            f"{place.data}: episode {place.number} has {len(table)} rows, meta/ says {place.length}. Next: leave it out"
        )
    return table


def _vector(table: Any, name: str, place: Place) -> NDArray[np.float32]:
    values = np.array(table.column(name).to_pylist(), np.float32)
    if values.ndim != 2 or not np.isfinite(values).all():
        raise EpisodeError(f"{place.data}: {name} of episode {place.number} is no table of numbers. Next: leave it out")
    return values


def _names(feature: Mapping[str, Any]) -> tuple[str, ...]:
    said = feature.get("names")
    if isinstance(said, dict):  # {"motors": […]}
        said = next((value for value in said.values() if isinstance(value, list)), None)
    return tuple(map(str, said)) if isinstance(said, list) else ()


def _frames(path: Path, first: int, count: int, fps: float) -> Iterator[bytes | NDArray[np.uint8]]:
    """`count` frames from the `first` on, in order: JPEGs as they are, others decoded."""
    try:
        opened: Any = av.open(str(path))
        with opened as container:
            stream = container.streams.video[0]
            container.seek(round(first / fps / stream.time_base), stream=stream)
            nearest = 0.5 / fps
            given = 0
            is_jpeg = stream.codec_context.name == "mjpeg"
            for item in container.demux(stream) if is_jpeg else container.decode(stream):
                if item.pts is None or float(item.pts * stream.time_base) < first / fps - nearest:
                    continue
                yield bytes(item) if is_jpeg else np.asarray(item.to_ndarray(format="rgb24"), np.uint8)
                given += 1
                if given == count:
                    return
    except (av.FFmpegError, OSError) as error:
        raise EpisodeError(f"{path}: cannot be read: {error}. Next: leave this episode out") from error
    raise EpisodeError(f"{path}: {count} frames from frame {first} on are not in it. Next: leave this episode out")


def _picture(data: bytes | None, place: Place) -> bytes | NDArray[np.uint8]:
    if not data:
        raise EpisodeError(f"{place.data}: a picture of episode {place.number} is kept elsewhere. Next: leave it out")
    if data.startswith(b"\xff\xd8"):
        return data
    import cv2

    decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if decoded is None:
        raise EpisodeError(f"{place.data}: a picture of episode {place.number} cannot be decoded. Next: leave it out")
    return np.asarray(decoded[:, :, ::-1], np.uint8)


def _texts_3(path: Path) -> dict[int, str]:
    table = pq.read_table(path)
    text = next(name for name in table.column_names if name != "task_index")
    return dict(zip(table.column("task_index").to_pylist(), map(str, table.column(text).to_pylist()), strict=True))


def _sha256(place: Place) -> str:
    """Of its numbers' file and its place in it."""
    return hashlib.sha256(place.data.read_bytes() + str(place.number).encode()).hexdigest()
