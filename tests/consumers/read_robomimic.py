"""Runs in robomimic's own environment, without the station: everything that its SequenceDataset gives, by the masks, into one file.

python read_robomimic.py OUT DATASET…
"""

import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import torch
from robomimic.utils.dataset import SequenceDataset


class Placed(torch.utils.data.Dataset):
    """Its items, with where they came from."""

    def __init__(self, dataset: Any) -> None:
        self.dataset = dataset

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> dict[str, Any]:
        demo = self.dataset._index_to_demo_id[index]
        frame = index - self.dataset._demo_id_to_start_indices[demo]
        return {**self.dataset[index], "demo": int(demo[5:]), "frame": frame}


def read(folder: Path, out: Path) -> None:
    """Both masks, shuffled, by two workers."""
    path = folder / "demo.hdf5"
    with h5py.File(path) as file:
        keys = tuple(file["data/demo_0/obs"])
    given: dict[str, list[np.ndarray]] = {}
    for mask in ("train", "valid"):
        dataset = SequenceDataset(
            hdf5_path=str(path),
            obs_keys=keys,
            dataset_keys=("actions", "rewards", "dones", "row"),
            hdf5_cache_mode=None,
            filter_by_attribute=mask,
            load_next_obs=False,
        )
        loader = torch.utils.data.DataLoader(
            Placed(dataset), batch_size=8, shuffle=True, num_workers=2, generator=torch.Generator().manual_seed(0)
        )
        for batch in loader:
            flat = {name: batch[name][:, 0] for name in ("actions", "rewards", "dones", "row")}
            flat |= {f"obs {name}": values[:, 0] for name, values in batch["obs"].items()}
            flat |= {"demo": batch["demo"], "frame": batch["frame"]}
            for name, values in flat.items():
                given.setdefault(name, []).append(values.numpy())
            given.setdefault("mask", []).append(np.full(len(batch["demo"]), mask))
    arrays: dict[str, Any] = {name: np.concatenate(values) for name, values in given.items()}
    np.savez(out, **arrays)


if __name__ == "__main__":
    for place, folder in enumerate(sys.argv[2:]):
        read(Path(folder), Path(sys.argv[1]) / f"{place}.npz")
