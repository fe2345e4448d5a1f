"""What readings say against going on, and how much a gap between two of them says: nothing. The gate's tests have the rest."""

import pytest

from station.bus.messages import Dimension
from station.clock import NS_PER_MS
from station.safety.watch import LASTING_NS, Finding, Watch

DIMENSIONS = (Dimension("wrist_angle", "rad", -2.0, 2.0, effort_unit="mA", overload=1000.0),)
OVERLOADED, BLOCKED = (0.0, 980.0), (1.0, 0.0)


def found_after_ms(kind: tuple[float, float], moments_ms: tuple[int, ...]) -> Finding | None:
    watch = Watch(DIMENSIONS, divergence_rad=0.5)
    found = None
    for moment_ms in moments_ms:
        found = watch.look(moment_ms * NS_PER_MS, (0.0,), (kind[0],), (kind[1],))
    return found


@pytest.mark.parametrize("kind", [OVERLOADED, BLOCKED])
def test_readings_that_all_say_so_count_after_300_ms(kind: tuple[float, float]) -> None:
    assert found_after_ms(kind, tuple(range(0, 300, 10))) is None
    found = found_after_ms(kind, tuple(range(0, 310, 10)))
    assert found is not None and "wrist_angle" in found.why


@pytest.mark.parametrize("kind", [OVERLOADED, BLOCKED])
def test_two_moments_of_a_quick_motion_with_a_stall_between_them_are_two_moments(kind: tuple[float, float]) -> None:
    assert found_after_ms(kind, (0, 350)) is None
    assert found_after_ms(kind, (0, 350, 700)) is None
    assert found_after_ms(kind, (0, 350, 700, 1050)) is not None, "a slow bus is no way round it"


def test_a_good_reading_ends_the_suspicion() -> None:
    watch = Watch(DIMENSIONS, divergence_rad=0.5)
    for moment_ms in range(0, 5000, 50):
        effort = 100.0 if moment_ms % 250 == 200 else 980.0
        assert watch.look(moment_ms * NS_PER_MS, (0.0,), (0.0,), (effort,)) is None


def test_a_missed_reading_neither_ends_nor_feeds_it() -> None:
    watch = Watch(DIMENSIONS, divergence_rad=0.5)
    missed_ms = range(110, LASTING_NS // NS_PER_MS, 10)
    found = None
    for moment_ms in range(0, 500, 10):
        effort = None if moment_ms in missed_ms else 980.0
        found = watch.look(moment_ms * NS_PER_MS, (0.0,), (0.0,), (effort,))
        assert found is None or moment_ms >= 400, "100 ms before the gap, 100 at most of the gap, and 100 after it"
    assert found is not None
