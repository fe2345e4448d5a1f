"""Diffusion Policy (Chi et al. 2023) with a convolutional denoiser, in the two parts in which it is run: the encoder once per
inference, the denoiser once per denoising step.
"""

import math

import msgspec
import torch
from torch import Tensor, nn

from station.training.networks.resnet import ResNet, ResNetShape

_LAST_GROUPS = 8
"""LeRobot has this many in the last block, whatever the others have."""


class DiffusionShape(msgspec.Struct, frozen=True):
    """What distinguishes one from another. The defaults are LeRobot's."""

    state_dim: int
    action_dim: int
    horizon: int
    obs_steps: int
    cameras: int
    image: tuple[int, int]
    """(height, width) of what goes in."""
    crop: tuple[int, int] | None = None
    """(height, width) cut out of its middle."""
    backbone: ResNetShape = ResNetShape(norm="batch")
    eye_per_camera: bool = True
    keypoints: int = 32
    down_dims: tuple[int, ...] = (512, 1024, 2048)
    kernel: int = 5
    groups: int = 8
    step_dim: int = 128
    scale: bool = True
    """Does the condition scale features, or only shift them?"""

    @property
    def condition_dim(self) -> int:
        """The length of the condition."""
        return self.obs_steps * (self.state_dim + self.cameras * 2 * self.keypoints)


class Eye(nn.Module):
    """A picture as the places where each of `keypoints` features is (spatial softmax, Finn et al. 2016)."""

    def __init__(self, shape: DiffusionShape) -> None:
        super().__init__()
        self.crop = shape.crop
        self.backbone = ResNet(shape.backbone)
        self.keypoints = nn.Conv2d(shape.backbone.widths[-1], shape.keypoints, 1)
        self.out = nn.Linear(2 * shape.keypoints, 2 * shape.keypoints)
        self.places: Tensor
        self.register_buffer("places", places(*feature_size(shape)), persistent=False)

    def forward(self, pictures: Tensor) -> Tensor:
        """(B, 3, H, W) → (B, 2·keypoints)."""
        if self.crop is not None:
            top, left = (round((whole - part) / 2) for whole, part in zip(pictures.shape[-2:], self.crop, strict=True))
            pictures = pictures[..., top : top + self.crop[0], left : left + self.crop[1]]
        heat = self.keypoints(self.backbone(pictures)).flatten(2).softmax(-1)
        return torch.relu(self.out((heat @ self.places).flatten(1)))


def feature_size(shape: DiffusionShape) -> tuple[int, int]:
    """(height, width) of the backbone's map."""
    height, width = shape.crop or shape.image
    return math.ceil(height / shape.backbone.stride), math.ceil(width / shape.backbone.stride)


def places(height: int, width: int) -> Tensor:
    """(height·width, 2): x and y of every pixel of a map, −1 … 1."""
    y, x = torch.meshgrid(
        torch.linspace(-1, 1, height, dtype=torch.float64),
        torch.linspace(-1, 1, width, dtype=torch.float64),
        indexing="ij",
    )
    return torch.stack([x, y], -1).flatten(0, 1).float()


class Encoder(nn.Module):
    """The observation as one vector: per step the state, then every camera's keypoints; the oldest step first."""

    def __init__(self, shape: DiffusionShape) -> None:
        super().__init__()
        self.shape = shape
        self.eyes = nn.ModuleList(Eye(shape) for _ in range(shape.cameras if shape.eye_per_camera else 1))

    def forward(self, state: Tensor, images: Tensor) -> Tensor:
        """`state` (B, [steps,] state_dim), `images` (B, [steps,] cameras, 3, H, W) → condition (B, condition_dim).

        The axis of steps is left out where there is one.
        """
        steps, cameras = self.shape.obs_steps, self.shape.cameras
        state = state.reshape(-1, steps, self.shape.state_dim)
        pictures = images.reshape(-1, cameras, 3, *self.shape.image)
        eyes = self.eyes if self.shape.eye_per_camera else list(self.eyes) * cameras
        seen = torch.cat([eye(pictures[:, i]) for i, eye in enumerate(eyes)], -1)
        return torch.cat([state, seen.reshape(len(state), steps, -1)], -1).flatten(1)


