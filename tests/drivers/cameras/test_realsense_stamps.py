import numpy as np
import pytest

from drivers.cameras.realsense_sensor import Raw
from drivers.cameras.realsense_stamps import Stamps
from station.clock import NS_PER_MS, NS_PER_S

PERIOD_NS = 33 * NS_PER_MS
ARRIVES_NS = 9 * NS_PER_MS
BLACK = np.zeros((2, 2, 3), np.uint8)


@pytest.mark.parametrize("step_ms", [-5000, -400, -200, -180, -100, -20, 20, 100, 180, 200, 400, 5000])
def test_a_camera_clock_that_was_set_costs_two_seconds_at_most(step_ms: int) -> None:
    """Every stamp is right again, and none goes back."""
    stamps, taken_ns, offset_ns = Stamps(), 1_000 * NS_PER_S, 900 * NS_PER_S
    stamped: list[int] = []
    for index in range(1500):
        taken_ns += PERIOD_NS
        if index % 150 == 100:
            offset_ns -= step_ms * NS_PER_MS
        raw = Raw("color", BLACK, taken_ns - offset_ns, "hardware_clock", index)
        found_ns = stamps.captured_at_ns(raw, taken_ns + ARRIVES_NS)
        assert found_ns is None or not stamped or found_ns > stamped[-1]
        if found_ns is not None:
            stamped.append(found_ns)
        if index % 150 >= 62 and (index % 150 < 100):
            assert found_ns is not None
            assert abs(found_ns - taken_ns - ARRIVES_NS) < 2 * NS_PER_MS, index
    assert stamps.map.restarts == 10 or abs(step_ms) < 50
