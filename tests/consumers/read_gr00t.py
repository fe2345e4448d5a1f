"""Runs with GR00T's own repository on the path, without the station: every row that its episode loader gives of each dataset.

python read_gr00t.py OUT DATASET…
"""

import sys
import types
from pathlib import Path
from typing import Any

import numpy as np

sys.modules["torchvision"] = types.ModuleType("torchvision")  # one of its video backends, which is not asked for
from gr00t.data.dataset.lerobot_episode_loader import LeRobotEpisodeLoader  # noqa: E402 (behind what stands in)
from gr00t.data.types import ModalityConfig  # noqa: E402

TASK = "annotation.human.action.task_description"


def read(folder: Path, out: Path) -> None:
    """By the names that meta/modality.json has, one behind the other."""
    configs = {"language": ModalityConfig([0], [TASK]), "action": ModalityConfig(list(range(16)), ["right_arm"])}
    meta = LeRobotEpisodeLoader(folder, configs, video_backend="decord").modality_meta
    for kind in ("state", "action", "video"):
        configs[kind] = ModalityConfig(list(range(16)) if kind == "action" else [0], list(meta[kind]))
    loader = LeRobotEpisodeLoader(folder, configs, video_backend="decord")
    statistics = loader.get_dataset_statistics()
    given: dict[str, list[np.ndarray]] = {}
    for episode in range(len(loader)):
        frames = loader[episode]
        assert len(frames) == loader.get_episode_length(episode)
        for kind in ("state", "action"):
            groups = [np.stack(frames[f"{kind}.{name}"].to_list()) for name in meta[kind]]
            given.setdefault(kind, []).append(np.concatenate(groups, axis=1))
        for camera in meta["video"]:
            given.setdefault(camera, []).append(np.stack([np.asarray(one) for one in frames[f"video.{camera}"]]))
        given.setdefault("text", []).append(frames[f"language.{TASK}"].to_numpy(str))
    arrays: dict[str, Any] = {name: np.concatenate(values) for name, values in given.items()}
    for kind in ("state", "action"):
        for name in ("mean", "std", "min", "max", "q01", "q99"):
            groups = [statistics[kind][group][name] for group in meta[kind]]
            arrays[f"{kind} {name}"] = np.concatenate(groups)
    np.savez(out, **arrays)


if __name__ == "__main__":
    for place, folder in enumerate(sys.argv[2:]):
        read(Path(folder), Path(sys.argv[1]) / f"{place}.npz")
