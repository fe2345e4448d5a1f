"""UMI's dataset: one zip, dataset.zarr.zip, that its loader takes into memory whole. End-effector poses, absolute, in the rig frame.

data/robot<k>_{eef_pos, eef_rot_axis_angle, gripper_width, demo_start_pose, demo_end_pose}, data/camera<k>_rgb (a chunk of each
frame), data/action (position, axis-angle, gripper of each arm); meta/episode_ends. Its loader makes poses relative and six numbers of a
rotation (the first two rows) itself.
"""

import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import simplejpeg
from numpy.typing import NDArray

from station.datasets.conversion import Space, Video
from station.datasets.formats import zarr_numbers
from station.datasets.formats.contract import EachFrame, Frame, Made, Numbers, Part, Place, ReadBack, Totals
from station.datasets.formats.zarr_arrays import JPEG, Zip, put_groups, put_pictures
from station.datasets.formats.zarr_numbers import Buffer, Kept
from station.datasets.parts import parts_by_shard
from station.datasets.picture_rows import RGB
from station.datasets.pixels import Pixels
from station.datasets.plan import Plan
from station.datasets.statistics import Statistics
from station.errors import EpisodeError, UsageError

FILE = "dataset.zarr.zip"
_POSE, _ARM = 6, 7
"""Numbers of an arm's pose, and with its gripper."""


class UmiZarr:
    """The format."""

    name = "umi-zarr"
    consumers = "UMI (Universal Manipulation Interface)"
    videos: Sequence[Video] = ("as-shot", "jpeg", "raw")
    spaces: Sequence[Space] = ("ee",)
    depth = False
    by_episode = False

    def refuse(self, plan: Plan) -> None:
        """Raises UsageError where an arm has no gripper, and for anything but absolute poses."""
        sides = _sides(plan)
        if len(plan.dim_names) != _ARM * len(sides) or any(unit != "1" for unit in plan.units[_POSE::_ARM]):
            raise UsageError(
                f"UMI's arms have a pose and a gripper, these have {', '.join(plan.dim_names)}. Next: take robomimic or lerobot-v3"
            )
        if plan.conversion.representation != "absolute":
            raise UsageError("UMI's loader makes poses relative itself. Next: --representation absolute")

    def parts(self, plan: Plan) -> Sequence[Part]:
        """Numbers and cameras of each shard."""
        return parts_by_shard(plan, tuple(plan.cameras))

    def write(
        self, plan: Plan, part: Part, numbers: Numbers, frames: Mapping[str, EachFrame], place: Place
    ) -> Sequence[Path]:
        """A shard's numbers, or its chunks of a camera, kept until all are there."""
        if part.kind == "numbers":
            return zarr_numbers.keep(part, _arrays(plan, part), numbers, place)
        chunks, sizes = place.pieces / f"{part.name}.chunks", place.pieces / f"{part.name}.npy"
        lengths: list[int] = []
        pixels, video = Pixels(plan.size_of(part.camera)), plan.conversion.video
        with chunks.open("wb") as file:

            def take(frame: Frame) -> None:
                lengths.append(file.write(_chunk(frame, video, pixels)))

            frames[part.camera](take)
        np.save(sizes, np.array(lengths, np.int64))
        return [chunks, sizes]

    def finish(self, plan: Plan, made: Sequence[Made], totals: Totals, place: Place) -> None:  # noqa: ARG002 (it computes its own statistics)
        """The zip."""
        codec = None if plan.conversion.video == "raw" else JPEG
        with zipfile.ZipFile(place.out / FILE, "w") as file:
            store = Zip(file)
            arms = {f"robot{at}": side for at, side in enumerate(_sides(plan))}
            cameras = {f"camera{at}": name for at, name in enumerate(plan.cameras)}
            put_groups(store, {"data": {"robots": arms, "cameras": cameras, "rate_hz": plan.rate_hz}})
            zarr_numbers.put_kept(store, plan, _arrays(plan, Part("numbers", 0)), place)
            for at, camera in enumerate(plan.cameras):
                width, height = plan.size_of(camera)
                shape = (plan.frames, height, width, 3)
                put_pictures(store, f"data/camera{at}_rgb", shape, codec, _chunks(plan, camera, place))

    def open(self, folder: Path) -> ReadBack:
        """Read what was written. Raises EpisodeError."""
        return _Reader(folder)

    def notes(self, plan: Plan) -> Sequence[str]:
        """Of numbers, grippers, sizes, the split."""
        arms = ", ".join(f"`robot{at}` is {side}" for at, side in enumerate(_sides(plan)))
        cameras = ", ".join(f"`camera{at}_rgb` is {name}" for at, name in enumerate(plan.cameras))
        return (
            f"Arms and cameras have numbers: {'; '.join(told for told in (arms, cameras) if told)}.",
            "`gripper_width` is the opening, 0 to 1, not metres. `action` is the goals' poses; UMI's own data repeat the measured ones.",
            f"UMI's configuration is for 224 × 224 pictures at 59.94 Hz, of which it takes every third: here `dataset_frequeny` is "
            f"{plan.rate_hz:g}, and its `obs_down_sample_steps` by the rate that the policy is to run at. "
            "The loader takes the whole zip into memory.",
            "It draws its validation episodes itself (`val_ratio`, seed 42); `meta/validation` says which were held back here.",
        )

    def training(self, plan: Plan, out: Path) -> str:
        """Its own command."""
        task = "umi_bimanual" if len(_sides(plan)) == 2 else "umi"
        return (
            f"python train.py --config-name=train_diffusion_unet_timm_{task}_workspace task.dataset_path={out.name}/{FILE} "
            f"task.dataset_frequeny={plan.rate_hz:g}"
        )


