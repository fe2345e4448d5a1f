"""The chunk buffer against formulas written down plainly."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.clock import Grid
from station.policy.bench import bench_buffer
from station.policy.chunks import ChunkBuffer
from station.policy.folder import Execution

TICK_NS = 20_000_000


def act_reference(chunks: np.ndarray, k: float) -> np.ndarray:
    """ACT's temporal ensembling as published: one table of all predictions, column t averaged oldest first. (T, D)"""
    ticks, length, dims = chunks.shape
    table = np.full((ticks, ticks + length, dims), np.nan)
    for t in range(ticks):
        table[t, t : t + length] = chunks[t]
    actions = np.empty((ticks, dims))
    for t in range(ticks):
        column = table[:, t]
        rows = column[~np.isnan(column).any(axis=1)]
        weights = np.exp(-k * np.arange(len(rows)))
        actions[t] = (rows * (weights / weights.sum())[:, None]).sum(axis=0)
    return actions


def by_the_book(chunks: dict[int, np.ndarray], t_ns: int, rate_hz: float, k: float) -> np.ndarray | None:
    """The ensemble at any time of chunks that begin at given times, with interpolation, one row at a time."""
    rows = []
    for start_ns in sorted(chunks):
        chunk = chunks[start_ns]
        x = round((t_ns - start_ns) * rate_hz / 1e9, 6)
        if 0 <= x < len(chunk):
            i = int(x)
            rows.append(chunk[i] + (chunk[min(i + 1, len(chunk) - 1)] - chunk[i]) * (x - i))
    if not rows:
        return None
    weights = np.exp(-k * np.arange(len(rows)))
    return np.average(rows, axis=0, weights=weights)


@given(
    seed=st.integers(0, 2**32 - 1),
    chunk=st.integers(2, 30),
    dims=st.integers(1, 14),
    k=st.sampled_from([0.01, 0.1, 0.0, -0.05]),
)
def test_with_every_tick_inferred_it_is_acts_formula(seed: int, chunk: int, dims: int, k: float) -> None:
    random = np.random.default_rng(seed)
    chunks = random.normal(size=(3 * chunk, chunk, dims))
    chunks[random.random(chunks.shape) < 0.1] = 0.0
    buffer = ChunkBuffer(chunk, dims, 50, Execution("ensemble", k=k))
    expected = act_reference(chunks, k)
    grid = Grid(123_456_789, 50)
    for t, rows in enumerate(chunks):
        buffer.add(grid.time_ns(t), rows, grid.time_ns(t))
        action = buffer.action(grid.time_ns(t))
        assert action is not None
        np.testing.assert_allclose(action.values, expected[t], atol=1e-6, rtol=0)
        assert action.chunks == min(t + 1, chunk)


def test_an_action_of_exactly_zero_counts() -> None:
    buffer = ChunkBuffer(2, 2, 50, Execution("ensemble", k=0.0))
    buffer.add(0, np.array([[9.0, 9.0], [0.0, 0.0]]), 0)
    buffer.add(TICK_NS, np.array([[4.0, 2.0], [4.0, 2.0]]), TICK_NS)
    action = buffer.action(TICK_NS)
    assert action is not None
    assert action.values.tolist() == [2.0, 1.0]


def test_positive_k_favours_the_oldest() -> None:
    buffer = ChunkBuffer(3, 1, 50, Execution("ensemble", k=5.0))
    for t, value in enumerate([1.0, 2.0, 3.0]):
        buffer.add(t * TICK_NS, np.full((3, 1), value), t * TICK_NS)
    action = buffer.action(2 * TICK_NS)
    assert action is not None
    assert action.values[0] == pytest.approx(1.0, abs=0.01)
    assert action.t_obs_ns == 2 * TICK_NS