class ConvBlock(nn.Sequential):
    """Convolution over time, group normalisation, Mish."""

    def __init__(self, before: int, after: int, kernel: int, groups: int) -> None:
        super().__init__(
            nn.Conv1d(before, after, kernel, padding=kernel // 2),
            nn.GroupNorm(groups, after),
            nn.Mish(),
        )


class ConditionedBlock(nn.Module):
    """Two convolutions; the condition shifts (and scales) what lies between them (FiLM, Perez et al. 2018)."""

    def __init__(self, before: int, after: int, shape: DiffusionShape) -> None:
        super().__init__()
        self.scale = shape.scale
        self.conv1 = ConvBlock(before, after, shape.kernel, shape.groups)
        self.condition = nn.Linear(shape.step_dim + shape.condition_dim, after * (2 if shape.scale else 1))
        self.conv2 = ConvBlock(after, after, shape.kernel, shape.groups)
        self.shortcut = nn.Conv1d(before, after, 1) if before != after else nn.Identity()

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """`x` (B, before, T), `condition` (B, step_dim + condition_dim) → (B, after, T)."""
        y = self.conv1(x)
        film = self.condition(nn.functional.mish(condition))[..., None]
        if self.scale:
            gain, film = film.chunk(2, 1)
            y = y * gain
        out: Tensor = self.conv2(y + film) + self.shortcut(x)
        return out


class Denoiser(nn.Module):
    """A U-Net over time (Janner et al. 2022): each level down halves the time, each level up takes the level's own back in."""

    def __init__(self, shape: DiffusionShape) -> None:
        super().__init__()
        self.step_dim = shape.step_dim
        self.step = nn.Sequential(
            nn.Linear(shape.step_dim, 4 * shape.step_dim), nn.Mish(), nn.Linear(4 * shape.step_dim, shape.step_dim)
        )
        dims = shape.down_dims
        last = len(dims) - 1
        self.down = nn.ModuleList(
            nn.ModuleList([
                ConditionedBlock(before, after, shape),
                ConditionedBlock(after, after, shape),
                nn.Conv1d(after, after, 3, 2, 1) if i < last else nn.Identity(),
            ])
            for i, (before, after) in enumerate(zip((shape.action_dim, *dims[:-1]), dims, strict=True))
        )  # fmt: skip
        self.mid = nn.ModuleList(ConditionedBlock(dims[-1], dims[-1], shape) for _ in range(2))
        self.up = nn.ModuleList(
            nn.ModuleList([
                ConditionedBlock(2 * before, after, shape),
                ConditionedBlock(after, after, shape),
                nn.ConvTranspose1d(after, after, 4, 2, 1),
            ])
            for before, after in zip(dims[:0:-1], dims[-2::-1], strict=True)
        )  # fmt: skip
        last_block = ConvBlock(dims[0], dims[0], shape.kernel, _LAST_GROUPS)
        self.final = nn.Sequential(last_block, nn.Conv1d(dims[0], shape.action_dim, 1))

    def forward(self, sample: Tensor, timestep: Tensor, condition: Tensor) -> Tensor:
        """`sample` (B, horizon, action_dim), `timestep` (B,) int64, `condition` (B, C) → prediction like `sample`."""
        context = torch.cat([self.step(self._waves(timestep)), condition], -1)
        x, kept = sample.transpose(1, 2), []
        for first, second, halve in self.down:
            x = second(first(x, context), context)
            kept.append(x)
            x = halve(x)
        for block in self.mid:
            x = block(x, context)
        for first, second, double in self.up:
            x = torch.cat([x, kept.pop()], 1)
            x = double(second(first(x, context), context))
        prediction: Tensor = self.final(x).transpose(1, 2)
        return prediction

    def _waves(self, timestep: Tensor) -> Tensor:
        """(B,) → (B, step_dim): sines, then cosines."""
        half = self.step_dim // 2
        rates = torch.exp(torch.arange(half, device=timestep.device) * -(math.log(10_000) / (half - 1)))
        angles = timestep[:, None] * rates
        return torch.cat([angles.sin(), angles.cos()], -1)
