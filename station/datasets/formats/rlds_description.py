"""features.json and dataset_info.json, by which TensorFlow Datasets opens records without the code that wrote them. Pure."""

import json
from collections.abc import Mapping
from typing import Any

from station.datasets.plan import Plan

VERSION = "1.0.0"
NAME = "rlds"
INNER = f"{NAME}/{VERSION}"
"""In the dataset's folder: TensorFlow Datasets wants name and version as folders."""
SPLITS = {"train": False, "val": True}
"""Split → are its episodes held back? OpenVLA asks for `val` whenever it validates."""
_CORE = "tensorflow_datasets.core.features"


def shard_file(plan: Plan, split: str, shard: int) -> str:
    """A shard's file of a split, numbered among the shards that have any episode of it."""
    mine = _shards(plan, split)
    return f"{NAME}-{split}.tfrecord-{mine.index(shard):05d}-of-{len(mine):05d}"


def dataset_info(plan: Plan, sizes: Mapping[str, int]) -> bytes:
    """dataset_info.json. `sizes`: bytes of each file, by its name."""
    splits = []
    for split, held in SPLITS.items():
        shards = _shards(plan, split)
        splits.append({
            "filepathTemplate": "{DATASET}-{SPLIT}.{FILEFORMAT}-{SHARD_X_OF_Y}",
            "name": split,
            "numBytes": str(sum(sizes[shard_file(plan, split, shard)] for shard in shards)),
            "shardLengths": [str(sum(one.validation == held for one in plan.of(shard))) for shard in shards],
        })  # fmt: skip
    about = {
        "description": f"Recorded on {plan.robot}, {plan.rate_hz:g} steps a second.", "fileFormat": "tfrecord",
        "moduleName": NAME, "name": NAME, "releaseNotes": {VERSION: "As exported."},
        "splits": [split for split in splits if split["shardLengths"]], "version": VERSION,
    }  # fmt: skip
    return json.dumps(about, indent=2, sort_keys=True, ensure_ascii=False).encode()


def features(plan: Plan) -> bytes:
    """features.json."""
    joints = len(plan.sources[0].dim_names)
    observation: dict[str, Any] = {
        "state": _tensor("float32", len(plan.dim_names)), "velocity": _tensor("float32", joints),
        "effort": _tensor("float32", joints),
    }  # fmt: skip
    for camera in plan.cameras:
        width, height = plan.size_of(camera)
        image = {"dtype": "uint8", "encodingFormat": "jpeg", "shape": {"dimensions": [str(height), str(width), "3"]}}
        observation[camera] = {"image": image, "pythonClassName": f"{_CORE}.image_feature.Image"}
    for stream, (width, height) in plan.depths.items():
        about = {"dtype": "uint16", "encodingFormat": "png", "shape": {"dimensions": [str(height), str(width), "1"]}}
        observation[stream] = {"image": about, "pythonClassName": f"{_CORE}.image_feature.Image"}
    step = {
        "observation": _folder(observation), "action": _tensor("float32", len(plan.dim_names)), "language_instruction": _text(),
        **{name: _scalar("float32") for name in ("reward", "discount")},
        **{name: _scalar("bool") for name in ("is_first", "is_last", "is_terminal", "stalled", "intervention")},
        **{name: _scalar("int64") for name in ("row", "tick_ns")},
    }  # fmt: skip
    steps = {
        "pythonClassName": f"{_CORE}.dataset_feature.Dataset",
        "sequence": {"feature": _folder(step), "length": "-1"},
    }
    metadata = _folder({"file_path": _text(), "recording_folderpath": _text()})
    whole = _folder({"steps": steps, "episode_metadata": metadata})
    return json.dumps(whole, indent=2, sort_keys=True).encode()


def _shards(plan: Plan, split: str) -> list[int]:
    return [one.index for one in plan.shards if any(e.validation == SPLITS[split] for e in plan.of(one.index))]


def _folder(inside: dict[str, Any]) -> dict[str, Any]:
    return {"featuresDict": {"features": inside}, "pythonClassName": f"{_CORE}.features_dict.FeaturesDict"}


def _tensor(dtype: str, width: int) -> dict[str, Any]:
    about = {"dtype": dtype, "encoding": "none", "shape": {"dimensions": [str(width)]}}
    return {"pythonClassName": f"{_CORE}.tensor_feature.Tensor", "tensor": about}


def _scalar(dtype: str) -> dict[str, Any]:
    about: dict[str, Any] = {"dtype": dtype, "encoding": "none", "shape": {}}
    return {"pythonClassName": f"{_CORE}.scalar.Scalar", "tensor": about}


def _text() -> dict[str, Any]:
    return {"pythonClassName": f"{_CORE}.text_feature.Text", "text": {}}
