"""robomimic's one file, demo.hdf5: data/demo_<i>/{actions, obs/<key>, rewards, dones}, and mask/{train, valid} that say which are which.

obs/state, obs/velocity, obs/effort, and of each camera obs/<camera>_image (N, H, W, 3) RGB; where depth was asked for,
obs/<camera>_depth (N, H, W, 1) uint16 millimetres, gzip. Rewards are 0 but for the last frame of an
episode that is said to have succeeded.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from station.datasets.conversion import Space, Video
from station.datasets.formats import hdf5_writing as hdf5
from station.datasets.formats.contract import EachFrame, Made, Numbers, Part, Place, ReadBack, Totals
from station.datasets.picture_rows import RGB
from station.datasets.plan import Plan, PlannedEpisode
from station.datasets.statistics import Statistics
from station.errors import EpisodeError

FILE = "demo.hdf5"
_FIELDS = {
    "actions": "action", "obs/state": "state", "obs/velocity": "velocity", "obs/effort": "effort",
    **{name: name for name in hdf5.FIELDS},
}  # fmt: skip
_GYM = 2
"""robomimic's number of an environment that is none of its simulators."""


class Robomimic:
    """The format."""

    name = "robomimic"
    consumers = "robomimic 0.3: BC, BC-RNN, BC-Transformer, Diffusion Policy, IQL …"
    videos: Sequence[Video] = ("raw",)
    spaces: Sequence[Space] = ("joint", "ee", "ee-6d")
    depth = True
    by_episode = True

    def refuse(self, plan: Plan) -> None:
        """It holds whatever a plan can ask for."""

    def parts(self, plan: Plan) -> Sequence[Part]:
        """An episode is one part."""
        return [Part("all", shard.index) for shard in plan.shards]

    def write(
        self, plan: Plan, part: Part, numbers: Numbers, frames: Mapping[str, EachFrame], place: Place
    ) -> Sequence[Path]:
        """An episode, in a file of its own until the end."""
        (episode,) = plan.of(part.shard)
        path = _piece(place, episode)
        with h5py.File(path, "w") as file:
            demo = file.create_group(_demo(episode.index))
            demo.attrs["num_samples"] = episode.length
            demo.attrs["ep_meta"] = json.dumps({"lang": episode.instruction})
            hdf5.write_numbers(demo, numbers, _FIELDS, episode.length)
            last = np.arange(episode.length) == episode.length - 1
            demo.create_dataset("rewards", data=(last & (episode.success is True)).astype(np.float64))
            demo.create_dataset("dones", data=last.astype(np.int64))
            for camera in plan.cameras:
                hdf5.write_pixels(demo, f"obs/{camera}_image", plan.size_of(camera), episode.length, frames[camera])
            for stream, (width, height) in plan.depths.items():
                hdf5.write_depth(demo, f"obs/{stream}", (height, width, 1), episode.length, frames[stream])
        return [path]

    def finish(self, plan: Plan, made: Sequence[Made], totals: Totals, place: Place) -> None:  # noqa: ARG002 (it has no statistics)
        """All episodes in one file; what is in them is copied as it is."""
        with h5py.File(place.out / FILE, "w") as file:
            data = file.create_group("data")
            data.attrs["total"] = plan.frames
            data.attrs["env_args"] = json.dumps({"env_name": plan.robot, "type": _GYM, "env_kwargs": {}})
            data.attrs["dim_names"] = list(plan.dim_names)
            for episode in plan.episodes:
                with hdf5.opened(_piece(place, episode)) as piece:
                    piece.copy(_demo(episode.index), data)
            for name, held in (("train", False), ("valid", True)):
                names = [_demo(one.index).encode() for one in plan.episodes if one.validation == held]
                file.create_dataset(f"mask/{name}", data=np.array(names, "S" if names else "S1"))

    def open(self, folder: Path) -> ReadBack:
        """Read what was written. Raises EpisodeError."""
        return _Reader(folder)

    def notes(self, plan: Plan) -> Sequence[str]:
        """Of the range of actions, of masks, of the size."""
        return (
            "Actions are in their own units. robomimic 0.3.0 trains on them as they are; its `get_dataset_info.py` complains of what is "
            "beyond ±1, and its newer versions normalise (`action_config`).",
            f"Low-dimensional observations: state, velocity, effort; pictures: {', '.join(f'{name}_image' for name in plan.cameras)}.",
            "`train.hdf5_filter_key=train`, `train.hdf5_validation_filter_key=valid`; `experiment.rollout.enabled=false`, for there is no "
            "simulator to roll out in.",
            "Pictures are pixels, twenty times their JPEGs: `--size 84x84` is what its configurations take.",
        )

    def training(self, plan: Plan, out: Path) -> str:  # noqa: ARG002 (the same whatever is in it)
        """Its own command."""
        return f"python robomimic/scripts/train.py --config CONFIG.json --dataset {out.name}/{FILE}"


