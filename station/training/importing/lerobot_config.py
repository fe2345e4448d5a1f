"""What a LeRobot policy folder says of itself in config.json, and its normalisation, in both layouts.

Since its processors exist, `policy_preprocessor.json` and `policy_postprocessor.json` name safetensors files with the
statistics; before, they were buffers among the weights (`normalize_inputs.buffer_observation_state.mean`).
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec
import numpy as np

from station.errors import PolicyError
from station.policy.files import refuse_pointer
from station.policy.statistics import Statistics
from station.training.importing.lerobot_folder import as_written_today
from station.training.importing.lerobot_processors import EPS, Numbers

BLOCKS: dict[str, tuple[int, int, int, int]] = {"resnet18": (2, 2, 2, 2), "resnet34": (3, 4, 6, 3)}
Mode = Literal["MEAN_STD", "MIN_MAX", "IDENTITY", "QUANTILES", "QUANTILE10"]
_OLD = ("normalize_inputs.buffer_", "normalize_targets.buffer_", "unnormalize_outputs.buffer_")
_IMAGES = "observation.images."


class Feature(msgspec.Struct, frozen=True):
    """One input or output."""

    type: str
    """STATE, VISUAL, ENV, ACTION."""
    shape: tuple[int, ...]


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """The part of config.json that both policies have. Keys that are not known do not change what the network computes."""

    type: str
    input_features: dict[str, Feature]
    output_features: dict[str, Feature]
    normalization_mapping: dict[str, Mode]
    n_action_steps: int
    vision_backbone: Literal["resnet18", "resnet34"] = "resnet18"


class ActConfig(Config, frozen=True, kw_only=True):
    """`type: act`."""

    chunk_size: int
    dim_model: int
    n_heads: int
    dim_feedforward: int
    n_encoder_layers: int
    n_decoder_layers: int
    n_vae_encoder_layers: int
    use_vae: bool
    latent_dim: int
    feedforward_activation: Literal["relu"] = "relu"
    pre_norm: Literal[False] = False
    replace_final_stride_with_dilation: Literal[False, 0] = False
    temporal_ensemble_coeff: float | None = None


class DiffusionConfig(Config, frozen=True, kw_only=True):
    """`type: diffusion`."""

    horizon: int
    n_obs_steps: int
    crop_shape: tuple[int, int] | None = None
    resize_shape: tuple[int, int] | None = None
    use_group_norm: bool
    spatial_softmax_num_keypoints: int
    use_separate_rgb_encoder_per_camera: bool = False
    down_dims: tuple[int, ...]
    kernel_size: int
    n_groups: int
    diffusion_step_embed_dim: int
    use_film_scale_modulation: bool
    noise_scheduler_type: Literal["DDPM", "DDIM"] = "DDPM"
    num_train_timesteps: int
    num_inference_steps: int | None = None
    beta_schedule: Literal["squaredcos_cap_v2", "linear"]
    beta_start: float
    beta_end: float
    prediction_type: Literal["epsilon", "sample"]
    clip_sample: bool
    clip_sample_range: float


class Seen(NamedTuple):
    """The inputs and outputs in the station's words."""

    state_dim: int
    action_dim: int
    cameras: tuple[str, ...]
    """LeRobot's keys, in the order in which they go in."""
    height: int
    width: int
    """The largest picture's."""
    sizes: tuple[tuple[int, int], ...] = ()
    """(height, width) of each camera's pictures, where they differ."""


def read_config(folder: Path) -> ActConfig | DiffusionConfig:
    """Raises PolicyError: another kind of policy, or a setting that our networks do not have."""
    path = folder / "config.json"
    fix = "name a folder with config.json and model.safetensors of a LeRobot ACT or Diffusion policy"
    refuse_pointer(path, "file")
    try:
        raw = msgspec.json.decode(path.read_bytes())
    except (OSError, msgspec.DecodeError, RecursionError) as error:
        raise PolicyError(path, "file", f"cannot be read: {error}", fix) from error
    if isinstance(raw, dict) and "type" not in raw and "input_shapes" in raw:
        raw = as_written_today(path, raw)
    kinds: dict[str, type[ActConfig] | type[DiffusionConfig]] = {"act": ActConfig, "diffusion": DiffusionConfig}
    kind = raw.get("type") if isinstance(raw, dict) else None
    if kind not in kinds:
        raise PolicyError(path, "type", f"{kind!r} is not one that can be imported ({', '.join(kinds)})", fix)
    try:
        return msgspec.convert(raw, kinds[kind])
    except msgspec.ValidationError as error:
        found, _, where = str(error).partition(" - at `$.")
        what = "the policy uses what the station's network of that kind has not, or an older LeRobot wrote it"
        raise PolicyError(
            path, where.rstrip("`") or kind, found, f"{what}; load and save it with a newer LeRobot"
        ) from error


