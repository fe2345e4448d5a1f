"""Checkpoints as people have them: wrapped, nested, pointers, cameras of several sizes, weights that amplify rounding."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from station.errors import PolicyError
from station.policy.folder import load_policy

pytestmark = [pytest.mark.torch, pytest.mark.timeout(600)]


@pytest.mark.parametrize("key", ["model_state_dict", "state_dict", "model", "policy"])
@pytest.mark.parametrize("prefix", ["", "module.", "_orig_mod.", "module._orig_mod.", "_orig_mod.module."])
def test_what_wraps_the_weights_is_taken_off(tmp_path: Path, key: str, prefix: str) -> None:
    import torch

    from station.training.importing.tensors import read_checkpoint

    state = {f"{prefix}model.a.weight": torch.ones(2), f"{prefix}model.b.weight": torch.zeros(3)}
    optimizer = {"state": {0: {"exp_avg": torch.zeros(2)}}, "param_groups": [{"lr": 0.1}]}
    torch.save({key: state, "optimizer_state_dict": optimizer, "epoch": 3}, tmp_path / "nested.ckpt")
    torch.save(state, tmp_path / "plain.ckpt")
    for name in ("nested.ckpt", "plain.ckpt"):
        assert set(read_checkpoint(tmp_path / name)) == {"model.a.weight", "model.b.weight"}


def test_two_networks_and_two_names_are_refused(tmp_path: Path) -> None:
    import torch

    from station.training.importing.tensors import read_checkpoint

    torch.save({"model": {"a": torch.ones(1)}, "ema": {"a": torch.ones(1)}}, tmp_path / "two.ckpt")
    with pytest.raises(PolicyError, match="holds several networks: ema, model"):
        read_checkpoint(tmp_path / "two.ckpt")
    torch.save({"a._orig_mod.b": torch.ones(1), "a.b": torch.ones(1)}, tmp_path / "twice.ckpt")
    with pytest.raises(PolicyError, match=r"a\.b: is there twice"):
        read_checkpoint(tmp_path / "twice.ckpt")


def test_pointers_are_named(tmp_path: Path) -> None:
    from station.training.importing.tensors import read_checkpoint, read_safetensors

    path = tmp_path / "model.safetensors"
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")
    for read in (read_checkpoint, read_safetensors):
        with pytest.raises(PolicyError, match="Git LFS pointer"):
            read(path)


def test_cameras_of_different_sizes_are_cropped_to_their_own(tmp_path: Path) -> None:
    import torch

    from station.training.importing.lerobot import import_lerobot
    from station.training.networks.act import Act, ActShape
    from tests.torch import checkpoints

    pictures = torch.randn(1, 2, 3, 64, 96)
    shape: dict[str, Any] = dict(
        state_dim=3, action_dim=3, chunk=4, cameras=2, hidden_dim=16, heads=2, feedforward_dim=16
    )
    torch.manual_seed(0)
    one = Act(ActShape(**shape)).eval()
    several = Act(ActShape(**shape, sizes=((64, 96), (64, 96)))).eval()
    smaller = Act(ActShape(**shape, sizes=((64, 96), (32, 64)))).eval()
    for network in (several, smaller):
        network.load_state_dict(one.state_dict())
    with torch.no_grad():
        torch.testing.assert_close(several.see(pictures), one.see(pictures))
        wrist = one.see(pictures[:, 1:, :, :32, :64])
        seen = smaller.see(pictures)
        torch.testing.assert_close(seen.tokens[:, -wrist.tokens.shape[1] :], wrist.tokens)
        dirty = pictures.clone()
        dirty[:, 1, :, 32:], dirty[:, 1, :, :, 64:] = 1e6, -1e6
        torch.testing.assert_close(smaller.see(dirty), seen)
    golden = checkpoints.GOLDEN["lerobot_act"]["config"]
    features = {name: dict(feature) for name, feature in golden["input_features"].items()}
    features["observation.images.cam_left_wrist"]["shape"] = [3, 32, 64]
    folder = checkpoints.lerobot_folder(tmp_path / "lerobot", "lerobot_act", "new", input_features=features)
    done = import_lerobot(folder, tmp_path / "policy", units=("deg",) * 6 + ("%",) + ("rad",) * 7)
    assert done.differences[0].relative < 1e-4
    policy = load_policy(tmp_path / "policy")
    assert policy.image is not None
    size = policy.image.of("cam_left_wrist")
    assert (policy.image.width, policy.image.height, size.width, size.height) == (96, 64, 64, 32)
    assert policy.units == ("rad",) * 6 + ("1",) + ("rad",) * 7
    held = checkpoints.lerobot_statistics(True)["action.mean"].numpy()
    assert policy.normalization.action is not None
    expected = held * np.array([np.pi / 180] * 6 + [0.01] + [1.0] * 7)
    np.testing.assert_allclose(policy.normalization.action.mean, expected, rtol=1e-6)


def test_statistics_in_degrees_are_refused_and_the_way_out_is_named(tmp_path: Path) -> None:
    from station.policy.folder import Execution, Normalization, PolicyFile
    from station.policy.statistics import Statistics
    from station.training.importing.units import in_our_units

    degrees = Statistics(mean=(-60.0,) * 7, std=(35.0,) * 7)
    settings = PolicyFile(
        kind="act", backend="onnx", weights="w", state_dim=7, action_dim=7, chunk=4, rate_hz=50, execution=Execution("newest"),
        normalization=Normalization(degrees, degrees),
    )  # fmt: skip
    with pytest.raises(PolicyError, match=r"look like degrees.*--units deg"):
        in_our_units(settings, (), tmp_path)
    found, said = in_our_units(settings, ("deg",), tmp_path)
    assert found.normalization.action is not None and found.normalization.action.std[0] == pytest.approx(
        0.611, abs=1e-3
    )
    assert "converted from deg" in said[0]
    for units, says in [(("furlong",), "furlong"), (("deg", "deg"), "2 for 7")]:
        with pytest.raises(PolicyError, match=says):
            in_our_units(settings, units, tmp_path)


def test_rounding_that_the_weights_amplify_is_no_other_function() -> None:
    """The graph is compared with the exact answer where float32 alone is off by more than the fixed bound."""
    import torch

    from station.training import export

    class Sharp(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.sin(x * self.gain)

        gain = 3e3

    network = export.Network("g", Sharp().eval(), {"x": (1, 64)}, "y")

    class Graph:
        def __init__(self, wrong: float) -> None:
            self.wrong = wrong

        def run(self, x: np.ndarray) -> tuple[np.ndarray]:
            return (
                np.sin((x.astype(np.float32) * np.float32(1500)) * np.float32(2) * np.float32(1 + 1e-8)).astype(
                    np.float32
                )
                + self.wrong,
            )

    assert export._only_rounding(network, Graph(0.0))  # type: ignore[arg-type]
    assert not export._only_rounding(network, Graph(0.02))  # type: ignore[arg-type]
