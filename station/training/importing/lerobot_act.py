"""LeRobot's ACT: its settings and its tensors' names, in terms of our network."""

from station.policy.folder import Execution, Image, PolicyFile, Size
from station.training.export import Network
from station.training.importing.lerobot_config import BLOCKS, ActConfig
from station.training.importing.lerobot_source import (
    Loaded,
    Source,
    cameras_normalised,
    heading,
    normalization,
    unmoved,
)
from station.training.importing.tensors import expect, fill
from station.training.networks.act import Act, ActShape
from station.training.networks.resnet import ResNetShape

_THEIRS = {
    "backbones.0.": "model.backbone.",
    "image_projection.": "model.encoder_img_feat_input_proj.",
    "state_token.": "model.encoder_robot_state_input_proj.",
    "latent_token.": "model.encoder_latent_input_proj.",
    "token_positions": "model.encoder_1d_feature_pos_embed.weight",
    "encoder.": "model.encoder.layers.",
    "decoder.": "model.decoder.layers.",
    "decoder_norm.": "model.decoder.norm.",
    "queries": "model.decoder_pos_embed.weight",
    "action_head.": "model.action_head.",
    "posterior.start": "model.vae_encoder_cls_embed.weight",
    "posterior.state.": "model.vae_encoder_robot_state_input_proj.",
    "posterior.action.": "model.vae_encoder_action_input_proj.",
    "posterior.layers.": "model.vae_encoder.layers.",
    "posterior.head.": "model.vae_encoder_latent_output_proj.",
}
"""Our names' prefixes → theirs."""


def load_act(source: Source, config: ActConfig) -> Loaded:
    """Raises PolicyError."""
    seen, cameras = source.seen, len(source.cameras)
    shape = ActShape(
        state_dim=seen.state_dim,
        action_dim=seen.action_dim,
        chunk=config.chunk_size,
        cameras=cameras,
        hidden_dim=config.dim_model,
        feedforward_dim=config.dim_feedforward,
        heads=config.n_heads,
        encoder_layers=config.n_encoder_layers,
        decoder_layers=config.n_decoder_layers,
        posterior_layers=config.n_vae_encoder_layers if config.use_vae else 0,
        latent_dim=config.latent_dim,
        backbone=ResNetShape(blocks=BLOCKS[config.vision_backbone]),
        sizes=seen.sizes,
    )
    network = Act(shape)
    unused = {"model.vae_encoder_pos_enc": (1, 2 + shape.chunk, shape.hidden_dim)} if config.use_vae else {}
    fill(network, source.weights, source.tensors, expect(network, _THEIRS, unused))
    k = config.temporal_ensemble_coeff
    settings = PolicyFile(
        kind="act",
        backend="onnx",
        weights="policy.onnx",
        cameras=source.cameras,
        image=Image(seen.width, seen.height, sizes=_smaller(source)),
        state_dim=seen.state_dim,
        action_dim=seen.action_dim,
        chunk=shape.chunk,
        rate_hz=source.rate_hz,
        normalization=normalization(source, config),
        execution=Execution("receding", steps=config.n_action_steps) if k is None else Execution("ensemble", k=k),
    )
    module, notes = cameras_normalised(network, source, config)
    inputs = {"state": (1, seen.state_dim), "images": (1, cameras, 3, seen.height, seen.width)}
    graph = Network(settings.weights, module, inputs, "actions")
    return Loaded(settings, (graph,), (*heading(source), *notes, *unmoved(source, config)))


def _smaller(source: Source) -> dict[str, Size]:
    """The cameras whose pictures are not as large as what all are given in."""
    seen = source.seen
    sizes = zip(source.cameras, seen.sizes, strict=True) if seen.sizes else ()
    return {
        camera: Size(width, height) for camera, (height, width) in sizes if (height, width) != (seen.height, seen.width)
    }
