"""What the trainers' own loaders do with a file, restated: ACT, ACT++, openpi's converter (real-robot data)."""

from pathlib import Path
from typing import Any

import cv2
import h5py
import numpy as np

from tests.pictures import bgr


def act(path: Path, cameras: list[str], start: int) -> dict[str, Any]:
    """tonyzhaozh/act: pictures must be arrays; real data (sim false) takes actions from one step before."""
    with h5py.File(path, "r") as root:
        sim = root.attrs["sim"]
        shape = root["/action"].shape
        qpos, qvel = root["/observations/qpos"][start], root["/observations/qvel"][start]
        pictures = {name: root[f"/observations/images/{name}"][start] for name in cameras}
        action = root["/action"][start:] if sim else root["/action"][max(0, start - 1) :]
    padded = np.zeros(shape, np.float32)
    padded[: len(action)] = action
    stacked = np.stack([pictures[name] for name in cameras])
    return {"qpos": qpos, "qvel": qvel, "image": stacked.astype(np.float32) / 255.0, "action": padded}


def act_plus_plus(path: Path, cameras: list[str], start: int) -> dict[str, Any]:
    """MarkFzp/act-plus-plus: the same, and with attribute `compress` a plain imdecode, channels as they come."""
    with h5py.File(path, "r") as root:
        compressed = root.attrs.get("compress", False)
        base = root["/base_action"][()] if "/base_action" in root else None
        action = root["/action"][()] if base is None else np.concatenate([root["/action"][()], base], axis=-1)
        pictures = {name: root[f"/observations/images/{name}"][start] for name in cameras}
        if compressed:
            pictures = {name: bgr(picture) for name, picture in pictures.items()}
        return {"qpos": root["/observations/qpos"][start], "action": action, "images": pictures}


OPENPI_CAMERAS = ["cam_high", "cam_low", "cam_left_wrist", "cam_right_wrist"]


def openpi(path: Path) -> tuple[dict[str, Any], Any, Any, Any, Any]:
    """openpi's examples/aloha_real converter: whole episode, RGB out of JPEG."""
    with h5py.File(path, "r") as episode:
        state, action = episode["/observations/qpos"][:], episode["/action"][:]
        velocity = episode["/observations/qvel"][:] if "/observations/qvel" in episode else None
        effort = episode["/observations/effort"][:] if "/observations/effort" in episode else None
        pictures = {}
        for name in OPENPI_CAMERAS:
            data = episode[f"/observations/images/{name}"]
            if data.ndim == 4:
                pictures[name] = data[:]
            else:
                pictures[name] = np.array([cv2.cvtColor(bgr(row), cv2.COLOR_BGR2RGB) for row in data])
    return pictures, state, action, velocity, effort
