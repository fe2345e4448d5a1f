"""Runs with UMI's own repository on the path, without the station: what its UmiDataset gives.

python read_umi.py OUT DATASET…
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from diffusion_policy.dataset.umi_dataset import UmiDataset


def shapes(arms: int, cameras: list[str], size: tuple[int, ...]) -> dict[str, Any]:
    """Its configuration's shape_meta, of one step."""
    low = {"horizon": 1, "latency_steps": 0, "down_sample_steps": 1, "type": "low_dim"}
    observed: dict[str, Any] = {f"{name}_rgb": {**low, "shape": [3, *size], "type": "rgb"} for name in cameras}
    for arm in range(arms):
        observed[f"robot{arm}_eef_pos"] = {**low, "shape": [3]}
        rotation = {**low, "shape": [6], "raw_shape": [3], "rotation_rep": "rotation_6d"}
        observed[f"robot{arm}_eef_rot_axis_angle"] = observed[f"robot{arm}_eef_rot_axis_angle_wrt_start"] = rotation
        observed[f"robot{arm}_gripper_width"] = {**low, "shape": [1]}
    return {"obs": observed, "action": {"shape": [10 * arms], "horizon": 1, "latency_steps": 0, "down_sample_steps": 1}}


def read(folder: Path, out: Path) -> None:
    """Every step by its sampler, absolute as recorded; and its items, relative, of the right shapes."""
    path = folder / "dataset.zarr.zip"
    with zarr.ZipStore(str(path), mode="r") as store:
        root = zarr.group(store)
        about = root["data"].attrs.asdict()
        size = root["data"]["camera0_rgb"].shape[1:3]
        meta = {f"meta {name}": array[:] for name, array in root["meta"].arrays()}
    arms, cameras = len(about["robots"]), list(about["cameras"])
    dataset = UmiDataset(
        shapes(arms, cameras, size), str(path), pose_repr={"obs_pose_repr": "relative", "action_pose_repr": "relative"},
        action_padding=True,
    )  # fmt: skip
    items = [dataset.sampler.sample_sequence(place) for place in range(len(dataset))]
    given = {
        f"data {name}": np.concatenate([item[name] for item in items])
        for name in ("action", *(f"{one}_rgb" for one in cameras))
    }
    # of poses what it has in memory: its samples are interpolated in between
    given |= {f"data {name}": dataset.sampler.replay_buffer[name] for name in dataset.sampler_lowdim_keys}
    last = dataset[len(dataset) - 1]
    assert last["action"].shape == (1, 10 * arms) and np.isfinite(last["action"].numpy()).all()
    for arm in range(arms):  # relative to itself: no step, no turn, of which six numbers are the first two rows
        np.testing.assert_allclose(last["obs"][f"robot{arm}_eef_pos"][0], np.zeros(3), atol=1e-6)
        np.testing.assert_allclose(last["obs"][f"robot{arm}_eef_rot_axis_angle"][0], [1, 0, 0, 0, 1, 0], atol=1e-6)
    names = {f"name {key}": np.array(name) for key, name in about["cameras"].items()}
    arrays: dict[str, Any] = {**given, **meta, **names}
    np.savez(out, **arrays)


if __name__ == "__main__":
    for place, folder in enumerate(sys.argv[2:]):
        read(Path(folder), Path(sys.argv[1]) / f"{place}.npz")
