"""Diffusion Policy's recording of a real robot: replay_buffer.zarr for numbers, videos/<episode>/<camera's number>.mp4 for pictures.

data/{timestamp, action, robot_joint, robot_joint_vel, robot_effort} and ours; meta/episode_ends. Its code reads the videos by the
timestamps' step into a zip of its own beside them, at the size that its configuration says.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from station.datasets.conversion import Space, Video, units_of
from station.datasets.formats import zarr_numbers
from station.datasets.formats.contract import EachFrame, Made, Numbers, Part, Place, ReadBack, Totals
from station.datasets.formats.zarr_arrays import Folder, put_groups
from station.datasets.formats.zarr_numbers import Buffer, Kept
from station.datasets.parts import parts_by_shard
from station.datasets.picture_rows import RGB
from station.datasets.plan import Plan
from station.datasets.statistics import Statistics
from station.datasets.video import video_notes, write_videos
from station.datasets.video_reading import VideoReader
from station.errors import EpisodeError

BUFFER = "replay_buffer.zarr"
_FIELDS = {
    "action": "action", "robot_joint": "state", "robot_joint_vel": "velocity", "robot_effort": "effort",
    **{name: name for name in zarr_numbers.OWN},
}  # fmt: skip


class DpZarr:
    """The format."""

    name = "dp-zarr"
    consumers = "Diffusion Policy (real robots)"
    videos: Sequence[Video] = ("h264", "av1", "as-shot")
    spaces: Sequence[Space] = ("joint",)
    depth = False
    by_episode = True

    def refuse(self, plan: Plan) -> None:
        """It holds whatever a plan can ask for."""

    def parts(self, plan: Plan) -> Sequence[Part]:
        """Numbers and cameras of each shard."""
        return parts_by_shard(plan, tuple(plan.cameras))

    def write(
        self, plan: Plan, part: Part, numbers: Numbers, frames: Mapping[str, EachFrame], place: Place
    ) -> Sequence[Path]:
        """A shard's numbers, kept; or a video of each of its episodes."""
        if part.kind == "numbers":
            return zarr_numbers.keep(part, _arrays(plan, part), numbers, place)
        number = list(plan.cameras).index(part.camera)
        paths = [place.out / _video(episode.index, number) for episode in plan.of(part.shard)]
        write_videos(paths, plan, part.camera, frames[part.camera])
        return paths

    def finish(self, plan: Plan, made: Sequence[Made], totals: Totals, place: Place) -> None:  # noqa: ARG002 (it computes its own statistics)
        """The replay buffer."""
        store = Folder(place.out / BUFFER)
        units = units_of(plan.units, plan.conversion.gripper)
        about = {"names": list(plan.dim_names), "units": list(units), "rate_hz": plan.rate_hz}
        put_groups(
            store, {"data": {**about, "cameras": {f"camera_{at}": name for at, name in enumerate(plan.cameras)}}}
        )
        zarr_numbers.put_kept(store, plan, _arrays(plan, Part("numbers", 0)), place)

    def open(self, folder: Path) -> ReadBack:
        """Read what was written. Raises EpisodeError."""
        return _Reader(folder)

    def notes(self, plan: Plan) -> Sequence[str]:
        """Of cameras' numbers, of the split, of what its dataset class takes."""
        numbered = ", ".join(f"`camera_{at}` is {name}" for at, name in enumerate(plan.cameras))
        return (
            *([f"Cameras have numbers: {numbered}."] if plan.cameras else []),
            f"`robot_joint` is the state, `action` goals of the same {len(plan.dim_names)} numbers. `RealPushTImageDataset` takes actions "
            "of 2 or 6 numbers alone: widen its assertion, or subclass it; what it reads with, `real_data_to_replay_buffer`, takes any.",
            "It draws its validation episodes itself (`val_ratio`, `seed`); `meta/validation` says which were held back here.",
            *video_notes(plan.conversion.video),
        )

    def training(self, plan: Plan, out: Path) -> str:
        """Its own command."""
        joints = len(plan.dim_names)
        return (
            f"python train.py --config-name=train_diffusion_unet_real_image_workspace task.dataset_path={out.name} "
            f"task.shape_meta.action.shape=[{joints}] '+task.shape_meta.obs.robot_joint={{shape: [{joints}], type: low_dim}}'"
        )


