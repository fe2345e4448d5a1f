import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from station.clock_map import JUMPS_BELIEVED, ClockMap

MS = 1_000_000
S = 1_000_000_000


class World:
    """A device whose clock has an offset and a drift, behind a link with a least delay and jitter."""

    def __init__(
        self, seed: int, offset_ns: int, drift_ppm: float, least_ns: int, jitter_ns: int, fps: float = 60
    ) -> None:
        self.random = random.Random(seed)
        self.offset_ns, self.drift, self.least_ns, self.jitter_ns = offset_ns, drift_ppm * 1e-6, least_ns, jitter_ns
        self.period_ns = round(S / fps)
        self.arrived_ns = 0

    def pair(self, index: int) -> tuple[int, int, int]:
        """(true host time, device stamp, arrival)."""
        true_ns = 1_000 * S + index * self.period_ns
        device_ns = round((true_ns - 1_000 * S) * (1 - self.drift)) + self.offset_ns
        delay_ns = self.least_ns + round(self.random.expovariate(3) * self.jitter_ns)
        self.arrived_ns = max(self.arrived_ns + 1, true_ns + delay_ns)  # a link keeps the order
        return true_ns, device_ns, self.arrived_ns


worlds = st.builds(
    World,
    seed=st.integers(0, 2**32),
    offset_ns=st.integers(-(10**15), 10**15),
    drift_ppm=st.floats(-100, 100),
    least_ns=st.integers(0, 20 * MS),
    jitter_ns=st.integers(0, 15 * MS),
)


@settings(max_examples=25)
@given(worlds)
def test_never_after_arrival_and_always_rising(world: World) -> None:
    clock_map = ClockMap()
    last = None
    for index in range(900):
        _, device_ns, arrival_ns = world.pair(index)
        assert clock_map.observe(device_ns, arrival_ns)
        host_ns = clock_map.to_host(device_ns)
        assert host_ns <= arrival_ns + 50_000  # of a bin one point is kept: 100 ppm over 0.25 s
        assert last is None or host_ns > last
        last = host_ns


@settings(max_examples=25)
@given(worlds)
def test_true_within_two_milliseconds_once_drift_is_known(world: World) -> None:
    clock_map = ClockMap()
    worst_ns = 0
    for index in range(60 * 25):
        true_ns, device_ns, arrival_ns = world.pair(index)
        clock_map.observe(device_ns, arrival_ns)
        if index > 60 * 15:
            worst_ns = max(worst_ns, abs(clock_map.to_host(device_ns) - true_ns - world.least_ns))
    assert worst_ns < 2 * MS
    assert clock_map.restarts == 0


def test_drift_is_found() -> None:
    world = World(1, 0, drift_ppm=80, least_ns=3 * MS, jitter_ns=1 * MS)
    clock_map = ClockMap()
    for index in range(60 * 25):
        _, device_ns, arrival_ns = world.pair(index)
        clock_map.observe(device_ns, arrival_ns)
    assert clock_map.drift_ppm == pytest.approx(80, abs=10)


@given(st.integers(0, 2**32), st.integers(-(10**15), 10**15))
def test_round_trips_take_the_delay_off(seed: int, offset_ns: int) -> None:
    rng = random.Random(seed)
    clock_map = ClockMap()
    for index in range(200):
        sent_ns = index * 50 * MS
        out_ns, back_ns = (5 * MS + round(rng.expovariate(1) * 20 * MS) for _ in range(2))
        device_ns = sent_ns + out_ns - offset_ns
        half_ns = (out_ns + back_ns) // 2
        clock_map.observe(device_ns, sent_ns + half_ns, half_ns)
    assert clock_map.uncertainty_ns >= 5 * MS
    now_ns = 200 * 50 * MS
    assert abs(clock_map.to_host(now_ns - offset_ns) - now_ns) <= clock_map.uncertainty_ns


@pytest.mark.parametrize("jump_ns", [-3600 * S, -1 * S, 1 * S, 3600 * S])
def test_a_set_clock_is_believed_only_when_it_keeps_saying_so(jump_ns: int) -> None:
    clock_map = ClockMap()
    for index in range(600):
        clock_map.observe(index * 16 * MS, index * 16 * MS + 5 * MS)
    assert not clock_map.observe(600 * 16 * MS + jump_ns, 600 * 16 * MS + 5 * MS)
    assert clock_map.observe(601 * 16 * MS, 601 * 16 * MS + 5 * MS)  # one bad stamp changed nothing
    believed = [
        clock_map.observe(i * 16 * MS + jump_ns, i * 16 * MS + 5 * MS) for i in range(602, 602 + JUMPS_BELIEVED)
    ]
    assert believed == [False] * (JUMPS_BELIEVED - 1) + [True]
    assert clock_map.restarts == 1
    assert clock_map.to_host(700 * 16 * MS + jump_ns) == 700 * 16 * MS + 5 * MS


def test_nothing_observed_is_not_a_time() -> None:
    clock_map = ClockMap()
    assert not clock_map.ready
    with pytest.raises(LookupError):
        clock_map.to_host(1)
