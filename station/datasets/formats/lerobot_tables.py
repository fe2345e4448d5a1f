"""What LeRobot's formats 2.1 and 3.0 have in common: features, their types in Parquet, their statistics. Pure."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from station.datasets.conversion import units_of
from station.datasets.formats.contract import Numbers
from station.datasets.plan import Plan, PlannedEpisode
from station.datasets.statistics import QUANTILES, Statistics
from station.datasets.video import ENCODERS
from station.errors import UsageError

VECTORS = {"observation.state": "state", "action": "action"}
"""Feature → field of the converted numbers."""
OWN = {
    "row": ("row", "int64"),
    "tick_ns": ("tick_ns", "int64"),
    "stalled": ("stalled", "bool"),
    "intervention": ("intervention", "bool"),
}
"""Ours, beside what every such dataset has; names that no trainer takes for an observation or an action."""
DEFAULTS = {
    "timestamp": "float32",
    "frame_index": "int64",
    "episode_index": "int64",
    "index": "int64",
    "task_index": "int64",
}


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
    found |= {name: {"dtype": dtype, "shape": [1], "names": None} for name, dtype in DEFAULTS.items()}
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
    """A shard's columns, in the order of the features."""
    lengths = [episode.length for episode in episodes]
    frame = np.concatenate([np.arange(length) for length in lengths])
    found: dict[str, NDArray[Any]] = {name: numbers[field] for name, field in VECTORS.items()}
    found |= {name: numbers[field] for name, (field, _) in OWN.items()}
    found["timestamp"] = (frame / plan.rate_hz).astype(np.float32)
    found["frame_index"] = frame
    found["episode_index"] = np.repeat([episode.index for episode in episodes], lengths)
    found["index"] = np.arange(len(frame)) + episodes[0].start
    found["task_index"] = np.repeat([episode.task_index for episode in episodes], lengths)
    return found


def schema(plan: Plan) -> Any:
    """Of the data's Parquet files."""
    vector = pa.list_(pa.float32(), len(plan.dim_names))
    kinds = {"int64": pa.int64(), "bool": pa.bool_(), "float32": pa.float32()}
    return pa.schema(
        [
            *((name, vector) for name in VECTORS),
            *((name, kinds[dtype]) for name, (_, dtype) in OWN.items()),
            *((name, kinds[dtype]) for name, dtype in DEFAULTS.items()),
        ]
    )


def table(plan: Plan, data: Mapping[str, NDArray[Any]], first: int, end: int) -> Any:
    """Rows `first` … `end` − 1 of a shard's columns."""
    arrays = []
    for field in schema(plan):
        values = data[field.name][first:end]
        if values.ndim == 2:
            arrays.append(pa.FixedSizeListArray.from_arrays(pa.array(values.ravel(), pa.float32()), values.shape[1]))
        else:
            arrays.append(pa.array(values, field.type))
    return pa.table(arrays, schema=schema(plan))


def counted(column: str, plan: Plan, episode: PlannedEpisode) -> NDArray[Any]:
    """The default columns of one episode, for its statistics."""
    frame = np.arange(episode.length)
    found: dict[str, NDArray[Any]] = {
        "timestamp": (frame / plan.rate_hz).astype(np.float32),
        "frame_index": frame,
        "episode_index": np.full(episode.length, episode.index),
        "index": frame + episode.start,
        "task_index": np.full(episode.length, episode.task_index),
    }
    return found[column]


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
