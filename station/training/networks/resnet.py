"""The residual network that turns a picture into a map of features (He et al. 2016, the variants of two 3×3 convolutions).

Modules are named as torchvision names them, so that a checkpoint's names differ by a prefix only.
"""

from typing import Literal

import msgspec
import torch
from torch import Tensor, nn

NormKind = Literal["frozen", "batch", "group"]


class ResNetShape(msgspec.Struct, frozen=True):
    """`widths` channels per stage, `blocks` per stage: the defaults are ResNet-18; (3, 4, 6, 3) is ResNet-34.

    `norm`: `frozen` batch statistics are never updated (DETR and ACT, for pretrained weights), `batch` are while training,
    `group` has none (width // 16 groups): for training from nothing with small batches.
    """

    widths: tuple[int, int, int, int] = (64, 128, 256, 512)
    blocks: tuple[int, int, int, int] = (2, 2, 2, 2)
    norm: NormKind = "frozen"

    @property
    def stride(self) -> int:
        """Pixels of the picture per pixel of the map."""
        return 32


class FrozenBatchNorm(nn.BatchNorm2d):
    """Batch normalisation whose statistics and affine map are constants: it is in evaluation mode at all times."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels)
        self.requires_grad_(False)
        self.eval()

    def train(self, mode: bool = True) -> "FrozenBatchNorm":
        """Stay as it is."""
        del mode
        super().train(False)
        return self


def _norm(kind: NormKind, channels: int) -> nn.Module:
    if kind == "group":
        return nn.GroupNorm(max(1, channels // 16), channels)
    return FrozenBatchNorm(channels) if kind == "frozen" else nn.BatchNorm2d(channels)


class Block(nn.Module):
    """relu(x + norm(conv(relu(norm(conv(x))))), the shortcut projected where the shape changes."""

    def __init__(self, before: int, after: int, stride: int, norm: NormKind) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, stride, 1, bias=False)
        self.bn1 = _norm(norm, after)
        self.conv2 = nn.Conv2d(after, after, 3, 1, 1, bias=False)
        self.bn2 = _norm(norm, after)
        self.downsample: nn.Module = nn.Identity()
        if stride != 1 or before != after:
            self.downsample = nn.Sequential(nn.Conv2d(before, after, 1, stride, bias=False), _norm(norm, after))

    def forward(self, x: Tensor) -> Tensor:
        """(B, before, H, W) → (B, after, H / stride, W / stride)."""
        y = torch.relu(self.bn1(self.conv1(x)))
        return torch.relu(self.downsample(x) + self.bn2(self.conv2(y)))


class ResNet(nn.Module):
    """Pictures (B, 3, H, W) → features (B, widths[-1], ⌈H / 32⌉, ⌈W / 32⌉)."""

    def __init__(self, shape: ResNetShape) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, shape.widths[0], 7, 2, 3, bias=False)
        self.bn1 = _norm(shape.norm, shape.widths[0])
        before = shape.widths[0]
        for i, (width, blocks) in enumerate(zip(shape.widths, shape.blocks, strict=True)):
            stage = [
                Block(before if j == 0 else width, width, 2 if i and j == 0 else 1, shape.norm) for j in range(blocks)
            ]
            self.add_module(f"layer{i + 1}", nn.Sequential(*stage))
            before = width
        self.stages = len(shape.widths)

    def forward(self, pictures: Tensor) -> Tensor:
        """The map of the last stage."""
        x = nn.functional.max_pool2d(torch.relu(self.bn1(self.conv1(pictures))), 3, 2, 1)
        for i in range(self.stages):
            x = self.get_submodule(f"layer{i + 1}")(x)
        return x
