"""Episodes of a toy with one arm, small enough to train on: a red square somewhere in the picture is where the arm goes."""

from pathlib import Path

import cv2
import h5py
import numpy as np

NAMES = ("right_waist", "right_shoulder", "right_gripper")
SIZE = (64, 48)
ROWS, IDLE = 60, 10
PICTURE_EVERY = 3


def goal(number: int) -> float:
    return float(np.random.default_rng(number).uniform(-0.5, 0.5))


def action(number: int, rows: int = ROWS) -> np.ndarray:
    """Still, to the goal while opening, then closing, then still."""
    steps = np.clip((np.arange(rows) - IDLE) / 20, 0, 1)
    closing = np.clip((np.arange(rows) - IDLE - 20) / 10, 0, 1)
    gripper = 0.9 * steps - 0.6 * closing
    return np.stack([goal(number) * steps, 0.4 * steps, gripper], 1).astype(np.float32)


def picture(number: int, row: int) -> np.ndarray:
    """BGR: a red square at the goal, and the time as brightness of the ground."""
    seen = np.full((2 * SIZE[1], 2 * SIZE[0], 3), 40 + row, np.uint8)
    x = round((goal(number) + 0.5) * (2 * SIZE[0] - 24))
    seen[36:60, x : x + 24] = (0, 0, 250)
    return seen


def write(folder: Path, number: int, raw: bool = False, rest: int = 0, **attributes: object) -> Path:
    """One episode file with what a trainer reads of it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"episode_{number}.hdf5"
    rows = ROWS + rest
    shown = [min(row, ROWS) - min(row, ROWS) % PICTURE_EVERY for row in range(rows)]
    with h5py.File(path, "w") as file:
        said = {
            "task": folder.name, "success": np.int8(-1), "tick_hz": 50.0, "operator": "", "late_ticks": 0, "lost_samples": 0,
            "stale_samples": 0, "recovered": False, "ended": "", "dim_names": list(NAMES), "camera_names": ["cam_high"],
            "policy": "", "instruction": "", "scene": "", "start_wall_ns": np.int64(0), "units": ["rad", "rad", "1"],
            "compress": np.bool_(not raw), "devices": "{}", "rig": "toy", "sim": np.bool_(True),
        }  # fmt: skip
        for name, value in {**said, **attributes}.items():
            file.attrs[name] = value
        file["/action"] = action(number, rows)
        file["/observations/qpos"] = np.roll(action(number, rows), 2, 0) * (np.arange(rows) > 1)[:, None]
        if raw:
            file["/observations/images/cam_high"] = np.stack([picture(number, row)[..., ::-1] for row in shown])
            return path
        encoded = [cv2.imencode(".jpg", picture(number, row))[1].ravel() for row in shown]
        padded = np.zeros((rows, max(map(len, encoded)) + 5), np.uint8)
        for row, one in enumerate(encoded):
            padded[row, : len(one)] = one
        file["/observations/images/cam_high"] = padded
        file["/compress_len"] = np.array([[len(one) for one in encoded]], np.float32)
        file["/compress_len"].attrs["camera_names"] = ["cam_high"]
    return path
