"""What a LeRobot folder was read into, and its normalisation as the station's: in policy.yaml where one set of numbers
serves all cameras, else in the graph.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from station.errors import PolicyError
from station.policy.folder import Normalization, PolicyFile
from station.policy.statistics import Statistics, affine
from station.training.export import Network
from station.training.importing.lerobot_config import Config, Seen, statistics_of
from station.training.importing.lerobot_processors import EPS, Numbers, Processors, read_processors
from station.training.importing.tensors import read_safetensors


class Source(NamedTuple):
    """A LeRobot folder, read."""

    path: Path
    seen: Seen
    tensors: Mapping[str, Tensor]
    """The network's, by LeRobot's names."""
    held: Mapping[str, Mapping[str, Numbers]]
    """Feature (its dots as underscores) → statistic → numbers."""
    cameras: tuple[str, ...]
    """The rig's names."""
    rate_hz: float
    eps: float = EPS

    @property
    def weights(self) -> Path:
        """Where the tensors are from."""
        return self.path / "model.safetensors"


class Loaded(NamedTuple):
    """A LeRobot policy as networks of ours, ready to be written."""

    settings: PolicyFile
    networks: tuple[Network, ...]
    notes: tuple[str, ...]


def processors(path: Path) -> Processors | None:
    """What the folder does before and after its network; None in the old layout. Raises PolicyError."""

    def numbers(file: Path) -> dict[str, Numbers]:
        return {name: tensor.double().numpy() for name, tensor in read_safetensors(file).items()}

    return read_processors(path, numbers)


def statistics_held(
    path: Path, told: Processors | None, old: Mapping[str, Mapping[str, Tensor]]
) -> dict[str, dict[str, Numbers]]:
    """Both layouts' statistics; the new one's where both are there. Raises PolicyError where neither is."""
    new = {name.replace(".", "_"): dict(held) for name, held in told.held.items()} if told is not None else {}
    former = {name: {key: tensor.double().numpy() for key, tensor in held.items()} for name, held in old.items()}
    if not new and not former:
        what = "the folder has neither policy_preprocessor.json nor statistics among its weights"
        raise PolicyError(path, "normalization", what, "import the folder that training saved, with all its files")
    return former | new


class CamerasNormalised(nn.Module):
    """A network whose cameras were normalised by numbers of their own each: that is done in the graph."""

    def __init__(self, network: nn.Module, centre: Tensor, scale: Tensor) -> None:
        """`centre`, `scale` (N, 3)."""
        super().__init__()
        self.network = network
        self.centre: Tensor
        self.scale: Tensor
        self.register_buffer("centre", centre.float()[:, :, None, None])
        self.register_buffer("scale", scale.float()[:, :, None, None])

    def forward(self, state: Tensor, images: Tensor) -> Tensor:
        """As the network's, with pictures 0 … 1."""
        out: Tensor = self.network(state, (images - self.centre) / self.scale)
        return out


def cameras_normalised(network: nn.Module, source: Source, config: Config) -> tuple[nn.Module, tuple[str, ...]]:
    """With what is to be said of it. The network itself where policy.yaml's one set of statistics serves all cameras."""
    each = _image_statistics(source, config)
    if len(set(each)) == 1:
        return network, ()
    maps = [affine(one, 3) for one in each]
    centre, scale = (torch.from_numpy(np.stack([getattr(one, part) for one in maps])) for part in ("centre", "scale"))
    return CamerasNormalised(network, centre, scale), ("each camera's own statistics are in the graph",)


def normalization(source: Source, config: Config) -> Normalization:
    """policy.yaml's. Raises PolicyError."""
    modes, seen = config.normalization_mapping, source.seen
    state, action = (
        statistics_of(source.path, modes.get(kind, "IDENTITY"), source.held, feature, dims, source.eps)
        for kind, feature, dims in [
            ("STATE", "observation.state", seen.state_dim),
            ("ACTION", "action", seen.action_dim),
        ]
    )
    images = set(_image_statistics(source, config))
    return Normalization(state, action, images.pop() if len(images) == 1 else None)


def _image_statistics(source: Source, config: Config) -> list[Statistics | None]:
    mode = config.normalization_mapping.get("VISUAL", "IDENTITY")
    if mode == "IDENTITY":
        return [None]
    return [statistics_of(source.path, mode, source.held, name, 3, source.eps) for name in source.seen.cameras]


def heading(source: Source) -> tuple[str, ...]:
    """What it was, and which camera is which."""
    order = ", ".join(f"{name} = {ours}" for name, ours in zip(source.seen.cameras, source.cameras, strict=True))
    return (f"imported from LeRobot's {source.path.name}", f"cameras, in the checkpoint's order: {order}")


def unmoved(source: Source, config: Config) -> tuple[str, ...]:
    """What never moved at training is multiplied by up to 1e8 when it moves now."""
    mode = config.normalization_mapping.get("STATE", "IDENTITY")
    if mode == "IDENTITY":
        return ()
    held = source.held["observation_state"]
    spread = held["std"] if mode == "MEAN_STD" else held["max"] - held["min"]
    still = np.flatnonzero(spread <= 100 * EPS).tolist()
    return (f"state dimensions {still} never moved at training: any other reading goes in enormous",) if still else ()
