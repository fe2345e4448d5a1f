"""Runs in LeRobot's own environment, without the station: everything that its loader gives of a dataset, into one file.

python read_lerobot.py DATASET OUT.npz
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import library

try:
    import torchvision  # noqa: F401 (tried before LeRobot imports it)
except RuntimeError:
    # its wheel was built for a torch with CUDA and this one has none: its own operators were not registered. No dataset calls them
    operators = library.Library("torchvision", "DEF")
    operators.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    operators.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

from lerobot.datasets.lerobot_dataset import LeRobotDataset


def read(folder: Path, out: Path) -> None:
    """Every item of a dataset, shuffled, by two workers."""
    dataset = LeRobotDataset("local/tried", root=folder)
    cameras = list(dataset.meta.camera_keys)
    # nothing was decoded yet: a decoder from before the fork would share its place in the file with every worker
    loader = torch.utils.data.DataLoader(
        dataset, batch_size=16, shuffle=True, num_workers=2, generator=torch.Generator().manual_seed(0)
    )
    given: dict[str, list[np.ndarray]] = {}
    tasks: list[str] = []
    subtasks: list[str] = []
    for batch in loader:
        tasks += batch.pop("task")
        subtasks += batch.pop("subtask", [])
        for name, values in batch.items():
            array = values.numpy()
            if name in cameras:
                array = np.rint(array.transpose(0, 2, 3, 1) * 255).astype(np.uint8)
            given.setdefault(name, []).append(array)
    columns = {name: np.concatenate(values) for name, values in given.items()}
    stats = {
        f"stats {name} {key}": np.asarray(value)
        for name in dataset.meta.stats
        for key, value in dataset.meta.stats[name].items()
    }
    arrays: dict[str, Any] = {
        "tasks": np.array(tasks),
        "subtasks": np.array(subtasks),
        "fps": np.array(dataset.fps),
        "length": np.array(len(dataset)),
        **columns,
        **stats,
    }
    np.savez(out, **arrays)


if __name__ == "__main__":
    for place, folder in enumerate(sys.argv[2:]):
        read(Path(folder), Path(sys.argv[1]) / f"{place}.npz")
