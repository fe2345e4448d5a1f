"""What LeRobot's formats 2.1 and 3.0 have in common: features, their files of numbers, their statistics."""

import json
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from station.datasets.conversion import units_of
from station.datasets.formats.contract import Made, Numbers, Totals
from station.datasets.marks import subtask_of_frames
from station.datasets.plan import Plan, PlannedEpisode
from station.datasets.statistics import QUANTILES, Statistics, of_numbers
from station.datasets.video import ENCODERS
from station.errors import UsageError
from station.files import durable

VECTORS = {"observation.state": "state", "action": "action"}
"""Feature → field of the converted numbers."""
OWN = {
    "row": ("row", "int64"),
    "tick_ns": ("tick_ns", "int64"),
    "stalled": ("stalled", "bool"),
    "intervention": ("intervention", "bool"),
}
"""Ours, beside what every such dataset has; names that no trainer takes for an observation or an action."""
ByPart = Mapping[tuple[int, str], Made]
"""By shard and camera, or by shard and `numbers`."""
DEFAULTS = {
    "timestamp": "float32",
    "frame_index": "int64",
    "episode_index": "int64",
    "index": "int64",
    "task_index": "int64",
}
SUBTASK = "subtask_index"
"""A row of meta/subtasks.parquet, from lerobot 0.4.4 on."""


def defaults(plan: Plan) -> dict[str, str]:
    """Columns that LeRobot itself reads, with their types: those that count, and the subtask where something was marked (3.0 only)."""
    return DEFAULTS | ({SUBTASK: "int64"} if plan.format == "lerobot-v3" and plan.subtasks else {})


def camera_key(camera: str) -> str:
    """The feature of a camera's pictures."""
    return f"observation.images.{camera}"


def refuse(plan: Plan) -> None:
    """What neither version can hold. Raises UsageError."""
    if Fraction(plan.rate_hz).limit_denominator(1000).denominator != 1:
        raise UsageError(
            f"LeRobot's datasets have a whole number of frames a second, these have {plan.rate_hz:g}. Next: --rate {int(plan.rate_hz)}"
        )


def features(plan: Plan) -> dict[str, Any]:
    """`features` of info.json, in the order of the columns."""
    units = units_of(plan.units, plan.conversion.gripper)
    vector = {"dtype": "float32", "shape": [len(plan.dim_names)], "names": list(plan.dim_names)}
    found: dict[str, Any] = {name: {**vector, "units": list(units)} for name in VECTORS}
    found |= {name: {"dtype": dtype, "shape": [1], "names": None} for name, (_, dtype) in OWN.items()}
    found |= {camera_key(camera): _video(plan, camera) for camera in plan.cameras}
    found |= {name: {"dtype": dtype, "shape": [1], "names": None} for name, dtype in defaults(plan).items()}
    return found


def _video(plan: Plan, camera: str) -> dict[str, Any]:
    width, height = plan.size_of(camera)
    feature: dict[str, Any] = {"dtype": "video", "shape": [height, width, 3], "names": ["height", "width", "channels"]}
    encoder = ENCODERS.get(plan.conversion.video)
    if encoder is not None:  # of JPEGs as shot nothing is said: LeRobot's tools would look for an encoder of that name
        feature["info"] = {
            "video.height": height, "video.width": width, "video.codec": encoder.name, "video.pix_fmt": "yuv420p",
            "video.is_depth_map": False, "video.fps": int(plan.rate_hz), "video.channels": 3, "has_audio": False,
        }  # fmt: skip
    return feature


def columns(plan: Plan, episodes: Sequence[PlannedEpisode], numbers: Numbers) -> dict[str, NDArray[Any]]:
    """A shard's columns, in the order of the features: (N,) or, vectors, (N, D), of the N frames of its episodes."""
    lengths = [episode.length for episode in episodes]
    frame = np.concatenate([np.arange(length) for length in lengths])
    found: dict[str, NDArray[Any]] = {name: numbers[field] for name, field in VECTORS.items()}
    found |= {name: numbers[field] for name, (field, _) in OWN.items()}
    found["timestamp"] = (frame / plan.rate_hz).astype(np.float32)
    found["frame_index"] = frame
    found["episode_index"] = np.repeat([episode.index for episode in episodes], lengths)
    found["index"] = np.arange(len(frame)) + episodes[0].start
    found["task_index"] = np.repeat([episode.task_index for episode in episodes], lengths)
    if SUBTASK in defaults(plan):
        found[SUBTASK] = np.concatenate([subtask_of_frames(plan, episode) for episode in episodes])
    return found


def schema(plan: Plan) -> Any:
    """Of the data's Parquet files."""
    vector = pa.list_(pa.float32(), len(plan.dim_names))
    kinds = {"int64": pa.int64(), "bool": pa.bool_(), "float32": pa.float32()}
    return pa.schema(
        [
            *((name, vector) for name in VECTORS),
            *((name, kinds[dtype]) for name, (_, dtype) in OWN.items()),
            *((name, kinds[dtype]) for name, dtype in defaults(plan).items()),
        ]
    )


