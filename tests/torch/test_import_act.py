"""ACT's and act-plus-plus' checkpoints: what their own code computed from the same tensors, and what is refused."""

import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from station.errors import PolicyError
from station.policy.backend import Observation, open_backend
from station.policy.folder import load_policy

pytestmark = [pytest.mark.torch, pytest.mark.timeout(300)]


def source(folder: Path, case: str = "act", changes: dict[str, Any] | None = None, drop_base: bool = False) -> Any:
    from station.training.importing.act import ActSource
    from tests.torch import checkpoints

    paths = checkpoints.act_files(folder, case, **(changes or {}))
    return ActSource(*paths, checkpoints.CAMERAS, checkpoints.WIDTH, checkpoints.HEIGHT, heads=4, drop_base=drop_base)


def acts_as_theirs(folder: Path, case: str) -> None:
    """The policy in `folder` answers what `case`'s own code answered to the same tensors."""
    from tests.torch import checkpoints

    policy = load_policy(folder)
    assert (policy.action_offset_ticks, policy.cameras, policy.chunk) == (-1, checkpoints.CAMERAS, 6)
    assert policy.normalization.image is not None
    backend = open_backend(policy)
    state, images = checkpoints.observation()
    found = backend.infer(Observation(0, 0, state.numpy(), images.numpy()))
    expected = np.array(checkpoints.GOLDEN[case]["actions"])
    dims = expected.shape[1]
    in_units = expected * np.linspace(0.1, 2, dims) + np.linspace(-1, 1, dims)
    np.testing.assert_allclose(found, in_units[:, : policy.action_dim], atol=2e-5)


