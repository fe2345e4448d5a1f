"""ACT's own files, uncompressed and all of one length: episode_0.hdf5, episode_1.hdf5, … as its loader wants them.

/observations/qpos, qvel, effort and /action (T, D) float32, /observations/images/<camera> (T, H, W, 3) RGB; attribute `sim`. Depth, where
it was asked for, is /observations/depth/<camera> (T, H, W) uint16 millimetres, gzip. Every
episode has as many rows as the longest: its last frame is repeated, and /is_pad says from where on. Nothing is cut.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from station.datasets.conversion import Space, Video
from station.datasets.depth_streams import SUFFIX, camera_of
from station.datasets.formats import hdf5_writing as hdf5
from station.datasets.formats.contract import EachFrame, Made, Numbers, Part, Place, ReadBack, Totals
from station.datasets.picture_rows import RGB
from station.datasets.plan import Plan
from station.datasets.statistics import Statistics
from station.errors import EpisodeError, UsageError

_FIELDS = {
    "observations/qpos": "state", "observations/qvel": "velocity", "observations/effort": "effort", "action": "action",
    **{name: name for name in hdf5.FIELDS},
}  # fmt: skip
_PAD = "is_pad"


class Act:
    """The format."""

    name = "act"
    consumers = "ACT, and ACT++"
    videos: Sequence[Video] = ("raw",)
    spaces: Sequence[Space] = ("joint",)
    depth = True
    by_episode = True

    def refuse(self, plan: Plan) -> None:
        """Raises UsageError for cameras of several sizes, and for steps: repeating the last one would go on moving."""
        sizes = {camera: plan.size_of(camera) for camera in plan.cameras}
        if len(set(sizes.values())) > 1:
            told = ", ".join(f"{camera} has {width} × {height}" for camera, (width, height) in sizes.items())
            raise UsageError(f"ACT stacks its cameras' pictures, and {told}. Next: --size for all, or --camera")
        if plan.conversion.representation != "absolute":
            raise UsageError(
                "ACT's actions are goals, and its episodes are padded with the last. Next: --representation absolute"
            )

    def parts(self, plan: Plan) -> Sequence[Part]:
        """An episode's file is one part."""
        return [Part("all", shard.index) for shard in plan.shards]

    def write(
        self, plan: Plan, part: Part, numbers: Numbers, frames: Mapping[str, EachFrame], place: Place
    ) -> Sequence[Path]:
        """One episode's file."""
        (episode,) = plan.of(part.shard)
        path, length = place.out / _file(episode.index), _longest(plan)
        with h5py.File(path, "w") as file:
            file.attrs.update(sim=False, compress=False, instruction=episode.instruction)
            file.attrs.update(
                {"dim_names": list(plan.dim_names), "camera_names": list(plan.cameras), "rate_hz": plan.rate_hz}
            )
            hdf5.write_numbers(file, numbers, _FIELDS, length)
            file.create_dataset(_PAD, data=np.arange(length) >= episode.length)
            for camera in plan.cameras:
                hdf5.write_pixels(file, f"observations/images/{camera}", plan.size_of(camera), length, frames[camera])
            for stream, (width, height) in plan.depths.items():
                hdf5.write_depth(file, _depth(stream), (height, width), length, frames[stream])
        return [path]

    def finish(self, plan: Plan, made: Sequence[Made], totals: Totals, place: Place) -> None:
        """There is nothing but episodes."""

    def open(self, folder: Path) -> ReadBack:
        """Read what was written. Raises EpisodeError."""
        return _Reader(folder)

    def notes(self, plan: Plan) -> Sequence[str]:
        """Of the length, of ACT's shift, of the split, of the size."""
        training = sum(not episode.validation for episode in plan.episodes)
        return (
            f"Every episode has {_longest(plan)} rows, those of the longest: the last frame is repeated, `/is_pad` says from where on.",
            "ACT's loader takes for real robots (`sim` false) the action of the row before: give its policy `action_offset_ticks: -1`.",
            f"It draws its own split out of episodes 0 to num_episodes - 1: with {training} it never sees those held back.",
            "Pictures are pixels, twenty times their JPEGs: `--size` makes them small.",
        )

    def training(self, plan: Plan, out: Path) -> str:
        """ACT's table of tasks, and its command."""
        training = sum(not episode.validation for episode in plan.episodes)
        return (
            f"# constants.py, TASK_CONFIGS: {out.name!r}: {{'dataset_dir': '…/{out.name}', 'num_episodes': {training}, "
            f"'episode_len': {_longest(plan)}, 'camera_names': {list(plan.cameras)}}}\n"
            f"python imitate_episodes.py --task_name {out.name} --ckpt_dir ckpt --policy_class ACT --kl_weight 10 --chunk_size 100 "
            "--hidden_dim 512 --dim_feedforward 3200 --batch_size 8 --num_epochs 2000 --lr 1e-5 --seed 0"
        )