def read_features(folder: Path, config: Config) -> Seen:
    """Raises PolicyError where a feature is missing, or is one that the station cannot feed."""
    path = folder / "config.json"
    inputs = config.input_features
    state, action = inputs.get("observation.state"), config.output_features.get("action")
    pictures = {name: feature.shape for name, feature in inputs.items() if feature.type == "VISUAL"}
    others = set(inputs) - {"observation.state", *pictures}
    if others:
        raise PolicyError(
            path, f"input_features.{min(others)}", "the station has nothing to feed it with", "train without it"
        )
    if state is None or action is None or not pictures:
        fix = "train with the joints' state, at least one picture, and an action"
        raise PolicyError(path, "input_features", f"has {', '.join(inputs) or 'nothing'}", fix)
    for name, feature in (*inputs.items(), ("action", action)):
        length = 3 if name in pictures else 1
        if len(feature.shape) != length or not all(1 <= size <= 4096 for size in feature.shape):
            raise PolicyError(
                path, f"input_features.{name}", f"has shape {list(feature.shape)[:8]}", "correct config.json"
            )
    shapes = [shape[1:] for shape in pictures.values()]
    if any(shape[0] != 3 for shape in pictures.values()):
        raise PolicyError(
            path, "input_features", f"pictures of {sorted(pictures.values())}", "train with pictures of three colours"
        )
    differ = len(set(shapes)) > 1
    if differ and config.type != "act":
        found = f"pictures of {sorted(set(shapes))}, where LeRobot's {config.type} takes one size"
        raise PolicyError(path, "input_features", found, "train with pictures of one size")
    height, width = (max(size[axis] for size in shapes) for axis in (0, 1))
    sizes = tuple((size[0], size[1]) for size in shapes) if differ else ()
    return Seen(state.shape[0], action.shape[0], tuple(pictures), height, width, sizes)


def camera_names(seen: Seen, given: tuple[str, ...], renamed: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """The rig's names of the cameras: as given, or LeRobot's without their prefix (the robot's, where it renamed them).
    Raises PolicyError.
    """
    if given and len(given) != len(seen.cameras):
        found = f"{len(given)} names for {len(seen.cameras)} cameras: {', '.join(seen.cameras)}"
        raise PolicyError("--cameras", "cameras", found, "give the rig's name of each, in this order")
    theirs = [(renamed or {}).get(name, name) for name in seen.cameras]
    return given or tuple(name.removeprefix(_IMAGES).removeprefix("observation.") for name in theirs)


def split_weights(tensors: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """The network's tensors, and what of the old layout's statistics lay among them: feature → statistic → tensor."""
    network: dict[str, Any] = {}
    statistics: dict[str, dict[str, Any]] = {}
    for name, tensor in tensors.items():
        prefix = next((prefix for prefix in _OLD if name.startswith(prefix)), None)
        if prefix is None:
            network[name.replace("._orig_mod", "")] = tensor
        else:
            feature, _, statistic = name.removeprefix(prefix).rpartition(".")
            statistics.setdefault(feature, {})[statistic] = tensor
    return network, statistics


def statistics_of(
    path: Path, mode: str, held: Mapping[str, Mapping[str, Numbers]], feature: str, dims: int, eps: float = EPS
) -> Statistics:
    """LeRobot's formula for a feature as the station's statistics. Raises PolicyError where its numbers are not there.

    LeRobot divides by std + eps and multiplies by std, and takes eps for a range of nothing.
    """
    if mode == "IDENTITY":
        return Statistics(mean=(0.0,) * dims, std=(1.0,) * dims)
    if mode not in ("MEAN_STD", "MIN_MAX"):
        raise PolicyError(path, feature, f"is normalised by {mode}", "train with MEAN_STD or MIN_MAX")
    low, high = (_numbers(path, held, feature, name, dims) for name in mode.lower().split("_"))
    if mode == "MEAN_STD":
        std = np.maximum(high, eps) if feature == "action" else high + eps
        return Statistics(mean=tuple(low.tolist()), std=tuple(std.tolist()))
    return Statistics(min=tuple(low.tolist()), max=tuple(np.where(high == low, low + eps, high).tolist()))


def _numbers(path: Path, held: Mapping[str, Mapping[str, Numbers]], feature: str, name: str, dims: int) -> Numbers:
    found = held.get(feature.replace(".", "_"), {}).get(name)
    if found is None or found.size != dims or not np.isfinite(found).all():
        what = "is missing" if found is None else f"is not {dims} finite numbers"
        raise PolicyError(path, f"{feature}.{name}", what, "import the folder that training saved, with all its files")
    return np.asarray(found, np.float64).ravel()
