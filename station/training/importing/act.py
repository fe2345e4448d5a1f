"""Checkpoints of ACT (tonyzhaozh/act) and act-plus-plus (MarkFzp/act-plus-plus), as a policy folder.

What their code does, and is done here too:

- Of the decoder's layers (7) only the first one's output is used, through the decoder's last normalisation.
- ACT has one backbone for all cameras, act-plus-plus one each; features are told apart by their place alone, so that the
  cameras' ORDER is part of the weights.
- On real data both train on the action recorded one step before the observation: `action_offset_ticks: -1`.
- The latent is 0; the network that estimates "is this padding" is not used.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from station.errors import PolicyError
from station.policy.folder import Execution, Image, Normalization, PolicyFile
from station.policy.statistics import Statistics
from station.training.export import Difference, export_act
from station.training.importing.pickled_statistics import read_statistics
from station.training.importing.tensors import Expected, dimension, expect, fill, layers, read_checkpoint
from station.training.importing.trained_on import named_by
from station.training.importing.units import in_our_units
from station.training.networks.act import Act, ActShape
from station.training.networks.resnet import ResNetShape

IMAGENET = Statistics(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
_THEIRS = {
    **{f"backbones.{i}.": f"model.backbones.{i}.0.body." for i in range(16)},
    "image_projection.": "model.input_proj.",
    "state_token.": "model.input_proj_robot_state.",
    "latent_token.": "model.latent_out_proj.",
    "token_positions": "model.additional_pos_embed.weight",
    "encoder.": "model.transformer.encoder.layers.",
    "decoder.": "model.transformer.decoder.layers.",
    "decoder_norm.": "model.transformer.decoder.norm.",
    "queries": "model.query_embed.weight",
    "action_head.": "model.action_head.",
    "posterior.start": "model.cls_embed.weight",
    "posterior.state.": "model.encoder_joint_proj.",
    "posterior.action.": "model.encoder_action_proj.",
    "posterior.layers.": "model.encoder.layers.",
    "posterior.head.": "model.latent_proj.",
}
"""Our names' prefixes → theirs."""


class ActSource(NamedTuple):
    """A checkpoint, and what it does not say of itself."""

    checkpoint: Path
    statistics: Path
    cameras: tuple[str, ...]
    """The rig's names, in the order of training (`camera_names` of the task)."""
    width: int = 640
    height: int = 480
    heads: int = 8
    trained_on: Literal["real", "sim"] = "real"
    drop_base: bool = False
    """act-plus-plus: leave out what the action has beyond the state, the mobile base's two."""
    units: tuple[str, ...] = ()
    """Of state and action at training, if not the station's."""
    dataset: Path | None = None
    """The exported dataset that it was trained on, which names its numbers."""


class Imported(NamedTuple):
    """What was written, and how near it is to its torch networks."""

    shape: str
    notes: tuple[str, ...]
    differences: tuple[Difference, ...]


def import_act(source: ActSource, folder: Path) -> Imported:
    """Write `folder`. Raises PolicyError naming the tensor or the number that is not as it should be."""
    found = read_checkpoint(source.checkpoint)
    statistics = read_statistics(source.statistics)
    network = load_act(source, found)
    shape = network.shape
    if source.drop_base:
        network = _without_base(network)
    settings = PolicyFile(
        kind="act", backend="onnx", weights="policy.onnx", cameras=source.cameras,
        image=Image(source.width, source.height), state_dim=shape.state_dim, action_dim=network.shape.action_dim,
        chunk=shape.chunk, rate_hz=50.0, action_offset_ticks=-1 if source.trained_on == "real" else 0,
        normalization=Normalization(
            _statistics(source.statistics, statistics, "qpos", shape.state_dim, shape.state_dim),
            _statistics(source.statistics, statistics, "action", shape.action_dim, network.shape.action_dim),
            IMAGENET,
        ),
        execution=Execution("ensemble", k=0.01),
    )  # fmt: skip
    settings, said = in_our_units(settings, source.units, source.statistics)
    settings, named = named_by(settings, source.dataset)
    notes = (
        f"imported from {source.checkpoint.name} and {source.statistics.name}",
        *_quirks(source, shape, found),
        *said,
        *named,
    )
    difference = export_act(network, folder, settings, notes)
    return Imported(f"ACT, hidden {shape.hidden_dim}, {shape.encoder_layers} encoder layers", notes, (difference,))


