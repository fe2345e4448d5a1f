"""Runs with ACT's own repository on the path, without the station: everything that its EpisodicDataset gives, into one file.

python read_act.py OUT DATASET…
"""

import sys
import types
from pathlib import Path
from typing import Any

import h5py
import numpy as np

made_up: Any = types.SimpleNamespace(embed=None)
sys.modules.setdefault("IPython", made_up)  # its utils.py imports it for debugging
from utils import EpisodicDataset, get_norm_stats  # noqa: E402 (behind what stands in for IPython)


def read(folder: Path, out: Path) -> None:
    """Each episode from each of its rows on; not normalised, so that numbers stay what they are."""
    count = len(list(folder.glob("episode_*.hdf5")))
    with h5py.File(folder / "episode_0.hdf5") as file:
        cameras, (length, width) = list(file["observations/images"]), file["action"].shape
    asis = {
        f"{name}_{what}": np.full(width, value, np.float32)
        for name in ("action", "qpos")
        for what, value in (("mean", 0), ("std", 1))
    }
    given: dict[str, np.ndarray] = {f"stats {name}": value for name, value in get_norm_stats(folder, count).items()}
    for index in range(count):
        dataset = EpisodicDataset([index], folder, cameras, asis)
        assert dataset.is_sim is np.False_ or dataset.is_sim is False
        items = []
        for start in range(length):
            setattr(np.random, "choice", lambda many, start=start: start)  # noqa: B010 (its own draw)
            items.append([one.numpy() for one in dataset[0]])
        pictures, qpos, actions, pads = (np.stack(one) for one in zip(*items, strict=True))
        given[f"qpos {index}"], given[f"actions {index}"], given[f"pads {index}"] = qpos, actions, pads
        for place, camera in enumerate(cameras):
            given[f"{camera} {index}"] = np.rint(pictures[:, place].transpose(0, 2, 3, 1) * 255).astype(np.uint8)
    arrays: dict[str, Any] = {**given}
    np.savez(out, **arrays)


if __name__ == "__main__":
    for place, folder in enumerate(sys.argv[2:]):
        read(Path(folder), Path(sys.argv[1]) / f"{place}.npz")
