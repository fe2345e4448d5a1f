"""The network that a training script takes: it learns, and what it learnt is exported small."""

from pathlib import Path

import numpy as np
import pytest

from station.policy.backend import Observation, open_backend
from station.policy.folder import Execution, Image, Normalization, PolicyFile, load_policy
from station.policy.statistics import Statistics

pytestmark = [pytest.mark.torch, pytest.mark.timeout(300)]


def test_a_small_act_learns_and_is_exported(tmp_path: Path) -> None:
    import torch

    from station.training.export import export_act
    from station.training.networks.act import Act, ActShape, act_loss
    from station.training.networks.resnet import ResNetShape

    torch.manual_seed(0)
    backbone = ResNetShape(widths=(16, 16, 32, 32), blocks=(1, 1, 1, 1), norm="group")
    shape = ActShape(
        state_dim=3, action_dim=3, chunk=8, cameras=2, hidden_dim=32, feedforward_dim=64, heads=4, encoder_layers=1,
        posterior_layers=1, latent_dim=8, dropout=0.0, backbone=backbone,
    )  # fmt: skip
    network = Act(shape)
    state, images = torch.randn(4, 3), torch.randn(4, 2, 3, 48, 64)
    actions = state[:, None] * torch.linspace(0, 1, 8)[None, :, None]
    is_pad = torch.zeros(4, 8, dtype=torch.bool)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3)
    losses = []
    for _ in range(60):
        loss = act_loss(network.reconstruct(state, images, actions, is_pad), actions, is_pad, kl_weight=1.0)
        optimizer.zero_grad()
        loss.total.backward()
        optimizer.step()
        losses.append(float(loss.l1.detach()))
    assert np.mean(losses[-5:]) < 0.5 * np.mean(losses[:5])
    identity = Statistics(mean=(0.0,) * 3, std=(1.0,) * 3)
    settings = PolicyFile(
        kind="act", backend="onnx", weights="policy.onnx", cameras=("cam_high", "cam_low"), image=Image(64, 48),
        state_dim=3, action_dim=3, chunk=8, rate_hz=50.0, normalization=Normalization(identity, identity),
        execution=Execution("ensemble", k=0.01),
    )  # fmt: skip
    assert export_act(network, tmp_path / "policy", settings, ["trained by a test"]).relative < 1e-4
    assert (tmp_path / "policy" / "policy.onnx").stat().st_size < 2_000_000
    assert (tmp_path / "policy" / "policy.yaml").read_text().startswith("# trained by a test\nkind: act\n")
    policy = load_policy(tmp_path / "policy")
    found = open_backend(policy).infer(Observation(0, 0, state[:1].numpy(), images[:1].numpy()))
    with torch.no_grad():
        np.testing.assert_allclose(found, network(state, images)[0], atol=1e-4)


def test_frozen_statistics_stay_frozen_while_training() -> None:
    import torch

    from station.training.networks.resnet import ResNet, ResNetShape

    network = ResNet(ResNetShape(widths=(8, 8, 8, 8))).train()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items() if "bn" in name}
    network(torch.randn(2, 3, 64, 64)).sum().backward()
    assert all(torch.equal(tensor, network.state_dict()[name]) for name, tensor in before.items())
    assert not any(p.requires_grad for name, p in network.named_parameters() if "bn" in name)


def test_without_a_posterior_it_cannot_be_trained_as_one() -> None:
    import torch

    from station.training.networks.act import Act, ActShape
    from station.training.networks.resnet import ResNetShape

    backbone = ResNetShape(widths=(8, 8, 8, 8))
    network = Act(
        ActShape(3, 3, 4, 1, hidden_dim=16, feedforward_dim=16, heads=2, posterior_layers=0, backbone=backbone)
    )
    with pytest.raises(ValueError, match="without a posterior"):
        network.reconstruct(
            torch.zeros(1, 3), torch.zeros(1, 1, 3, 64, 64), torch.zeros(1, 4, 3), torch.zeros(1, 4) > 0
        )
