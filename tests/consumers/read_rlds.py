"""Runs in TensorFlow Datasets' own environment, without the station: everything that it gives of a dataset, into one file.

python read_rlds.py OUT DATASET…
"""

import os
import sys
from pathlib import Path
from typing import Any

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import tensorflow_datasets as tfds


def read(folder: Path, out: Path) -> None:
    """Both splits, each episode's steps one behind the other; pictures decoded, and once more as they are stored."""
    builder = tfds.builder_from_directory(str(folder / "rlds" / "1.0.0"))
    given: dict[str, list[np.ndarray]] = {}
    number = 0
    for split in ("train", "val"):
        stored = tfds.as_numpy(builder.as_dataset(split=split, decoders={"steps": tfds.decode.SkipDecoding()}))
        decoded = tfds.as_numpy(builder.as_dataset(split=split))
        for raw, episode in zip(stored, decoded, strict=True):
            steps = list(episode["steps"])
            for frame, step in enumerate(steps):
                observation = step.pop("observation")
                flat = {**step, **{f"observation {name}": value for name, value in observation.items()}}
                flat |= {
                    "split": split,
                    "episode": number,
                    "frame": frame,
                    "path": episode["episode_metadata"]["file_path"],
                }
                for name, value in flat.items():
                    given.setdefault(name, []).append(np.asarray(value))
            for name, value in raw["steps"]["observation"].items():
                if value.dtype == object:
                    given.setdefault(f"stored {name}", []).extend(np.frombuffer(one, np.uint8).sum() for one in value)
            np.testing.assert_array_equal(raw["steps"]["action"], np.stack([step["action"] for step in steps]))
            number += 1
    arrays: dict[str, Any] = {name: np.stack(values) for name, values in given.items()}
    np.savez(out, **arrays)


if __name__ == "__main__":
    for place, folder in enumerate(sys.argv[2:]):
        read(Path(folder), Path(sys.argv[1]) / f"{place}.npz")
