"""Runs with openpi's own repository (its `src`) on the path and LeRobot 0.3.3, without the station: what its ALOHA transform makes of
each item of LeRobot's loader.

python read_openpi.py OUT DATASET…
"""

import sys
import types
from pathlib import Path
from typing import Any

import numpy as np

# its transforms module imports JAX and Flax; the ALOHA transform takes one empty protocol from it
sys.modules["openpi.transforms"] = types.ModuleType("openpi.transforms")
setattr(sys.modules["openpi.transforms"], "DataTransformFn", object)  # noqa: B010 (a module that is made up)
from openpi.policies.aloha_policy import AlohaInputs  # noqa: E402 (behind what stands in for its transforms)

sys.path.append(str(Path(__file__).parent))
from read_lerobot import LeRobotDataset  # noqa: E402 (it mends torchvision's import first)


def read(folder: Path, out: Path) -> None:
    """Without and with the turn to π's own joints and grippers."""
    dataset = LeRobotDataset("local/tried", root=folder)
    given: dict[str, list[np.ndarray]] = {}
    for place in range(len(dataset)):
        item = dataset[place]
        for adapt in (False, True):
            data = {
                "state": item["observation.state"].numpy().copy(),
                "actions": item["action"].numpy()[None].copy(),
                "images": {key.rpartition(".")[2]: item[key].numpy() for key in dataset.meta.camera_keys},
                "prompt": item["task"],
            }
            made = AlohaInputs(adapt_to_pi=adapt)(data)
            assert made["prompt"] == item["task"]
            mark = " of pi" if adapt else ""
            flat = {f"state{mark}": made["state"], f"actions{mark}": made["actions"][0]}
            flat |= {f"{name}{mark}": picture for name, picture in made["image"].items()}
            flat |= {f"{name} is there{mark}": np.asarray(there) for name, there in made["image_mask"].items()}
            for name, values in flat.items():
                given.setdefault(name, []).append(values)
    arrays: dict[str, Any] = {name: np.stack(values) for name, values in given.items()}
    np.savez(out, **arrays)


if __name__ == "__main__":
    for place, folder in enumerate(sys.argv[2:]):
        read(Path(folder), Path(sys.argv[1]) / f"{place}.npz")
