"""Statistics are of all values, exactly."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from station.datasets.statistics import LEVELS, histogram, of_numbers, of_pictures, sampled


def test_a_constant_has_no_deviation() -> None:
    found = of_numbers(np.full((1000, 2), 0.1, np.float32))
    assert found.std == [0.0, 0.0] and found.min == found.max == [np.float64(np.float32(0.1))] * 2


@given(npst.arrays(np.uint8, (4, 5, 3)), npst.arrays(np.uint8, (4, 5, 3)))
def test_levels_of_pictures_add_up(one: np.ndarray, other: np.ndarray) -> None:
    found = of_pictures(histogram(one) + histogram(other), 2)
    both = np.concatenate([one.reshape(-1, 3), other.reshape(-1, 3)]) / (LEVELS - 1)
    np.testing.assert_allclose(found.mean, both.mean(axis=0), atol=1e-12)
    np.testing.assert_allclose(found.std, both.std(axis=0), atol=1e-7)
    np.testing.assert_array_equal(found.min, both.min(axis=0))
    np.testing.assert_array_equal(found.max, both.max(axis=0))
    assert found.count == 2


@given(st.integers(1, 5000), st.sampled_from([5.0, 30.0, 50.0]))
def test_sampled_pictures_are_spread_and_have_both_ends(length: int, rate_hz: float) -> None:
    found = sampled(length, rate_hz)
    assert found[0] == 0 and found[-1] == length - 1
    assert len(found) <= max(2, length / rate_hz * 5 + 1)
