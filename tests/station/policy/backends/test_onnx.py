"""Real graphs in the real ONNX Runtime."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper

from station.errors import PolicyError
from station.policy.backend import Observation, blank_observation, checked, open_backend
from station.policy.backends.ddim import Scheduler
from station.policy.folder import load_policy
from station.policy.identity import identity
from tests.station.policy import policies

STATS = policies.settings()["normalization"]
ACTION = STATS["action"]
NO_CAMERA: dict[str, Any] = {"cameras": [], "image": None}


def test_act_answers_in_physical_units(tmp_path: Path) -> None:
    policy = load_policy(policies.write(tmp_path))
    backend = open_backend(policy)
    blank = blank_observation(policy)
    state = np.array([[0.5, -1.0, 2.0]], np.float32)
    observation = Observation(1, 0, state, blank.images + np.float32(0.25))
    actions = checked(policy, backend.infer(observation))
    rows = np.arange(1, 5)[:, None] * state + 0.25
    np.testing.assert_allclose(actions, rows * ACTION["std"] + ACTION["mean"], atol=1e-5)
    backend.close()


@pytest.mark.parametrize("changes", [NO_CAMERA, {"obs_steps": 2}, NO_CAMERA | {"obs_steps": 3}])
def test_without_cameras_and_with_history(tmp_path: Path, changes: dict[str, Any]) -> None:
    policy = load_policy(policies.write(tmp_path, **changes))
    backend = open_backend(policy)
    blank = blank_observation(policy)
    state = blank.state.copy()
    state[-1] = 1.0
    actions = checked(policy, backend.infer(Observation(1, 0, state, blank.images)))
    expected = np.arange(1, 5)[:, None] * np.ones(3) * ACTION["std"] + ACTION["mean"]
    np.testing.assert_allclose(actions, expected, atol=1e-5)


def test_a_free_batch_axis_is_taken(tmp_path: Path) -> None:
    policies.write(tmp_path, graph=False)
    policies.act(tmp_path / "policy.onnx", policies.settings(), batch="batch")
    policy = load_policy(tmp_path)
    assert checked(policy, open_backend(policy).infer(blank_observation(policy))).shape == (4, 3)


@pytest.mark.parametrize(
    ("graph", "key", "says"),
    [
        ({"chunk": 5}, "output actions", "has shape (1, 5, 3), policy.yaml says (1, 4, 3)"),
        ({"state_dim": 4}, "input state", "(1, 4), policy.yaml says (1, 3)"),
        ({"cameras": ["a", "b"]}, "input images", "(1, 2, 3, 6, 8), policy.yaml says (1, 1, 3, 6, 8)"),
        ({"image": {"width": 6, "height": 8}}, "input images", "(1, 1, 3, 8, 6)"),
        ({"cameras": []}, "input images", "missing; the graph has state"),
        ({"obs_steps": 2}, "input state", "(1, 2, 3), policy.yaml says (1, 3)"),
    ],
)
def test_a_graph_that_does_not_fit_is_named(tmp_path: Path, graph: dict[str, Any], key: str, says: str) -> None:
    policies.write(tmp_path, graph=False)
    policies.act(tmp_path / "policy.onnx", policies.settings() | graph)
    with pytest.raises(PolicyError) as caught:
        open_backend(load_policy(tmp_path))
    assert caught.value.key == key
    assert says in str(caught.value)
    assert "policy.onnx" in str(caught.value)


def test_an_input_that_nothing_feeds_and_a_wrong_type(tmp_path: Path) -> None:
    policies.write(tmp_path, **NO_CAMERA)
    path = tmp_path / "policy.onnx"
    model = onnx.load(path)
    model.graph.input.append(helper.make_tensor_value_info("goal", policies.FLOAT, [1]))
    onnx.save(model, path)
    with pytest.raises(PolicyError, match="input goal: nothing is known to feed it"):
        open_backend(load_policy(tmp_path))
    model.graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.DOUBLE
    model.graph.node[0].op_type, model.graph.node[0].input[:] = "Cast", ["state"]
    model.graph.node[0].attribute.append(helper.make_attribute("to", policies.FLOAT))
    del model.graph.input[1], model.graph.node[1:], model.graph.initializer[:]
    model.graph.node[0].output[:] = ["actions"]
    onnx.save(model, path)
    with pytest.raises(PolicyError, match=r"input state: is tensor\(double\)"):
        open_backend(load_policy(tmp_path))


def test_bytes_that_are_no_graph(tmp_path: Path) -> None:
    policies.write(tmp_path, graph=False)
    (tmp_path / "policy.onnx").write_bytes(b"not a graph")
    with pytest.raises(PolicyError, match="not an ONNX graph"):
        open_backend(load_policy(tmp_path))


def diffusion(folder: Path, **settings: Any) -> Path:
    section = {"denoiser": "denoiser.onnx", "train_steps": 50, "steps": 5} | settings
    changes = NO_CAMERA | {"kind": "diffusion", "weights": "encoder.onnx", "diffusion": section}
    policies.write(folder, graph=False, **changes)
    wanted = policies.settings(**changes)
    policies.encoder(folder / "encoder.onnx", wanted)
    policies.denoiser(folder / "denoiser.onnx", wanted)
    return folder


@pytest.mark.parametrize("sampler", ["ddim", "ddpm"])
def test_diffusion_is_its_schedule_applied_to_its_graphs(tmp_path: Path, sampler: str) -> None:
    policy = load_policy(diffusion(tmp_path, sampler=sampler, seed=11))
    backend = open_backend(policy)
    state = np.array([[0.3, 0.6, -0.3]], np.float32)
    actions = checked(policy, backend.infer(blank_observation(policy)._replace(state=state)))
    random = np.random.default_rng(11)
    sample = random.standard_normal((1, 4, 3), dtype=np.float32)
    assert policy.diffusion is not None
    scheduler = Scheduler(policy.diffusion)
    for i, t in enumerate(scheduler.timesteps):
        prediction = sample / 2 + np.float32(t / 1000) + state.mean()
        noise = random.standard_normal((1, 4, 3), dtype=np.float32) if sampler == "ddpm" and i < 4 else None
        sample = scheduler.step(i, sample, prediction, noise)
    np.testing.assert_allclose(actions, sample[0] * ACTION["std"] + ACTION["mean"], atol=1e-4)


def test_diffusion_repeats_a_rollout_by_its_seed(tmp_path: Path) -> None:
    policy = load_policy(diffusion(tmp_path))
    backend = open_backend(policy)
    blank = blank_observation(policy)
    first, second = backend.infer(blank), backend.infer(blank)
    assert not np.array_equal(first, second)
    backend.begin()
    assert np.array_equal(backend.infer(blank), first)
    assert np.array_equal(backend.infer(blank), second)


def test_a_denoiser_that_does_not_fit_is_named(tmp_path: Path) -> None:
    diffusion(tmp_path)
    policies.denoiser(tmp_path / "denoiser.onnx", policies.settings(chunk=5))
    with pytest.raises(PolicyError, match=r"denoiser\.onnx: input sample: has shape \(1, 5, 3\)"):
        open_backend(load_policy(tmp_path))


def test_weights_in_a_data_file_are_part_of_the_policy_and_their_file_is_named(tmp_path: Path) -> None:
    """What today's exporters write of a large network: a graph, and its weights in a file beside it."""
    folder = policies.write(tmp_path / "policy", cameras=[], image=None)
    path, data = folder / "policy.onnx", folder / "policy.onnx.data"
    state = [helper.make_tensor_value_info("state", policies.FLOAT, [1, 3])]
    add = helper.make_node("Add", ["state", "weights"], ["actions"])
    policies.save(path, [add], state, {"actions": [1, 4, 3]}, {"weights": np.ones((1, 4, 3), np.float32)})
    onnx.save(onnx.load(path), path, save_as_external_data=True, location=data.name, size_threshold=0)
    policy = load_policy(folder)
    before = identity(policy)
    assert open_backend(policy).infer(blank_observation(policy)).shape == (4, 3)
    data.write_bytes(data.read_bytes()[::-1])
    assert identity(policy) != before and "policy.onnx.data sha256:" in before
    data.write_bytes(b"cut")
    with pytest.raises(PolicyError, match="its data file is shorter than the graph says"):
        open_backend(policy)
    data.rename(folder / "elsewhere")
    with pytest.raises(
        PolicyError,
        match=r"its data file policy\.onnx\.data is missing\. Fix: put policy\.onnx\.data beside policy\.onnx",
    ):
        open_backend(policy)