def test_the_command_writes_a_folder_that_acts_as_act_does(tmp_path: Path) -> None:
    from tests.torch import checkpoints

    checkpoint, statistics = map(str, checkpoints.act_files(tmp_path, "act"))
    folder = str(tmp_path / "policy")
    command = [
        str(Path(sys.executable).with_name("station")),
        "policy",
        "import",
        "act",
        checkpoint,
        "--stats",
        statistics,
    ]
    size = f"{checkpoints.WIDTH}x{checkpoints.HEIGHT}"
    command += ["--out", folder, "--cameras", ",".join(checkpoints.CAMERAS), "--image", size, "--heads", "4"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "from the torch network, of its largest output" in done.stdout
    assert "decoder: the first of 3 layers" in done.stdout
    assert "one for all cameras" in done.stdout
    acts_as_theirs(tmp_path / "policy", "act")
    again = subprocess.run(command, capture_output=True, text=True, check=False)
    assert again.returncode == 1
    assert "is there already" in again.stderr
    assert "Traceback" not in again.stderr


def test_act_plus_plus_has_a_backbone_per_camera_and_a_base(tmp_path: Path) -> None:
    from station.training.importing.act import import_act

    done = import_act(source(tmp_path, "actpp", drop_base=True), tmp_path / "policy")
    assert all(difference.relative < 1e-4 for difference in done.differences)
    assert any("backbone: one per camera" in note for note in done.notes)
    acts_as_theirs(tmp_path / "policy", "actpp")


def test_the_auto_encoder_is_theirs_too(tmp_path: Path) -> None:
    import torch

    from station.training.importing.act import load_act
    from station.training.importing.tensors import read_checkpoint
    from station.training.networks.act import act_loss
    from tests.torch import checkpoints

    given = source(tmp_path)
    network = load_act(given, read_checkpoint(given.checkpoint))
    state, images = checkpoints.observation()
    actions, is_pad = checkpoints.sample(6), torch.tensor([[False] * 4 + [True] * 2])
    torch.manual_seed(5)
    with torch.no_grad():
        found = network.reconstruct(state, images, actions, is_pad)
    golden = checkpoints.GOLDEN["act"]
    for name, tensor in [("mean", found.mean), ("log_variance", found.log_variance), ("reconstructed", found.actions)]:
        np.testing.assert_allclose(tensor[0], golden[name], atol=2e-5, err_msg=name)
    mean, log_variance = np.array(golden["mean"]), np.array(golden["log_variance"])
    loss = act_loss(found, actions, is_pad, kl_weight=10.0)
    np.testing.assert_allclose(
        float(loss.kl), 0.5 * (mean**2 + np.exp(log_variance) - 1 - log_variance).sum(), rtol=1e-4
    )
    l1 = (np.abs(np.array(golden["reconstructed"]) - actions[0].numpy()) * np.array([1, 1, 1, 1, 0, 0])[:, None]).mean()
    np.testing.assert_allclose([float(loss.l1), float(loss.total)], [l1, l1 + 10 * float(loss.kl)], rtol=1e-4)


def test_idle_decoder_layers_change_nothing(tmp_path: Path) -> None:
    from station.training.importing.act import load_act
    from station.training.importing.tensors import read_checkpoint
    from tests.torch import checkpoints

    last = "model.transformer.decoder.layers.2.linear2.bias"
    given = source(tmp_path, changes={last: checkpoints.weights({last: [32]}, seed=99)[last] * 100})
    state, images = checkpoints.observation()
    found = load_act(given, read_checkpoint(given.checkpoint))(state, images).detach()
    np.testing.assert_allclose(found[0], checkpoints.GOLDEN["act"]["actions"], atol=2e-5)


@pytest.mark.parametrize(
    ("name", "shape", "says"),
    [
        ("model.action_head.bias", None, "the tensor is missing; expected (14)"),
        ("model.query_embed.weight", None, "the tensor is missing"),
        ("model.transformer.encoder.layers.1.norm2.weight", [31], "expected a tensor (32); found (31)"),
        ("model.backbones.0.0.body.layer4.1.bn2.running_mean", None, "the tensor is missing; expected (512)"),
        ("model.transformer.decoder.layers.2.linear1.bias", [7], "expected a tensor (48); found (7)"),
        ("model.film.weight", [3, 3], "is not a tensor of this network"),
    ],
)
def test_a_tensor_that_does_not_fit_is_named(tmp_path: Path, name: str, shape: list[int] | None, says: str) -> None:
    from station.training.importing.act import import_act
    from tests.torch import checkpoints

    tensor = checkpoints.weights({name: shape})[name] if shape else None
    with pytest.raises(PolicyError) as caught:
        import_act(source(tmp_path, changes={name: tensor}), tmp_path / "policy")
    assert caught.value.key == name
    assert says in str(caught.value) and "policy_best.ckpt" in str(caught.value)
    assert not (tmp_path / "policy").exists()


def test_nan_and_codes_and_cameras_are_refused(tmp_path: Path) -> None:
    import torch

    from station.training.importing.act import import_act

    head = "model.action_head.weight"
    with pytest.raises(PolicyError, match=r"action_head\.weight: holds NaN or infinity"):
        import_act(source(tmp_path, changes={head: torch.full((14, 32), torch.nan)}), tmp_path / "policy")
    with pytest.raises(PolicyError, match="code of 32"):
        import_act(source(tmp_path, changes={"model.latent_proj.weight": torch.zeros(32, 32)}), tmp_path / "policy")
    with pytest.raises(PolicyError, match="2 backbones, 3 cameras"):
        import_act(source(tmp_path, "actpp")._replace(cameras=("a", "b", "c")), tmp_path / "policy")
    with pytest.raises(PolicyError, match="not a multiple of 5 heads"):
        import_act(source(tmp_path)._replace(heads=5), tmp_path / "policy")


def test_sixteen_numbers_are_imported_with_their_names_and_run(tmp_path: Path, runtime: str) -> None:
    """Two arms of seven joints: recorded, exported for ACT, a checkpoint of that width imported, and asked by the runner."""
    import msgspec

    from station.bus.requests import Done, StartPolicy
    from station.policy.claims import refuse_policy
    from station.training.importing.act import import_act
    from tests.station import mixed_arms
    from tests.station.datasets.exported import export_to
    from tests.station.datasets.recorded import Recorded, make
    from tests.station.policy.surroundings import Bench
    from tests.station.policy.surroundings import Runs as Runner
    from tests.torch import checkpoints

    name = "two of seven joints"
    arms = {
        side: msgspec.structs.replace(about, streams=about.streams[:1]) for side, about in mixed_arms.RIGS[name].items()
    }
    for number in range(2):
        make(tmp_path / "data", Recorded(30, tuple(arms), ("cam_high", "cam_left_wrist"), episode=number, arms=arms))
    export_to(tmp_path / "day", tmp_path / "data", "act", rate_hz=50.0)
    given = source(tmp_path / "ckpt", changes={"width": 16})._replace(dataset=tmp_path / "day")
    vector = mixed_arms.vector_of(name, tmp_path)
    held = {"mean": mixed_arms.middle(vector), "std": np.full(16, 0.1)}
    given.statistics.write_bytes(
        pickle.dumps({f"{of}_{what}": held[what].astype(np.float32) for of in ("qpos", "action") for what in held})
    )
    done = import_act(given, tmp_path / "policy")
    assert any("trained on day: left joint_1, joint_2" in note for note in done.notes)
    policy = load_policy(tmp_path / "policy")
    assert (policy.dim_names, policy.units) == (vector.names, vector.units)
    refuse_policy(policy, vector._replace(cameras=checkpoints.CAMERAS))
    other = mixed_arms.vector_of("a UR beside a ViperX", tmp_path)._replace(cameras=checkpoints.CAMERAS)
    with pytest.raises(PolicyError, match=r"16, but .* it wants left joint_1, .*; mixed has left shoulder_pan, "):
        refuse_policy(policy, other)
    with pytest.raises(PolicyError, match=r"16 numbers \(left joint_1, .*\), and the checkpoint's state_dim is 14"):
        import_act(source(tmp_path / "narrow")._replace(dataset=tmp_path / "day"), tmp_path / "no")
    assert not (tmp_path / "no").exists()
    with pytest.raises(PolicyError, match="name the folder that was exported"):
        import_act(given._replace(dataset=tmp_path / "nowhere"), tmp_path / "no")

    rig = mixed_arms.rig_of(name, tmp_path, checkpoints.CAMERAS)
    around = Bench(rig, mixed_arms.followers(name), tuple(mixed_arms.middle(vector).tolist()))
    runner = Runner(rig)
    try:
        around.load(tmp_path / "policy")
        assert isinstance(around.ask(StartPolicy()), Done)
        around.until(lambda: sum(not asked.hold for asked in around.setpoints) >= 3)
        goals = np.array([asked.goal for asked in around.setpoints if not asked.hold])
        assert goals.shape[1] == 16 and np.isfinite(goals).all()
    finally:
        runner.close()
        around.close()


class Runs:
    """Unpickled, it would run a command."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> Any:
        return os.system, (self.command,)


def test_a_checkpoint_that_calls_code_is_refused_by_name(tmp_path: Path) -> None:
    import torch

    from station.training.importing.tensors import read_checkpoint

    path, trace = tmp_path / "policy_best.ckpt", tmp_path / "ran"
    torch.save({"model.action_head.weight": torch.zeros(2), "x": Runs(f"touch {trace}")}, path)
    with pytest.raises(PolicyError, match=r"holds more than tensors: (posix|nt)\.system"):
        read_checkpoint(path)
    path.write_bytes(pickle.dumps({"x": Runs(f"touch {trace}")}))
    with pytest.raises(PolicyError, match="checkpoint"):
        read_checkpoint(path)
    assert not trace.exists()
    path.write_bytes(b"no checkpoint")
    with pytest.raises(PolicyError, match="checkpoint"):
        read_checkpoint(path)
    torch.save({"epoch": 3, "state_dict": {}}, path)
    with pytest.raises(PolicyError, match="dict of other things than tensors"):
        read_checkpoint(path)
