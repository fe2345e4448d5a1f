"""Statistics come as a pickle: arrays are taken, everything else is refused by name, and nothing runs."""

import contextlib
import os
import pickle
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.errors import PolicyError
from station.training.importing.pickled_statistics import read_statistics

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


class Noted:
    """Pickled as a call of a NumPy name with these arguments and this state."""

    def __init__(self, name: Any, arguments: tuple[Any, ...], state: Any = None) -> None:
        self.call = (name, arguments) if state is None else (name, arguments, state)

    def __reduce__(self) -> Any:
        return self.call


def written(folder: Path, value: Any, protocol: int = 4) -> Path:
    path = folder / "dataset_stats.pkl"
    path.write_bytes(pickle.dumps({"qpos_mean": value}, protocol))
    return path


RECONSTRUCT = np.zeros(1).__reduce__()[0]


def an_array(kind: Any, shape: Any, data: Any) -> Noted:
    return Noted(RECONSTRUCT, (np.ndarray, (0,), b"b"), (1, shape, kind, False, data))


def kind(name: str, state: Any = (3, "<", None, None, None, -1, -1, 0)) -> Noted:
    return Noted(np.dtype, (name, False, True), state)


@pytest.mark.parametrize(
    "value",
    [
        an_array(kind("O8", (3, "|", None, None, None, -1, -1, 63)), (1,), b"\x41" * 8),
        an_array(kind("f8", (3, "|", None, None, None, 8, 8, 63)), (1,), b"\x41" * 7),
        an_array(kind("V8", (3, "|", None, ("a",), {"a": (kind("O8"), 0)}, 8, 1, 27)), (1,), b"\x41" * 8),
        an_array(kind("f4"), (2**40,), b"1234"),
        an_array(kind("f4"), (-1,), b"1234"),
        an_array(kind("f4"), (1,), ["list"]),
        an_array("f4", (1,), b"1234"),
        Noted(np.dtype, ("f8",)),
        Noted(np.ndarray, ((1 << 33,), "f8")),
        Noted(np.ndarray, ((4,), kind("O8"))),
    ],
    ids=range(10),
)
def test_an_array_of_anything_but_numbers_is_refused_and_never_made(tmp_path: Path, value: Any) -> None:
    with pytest.raises(PolicyError, match="statistics: "):
        read_statistics(written(tmp_path, value))


def test_a_dtype_of_numbers_with_a_strange_state_is_its_name_and_nothing_else(tmp_path: Path) -> None:
    odd = an_array(
        kind("f4", (3, ">", None, ("x",), {"x": ("O", 0)}, 99, 99, 63)), (1,), np.array([2], ">f4").tobytes()
    )
    assert read_statistics(written(tmp_path, odd))["qpos_mean"] == 2


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize(
    "numbers", [np.arange(6.0).reshape(2, 3, order="F"), np.float32(1.5), np.arange(3, dtype=">i2")]
)
def test_all_protocols_orders_and_types_are_read(tmp_path: Path, protocol: int, numbers: Any) -> None:
    np.testing.assert_array_equal(
        read_statistics(written(tmp_path, numbers, protocol))["qpos_mean"], np.squeeze(numbers)
    )


@pytest.mark.parametrize(
    "program",
    [
        b"\x80\x04" + b"]" * 100_000 + b".",
        b"\x80\x04" + b"(" * 300_000 + b".",
        b"\x80\x04\x8a\xff" + b"\x01" * 255 + b".",
        b"I" + b"9" * 5_000 + b"\n.",
        b"\x80\x04}\x94(\x8c\x01ah\x00u.",
        b"\x80\x04}2222.",
        b"\x80\x04\x8e" + b"\xff" * 8 + b"x.",
        b"\x80\x04h\x07.",
        b"\x80\x04R.",
        b"\x80\x04Q.",
        b"\x80\x04}b.",
    ],
    ids=range(11),
)
def test_programs_that_are_no_dict_end_in_one_sentence(tmp_path: Path, program: bytes) -> None:
    path = tmp_path / "dataset_stats.pkl"
    path.write_bytes(program)
    found: object = {}
    try:
        found = read_statistics(path)
    except PolicyError as error:
        found = str(error)
    assert found == {} or (isinstance(found, str) and "\n" not in found and len(found) < 600)


def test_the_same_array_under_a_thousand_names_takes_no_more_than_the_bound(tmp_path: Path) -> None:
    large = np.zeros(2**20)
    path = tmp_path / "dataset_stats.pkl"
    path.write_bytes(pickle.dumps({f"n{i}": large for i in range(1000)}))
    with pytest.raises(PolicyError, match="larger than statistics are"):
        read_statistics(path)


@given(st.binary(max_size=200))
def test_whatever_the_bytes_are_it_is_numbers_or_one_sentence(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "dataset_stats.pkl"
        path.write_bytes(data)
        with contextlib.suppress(PolicyError):
            read_statistics(path)


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), min_size=1, max_size=4))
def test_a_pickle_that_was_changed_makes_numbers_or_one_sentence(changes: list[tuple[int, int]]) -> None:
    data = bytearray(pickle.dumps({"qpos_mean": np.arange(3.0), "qpos_std": np.ones((1, 3), np.float32)}))
    for place, byte in changes:
        data[place % len(data)] = byte
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "dataset_stats.pkl"
        path.write_bytes(bytes(data))
        with contextlib.suppress(PolicyError):
            assert all(found.dtype == np.float64 for found in read_statistics(path).values())
