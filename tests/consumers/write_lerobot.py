"""Runs in LeRobot's own environment, without the station: its own writer, given the pictures of episodes. Prints what it took.

python write_lerobot.py MODE OUT EPISODE.hdf5 …      MODE: av1 (its default), h264, streaming (h264, its fastest)

What its writer does not do is not counted: reading the episode and decoding its JPEGs, which is done before the watch runs. In between it
would be work of its encoders' threads, too, that is not counted.
"""

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

import cv2
import h5py
import numpy as np
from torch import library

try:
    import torchvision  # noqa: F401 (tried before LeRobot imports it)
except RuntimeError:  # as in read_lerobot.py
    operators = library.Library("torchvision", "DEF")
    operators.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    operators.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

from lerobot.datasets.lerobot_dataset import LeRobotDataset

MODES: dict[str, dict[str, Any]] = {
    "av1": {},
    "h264": {"vcodec": "h264"},
    "streaming": {"vcodec": "h264", "streaming_encoding": True},
}


def rgb(file: h5py.File, camera: str, row: int) -> Any:
    """A row's picture, (H, W, 3)."""
    decoded: Any = cv2.imdecode(file[f"observations/images/{camera}"][row], 1)
    return decoded[:, :, ::-1]


def rows_of(path: Path, cameras: list[str]) -> list[dict[str, Any]]:
    """An episode as its writer takes it; a picture that repeats the one before is the same array."""
    found: list[dict[str, Any]] = []
    with h5py.File(path) as file:
        states, actions = file["observations/qpos"][:], file["action"][:]
        shown: dict[str, tuple[bytes, Any]] = {}
        for row, (state, action) in enumerate(zip(states, actions, strict=True)):
            for name in cameras:
                stored = file[f"observations/images/{name}"][row].tobytes()
                if name not in shown or shown[name][0] != stored:
                    shown[name] = stored, np.ascontiguousarray(rgb(file, name, row))
            pictures = {f"observation.images.{name}": shown[name][1] for name in cameras}
            found.append({"observation.state": state, "action": action, "task": "timed", **pictures})
    return found


class Watch:
    """Adds up what its writer takes, in seconds and in this process' processor time."""

    def __init__(self) -> None:
        self.seconds = self.cpu_seconds = 0.0

    def start(self) -> None:
        self._began = time.perf_counter(), time.process_time()

    def stop(self) -> None:
        self.seconds += time.perf_counter() - self._began[0]
        self.cpu_seconds += time.process_time() - self._began[1]


def main(mode: str, out: Path, episodes: list[Path]) -> None:
    with h5py.File(episodes[0]) as file:
        cameras = [str(name) for name in file.attrs["camera_names"]]
        width = file["action"].shape[1]
        shapes = {name: rgb(file, name, 0).shape for name in cameras}
        fps = int(file.attrs["tick_hz"])
    features: dict[str, dict[str, Any]] = {
        name: {"dtype": "float32", "shape": (width,), "names": None} for name in ("observation.state", "action")
    }
    for name in cameras:
        features[f"observation.images.{name}"] = {
            "dtype": "video",
            "shape": shapes[name],
            "names": ["height", "width", "channels"],
        }
    watch, pictures = Watch(), 0
    watch.start()
    dataset = LeRobotDataset.create(
        "local/timed", fps, features, root=out, image_writer_threads=4 * len(cameras), **MODES[mode]
    )
    watch.stop()
    for path in episodes:
        frames = rows_of(path, cameras)
        watch.start()
        for frame in frames:
            dataset.add_frame(frame)
        dataset.save_episode()
        watch.stop()
        pictures += len(frames) * len(cameras)
    watch.start()
    dataset.finalize()
    watch.stop()
    peak = sum(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) / 1024
    cpu = watch.cpu_seconds + sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])
    print(json.dumps({"pictures": pictures, "seconds": watch.seconds, "cpu_seconds": cpu, "peak_mb": peak}))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), [Path(path) for path in sys.argv[3:]])