class _Reader:
    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        with hdf5.opened(self._path) as file:
            if "data" not in file or not len(file["data"]):
                raise EpisodeError(f"{self._path} has no data. Next: export again")
            self._count = len(file["data"])

    def structure(self) -> Iterator[str]:
        """Counts, masks, and each episode's lengths."""
        with hdf5.opened(self._path) as file:
            data = file["data"]
            named = {_demo(index) for index in range(self._count)}
            if set(data) != named:
                yield f"{FILE}: {', '.join(sorted(set(data) ^ named))} do not count {self._count} episodes"
                return
            lengths = [int(data[_demo(index)].attrs.get("num_samples", -1)) for index in range(self._count)]
            if data.attrs.get("total") != sum(lengths):
                yield f"{FILE}: total is {data.attrs.get('total')}, its episodes have {sum(lengths)} frames"
            try:
                if set(json.loads(data.attrs["env_args"])) != {"env_name", "type", "env_kwargs"}:
                    yield f"{FILE}: env_args is not what robomimic reads"
            except (KeyError, ValueError):
                yield f"{FILE}: env_args is not what robomimic reads"
            yield from self._masks(file, named)
            for index, length in enumerate(lengths):
                yield from _demo_problems(data[_demo(index)], index, length)

    def lengths(self) -> Sequence[int]:
        """As the episodes say."""
        with hdf5.opened(self._path) as file:
            return [int(self._attribute(file, index, "num_samples")) for index in range(self._count)]

    def numbers(self, episode: int) -> Mapping[str, NDArray[Any]]:
        """All fields."""
        with hdf5.opened(self._path) as file:
            return {field: hdf5.read(file, f"data/{_demo(episode)}/{name}") for name, field in _FIELDS.items()}

    def instructions(self, episode: int) -> Sequence[str]:
        """Of `ep_meta`."""
        with hdf5.opened(self._path) as file:
            return [str(json.loads(self._attribute(file, episode, "ep_meta")).get("lang"))]

    def pictures(self, episode: int, camera: str, frames: Sequence[int]) -> Sequence[RGB | bytes]:
        """Pixels."""
        with hdf5.opened(self._path) as file:
            if (depth := f"data/{_demo(episode)}/obs/{camera}") in file:
                return [hdf5.dataset(file, depth)[frame].astype("<u2").tobytes() for frame in frames]
            rows = hdf5.dataset(file, f"data/{_demo(episode)}/obs/{camera}_image")
            return [np.asarray(rows[frame], np.uint8) for frame in frames]

    def said(self, episode: int) -> Mapping[str, bool]:
        """By the masks, and by the last reward."""
        with hdf5.opened(self._path) as file:
            held = _demo(episode).encode() in hdf5.read(file, "mask/valid")
            return {"validation": held, "success": bool(hdf5.read(file, f"data/{_demo(episode)}/rewards")[-1] == 1)}

    def statistics(self) -> Mapping[str, Statistics]:
        """It has none of its own."""
        return {}

    def _attribute(self, file: h5py.File, episode: int, name: str) -> Any:
        try:
            return file[f"data/{_demo(episode)}"].attrs[name]
        except KeyError as error:
            raise EpisodeError(
                f"{self._path}: {_demo(episode)} or its {name} is missing. Next: export again"
            ) from error

    def _masks(self, file: h5py.File, named: set[str]) -> Iterator[str]:
        masks = {name: {value.decode() for value in hdf5.read(file, f"mask/{name}")} for name in ("train", "valid")}
        if masks["train"] | masks["valid"] != named or masks["train"] & masks["valid"]:
            yield f"{FILE}: mask/train and mask/valid do not share out {self._count} episodes"


def _demo_problems(demo: h5py.Group, index: int, length: int) -> Iterator[str]:
    found: dict[str, int] = {}

    def count(name: str, one: h5py.Group | h5py.Dataset) -> None:
        if isinstance(one, h5py.Dataset):
            found[name] = len(one)

    demo.visititems(count)
    missing = {*_FIELDS, "rewards", "dones"} - found.keys()
    if missing:
        yield f"{FILE}: {_demo(index)} lacks {', '.join(sorted(missing))}"
    for name, rows in found.items():
        if rows != length:
            yield f"{FILE}: {_demo(index)} has {length} frames, {name} has {rows}"
    if "dones" in found and not np.array_equal(demo["dones"][()], np.arange(found["dones"]) == found["dones"] - 1):
        yield f"{FILE}: {_demo(index)}: dones is not 1 at the last frame alone"


def _piece(place: Place, episode: PlannedEpisode) -> Path:
    return place.pieces / f"{_demo(episode.index)}.hdf5"


def _demo(index: int) -> str:
    return f"demo_{index}"
