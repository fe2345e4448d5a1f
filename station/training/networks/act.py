"""ACT: Action Chunking with Transformers (Zhao et al. 2023), as a network to train, to load weights into and to export.

A conditional variational auto-encoder over chunks of actions. While training, the posterior looks at the true chunk and
says where its latent lies; the decoder reconstructs the chunk from the observation and that latent. Running, the latent
is 0, the prior's mean, and the posterior is not used.
"""

from typing import NamedTuple

import msgspec
import torch
from torch import Tensor, nn

from station.training.networks.resnet import ResNet, ResNetShape
from station.training.networks.transformer import DecoderLayer, EncoderLayer, line_positions, picture_positions

_OWN_TOKENS = 2
"""Before the pictures' tokens: the latent's, the state's."""


class ActShape(msgspec.Struct, frozen=True):
    """What distinguishes one ACT from another. The defaults are those of the paper's real-world policies, but for
    `decoder_layers`: its code has 7 and uses the first one's output only.
    """

    state_dim: int
    action_dim: int
    chunk: int
    cameras: int
    hidden_dim: int = 512
    feedforward_dim: int = 3200
    heads: int = 8
    encoder_layers: int = 4
    decoder_layers: int = 1
    posterior_layers: int = 4
    """0: without a posterior; it then cannot be trained as an auto-encoder."""
    latent_dim: int = 32
    dropout: float = 0.1
    backbone: ResNetShape = ResNetShape()
    backbone_per_camera: bool = False
    """act-plus-plus has one each; ACT and LeRobot share one."""
    sizes: tuple[tuple[int, int], ...] = ()
    """(height, width) of each camera's pictures where they differ: each lies at the top left of what is given."""


class Seen(NamedTuple):
    """Pictures as the transformer takes them."""

    tokens: Tensor
    """(B, N·h·w, hidden_dim)."""
    places: Tensor
    """Where in its picture each one is, (N·h·w, hidden_dim)."""


class Reconstruction(NamedTuple):
    """A chunk as the auto-encoder gives it back, and its latent's distribution."""

    actions: Tensor
    """(B, chunk, action_dim)."""
    mean: Tensor
    """(B, latent_dim)."""
    log_variance: Tensor
    """(B, latent_dim)."""


class Loss(NamedTuple):
    """Scalars; `total` is what to descend."""

    total: Tensor
    l1: Tensor
    kl: Tensor


class Posterior(nn.Module):
    """Where the latent of a true chunk lies, given the state: [start, state, action 0, action 1, …] → mean, log variance."""

    def __init__(self, shape: ActShape) -> None:
        super().__init__()
        width = shape.hidden_dim
        self.start = nn.Parameter(torch.randn(1, width))
        self.state = nn.Linear(shape.state_dim, width)
        self.action = nn.Linear(shape.action_dim, width)
        self.layers = nn.ModuleList(
            EncoderLayer(width, shape.heads, shape.feedforward_dim, shape.dropout)
            for _ in range(shape.posterior_layers)
        )
        self.head = nn.Linear(width, 2 * shape.latent_dim)
        self.positions: Tensor
        self.register_buffer("positions", line_positions(_OWN_TOKENS + shape.chunk, width), persistent=False)

    def forward(self, state: Tensor, actions: Tensor, is_pad: Tensor) -> tuple[Tensor, Tensor]:
        """`state` (B, S), `actions` (B, chunk, A), `is_pad` (B, chunk) bool → mean, log variance (B, latent)."""
        start = self.start.expand(len(state), 1, -1)
        x = torch.cat([start, self.state(state)[:, None], self.action(actions)], 1)
        is_pad = torch.cat([is_pad.new_zeros(len(state), _OWN_TOKENS), is_pad], 1)
        for layer in self.layers:
            x = layer(x, self.positions, is_pad)
        mean, log_variance = self.head(x[:, 0]).chunk(2, -1)
        return mean, log_variance


