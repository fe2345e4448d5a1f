"""Runs in zarr's own environment, without the station: everything that zarr and imagecodecs give of a replay buffer, into one file.

python read_zarr.py OUT DATASET…
"""

import sys
from pathlib import Path
from typing import Any

import av
import numpy as np
import zarr
from imagecodecs.numcodecs import register_codecs


def read(folder: Path, out: Path) -> None:
    """UMI's zip, or Diffusion Policy's folder with its videos."""
    path = folder / "dataset.zarr.zip"
    store = (
        zarr.ZipStore(str(path), mode="r") if path.exists() else zarr.DirectoryStore(str(folder / "replay_buffer.zarr"))
    )
    root = zarr.open_group(store, mode="r")
    given = {f"data {name}": array[:] for name, array in root["data"].arrays()}
    given |= {f"meta {name}": array[:] for name, array in root["meta"].arrays()}
    for key in root["data"].attrs["cameras"]:
        if f"data {key}_rgb" in given:
            continue
        number = key.rpartition("_")[2]
        frames = []
        for episode in range(len(given["meta episode_ends"])):
            with av.open(str(folder / "videos" / str(episode) / f"{number}.mp4")) as video:
                frames += [frame.to_ndarray(format="rgb24") for frame in video.decode(video=0)]
        given[f"data {key}_rgb"] = np.stack(frames)
    names = {f"name {key}": np.array(name) for key, name in root["data"].attrs["cameras"].items()}
    arrays: dict[str, Any] = {**given, **names}
    np.savez(out, **arrays)


if __name__ == "__main__":
    register_codecs(verbose=False)
    for place, folder in enumerate(sys.argv[2:]):
        read(Path(folder), Path(sys.argv[1]) / f"{place}.npz")