@pytest.mark.slow
@given(
    seed=st.integers(0, 2**32 - 1),
    latencies_ms=st.lists(st.integers(1, 200), min_size=40, max_size=40),
    late_ms=st.lists(st.integers(0, 60), min_size=60, max_size=60),
    rate_hz=st.sampled_from([50.0, 30.0, 10.0, 100.0]),
    k=st.sampled_from([0.01, 0.0, -0.1]),
)
def test_late_answers_and_late_ticks_shift_nothing(
    seed: int, latencies_ms: list[int], late_ms: list[int], rate_hz: float, k: float
) -> None:
    """One slow inference at a time, ticks handled late: every action is that of its tick's own time."""
    random = np.random.default_rng(seed)
    buffer = ChunkBuffer(20, 3, rate_hz, Execution("ensemble", k=k), tick_hz=50)
    known: dict[int, np.ndarray] = {}
    in_flight: tuple[int, int, np.ndarray] | None = None  # arrives, observed, rows
    latencies = iter(latencies_ms)
    handled_ns = 0
    for tick, delay_ms in enumerate(late_ms):
        t_ns = tick * TICK_NS
        handled_ns = max(handled_ns, t_ns + delay_ms * 1_000_000)
        if in_flight is not None and in_flight[0] <= handled_ns:
            if buffer.add(in_flight[1], in_flight[2], in_flight[0]):
                known[in_flight[1]] = in_flight[2]
            else:
                assert in_flight[0] - in_flight[1] >= 20 / rate_hz * 1e9, "only what is over is dropped"
            in_flight = None
        action, expected = buffer.action(t_ns), by_the_book(known, t_ns, rate_hz, k)
        if expected is None:
            assert action is None
        else:
            assert action is not None
            np.testing.assert_allclose(action.values, expected, atol=1e-6)
        if in_flight is None and (latency_ms := next(latencies, None)) is not None:
            in_flight = (handled_ns + latency_ms * 1_000_000, t_ns, random.normal(size=(20, 3)))


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=1, max_size=40))
def test_newest_is_the_newest_chunk_that_covers_the_tick(events: list[tuple[int, int]]) -> None:
    buffer = ChunkBuffer(5, 1, 50, Execution("newest"))
    known: dict[int, np.ndarray] = {}
    now = 0
    for observed, step in events:
        now += step
        observed = min(observed, now)
        rows = np.arange(5.0)[:, None] + 100 * observed
        if buffer.add(observed * TICK_NS, rows, now * TICK_NS):
            known[observed] = rows
        covering = [start for start in known if 0 <= now - start < 5]
        action = buffer.action(now * TICK_NS)
        if not covering:
            assert action is None
        else:
            assert action is not None
            assert action.values[0] == known[max(covering)][now - max(covering), 0]


def test_receding_follows_a_chunk_for_its_steps_then_the_newest() -> None:
    buffer = ChunkBuffer(10, 1, 50, Execution("receding", steps=3))
    made_of = []
    for t in range(9):
        buffer.add(t * TICK_NS, np.full((10, 1), float(t)), t * TICK_NS)
        action = buffer.action(t * TICK_NS)
        assert action is not None
        made_of.append(action.values[0])
    assert made_of == [0, 0, 0, 3, 3, 3, 6, 6, 6]


def test_receding_goes_on_with_a_chunk_while_there_is_none_newer() -> None:
    buffer = ChunkBuffer(6, 1, 50, Execution("receding", steps=2))
    buffer.add(0, np.arange(6.0)[:, None], 0)
    values = [buffer.action(t * TICK_NS) for t in range(8)]
    assert [action and action.values[0] for action in values] == [0, 1, 2, 3, 4, 5, None, None]
    assert buffer.starved == 2


def test_newest_dims_are_neither_averaged_nor_interpolated() -> None:
    buffer = ChunkBuffer(4, 2, 25, Execution("ensemble", k=0.0), newest_dims=[1], tick_hz=50)
    buffer.add(0, np.array([[0.0, 0.0], [2.0, 0.0], [4.0, 0.0], [6.0, 0.0]]), 0)
    buffer.add(TICK_NS, np.array([[3.0, 1.0], [5.0, 0.0], [7.0, 1.0], [9.0, 1.0]]), TICK_NS)
    for t, moved, grip in ((1, (1 + 3) / 2, 1.0), (2, (2 + 4) / 2, 1.0), (3, (3 + 5) / 2, 0.0), (4, (4 + 6) / 2, 0.0)):
        action = buffer.action(t * TICK_NS)
        assert action is not None
        assert action.values.tolist() == [moved, grip]


