import random
from collections.abc import Callable

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


@pytest.mark.slow
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


SIZES_MS = (20, 35, 60, 100, 150, 180, 200, 249, 251, 400, 1000, 5000)
STEPS = [(size_ms, sign) for size_ms in SIZES_MS for sign in (1, -1)]
RIGHT_NS = 10 * MS


class Stepping:
    """A device whose clock is set now and then, observed as a headset or a camera is."""

    def __init__(self, seed: int, drift_ppm: float = 40) -> None:
        self.random, self.drift = random.Random(seed), drift_ppm * 1e-6
        self.clock_map, self.now_ns, self.offset_ns = ClockMap(), 1_000 * S, 77 * S

    def device_ns(self, host_ns: int) -> int:
        return round(host_ns * (1 - self.drift)) - self.offset_ns

    def round_trip(self) -> None:
        """A ping as the driver sends it: five a second, quicker while the map doubts."""
        out_ns, back_ns = (1 * MS + round(self.random.expovariate(1) * 2 * MS) for _ in range(2))
        stamp_ns = self.device_ns(self.now_ns + out_ns)
        half_ns = (out_ns + back_ns) // 2
        self.clock_map.observe(stamp_ns, self.now_ns + half_ns, half_ns)
        self.now_ns += 20 * MS if self.clock_map.doubted else 200 * MS

    def picture(self) -> None:
        """A picture that arrives a few ms late, now and then much later."""
        late_ns = 3 * MS + round(self.random.expovariate(1) * 2 * MS)
        if self.random.random() < 0.02:
            late_ns += 80 * MS
        self.clock_map.observe(self.device_ns(self.now_ns), self.now_ns + late_ns)
        self.now_ns += 33 * MS

    def wrong_ns(self) -> int:
        return abs(self.clock_map.to_host(self.device_ns(self.now_ns)) - self.now_ns)

    def until_right_ns(self, observe: Callable[[], object]) -> int:
        """How long after a step the map is right again, and stays so for 2 s."""
        begin_ns = self.now_ns
        while self.now_ns - begin_ns < 30 * S:
            observe()
            if self.wrong_ns() < RIGHT_NS:
                right_ns = self.now_ns - begin_ns
                for _ in range(10):
                    observe()
                    assert self.wrong_ns() < RIGHT_NS
                return right_ns
        raise AssertionError(f"wrong by {self.wrong_ns() / MS:.0f} ms for 30 s")


@pytest.mark.parametrize(("size_ms", "sign"), STEPS)
def test_ten_steps_of_a_headsets_clock_are_each_believed_before_anybody_suffers(size_ms: int, sign: int) -> None:
    world = Stepping(size_ms)
    for _ in range(40):
        world.round_trip()
    for number in range(10):
        world.offset_ns += sign * size_ms * MS
        assert world.until_right_ns(world.round_trip) < 0.6 * S, f"step {number}"
        for _ in range(world.random.randrange(60)):
            world.round_trip()


@pytest.mark.parametrize(("size_ms", "sign"), STEPS)
def test_ten_steps_of_a_cameras_clock_are_each_believed_within_two_seconds(size_ms: int, sign: int) -> None:
    world = Stepping(size_ms)
    for _ in range(100):
        world.picture()
    for number in range(10):
        world.offset_ns += sign * size_ms * MS
        assert world.until_right_ns(world.picture) < 2 * S, f"step {number}"
        for _ in range(40 + world.random.randrange(200)):
            world.picture()


@settings(max_examples=40)
@given(st.integers(0, 2**32), st.floats(20, 5000), st.sampled_from([1, -1]), st.integers(3, 200))
def test_a_step_of_any_size_at_any_age_of_the_map_is_believed(seed: int, size_ms: float, sign: int, age: int) -> None:
    world = Stepping(seed)
    for _ in range(age):
        world.round_trip()
    world.offset_ns += sign * round(size_ms * MS)
    # a round trip as long as the step says nothing; then the least of them decides, within a few seconds
    assert world.until_right_ns(world.round_trip) < 3 * S


@settings(max_examples=25)
@given(st.integers(0, 2**32), st.integers(1, 60))
def test_a_crowded_link_is_not_a_step(seed: int, extra_ms: int) -> None:
    """Round trips get long, in one direction only, and short again."""
    world = Stepping(seed)
    for _ in range(100):
        world.round_trip()
    for _ in range(20):
        back_ns = 2 * MS + round(world.random.random() * extra_ms * MS)
        half_ns = (MS + back_ns) // 2
        world.clock_map.observe(world.device_ns(world.now_ns + MS), world.now_ns + half_ns, half_ns)
        assert world.wrong_ns() < RIGHT_NS
        world.now_ns += 200 * MS
    assert world.clock_map.restarts == 0


def test_a_stall_of_the_host_is_not_a_step_of_the_camera() -> None:
    world = Stepping(5)
    for _ in range(100):
        world.picture()
    stalled_until_ns = world.now_ns + 200 * MS
    while world.now_ns < stalled_until_ns:
        assert world.clock_map.observe(world.device_ns(world.now_ns), stalled_until_ns)
        assert world.wrong_ns() < RIGHT_NS
        world.now_ns += 33 * MS
    assert world.clock_map.restarts == 0


def test_stamps_that_agree_with_nothing_change_nothing() -> None:
    world = Stepping(6)
    for _ in range(100):
        world.picture()
    for number in range(1, 40):
        assert not world.clock_map.observe(
            world.device_ns(world.now_ns) + (-1) ** number * number * 3 * S, world.now_ns
        )
    assert world.clock_map.restarts == 0
    assert world.wrong_ns() < RIGHT_NS