class _Reader:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._buffer = Buffer(folder / BUFFER)

    def structure(self) -> Iterator[str]:
        """Every array whole; a video of each camera for every episode, and none besides; times that go by the rate."""
        yield from self._buffer.problems([*_FIELDS, "timestamp"])
        lengths, rate_hz = self._buffer.lengths(), self._rate_hz()
        cameras = sorted({path.name for path in self._folder.glob("videos/*/*.mp4")})
        named = {self._folder / "videos" / str(index) / name for index in range(len(lengths)) for name in cameras}
        there = set(self._folder.glob("videos/*/*"))
        for path in sorted(named ^ there):
            yield f"{path.relative_to(self._folder)} {'is missing' if path in named else 'belongs to no episode'}"
        for index, frames in enumerate(lengths):
            times = self._buffer.of(index, ["timestamp"])["timestamp"]
            if not np.array_equal(times, np.arange(frames) / rate_hz):
                yield f"episode {index}: timestamp is not frame / {rate_hz:g}"
            for path in sorted(named & there):
                if path.parent.name == str(index):
                    yield from self._video_problems(path, frames, rate_hz)

    def lengths(self) -> Sequence[int]:
        """By episode_ends."""
        return self._buffer.lengths()

    def numbers(self, episode: int) -> Mapping[str, NDArray[Any]]:
        """All fields."""
        found = self._buffer.of(episode, list(_FIELDS))
        return {field: found[name] for name, field in _FIELDS.items()}

    def instructions(self, episode: int) -> Sequence[str]:
        """Beside episode_ends."""
        return [self._buffer.instruction(episode)]

    def pictures(self, episode: int, camera: str, frames: Sequence[int]) -> Sequence[RGB | bytes]:
        """Of the video that has the camera's number."""
        numbers = {name: int(key.rpartition("_")[2]) for key, name in self._about()["cameras"].items()}
        if camera not in numbers:
            raise EpisodeError(f"{self._folder / BUFFER}/data/.zattrs has no camera {camera}. Next: export again")
        with VideoReader(self._folder / _video(episode, numbers[camera])) as video:
            return video.pictures(frames, self._rate_hz())

    def said(self, episode: int) -> Mapping[str, bool]:
        """Which are held back."""
        return {"validation": self._buffer.validation(episode)}

    def statistics(self) -> Mapping[str, Statistics]:
        """It has none of its own."""
        return {}

    def _rate_hz(self) -> float:
        return float(self._about()["rate_hz"])

    def _about(self) -> dict[str, Any]:
        return self._buffer.arrays.attributes("data")

    def _video_problems(self, path: Path, frames: int, rate_hz: float) -> Iterator[str]:
        try:
            with VideoReader(path) as video:
                yield from video.problems(frames, rate_hz)
        except EpisodeError as error:
            yield str(error)


def _arrays(plan: Plan, part: Part) -> list[Kept]:
    """By name; the timestamps are an episode's frames at the rate."""

    def times(numbers: Numbers) -> NDArray[Any]:  # noqa: ARG001 (only how many there are)
        return np.concatenate(
            [np.arange(one.stop - one.start) / plan.rate_hz for one in zarr_numbers.within(plan, part)]
        )

    return [*((name, _picked(field)) for name, field in _FIELDS.items()), ("timestamp", times)]


def _picked(field: str) -> Any:
    return lambda numbers: numbers[field]


def _video(episode: int, camera: int) -> str:
    return f"videos/{episode}/{camera}.mp4"
