import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.clock import Grid


@given(st.integers(0, 10**17), st.floats(1, 1000), st.integers(0, 10**7))
def test_the_grid_is_absolute(t0_ns: int, rate_hz: float, k: int) -> None:
    grid = Grid(t0_ns, rate_hz)
    assert abs(grid.time_ns(k) - t0_ns - k * 1e9 / rate_hz) <= 1
    assert grid.index_at(grid.time_ns(k)) == k


@given(st.integers(0, 10**15), st.integers(0, 10**17))
def test_index_at_is_the_last_point_not_after_now(t0_ns: int, later_ns: int) -> None:
    grid = Grid(t0_ns, 50.0)
    k = grid.index_at(t0_ns + later_ns)
    assert grid.time_ns(k) <= t0_ns + later_ns < grid.time_ns(k + 1)


def test_fifty_hertz_has_no_drift_in_a_day() -> None:
    assert Grid(0, 50.0).time_ns(50 * 86_400) == 86_400 * 10**9


def test_a_rate_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="rate_hz"):
        Grid(0, 0)