def table(plan: Plan, data: Mapping[str, NDArray[Any]], first: int, end: int) -> Any:
    """Rows `first` … `end` − 1 of a shard's columns ((N,) or (N, D) each), as a pyarrow table."""
    arrays = []
    for field in schema(plan):
        values = data[field.name][first:end]
        if values.ndim == 2:
            arrays.append(pa.FixedSizeListArray.from_arrays(pa.array(values.ravel(), pa.float32()), values.shape[1]))
        else:
            arrays.append(pa.array(values, field.type))
    return pa.table(arrays, schema=schema(plan))


def write_data(path: Path, plan: Plan, episodes: Sequence[PlannedEpisode], numbers: Numbers) -> None:
    """A Parquet file of consecutive episodes, a row group for each. Raises OSError."""
    data = columns(plan, episodes, numbers)
    with pq.ParquetWriter(path, schema(plan), compression="snappy") as writer:
        for episode in episodes:
            first = episode.start - episodes[0].start
            writer.write_table(table(plan, data, first, first + episode.length))


def splits(plan: Plan) -> dict[str, str]:
    """`splits` of info.json: first those for training, then those held back."""
    training = sum(not episode.validation for episode in plan.episodes)
    found = {"train": f"0:{training}"}
    if training < len(plan.episodes):
        found["val"] = f"{training}:{len(plan.episodes)}"
    return found


def notes(plan: Plan) -> list[str]:
    """What LeRobot's users have to know of it."""
    if not any(episode.validation for episode in plan.episodes):
        return []
    return ["LeRobot does not read the split: give it the training episodes by their numbers."]


def write_json(path: Path, content: Any) -> None:
    """Whole, or not at all. Raises OSError."""
    durable.replace(path, json.dumps(content, indent=4, ensure_ascii=False).encode())


def counted(column: str, plan: Plan, episode: PlannedEpisode) -> NDArray[Any]:
    """One of the default columns, of one episode of N frames, for its statistics. (N,)"""
    if column == SUBTASK:
        return subtask_of_frames(plan, episode)
    frame = np.arange(episode.length)
    found: dict[str, NDArray[Any]] = {
        "timestamp": (frame / plan.rate_hz).astype(np.float32),
        "frame_index": frame,
        "episode_index": np.full(episode.length, episode.index),
        "index": frame + episode.start,
        "task_index": np.full(episode.length, episode.task_index),
    }
    return found[column]


def by_part(made: Sequence[Made]) -> ByPart:
    """What was made, to be looked up."""
    return {(one.part.shard, one.part.camera or one.part.kind): one for one in made}


def episode_stats(
    plan: Plan, shard: int, place: int, episode: PlannedEpisode, made: ByPart
) -> dict[str, dict[str, Any]]:
    """Of every feature, of the episode at `place` in its shard."""
    numbers = made[shard, "numbers"].numbers
    found = {name: number_stats(numbers[field][place], "float32") for name, field in VECTORS.items()}
    found |= {name: number_stats(numbers[field][place], dtype) for name, (field, dtype) in OWN.items()}
    for camera in plan.cameras:
        found[camera_key(camera)] = picture_stats(made[shard, camera].pictures[camera][place])
    for name, dtype in defaults(plan).items():
        found[name] = number_stats(of_numbers(counted(name, plan, episode)), dtype)
    return found


def total_stats(plan: Plan, totals: Totals) -> dict[str, Any]:
    """Of every feature, of the whole dataset."""
    found = {name: number_stats(totals.numbers[field], "float32") for name, field in VECTORS.items()}
    found |= {name: number_stats(totals.numbers[field], dtype) for name, (field, dtype) in OWN.items()}
    found |= {camera_key(camera): picture_stats(totals.pictures[camera]) for camera in plan.cameras}
    for name, dtype in defaults(plan).items():
        everything = np.concatenate([counted(name, plan, episode) for episode in plan.episodes])
        found[name] = number_stats(of_numbers(everything), dtype)
    return found


def number_stats(found: Statistics, dtype: str) -> dict[str, Any]:
    """Ten keys of a feature of numbers; extremes in the feature's own type."""
    kind: Any = {"int64": int, "bool": bool, "float32": float}[dtype]
    return {
        "min": [kind(value) for value in found.min], "max": [kind(value) for value in found.max],
        "mean": found.mean, "std": found.std, "count": [found.count], **_quantiles(found),
    }  # fmt: skip


def picture_stats(found: Statistics) -> dict[str, Any]:
    """The same of a camera: (3, 1, 1), in 0…1."""
    plain = {"min": found.min, "max": found.max, "mean": found.mean, "std": found.std, **_quantiles(found)}
    shaped: dict[str, Any] = {name: [[[value]] for value in values] for name, values in plain.items()}
    return {**shaped, "count": [found.count]}


def _quantiles(found: Statistics) -> dict[str, list[float]]:
    return {f"q{round(100 * share):02d}": values for share, values in zip(QUANTILES, found.quantiles, strict=True)}


def read_stats(stats: Mapping[str, Any]) -> Statistics:
    """The other way, of numbers or pictures."""

    def flat(name: str) -> list[float]:
        return [float(value) for value in np.asarray(stats[name], np.float64).ravel()]

    return Statistics(
        flat("min"), flat("max"), flat("mean"), flat("std"), int(np.asarray(stats["count"]).ravel()[0]),
        [flat(f"q{round(100 * share):02d}") for share in QUANTILES],
    )  # fmt: skip
