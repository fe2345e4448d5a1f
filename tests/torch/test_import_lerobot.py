"""LeRobot's folders: what its own code computed from the same tensors, both layouts, and what is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from station.errors import PolicyError
from station.policy.backend import Observation, open_backend
from station.policy.folder import load_policy
from station.policy.statistics import affine

pytestmark = [pytest.mark.torch, pytest.mark.timeout(300)]


@pytest.mark.parametrize(("layout", "same_eyes"), [("old", True), ("new", False)])
def test_act_acts_as_lerobot_does(tmp_path: Path, layout: str, same_eyes: bool) -> None:
    from station.training.importing.lerobot import import_lerobot
    from tests.torch import checkpoints

    folder = checkpoints.lerobot_folder(tmp_path / "lerobot", "lerobot_act", layout, same_eyes)
    done = import_lerobot(folder, tmp_path / "policy")
    assert done.differences[0].relative < 1e-4
    policy = load_policy(tmp_path / "policy")
    assert (policy.kind, policy.cameras, policy.action_offset_ticks) == ("act", checkpoints.CAMERAS, 0)
    assert policy.execution.steps == 6
    assert (policy.normalization.image is not None) == same_eyes
    held = checkpoints.lerobot_statistics(same_eyes)
    assert policy.normalization.action is not None
    np.testing.assert_allclose(policy.normalization.action.std, held["action.std"], rtol=1e-6)
    state, images = checkpoints.observation()
    if not same_eyes:  # the graph is given 0 … 1, and normalises by each camera's own
        eyes = [f"observation.images.{camera}" for camera in checkpoints.CAMERAS]
        images = images.clone()
        for i, eye in enumerate(eyes):
            images[:, i] = images[:, i] * held[f"{eye}.std"] + held[f"{eye}.mean"]
    found = open_backend(policy).infer(Observation(0, 0, state.numpy(), images.numpy()))
    expected = affine(policy.normalization.action, 14).unnormalise(
        np.array(checkpoints.GOLDEN["lerobot_act"]["actions"])
    )
    np.testing.assert_allclose(found, expected, atol=2e-5)


@pytest.mark.parametrize(
    ("case", "layout", "steps"), [("lerobot_diffusion", "old", 2), ("lerobot_diffusion_shared", "new", 1)]
)
def test_both_graphs_of_diffusion_compute_what_lerobot_does(tmp_path: Path, case: str, layout: str, steps: int) -> None:
    from station.policy.backends.onnx_graph import Graph
    from station.training.importing.lerobot import import_lerobot
    from tests.torch import checkpoints

    folder = checkpoints.lerobot_folder(tmp_path / "lerobot", case, layout)
    done = import_lerobot(folder, tmp_path / "policy", steps=5)
    assert [difference.file for difference in done.differences] == ["encoder.onnx", "denoiser.onnx"]
    assert all(difference.relative < 1e-4 for difference in done.differences)
    policy = load_policy(tmp_path / "policy")
    assert policy.diffusion is not None
    assert (policy.diffusion.sampler, policy.diffusion.steps, policy.diffusion.train_steps) == ("ddim", 5, 100)
    assert (policy.obs_steps, policy.action_offset_ticks) == (steps, 1 - steps)
    assert policy.execution.steps == checkpoints.GOLDEN[case]["config"]["n_action_steps"]
    assert policy.normalization.state is not None and policy.normalization.state.min[0] == pytest.approx(-1.6)
    golden = checkpoints.GOLDEN[case]
    state, images = checkpoints.observation(steps)
    observed = {"state": state.numpy(), "images": images.numpy()}
    if steps > 1:
        observed = {name: array[None] for name, array in observed.items()}
    condition = np.array([golden["condition"]], np.float32)
    encoder = Graph(
        tmp_path / "policy/encoder.onnx", {n: a.shape for n, a in observed.items()}, {"condition": condition.shape}
    )
    np.testing.assert_allclose(encoder.run(**observed)[0], condition, atol=3e-4)  # a softmax of large numbers
    noisy = {"sample": checkpoints.sample(8).numpy(), "timestep": np.array([37]), "condition": condition}
    denoiser = Graph(
        tmp_path / "policy/denoiser.onnx", {n: a.shape for n, a in noisy.items()}, {"prediction": (1, 8, 14)}
    )
    np.testing.assert_allclose(denoiser.run(**noisy)[0][0], golden["prediction"], atol=2e-5)


@pytest.mark.parametrize(
    ("case", "changes", "key", "says"),
    [
        ("lerobot_act", {"model.action_head.bias": None}, "model.action_head.bias", "missing"),
        ("lerobot_act", {"dim_feedforward": 64}, "model.encoder.layers.0.linear1.weight", "expected a tensor (64, 32); found (48, 32)"),
        ("lerobot_act", {"n_decoder_layers": 1}, "model.decoder.layers.1.linear1.bias", "is not a tensor of this network"),
        ("lerobot_diffusion", {"diffusion.unet.final_conv.1.bias": None}, "diffusion.unet.final_conv.1.bias", "missing"),
        ("lerobot_diffusion", {"crop_shape": None}, "diffusion.rgb_encoder.0.pool.pos_grid", "found (6, 2)"),
    ],
)  # fmt: skip
def test_a_tensor_that_does_not_fit_is_named(
    tmp_path: Path, case: str, changes: dict[str, Any], key: str, says: str
) -> None:
    from station.training.importing.lerobot import load_lerobot
    from tests.torch import checkpoints

    folder = checkpoints.lerobot_folder(tmp_path / "lerobot", case, "new", **changes)
    if key.endswith("pos_grid"):  # the crop makes no other map here; a picture of another size does
        config = (folder / "config.json").read_text().replace("64, 96", "128, 96")
        (folder / "config.json").write_text(config)
    with pytest.raises(PolicyError) as caught:
        load_lerobot(folder)
    assert caught.value.key == key
    assert says in str(caught.value)


def test_statistics_that_are_not_there_are_named(tmp_path: Path) -> None:
    from station.training.importing.lerobot import load_lerobot
    from tests.torch import checkpoints

    folder = checkpoints.lerobot_folder(tmp_path / "lerobot", "lerobot_act", "new")
    (folder / "policy_preprocessor.json").unlink()
    with pytest.raises(PolicyError, match=r"neither policy_preprocessor\.json nor statistics among its weights"):
        load_lerobot(folder)
    (folder / "model.safetensors").write_bytes(b"no tensors")
    with pytest.raises(PolicyError, match="cannot be read"):
        load_lerobot(folder)