class Act(nn.Module):
    """Everything normalised outside: state and actions by the training set's statistics, pictures by ImageNet's."""

    def __init__(self, shape: ActShape) -> None:
        super().__init__()
        self.shape = shape
        width = shape.hidden_dim
        self.backbones = nn.ModuleList(
            ResNet(shape.backbone) for _ in range(shape.cameras if shape.backbone_per_camera else 1)
        )
        self.image_projection = nn.Conv2d(shape.backbone.widths[-1], width, 1)
        self.state_token = nn.Linear(shape.state_dim, width)
        self.latent_token = nn.Linear(shape.latent_dim, width)
        self.token_positions = nn.Parameter(torch.randn(_OWN_TOKENS, width))
        layer = (width, shape.heads, shape.feedforward_dim, shape.dropout)
        self.encoder = nn.ModuleList(EncoderLayer(*layer) for _ in range(shape.encoder_layers))
        self.decoder = nn.ModuleList(DecoderLayer(*layer) for _ in range(shape.decoder_layers))
        self.decoder_norm = nn.LayerNorm(width)
        self.queries = nn.Parameter(torch.randn(shape.chunk, width))
        self.action_head = nn.Linear(width, shape.action_dim)
        self.posterior = Posterior(shape) if shape.posterior_layers else None
        for parameter in (*self.encoder.parameters(), *self.decoder.parameters()):
            if parameter.dim() > 1:
                nn.init.xavier_uniform_(parameter)

    def forward(self, state: Tensor, images: Tensor) -> Tensor:
        """`state` (B, state_dim), `images` (B, cameras, 3, H, W) → actions (B, chunk, action_dim), from the latent 0."""
        return self.decide(state, self.see(images), state.new_zeros(len(state), self.shape.latent_dim))

    def reconstruct(self, state: Tensor, images: Tensor, actions: Tensor, is_pad: Tensor) -> Reconstruction:
        """For training: `actions` (B, chunk, action_dim), `is_pad` (B, chunk) bool where the episode was over.

        Raises ValueError where there is no posterior.
        """
        if self.posterior is None:
            raise ValueError("this ACT was made without a posterior (posterior_layers 0)")
        mean, log_variance = self.posterior(state, actions, is_pad)
        latent = mean + torch.exp(log_variance / 2) * torch.randn_like(mean)
        return Reconstruction(self.decide(state, self.see(images), latent), mean, log_variance)

    def decide(self, state: Tensor, seen: Seen, latent: Tensor) -> Tensor:
        """What to do about what is `seen`: `state` (B, state_dim), `latent` (B, latent_dim) → (B, chunk, action_dim)."""
        x = torch.cat([self.latent_token(latent)[:, None], self.state_token(state)[:, None], seen.tokens], 1)
        positions = torch.cat([self.token_positions, seen.places], 0)
        for layer in self.encoder:
            x = layer(x, positions)
        rows = torch.zeros_like(self.queries).expand(len(state), -1, -1)
        for layer in self.decoder:
            rows = layer(rows, self.queries, x, positions)
        actions: Tensor = self.action_head(self.decoder_norm(rows))
        return actions

    def see(self, images: Tensor) -> Seen:
        """(B, N, 3, H, W) → tokens, camera by camera.

        Attention does not care for the order of tokens; ACT's own code has them row by row across all cameras.
        """
        batch, cameras = images.shape[:2]
        if self.shape.sizes:
            seen = [self._see_one(i, images[:, i, :, :h, :w]) for i, (h, w) in enumerate(self.shape.sizes)]
            return Seen(torch.cat([one.tokens for one in seen], 1), torch.cat([one.places for one in seen], 0))
        if self.shape.backbone_per_camera:
            maps = torch.stack([net(images[:, i]) for i, net in enumerate(self.backbones)], 1).flatten(0, 1)
        else:
            maps = self.backbones[0](images.flatten(0, 1))
        features = self.image_projection(maps)
        height, width = features.shape[-2:]
        tokens = features.flatten(2).transpose(1, 2).reshape(batch, cameras * height * width, -1)
        places = picture_positions(height, width, self.shape.hidden_dim).to(tokens)
        return Seen(tokens, places.repeat(cameras, 1))

    def _see_one(self, camera: int, picture: Tensor) -> Seen:
        """(B, 3, h, w) of one camera."""
        net = self.backbones[camera if self.shape.backbone_per_camera else 0]
        features = self.image_projection(net(picture))
        tokens = features.flatten(2).transpose(1, 2)
        height, width = features.shape[-2:]
        return Seen(tokens, picture_positions(height, width, self.shape.hidden_dim).to(tokens))


def act_loss(found: Reconstruction, actions: Tensor, is_pad: Tensor, kl_weight: float = 10.0) -> Loss:
    """ACT's: mean |error|, padding counted as 0, plus `kl_weight` × KL(posterior ‖ N(0, 1)) summed over the latent."""
    l1 = ((found.actions - actions).abs() * ~is_pad[..., None]).mean()
    kl = -0.5 * (1 + found.log_variance - found.mean**2 - found.log_variance.exp()).sum(-1).mean()
    return Loss(l1 + kl_weight * kl, l1, kl)
