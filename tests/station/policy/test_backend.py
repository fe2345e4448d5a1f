from pathlib import Path

import numpy as np
import pytest

from station.errors import BackendFault, PolicyError
from station.policy import backend as backends
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


@pytest.mark.parametrize(
    "name", ["os:system", "builtins:print", f"{__name__}:load", "no.such.module:load", "os.system", ":"]
)
def test_a_folder_names_no_code(tmp_path: Path, name: str) -> None:
    """Only what is installed as a backend is called: a folder comes from anybody."""
    (tmp_path / "policy").mkdir()
    policy = load_policy(policies.write(tmp_path / "policy", backend=name, weights="touched"))
    with pytest.raises(
        PolicyError, match=r"is not installed\. Fix: one of onnx, openpi, replay, torchscript"
    ) as caught:
        open_backend(policy)
    assert caught.value.key == "backend"


class Broken:
    """An entry point whose package does not import."""

    name = "broken"

    def load(self) -> None:
        raise ImportError("no module named lib")


def test_an_installed_backend_that_cannot_be_imported_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backends, "entry_points", lambda group: [Broken()])
    with pytest.raises(PolicyError, match=r"cannot be imported: .*Fix: install what it needs"):
        open_backend(load_policy(policies.write(tmp_path, backend="broken")))
