"""The transformer layers of DETR (Carion et al. 2020), with which ACT is built: positions are added to queries and keys in
every layer, never to values; normalisation comes after each residual sum.
"""

import math

import torch
from torch import Tensor, nn

_LONGEST = 10_000.0
"""The longest wavelength over 2π (Vaswani et al. 2017, §3.5)."""


class EncoderLayer(nn.Module):
    """Tokens attend to each other, then each goes through a perceptron."""

    def __init__(self, width: int, heads: int, feedforward: int, dropout: float) -> None:
        super().__init__()
        self.self_attn = nn.MultiheadAttention(width, heads, dropout, batch_first=True)
        self.linear1 = nn.Linear(width, feedforward)
        self.linear2 = nn.Linear(feedforward, width)
        self.norm1 = nn.LayerNorm(width)
        self.norm2 = nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, positions: Tensor, is_pad: Tensor | None = None) -> Tensor:
        """`x` (B, L, width), `positions` (L, width), `is_pad` (B, L) bool: tokens not to be attended to."""
        placed = x + positions
        seen, _ = self.self_attn(placed, placed, x, key_padding_mask=is_pad, need_weights=False)
        x = self.norm1(x + self.dropout(seen))
        thought: Tensor = self.linear2(self.dropout(torch.relu(self.linear1(x))))
        out: Tensor = self.norm2(x + self.dropout(thought))
        return out


class DecoderLayer(nn.Module):
    """Queries attend to each other, then to a memory, then each goes through a perceptron."""

    def __init__(self, width: int, heads: int, feedforward: int, dropout: float) -> None:
        super().__init__()
        self.self_attn = nn.MultiheadAttention(width, heads, dropout, batch_first=True)
        self.multihead_attn = nn.MultiheadAttention(width, heads, dropout, batch_first=True)
        self.linear1 = nn.Linear(width, feedforward)
        self.linear2 = nn.Linear(feedforward, width)
        self.norm1 = nn.LayerNorm(width)
        self.norm2 = nn.LayerNorm(width)
        self.norm3 = nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, queries: Tensor, memory: Tensor, positions: Tensor) -> Tensor:
        """`x` (B, Q, width), `queries` (Q, width) their positions, `memory` (B, L, width), `positions` (L, width) its own."""
        placed = x + queries
        x = self.norm1(x + self.dropout(self.self_attn(placed, placed, x, need_weights=False)[0]))
        seen, _ = self.multihead_attn(x + queries, memory + positions, memory, need_weights=False)
        x = self.norm2(x + self.dropout(seen))
        thought: Tensor = self.linear2(self.dropout(torch.relu(self.linear1(x))))
        out: Tensor = self.norm3(x + self.dropout(thought))
        return out


def line_positions(length: int, width: int) -> Tensor:
    """(length, width): sines and cosines, interleaved, of positions 0, 1, … (Vaswani et al. 2017, §3.5)."""
    return _waves(torch.arange(length, dtype=torch.float64), width).float()


def picture_positions(height: int, width: int, channels: int) -> Tensor:
    """(height·width, channels), row by row: the first half says how far down, the second how far across (DETR).

    Both run over 2π: the last row or column is at 2π, the first one step, not zero, before it.
    """
    down = torch.arange(1, height + 1, dtype=torch.float64) / (height + 1e-6) * 2 * math.pi
    across = torch.arange(1, width + 1, dtype=torch.float64) / (width + 1e-6) * 2 * math.pi
    rows = _waves(down, channels // 2)[:, None].expand(height, width, channels // 2)
    columns = _waves(across, channels // 2)[None].expand(height, width, channels // 2)
    return torch.cat([rows, columns], -1).flatten(0, 1).float()


def _waves(positions: Tensor, channels: int) -> Tensor:
    """(L,) → (L, channels): sin, cos, sin, cos … of ever longer wavelengths."""
    pairs = torch.arange(0, channels, 2, dtype=torch.float64)
    angles = positions[:, None] / _LONGEST ** (pairs / channels)
    return torch.stack([angles.sin(), angles.cos()], -1).flatten(1)
