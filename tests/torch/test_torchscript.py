"""A TorchScript module as a policy."""

from pathlib import Path

import numpy as np
import pytest

from station.errors import BackendFault, PolicyError
from station.policy.backend import Observation, blank_observation, checked, open_backend
from station.policy.folder import load_policy
from station.policy.warm_up import forgets, warm_up
from tests.station.policy import policies

pytestmark = [pytest.mark.torch, pytest.mark.timeout(300)]
ACTION = policies.settings()["normalization"]["action"]


def save(path: Path, rows: int = 4, dims: int = 3) -> None:
    """Row i is (i + 1) × the state, plus the mean of all pixels."""
    import torch

    class Ramp(torch.nn.Module):
        def forward(self, state: torch.Tensor, images: torch.Tensor) -> torch.Tensor:
            ramp = torch.arange(1, rows + 1, dtype=torch.float32)[None, :, None]
            return ramp * (state @ torch.eye(dims))[:, None] + images.mean()

    example = torch.zeros(1, dims), torch.zeros(1, 1, 3, 6, 8)
    torch.jit.save(torch.jit.trace(Ramp(), example), str(path))


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_it_answers_in_physical_units(tmp_path: Path) -> None:
    policies.write(tmp_path, graph=False, backend="torchscript", weights="policy.pt")
    with pytest.raises(PolicyError, match="there is no file"):
        load_policy(tmp_path)
    save(tmp_path / "policy.pt")
    policy = load_policy(tmp_path)
    backend = open_backend(policy)
    state = np.array([[0.5, -1.0, 2.0]], np.float32)
    actions = checked(
        policy, backend.infer(Observation(1, 0, state, blank_observation(policy).images + np.float32(0.25)))
    )
    rows = np.arange(1, 5)[:, None] * state + 0.25
    np.testing.assert_allclose(actions, rows * ACTION["std"] + ACTION["mean"], atol=1e-5)
    backend.close()
    save(tmp_path / "policy.pt", rows=5)
    backend = open_backend(policy)
    with pytest.raises(BackendFault, match=r"expected actions \(4, 3\) of floats; found \(5, 3\)"):
        checked(policy, backend.infer(blank_observation(policy)))
    save(tmp_path / "policy.pt", dims=5)
    with pytest.raises(BackendFault, match=r"policy\.pt: TorchScript: RuntimeError: .*cannot be multiplied"):
        open_backend(policy).infer(blank_observation(policy))
    (tmp_path / "policy.pt").write_bytes(b"no module")
    with pytest.raises(PolicyError, match="no TorchScript module"):
        open_backend(policy)


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_what_a_module_keeps_does_not_reach_the_next_rollout(tmp_path: Path) -> None:
    import torch

    class Keeps(torch.nn.Module):
        seen: torch.Tensor

        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("seen", torch.zeros(1))

        def forward(self, state: torch.Tensor) -> torch.Tensor:
            self.seen += state.abs().mean()
            return state[:, None].repeat(1, 4, 1) + self.seen

    class Counts(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.count = 0

        def forward(self, state: torch.Tensor) -> torch.Tensor:
            self.count += 1
            return state[:, None].repeat(1, 4, 1) + self.count

    policies.write(tmp_path, graph=False, backend="torchscript", weights="policy.pt", cameras=[], image=None)
    torch.jit.save(torch.jit.script(Keeps()), str(tmp_path / "policy.pt"))
    policy = load_policy(tmp_path)
    backend = open_backend(policy)
    warm_up(policy, backend)
    assert forgets(policy, backend) == ""
    seen = blank_observation(policy)._replace(state=np.ones((1, 3), np.float32))
    firsts = []
    for _ in range(3):
        backend.begin()
        firsts.append(backend.infer(seen)[0, 0])
        backend.infer(seen)
    assert len(set(firsts)) == 1
    torch.jit.save(torch.jit.script(Counts()), str(tmp_path / "policy.pt"))
    backend = open_backend(policy)
    warm_up(policy, backend)
    with pytest.raises(BackendFault, match="keeps something from one episode to the next"):
        forgets(policy, backend)
