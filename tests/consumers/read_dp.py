"""Runs with Diffusion Policy's own repository on the path, without the station: what it reads of a real robot's recording.

python read_dp.py OUT DATASET…
"""

import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import zarr

# its sampler compiles one function of indices, which is the same when it is not compiled
made_up: Any = types.SimpleNamespace(jit=lambda *given, **named: lambda function: function)
sys.modules.setdefault("numba", made_up)
from diffusion_policy.common.sampler import SequenceSampler  # noqa: E402 (behind what stands in for numba)
from diffusion_policy.real_world.real_data_conversion import real_data_to_replay_buffer  # noqa: E402

LOW = ["timestamp", "robot_joint", "action", "row"]


def read(folder: Path, out: Path) -> None:
    """Its replay buffer, by way of its sampler: each item, of one step."""
    names = zarr.open_group(str(folder / "replay_buffer.zarr"), "r")["data"].attrs["cameras"]
    buffer = real_data_to_replay_buffer(str(folder), zarr.MemoryStore(), lowdim_keys=LOW, image_keys=list(names))
    sampler = SequenceSampler(buffer, sequence_length=1)
    items = [sampler.sample_sequence(place) for place in range(len(sampler))]
    given = {f"data {name}": np.concatenate([item[name] for item in items]) for name in LOW}
    given |= {f"data {name}_rgb": np.concatenate([item[name] for item in items]) for name in names}
    meta = zarr.open_group(str(folder / "replay_buffer.zarr"), "r")["meta"]
    given |= {f"meta {name}": array[:] for name, array in meta.arrays()}
    given["meta episode_ends"] = buffer.episode_ends[:]
    arrays: dict[str, Any] = {**given, **{f"name {key}": np.array(name) for key, name in names.items()}}
    np.savez(out, **arrays)


if __name__ == "__main__":
    for place, folder in enumerate(sys.argv[2:]):
        read(Path(folder), Path(sys.argv[1]) / f"{place}.npz")