@pytest.mark.parametrize("mode", [Execution("newest"), Execution("receding", steps=100), Execution("ensemble", k=0.01)])
def test_slow_rates_are_interpolated_and_the_last_row_holds(mode: Execution) -> None:
    buffer = ChunkBuffer(3, 1, 10, mode, tick_hz=50)
    buffer.add(0, np.array([[0.0], [10.0], [0.0]]), 0)
    values = [buffer.action(t * TICK_NS) for t in range(16)]
    expected = [0, 2, 4, 6, 8, 10, 8, 6, 4, 2, 0, 0, 0, 0, 0]
    assert [action and round(float(action.values[0]), 9) for action in values] == [*expected, None]


@pytest.mark.parametrize(("offset", "first"), [(-1, 1.0), (0, 0.0), (2, None)])
def test_the_offset_moves_the_first_row(offset: int, first: float | None) -> None:
    buffer = ChunkBuffer(5, 1, 50, Execution("newest"), action_offset_ticks=offset)
    buffer.add(1000 * TICK_NS, np.arange(5.0)[:, None], 1000 * TICK_NS)
    action = buffer.action(1000 * TICK_NS)
    assert (action and action.values[0]) == first
    assert buffer.starved == 0, "nothing was served yet: that is waiting, not starving"


def test_chunks_that_are_over_or_out_of_order_are_dropped_and_counted() -> None:
    buffer = ChunkBuffer(5, 1, 50, Execution("newest"))
    rows = np.zeros((5, 1))
    assert not buffer.add(0, rows, 5 * TICK_NS)
    assert buffer.add(10 * TICK_NS, rows, 14 * TICK_NS)
    assert not buffer.add(9 * TICK_NS, rows, 14 * TICK_NS)
    assert not buffer.add(10 * TICK_NS, rows, 14 * TICK_NS)
    assert buffer.dropped == 3
    buffer.clear()
    assert buffer.dropped == 0
    assert buffer.action(14 * TICK_NS) is None


def test_more_chunks_than_there_is_room_for_drop_the_oldest() -> None:
    buffer = ChunkBuffer(4, 1, 50, Execution("ensemble", k=0.0))
    for i in range(20):  # twenty observations within one tick
        buffer.add(i * 1000, np.full((4, 1), float(i)), 20_000)
    action = buffer.action(20_000)
    assert action is not None
    assert action.chunks == 5
    assert action.values[0] == np.mean([15, 16, 17, 18, 19])


def test_a_wrong_shape_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\(4, 2\)"):
        ChunkBuffer(4, 2, 50, Execution("newest")).add(0, np.zeros((4, 3)), 0)


def test_rates_that_do_not_divide_a_second_stay_on_their_rows_for_hours() -> None:
    grid = Grid(1_000_000_007, 30)
    buffer = ChunkBuffer(3, 1, 30, Execution("newest"), tick_hz=30)
    for k in (0, 12_345, 5_000_000):
        buffer.add(grid.time_ns(k), np.array([[1.0], [2.0], [4.0]]), grid.time_ns(k))
        values = [buffer.action(grid.time_ns(k + i)) for i in range(4)]
        assert [action and action.values[0] for action in values] == [1.0, 2.0, 4.0, None]


def test_a_step_allocates_next_to_nothing() -> None:
    ticks = iter(range(10**9))
    result = bench_buffer(100, 14, 50, Execution("ensemble", k=0.01), lambda: next(ticks), steps=50)
    assert result.step_mb <= 0.1


def test_only_the_newest_is_kept_where_a_plan_from_before_must_not_count() -> None:
    buffer = ChunkBuffer(4, 1, 50.0, Execution("ensemble", k=0.0))
    buffer.add(0, np.full((4, 1), 1.0), 0)
    buffer.add(20_000_000, np.full((4, 1), 3.0), 20_000_000)
    action = buffer.action(40_000_000)
    assert action is not None
    assert action.values[0] == 2.0
    buffer.keep_newest()
    action = buffer.action(40_000_000)
    assert action is not None
    assert (action.values[0], action.chunks) == (3.0, 1)
    buffer.clear()
    buffer.keep_newest()
    assert buffer.action(40_000_000) is None
