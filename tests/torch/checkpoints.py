"""Checkpoints with the tensors of the codes whose policies are imported: names, shapes, and what those codes answer.

`golden_checkpoints.json` was made by running the codes themselves (act 742c753, act-plus-plus 26bab07, LeRobot 7427f31) on
`weights` and `observation`: per case the names and shapes of its state_dict, and the chunk (or, for diffusion, condition
and prediction) that it computed.
"""

import json
import math
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

GOLDEN: dict[str, Any] = json.loads((Path(__file__).parent / "golden_checkpoints.json").read_text())
CAMERAS = ("cam_high", "cam_left_wrist")
HEIGHT, WIDTH = 64, 96
DIMS = 14
Shapes = Mapping[str, list[int]]


def weights(shapes: Shapes, seed: int = 7) -> dict[str, Tensor]:
    """Random tensors that keep a signal's size from layer to layer; the same for the same names and shapes."""
    random = np.random.default_rng(seed)
    return {name: torch.from_numpy(_tensor(random, name, tuple(shapes[name]))) for name in sorted(shapes)}


def _tensor(random: np.random.Generator, name: str, shape: tuple[int, ...]) -> np.ndarray:
    if name.endswith("num_batches_tracked"):
        return np.array(3)
    if name.endswith("running_var"):
        return random.uniform(0.5, 1.5, shape).astype(np.float32)
    if len(shape) == 1:
        centre = 1.0 if name.endswith("weight") else 0.0
        return (centre + 0.1 * random.standard_normal(shape)).astype(np.float32)
    fan_in = math.prod(shape[1:])
    return (random.standard_normal(shape) * 1.5 / math.sqrt(fan_in)).astype(np.float32)


def observation(steps: int = 1, cameras: int = len(CAMERAS)) -> tuple[Tensor, Tensor]:
    """Normalised: state (steps, 14), images (steps, cameras, 3, HEIGHT, WIDTH)."""
    random = np.random.default_rng(11)
    state = random.standard_normal((steps, DIMS)).astype(np.float32)
    images = random.standard_normal((steps, cameras, 3, HEIGHT, WIDTH)).astype(np.float32)
    return torch.from_numpy(state), torch.from_numpy(images)


def sample(horizon: int) -> Tensor:
    """What a denoiser is given."""
    return torch.from_numpy(np.random.default_rng(12).standard_normal((1, horizon, DIMS)).astype(np.float32))


def act_files(folder: Path, case: str, width: int = DIMS, **changes: Tensor | None) -> tuple[Path, Path]:
    """A checkpoint of ACT's or act-plus-plus' and its dataset_stats.pkl; `changes` by tensor's name, None takes one out.

    `width`: of another robot's vector than ALOHA's: what has its 14 numbers has so many.
    """
    folder.mkdir(exist_ok=True)
    shapes = {
        name: [width if size == DIMS else size for size in shape] for name, shape in GOLDEN[case]["shapes"].items()
    }
    tensors = {**weights(shapes), **changes}
    torch.save({name: tensor for name, tensor in tensors.items() if tensor is not None}, folder / "policy_best.ckpt")
    dims = {"qpos": width, "action": width + len(GOLDEN[case]["actions"][0]) - DIMS}
    statistics = {f"{name}_mean": np.linspace(-1, 1, dim, dtype=np.float32) for name, dim in dims.items()}
    statistics |= {f"{name}_std": np.linspace(0.1, 2, dim, dtype=np.float32) for name, dim in dims.items()}
    (folder / "dataset_stats.pkl").write_bytes(pickle.dumps(statistics | {"example_qpos": np.zeros((400, DIMS))}))
    return folder / "policy_best.ckpt", folder / "dataset_stats.pkl"


def lerobot_statistics(same_eyes: bool) -> dict[str, Tensor]:
    """Feature.statistic → tensor, as LeRobot names and shapes them."""
    found: dict[str, Tensor] = {}
    eyes = {f"observation.images.{camera}": 0.1 * (i + 1) for i, camera in enumerate(CAMERAS)}
    for feature, shape in [("observation.state", (DIMS,)), ("action", (DIMS,)), *((eye, (3, 1, 1)) for eye in eyes)]:
        shift = 0.1 if same_eyes else eyes.get(feature, 0.1)
        found |= {
            f"{feature}.mean": torch.full(shape, shift),
            f"{feature}.std": torch.full(shape, 0.5 + shift),
            f"{feature}.min": torch.full(shape, -1.5 - shift),
            f"{feature}.max": torch.full(shape, 2.0 + shift),
        }
    return found


def lerobot_folder(folder: Path, case: str, layout: str, same_eyes: bool = True, **changes: Any) -> Path:
    """A LeRobot pretrained_model folder, of the layout with processors (`new`) or with buffers among the weights (`old`).

    `changes`: tensors by name (None takes one out), or settings of config.json.
    """
    folder.mkdir(exist_ok=True)
    golden = GOLDEN[case]
    config = golden["config"] | {key: value for key, value in changes.items() if key in golden["config"]}
    (folder / "config.json").write_text(json.dumps(config))
    tensors = weights(golden["shapes"]) | {key: value for key, value in changes.items() if key not in golden["config"]}
    statistics = lerobot_statistics(same_eyes)
    if layout == "old":
        tensors |= {_old_name(name): tensor for name, tensor in statistics.items()}
    else:
        file = "policy_preprocessor_step_3_normalizer_processor.safetensors"
        save_file(statistics, folder / file)
        steps = [
            {"registry_name": "to_batch_processor", "config": {}},
            {"registry_name": "normalizer_processor", "state_file": file},
        ]
        (folder / "policy_preprocessor.json").write_text(json.dumps({"name": "policy_preprocessor", "steps": steps}))
    save_file(
        {name: tensor.contiguous() for name, tensor in tensors.items() if tensor is not None},
        folder / "model.safetensors",
    )
    return folder


def _old_name(name: str) -> str:
    feature, _, statistic = name.rpartition(".")
    module = "unnormalize_outputs" if feature == "action" else "normalize_inputs"
    return f"{module}.buffer_{feature.replace('.', '_')}.{statistic}"