class _Reader:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = len(list(folder.glob("episode_*.hdf5")))
        if not self._count:
            raise EpisodeError(f"{folder} has no episode_*.hdf5. Next: export again")

    def structure(self) -> Iterator[str]:
        """Counted from 0 on, nothing besides, one length, padded with the last frame."""
        named = {self._folder / _file(index) for index in range(self._count)}
        for path in sorted(named ^ set(self._folder.rglob("*.hdf5"))):
            yield f"{path.relative_to(self._folder)} {'is missing' if path in named else 'belongs to no episode'}"
        lengths: dict[int, int] = {}
        for index in range(self._count):
            if (self._folder / _file(index)).exists():
                yield from self._problems(index, lengths)
        if len(set(lengths.values())) > 1:
            yield f"episodes differ in length: {', '.join(f'{index} has {rows}' for index, rows in lengths.items())}"

    def lengths(self) -> Sequence[int]:
        """Without what is padded."""
        found = []
        for index in range(self._count):
            with hdf5.opened(self._folder / _file(index)) as file:
                found.append(int((~hdf5.read(file, _PAD)).sum()))
        return found

    def numbers(self, episode: int) -> Mapping[str, NDArray[Any]]:
        """All fields."""
        with hdf5.opened(self._folder / _file(episode)) as file:
            length = int((~hdf5.read(file, _PAD)).sum())
            return {field: hdf5.read(file, name)[:length] for name, field in _FIELDS.items()}

    def instructions(self, episode: int) -> Sequence[str]:
        """The attribute."""
        with hdf5.opened(self._folder / _file(episode)) as file:
            return [str(file.attrs.get("instruction", ""))]

    def pictures(self, episode: int, camera: str, frames: Sequence[int]) -> Sequence[RGB | bytes]:
        """Pixels."""
        with hdf5.opened(self._folder / _file(episode)) as file:
            if camera.endswith(SUFFIX) and _depth(camera) in file:
                return [hdf5.dataset(file, _depth(camera))[frame].astype("<u2").tobytes() for frame in frames]
            rows = hdf5.dataset(file, f"observations/images/{camera}")
            return [np.asarray(rows[frame], np.uint8) for frame in frames]

    def said(self, episode: int) -> Mapping[str, bool]:  # noqa: ARG002 (the same of each)
        """Nothing: it has no split, and no labels."""
        return {}

    def statistics(self) -> Mapping[str, Statistics]:
        """ACT has none of its own."""
        return {}

    def _problems(self, index: int, lengths: dict[int, int]) -> Iterator[str]:
        name = _file(index)
        try:
            with hdf5.opened(self._folder / name) as file:
                pad = hdf5.read(file, _PAD)
                lengths[index] = len(pad)
                if file.attrs.get("sim") is None or bool(file.attrs["sim"]):
                    yield f"{name}: attribute sim is not false; ACT would not shift its actions"
                length = int((~pad).sum())
                if not length or not np.array_equal(pad, np.arange(len(pad)) >= length):
                    yield f"{name}: is_pad does not begin behind the last frame"
                    return
                images = [f"observations/images/{camera}" for camera in file["observations/images"]]
                depths = [f"observations/depth/{camera}" for camera in file.get("observations/depth", ())]
                for dataset in (*_FIELDS, *images, *depths):
                    rows = hdf5.dataset(file, dataset)
                    if len(rows) != len(pad):
                        yield f"{name}: {dataset} has {len(rows)} rows, is_pad {len(pad)}"
                    elif any(
                        not np.array_equal(rows[at], rows[length - 1]) for at in {length, len(pad) - 1} - {len(pad)}
                    ):
                        yield f"{name}: {dataset} is not padded with its last frame"
        except (EpisodeError, KeyError) as error:
            yield str(error)


def _longest(plan: Plan) -> int:
    return max(episode.length for episode in plan.episodes)


def _depth(stream: str) -> str:
    return f"observations/depth/{camera_of(stream)}"


def _file(index: int) -> str:
    return f"episode_{index}.hdf5"
