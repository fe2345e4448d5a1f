import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.policy.statistics import Statistics, affine, wrong

finite = st.floats(-100, 100)
spread = st.floats(0.01, 100)


@pytest.mark.slow
@given(st.lists(st.tuples(finite, spread, finite), min_size=1, max_size=14))
def test_mean_and_std_there_and_back(dimensions: list[tuple[float, float, float]]) -> None:
    mean, std, x = (np.array(values) for values in zip(*dimensions, strict=True))
    maps = affine(Statistics(mean=tuple(mean), std=tuple(std)), len(mean))
    np.testing.assert_allclose(maps.normalise(x), (x - mean) / std, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(maps.unnormalise((x - mean) / std), x, atol=1e-9)


@pytest.mark.slow
@given(st.lists(st.tuples(finite, spread), min_size=1, max_size=14))
def test_min_and_max_span_minus_one_to_one(dimensions: list[tuple[float, float]]) -> None:
    low = np.array([low for low, _ in dimensions])
    high = np.array([low + width for low, width in dimensions])
    maps = affine(Statistics(min=tuple(low), max=tuple(high)), len(low))
    np.testing.assert_allclose(maps.normalise(low), -1, atol=1e-5)
    np.testing.assert_allclose(maps.normalise(high), 1, atol=1e-5)
    np.testing.assert_allclose(maps.unnormalise(np.ones(len(low))), high, atol=1e-9)


def test_no_statistics_are_the_identity() -> None:
    assert affine(None, 2).normalise(np.array([3.0, 4.0])).tolist() == [3.0, 4.0]


@pytest.mark.parametrize(
    ("statistics", "key", "says"),
    [
        (Statistics(), "", "nothing"),
        (Statistics(mean=(0.0,)), "", "mean"),
        (Statistics(mean=(0.0,), std=(1.0,), min=(0.0,), max=(1.0,)), "", "mean and std and min and max"),
        (Statistics(mean=(0.0, 1.0), std=(1.0, 1.0)), "mean", "2 numbers for 1 dimensions"),
        (Statistics(mean=(math.nan,), std=(1.0,)), "mean[0]", "nan"),
        (Statistics(mean=(0.0,), std=(math.inf,)), "std[0]", "inf"),
        (Statistics(mean=(0.0,), std=(0.0,)), "std[0]", "0.0"),
        (Statistics(mean=(0.0,), std=(-1.0,)), "std[0]", "-1.0"),
        (Statistics(min=(1.0,), max=(1.0,)), "max[0]", "not above"),
    ],
)
def test_what_is_wrong_is_said(statistics: Statistics, key: str, says: str) -> None:
    fault = wrong(statistics, 1)
    assert fault is not None
    assert fault.key == key
    assert says in fault.found
    assert fault.fix


def test_right_ones_pass() -> None:
    assert wrong(Statistics(mean=(0.0,), std=(0.01,)), 1) is None
    assert wrong(Statistics(min=(-1.0,), max=(1.0,)), 1) is None
