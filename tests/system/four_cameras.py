"""An ONNX policy of the size of ACT's input, four cameras of 640 × 480: `python -m tests.system.four_cameras DIR`.

Its arithmetic is small and its answer is the state it saw: what is measured with it is the station, and the arms stand.
"""

import sys
from pathlib import Path

import numpy as np

from tests.station.policy import policies

CAMERAS = ["cam_high", "cam_low", "cam_left_wrist", "cam_right_wrist"]


def write(folder: Path) -> Path:
    """The folder, for a rig of 14 dimensions with ALOHA's cameras."""
    wanted = policies.settings(
        cameras=CAMERAS, image={"width": 640, "height": 480}, state_dim=14, action_dim=14, chunk=100,
        normalization={name: {"mean": [0.0] * 14, "std": [1.0] * 14} for name in ("state", "action")},
        execution={"mode": "ensemble", "k": 0.01}, newest_dims=[6, 13],
    )  # fmt: skip
    policies.write(folder, graph=False, **wanted)
    rows = {
        "flat": np.array([1, 1, 14], np.int64),
        "none": np.zeros((1, 1, 1), np.float32),
        "tall": np.zeros((1, 100, 1), np.float32),
    }
    helper = policies.helper
    nodes = [
        helper.make_node("Reshape", ["state", "flat"], ["row"]),
        helper.make_node("ReduceMean", ["images"], ["light"], keepdims=0),
        helper.make_node("Mul", ["light", "none"], ["dark"]),
        helper.make_node("Add", ["row", "dark"], ["seen"]),
        helper.make_node("Add", ["seen", "tall"], ["actions"]),
    ]
    inputs = [
        helper.make_tensor_value_info("state", policies.FLOAT, [1, 14]),
        helper.make_tensor_value_info("images", policies.FLOAT, [1, 4, 3, 480, 640]),
    ]
    policies.save(folder / "policy.onnx", nodes, inputs, {"actions": [1, 100, 14]}, rows)
    return folder


if __name__ == "__main__":
    write(Path(sys.argv[1]))