def load_act(source: ActSource, found: Mapping[str, Tensor]) -> Act:
    """The network of a checkpoint, its weights loaded. Raises PolicyError."""
    path = source.checkpoint
    chunk, hidden = (dimension(path, found, "model.query_embed.weight", axis) for axis in (0, 1))
    latent = dimension(path, found, "model.latent_out_proj.weight", 1)
    _refuse_codes(path, found, latent)
    if hidden % source.heads:
        raise PolicyError(
            path, "heads", f"{hidden} numbers per token, not a multiple of {source.heads} heads", "give --heads"
        )
    backbones = layers(found, "model.backbones")
    if backbones not in (1, len(source.cameras)):
        found_text = f"the checkpoint has {backbones} backbones, {len(source.cameras)} cameras are named"
        raise PolicyError(path, "cameras", found_text, "name the cameras of training, in its order")
    shape = ActShape(
        state_dim=dimension(path, found, "model.input_proj_robot_state.weight", 1),
        action_dim=dimension(path, found, "model.action_head.weight", 0),
        chunk=chunk,
        cameras=len(source.cameras),
        hidden_dim=hidden,
        feedforward_dim=dimension(path, found, "model.transformer.encoder.layers.0.linear1.weight", 0),
        heads=source.heads,
        encoder_layers=layers(found, "model.transformer.encoder.layers"),
        decoder_layers=1,
        posterior_layers=layers(found, "model.encoder.layers"),
        latent_dim=latent,
        backbone=_backbone(found),
        backbone_per_camera=backbones > 1,
    )
    network = Act(shape)
    fill(network, path, found, {**expect(network, _THEIRS, _unused(shape, found)), **_idle_decoder(found)})
    return network


def _backbone(found: Mapping[str, Tensor]) -> ResNetShape:
    """18 or 34 layers: told by how many blocks there are."""
    blocks = tuple(layers(found, f"model.backbones.0.0.body.layer{i}") for i in range(1, 5))
    return ResNetShape(blocks=(3, 4, 6, 3)) if blocks == (3, 4, 6, 3) else ResNetShape()


def _refuse_codes(path: Path, found: Mapping[str, Tensor], latent: int) -> None:
    if "model.latent_proj.weight" in found and found["model.latent_proj.weight"].shape[0] == latent:
        what = f"its latent is a code of {latent} (act-plus-plus --use_vq), for which a second network is needed"
        raise PolicyError(path, "model.latent_proj.weight", what, "train without --use_vq")


def _unused(shape: ActShape, found: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    """Tensors that running the policy does not need, besides the idle decoder layers."""
    hidden = shape.hidden_dim
    unused: dict[str, tuple[int, ...]] = {
        "model.is_pad_head.weight": (1, hidden),
        "model.is_pad_head.bias": (1,),
        "model.pos_table": (1, 2 + shape.chunk, hidden),
    }
    if not shape.posterior_layers:  # act-plus-plus --no_encoder: its ends are there all the same
        unused |= {"model.cls_embed.weight": (1, hidden)}
        for name, length in [("joint", shape.state_dim), ("action", shape.action_dim)]:
            unused |= {
                f"model.encoder_{name}_proj.weight": (hidden, length),
                f"model.encoder_{name}_proj.bias": (hidden,),
            }
        unused |= {
            "model.latent_proj.weight": (2 * shape.latent_dim, hidden),
            "model.latent_proj.bias": (2 * shape.latent_dim,),
        }
    counters = [name for name in found if name.endswith(".num_batches_tracked")]
    return unused | dict.fromkeys(counters, ())


def _idle_decoder(found: Mapping[str, Tensor]) -> dict[str, Expected]:
    """Decoder layers 1 and up: shaped like layer 0, trained for nothing."""
    prefix = "model.transformer.decoder.layers."
    first = {
        name.removeprefix(f"{prefix}0."): tensor for name, tensor in found.items() if name.startswith(f"{prefix}0.")
    }
    return {
        f"{prefix}{layer}.{name}": Expected(tuple(tensor.shape), "")
        for layer in range(1, layers(found, prefix.rstrip(".")))
        for name, tensor in first.items()
    }


def _without_base(network: Act) -> Act:
    kept = network.shape.state_dim
    smaller = Act(msgspec.structs.replace(network.shape, action_dim=kept, posterior_layers=0))
    tensors = network.state_dict()
    for name in ("action_head.weight", "action_head.bias"):
        tensors[name] = tensors[name][:kept]
    smaller.load_state_dict({name: value for name, value in tensors.items() if not name.startswith("posterior.")})
    smaller.eval()
    return smaller


def _statistics(path: Path, held: Mapping[str, NDArray[np.float64]], name: str, dims: int, kept: int) -> Statistics:
    fix = "name the dataset_stats.pkl of this checkpoint's training"
    for key in (f"{name}_mean", f"{name}_std"):
        if key not in held:
            raise PolicyError(path, key, f"missing; it holds {', '.join(held) or 'no arrays'}", fix)
        if held[key].shape != (dims,):
            raise PolicyError(path, key, f"{held[key].shape} numbers; the checkpoint has {dims} dimensions", fix)
    mean, std = (tuple(held[f"{name}_{part}"][:kept].tolist()) for part in ("mean", "std"))
    return Statistics(mean=mean, std=std)


def _quirks(source: ActSource, shape: ActShape, found: Mapping[str, Tensor]) -> Sequence[str]:
    decoders = layers(found, "model.transformer.decoder.layers")
    quirks = [
        f"decoder: the first of {decoders} layers, as its code has it",
        f"backbone: {'one per camera' if shape.backbone_per_camera else 'one for all cameras'}; the cameras' order is part of it",
    ]
    if source.trained_on == "real":
        quirks.append("row 0 is the action one step before the observation: trained on real data (--trained-on)")
    if source.drop_base:
        quirks.append(f"action: the first {shape.state_dim} of {shape.action_dim}; the mobile base is left out")
    return quirks
