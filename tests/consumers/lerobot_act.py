"""Runs in LeRobot's own environment, without the station: its own training, and what the policy that came of it answers.

python lerobot_act.py train OPTION …                        as `lerobot-train` takes them
python lerobot_act.py answer CHECKPOINT EPISODE OUT.npz WIDTH HEIGHT ROW …

Answers are of an episode's rows, its file read and its pictures decoded and stretched here: a chunk for each.
"""

import sys
from pathlib import Path
from typing import Any

import cv2
import h5py
import numpy as np
import torch
from torch import library

try:
    import torchvision  # noqa: F401 (tried before LeRobot imports it)
except RuntimeError:  # as in read_lerobot.py
    operators = library.Library("torchvision", "DEF")
    operators.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    operators.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")


def train(options: list[str]) -> None:
    """`lerobot-train`."""
    from lerobot.scripts import lerobot_train

    sys.argv = ["lerobot-train", *options]
    lerobot_train.main()


def answer(checkpoint: Path, episode: Path, out: Path, size: tuple[int, int], rows: list[int]) -> None:
    """(rows, chunk, D) in physical units, in the order of `rows`."""
    from lerobot.policies.act.modeling_act import ACTPolicy
    from lerobot.policies.factory import make_pre_post_processors

    policy = ACTPolicy.from_pretrained(checkpoint)
    before, after = make_pre_post_processors(policy.config, str(checkpoint))
    chunks = []
    with h5py.File(episode, locking=False) as file:
        for row in rows:
            seen: dict[str, Any] = {"observation.state": torch.from_numpy(file["observations/qpos"][row])[None]}
            for name in policy.config.image_features:
                jpeg = file[f"observations/images/{name.removeprefix('observation.images.')}"][row]
                shot: Any = cv2.imdecode(jpeg, 1)
                picture: Any = cv2.resize(shot, size, interpolation=cv2.INTER_AREA)
                rgb = np.ascontiguousarray(picture[:, :, ::-1].transpose(2, 0, 1))
                seen[name] = torch.from_numpy(rgb)[None].float() / 255
            chunks.append(after(policy.predict_action_chunk(before(seen)))[0].numpy())
    np.savez(out, chunks=np.stack(chunks))


if __name__ == "__main__":
    if sys.argv[1] == "train":
        train(sys.argv[2:])
    else:
        _, _, checkpoint, episode, out, width, height, *asked = sys.argv
        answer(Path(checkpoint), Path(episode), Path(out), (int(width), int(height)), [int(row) for row in asked])
