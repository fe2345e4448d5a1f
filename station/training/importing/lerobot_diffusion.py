"""LeRobot's Diffusion Policy: its settings and its tensors' names, in terms of our network."""

from collections.abc import Sequence

from torch import nn

from station.policy.folder import Diffusion, Execution, Image, PolicyFile
from station.training.export import Network
from station.training.importing.lerobot_config import BLOCKS, DiffusionConfig
from station.training.importing.lerobot_source import (
    Loaded,
    Source,
    cameras_normalised,
    heading,
    normalization,
    unmoved,
)
from station.training.importing.tensors import expect, fill
from station.training.networks.diffusion import Denoiser, DiffusionShape, Encoder, feature_size
from station.training.networks.resnet import ResNetShape

_BACKBONE = {"conv1.": "0.", "bn1.": "1.", "layer1.": "4.", "layer2.": "5.", "layer3.": "6.", "layer4.": "7."}
"""LeRobot's diffusion cuts the backbone into numbered pieces."""
_FAST_STEPS = 10
_TICK_HZ = 50


def load_diffusion(source: Source, config: DiffusionConfig, steps: int | None) -> Loaded:
    """Raises PolicyError."""
    shape = _shape(source, config)
    network = nn.ModuleDict({"encoder": Encoder(shape), "denoiser": Denoiser(shape)})
    fill(network, source.weights, source.tensors, expect(network, _names(shape), _grids(shape)))
    encoder, notes = cameras_normalised(network["encoder"], source, config)
    history = () if shape.obs_steps == 1 else (shape.obs_steps,)
    observation = {
        "state": (1, *history, shape.state_dim),
        "images": (1, *history, shape.cameras, 3, *shape.image),
    }
    noisy = {"sample": (1, shape.horizon, shape.action_dim), "timestep": (1,), "condition": (1, shape.condition_dim)}
    graphs = (
        Network("encoder.onnx", encoder, observation, "condition"),
        Network("denoiser.onnx", network["denoiser"], noisy, "prediction"),
    )
    said = (*heading(source), *notes, *_notes(config, steps), *unmoved(source, config))
    return Loaded(_settings(source, config, shape, steps), graphs, said)


def _settings(source: Source, config: DiffusionConfig, shape: DiffusionShape, steps: int | None) -> PolicyFile:
    height, width = shape.image
    before = config.n_obs_steps - 1
    return PolicyFile(
        kind="diffusion",
        backend="onnx",
        weights="encoder.onnx",
        cameras=source.cameras,
        image=Image(width, height),
        state_dim=shape.state_dim,
        action_dim=shape.action_dim,
        chunk=config.horizon,
        rate_hz=source.rate_hz,
        obs_steps=config.n_obs_steps,
        action_offset_ticks=-round(before * _TICK_HZ / source.rate_hz),
        normalization=normalization(source, config),
        execution=Execution("receding", steps=config.n_action_steps),
        diffusion=Diffusion(
            "denoiser.onnx",
            config.num_train_timesteps,
            steps or _trained_steps(config),
            sampler="ddim" if steps or config.noise_scheduler_type == "DDIM" else "ddpm",
            schedule=config.beta_schedule,
            beta_start=config.beta_start,
            beta_end=config.beta_end,
            prediction=config.prediction_type,
            clip_sample=config.clip_sample,
            clip_range=config.clip_sample_range,
        ),
    )


def _trained_steps(config: DiffusionConfig) -> int:
    return config.num_inference_steps or config.num_train_timesteps


def _notes(config: DiffusionConfig, steps: int | None) -> list[str]:
    notes = []
    if config.n_obs_steps > 1:
        notes.append(f"the horizon begins at the oldest of {config.n_obs_steps} observations: action_offset_ticks")
    if steps is None and _trained_steps(config) > _FAST_STEPS:
        notes.append(f"{_trained_steps(config)} denoising steps, as at training; `--steps 10` takes DDIM's shortcut")
    if config.resize_shape:
        notes.append("pictures are resized before the network, by area; LeRobot does it with its own filter")
    return notes


def _shape(source: Source, config: DiffusionConfig) -> DiffusionShape:
    seen = source.seen
    return DiffusionShape(
        state_dim=seen.state_dim,
        action_dim=seen.action_dim,
        horizon=config.horizon,
        obs_steps=config.n_obs_steps,
        cameras=len(source.cameras),
        image=config.resize_shape or (seen.height, seen.width),
        crop=config.crop_shape,
        backbone=ResNetShape(blocks=BLOCKS[config.vision_backbone], norm="group" if config.use_group_norm else "batch"),
        eye_per_camera=config.use_separate_rgb_encoder_per_camera,
        keypoints=config.spatial_softmax_num_keypoints,
        down_dims=config.down_dims,
        kernel=config.kernel_size,
        groups=config.n_groups,
        step_dim=config.diffusion_step_embed_dim,
        scale=config.use_film_scale_modulation,
    )


def _names(shape: DiffusionShape) -> dict[str, str]:
    """Our names' prefixes → theirs."""
    unet = "diffusion.unet."
    names = {
        "denoiser.step.0.": f"{unet}diffusion_step_encoder.1.",
        "denoiser.step.2.": f"{unet}diffusion_step_encoder.3.",
        "denoiser.final.0.": f"{unet}final_conv.0.block.",
        "denoiser.final.1.": f"{unet}final_conv.1.",
    }
    levels = len(shape.down_dims)
    for ours, theirs, blocks in [("down", "down_modules", levels), ("up", "up_modules", levels - 1)]:
        for i in range(blocks):
            names[f"denoiser.{ours}.{i}."] = f"{unet}{theirs}.{i}."
            for j in range(2):
                names |= _block_names(f"denoiser.{ours}.{i}.{j}.", f"{unet}{theirs}.{i}.{j}.")
    for i in range(2):
        names |= _block_names(f"denoiser.mid.{i}.", f"{unet}mid_modules.{i}.")
    for i, eye in enumerate(_eyes(shape)):
        ours = f"encoder.eyes.{i}."
        names |= {f"{ours}backbone.{a}": f"{eye}backbone.{b}" for a, b in _BACKBONE.items()}
        names |= {f"{ours}keypoints.": f"{eye}pool.nets.", f"{ours}out.": f"{eye}out."}
    return names


def _block_names(ours: str, theirs: str) -> dict[str, str]:
    return {
        f"{ours}conv1.": f"{theirs}conv1.block.",
        f"{ours}conv2.": f"{theirs}conv2.block.",
        f"{ours}condition.": f"{theirs}cond_encoder.1.",
        f"{ours}shortcut.": f"{theirs}residual_conv.",
    }


def _eyes(shape: DiffusionShape) -> Sequence[str]:
    if shape.eye_per_camera:
        return [f"diffusion.rgb_encoder.{i}." for i in range(shape.cameras)]
    return ["diffusion.rgb_encoder."]


def _grids(shape: DiffusionShape) -> dict[str, tuple[int, ...]]:
    height, width = feature_size(shape)
    return {f"{eye}pool.pos_grid": (height * width, 2) for eye in _eyes(shape)}