class _Reader:
    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._buffer = Buffer(self._path)
        self._about = self._buffer.arrays.attributes("data")
        self._arms = len(self._about.get("robots", ()))

    def structure(self) -> Iterator[str]:
        """Every array whole; start and end poses that are those of the episode's first and last row."""
        yield from self._buffer.problems(
            [*_named(self._arms), *(f"{name}_rgb" for name in self._about["cameras"]), *zarr_numbers.OWN]
        )
        for episode in range(len(self._buffer.ends)):
            for arm in range(self._arms):
                parts = ("eef_pos", "eef_rot_axis_angle", "demo_start_pose", "demo_end_pose")
                found = self._buffer.of(episode, [f"robot{arm}_{part}" for part in parts])
                position, rotation, start, end = found.values()
                pose = np.concatenate([position, rotation], axis=1)
                for name, claimed, right in (("start", start, pose[0]), ("end", end, pose[-1])):
                    if not (claimed == right).all():
                        yield f"episode {episode}: robot{arm}_demo_{name}_pose is not the pose of its row"

    def lengths(self) -> Sequence[int]:
        """By episode_ends."""
        return self._buffer.lengths()

    def numbers(self, episode: int) -> Mapping[str, NDArray[Any]]:
        """The state put together again, and the action."""
        parts = [
            f"robot{arm}_{part}"
            for arm in range(self._arms)
            for part in ("eef_pos", "eef_rot_axis_angle", "gripper_width")
        ]
        found = self._buffer.of(episode, [*parts, "action", *zarr_numbers.OWN])
        own = {name: found[name] for name in ("action", *zarr_numbers.OWN)}
        return {"state": np.concatenate([found[part] for part in parts], axis=1), **own}

    def instructions(self, episode: int) -> Sequence[str]:
        """Beside episode_ends."""
        return [self._buffer.instruction(episode)]

    def pictures(self, episode: int, camera: str, frames: Sequence[int]) -> Sequence[RGB | bytes]:
        """As stored where they are as shot; decoded otherwise."""
        number = next((key for key, name in self._about["cameras"].items() if name == camera), None)
        if number is None:
            raise EpisodeError(f"{self._path}: data/.zattrs has no camera {camera}. Next: export again")
        first = self._buffer.first(episode)
        about = self._buffer.arrays.about(f"data/{number}_rgb")
        stored = [self._buffer.arrays.picture(f"data/{number}_rgb", first + frame) for frame in frames]
        return [_decoded(data, about, self._path) for data in stored]

    def said(self, episode: int) -> Mapping[str, bool]:
        """Which are held back."""
        return {"validation": self._buffer.validation(episode)}

    def statistics(self) -> Mapping[str, Statistics]:
        """It has none of its own."""
        return {}


def _decoded(data: bytes, about: Mapping[str, Any], path: Path) -> RGB:
    shape = tuple(about["shape"][1:])
    try:
        if about["compressor"] is None:
            return np.frombuffer(data, np.uint8).reshape(shape)
        rgb = np.asarray(simplejpeg.decode_jpeg(data, "RGB"), np.uint8)
        if rgb.shape != shape:
            raise ValueError(f"{rgb.shape} instead of {shape}")
    except ValueError as error:
        raise EpisodeError(f"{path}: a picture cannot be decoded: {error}. Next: export again") from error
    return rgb


def _chunk(frame: Frame, video: Video, pixels: Pixels) -> bytes:
    if video == "as-shot":
        frame.pictures.check(frame.row, frame.stored)
        return frame.stored
    return pixels.jpeg(frame) if video == "jpeg" else pixels.rgb(frame).tobytes()


def _chunks(plan: Plan, camera: str, place: Place) -> Iterator[bytes]:
    for shard in plan.shards:
        name = Part("pictures", shard.index, camera).name
        with (place.pieces / f"{name}.chunks").open("rb") as file:
            for length in np.load(place.pieces / f"{name}.npy").tolist():
                yield file.read(length)


def _sides(plan: Plan) -> list[str]:
    return [name.removesuffix("_x") for name in plan.dim_names if name.endswith("_x")]


def _named(arms: int) -> list[str]:
    parts = ("eef_pos", "eef_rot_axis_angle", "gripper_width", "demo_start_pose", "demo_end_pose")
    return [*(f"robot{arm}_{part}" for arm in range(arms) for part in parts), "action"]


def _arrays(plan: Plan, part: Part) -> list[Kept]:
    """Cut out of the vectors, which have a pose and a gripper of each arm."""
    found: list[Kept] = []
    for arm in range(len(_sides(plan))):
        first = arm * _ARM
        for name, start, end in (("eef_pos", 0, 3), ("eef_rot_axis_angle", 3, _POSE), ("gripper_width", _POSE, _ARM)):
            found.append((f"robot{arm}_{name}", _cut(first + start, first + end)))
        found.append((f"robot{arm}_demo_start_pose", _repeated(plan, part, first, 0)))
        found.append((f"robot{arm}_demo_end_pose", _repeated(plan, part, first, -1)))
    return [*found, ("action", _field("action")), *((name, _field(name)) for name in zarr_numbers.OWN)]


def _field(name: str) -> Any:
    return lambda numbers: numbers[name]


def _cut(first: int, end: int) -> Any:
    return lambda numbers: numbers["state"][:, first:end]


def _repeated(plan: Plan, part: Part, first: int, row: int) -> Any:
    """The pose of an episode's first or last row, at each of its rows."""

    def apply(numbers: Numbers) -> NDArray[Any]:
        pose = numbers["state"][:, first : first + _POSE]
        return np.concatenate(
            [np.tile(pose[rows][row], (rows.stop - rows.start, 1)) for rows in zarr_numbers.within(plan, part)]
        )

    return apply
