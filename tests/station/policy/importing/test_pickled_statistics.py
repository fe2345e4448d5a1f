"""Statistics come as a pickle: arrays are taken, everything else is refused by name, and nothing runs."""

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from station.errors import PolicyError
from station.policy.importing.pickled_statistics import read_statistics

NUMPY_1 = pickle.dumps({"qpos_mean": np.array([1, 2], np.float32)}, 3).replace(b"numpy._core", b"numpy.core")
"""As NumPy 1 names its parts, with which ACT was trained."""


class Calls:
    """Unpickled, it calls what it was made with."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> Any:
        return self.call


@pytest.mark.parametrize("protocol", range(3, pickle.HIGHEST_PROTOCOL + 1))
def test_arrays_are_read(tmp_path: Path, protocol: int) -> None:
    path = tmp_path / "dataset_stats.pkl"
    held = {
        "qpos_mean": np.arange(3, dtype=np.float32),
        "action_std": np.ones((1, 3)),
        "example_qpos": np.zeros((5, 3)),
    }
    path.write_bytes(pickle.dumps(held, protocol))
    found = read_statistics(path)
    np.testing.assert_array_equal(found["qpos_mean"], [0, 1, 2])
    assert found["action_std"].shape == (3,)


def test_what_older_numpy_wrote_is_read(tmp_path: Path) -> None:
    path = tmp_path / "dataset_stats.pkl"
    path.write_bytes(NUMPY_1)
    np.testing.assert_array_equal(read_statistics(path)["qpos_mean"], [1, 2])


@pytest.mark.parametrize(
    ("call", "name"),
    [
        ((os.system, "touch {trace}"), "system"),
        ((eval, "open('{trace}', 'w')"), "builtins.eval"),
        ((getattr, np, "load"), "builtins.getattr"),
        ((np.load, "{trace}"), "load"),
    ],
)
def test_a_pickle_that_calls_code_is_refused_by_name(tmp_path: Path, call: tuple[Any, ...], name: str) -> None:
    path, trace = tmp_path / "dataset_stats.pkl", tmp_path / "ran"
    function, *arguments = call
    given = [one.format(trace=trace) if isinstance(one, str) else one for one in arguments if one is not np]
    path.write_bytes(pickle.dumps({"qpos_mean": np.zeros(3), "x": Calls(function, *given)}))
    with pytest.raises(PolicyError) as caught:
        read_statistics(path)
    assert f"{name}, which is no NumPy array" in str(caught.value)
    assert "nothing of it was run" in str(caught.value)
    assert not trace.exists()


@pytest.mark.parametrize("content", [b"", b"no pickle", pickle.dumps([1, 2]), NUMPY_1[:-20]])
def test_what_is_no_dict_of_arrays_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "dataset_stats.pkl"
    path.write_bytes(content)
    with pytest.raises(PolicyError, match="statistics"):
        read_statistics(path)
    with pytest.raises(PolicyError, match="cannot be read"):
        read_statistics(tmp_path / "nowhere.pkl")
