from pathlib import Path

import numpy as np
import pytest

from station.errors import BackendFault, PolicyError
from station.policy.backend import blank_observation, checked, open_backend
from station.policy.folder import load_policy
from tests.station.policy import policies


def test_an_unknown_backend_names_those_installed(tmp_path: Path) -> None:
    policy = load_policy(policies.write(tmp_path, backend="tea-leaves"))
    with pytest.raises(
        PolicyError, match=r"'tea-leaves' is not installed\. Fix: one of onnx, openpi, replay, torchscript"
    ):
        open_backend(policy)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (np.zeros((4, 2)), r"expected actions \(4, 3\) of floats; found \(4, 2\)"),
        (np.zeros((1, 4, 3)), r"found \(1, 4, 3\)"),
        (np.zeros((4, 3), np.int64), "of int64"),
        (np.full((4, 3), np.nan), r"found nan in row 0, dimension 0 \(12 in all\)"),
        (np.where(np.arange(12).reshape(4, 3) == 7, np.inf, 0.0), r"found inf in row 2, dimension 1 \(1 in all\)"),
        (None, r"found \(\) of object"),
    ],
)
def test_nonsense_is_named(tmp_path: Path, answer: np.ndarray, says: str) -> None:
    with pytest.raises(BackendFault, match=says):
        checked(load_policy(policies.write(tmp_path)), answer)


def test_a_right_answer_passes_unchanged(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
    answer = checked(load_policy(policies.write(tmp_path)), rows)
    assert answer.dtype == np.float64
    assert np.array_equal(answer, rows)


def test_a_blank_observation_has_the_policys_shapes(tmp_path: Path) -> None:
    blank = blank_observation(load_policy(policies.write(tmp_path, obs_steps=2)))
    assert blank.state.shape == (2, 3)
    assert blank.images.shape == (2, 1, 3, 6, 8)


class Still:
    """A backend of this module's."""

    def __init__(self, policy) -> None:
        self.policy = policy


def test_a_backend_is_named_by_its_module_too(tmp_path: Path) -> None:
    policy = load_policy(policies.write(tmp_path, backend=f"{__name__}:Still"))
    backend = open_backend(policy)
    assert type(backend).__name__ == "Still"
    assert backend.policy is policy


@pytest.mark.parametrize("name", ["no.such.module:load", f"{__name__}:nothing"])
def test_a_backend_that_cannot_be_imported_is_one_sentence(tmp_path: Path, name: str) -> None:
    with pytest.raises(PolicyError, match=r"cannot be imported: .*Fix: install what it needs"):
        open_backend(load_policy(policies.write(tmp_path, backend=name)))
