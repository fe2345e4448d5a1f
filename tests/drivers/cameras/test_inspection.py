import cv2
import numpy as np
import pytest

from drivers.cameras.inspection import SAMPLE_NS, Inspection
from drivers.cameras.losses import RECENT_NS
from station.clock import NS_PER_S


def noisy() -> bytes:
    noise = np.random.default_rng(3).integers(0, 255, (240, 320, 3), dtype=np.uint8)
    return bytes(cv2.imencode(".jpg", cv2.GaussianBlur(noise, (0, 0), 2))[1])


WHOLE = noisy()
LOSSY = WHOLE[: len(WHOLE) // 2] + WHOLE[len(WHOLE) // 2 + 512 :]
"""A packet of the bus is missing in its middle; both markers are there."""


@pytest.mark.parametrize("fps", [15, 60])
def test_data_lost_in_the_middle_is_found_in_a_sample_and_told_within_half_a_second(fps: int) -> None:
    inspection = Inspection()
    for count in range(10 * fps):
        now_ns = NS_PER_S + count * NS_PER_S // fps
        picture = inspection.look(LOSSY, now_ns)
        assert picture is not None
        assert picture.data == LOSSY
    assert inspection.counts()["damaged_samples"] == pytest.approx(20, abs=1)
    (told,) = inspection.warnings(now_ns)
    assert "damaged" in told
    assert inspection.warnings(now_ns + RECENT_NS + 1) == ()
    assert inspection.counts()["torn_frames"] == 0


def test_whole_pictures_say_nothing() -> None:
    inspection = Inspection()
    for count in range(10):
        inspection.look(WHOLE, NS_PER_S + count * SAMPLE_NS)
    assert inspection.warnings(10 * NS_PER_S) == ()
    assert inspection.counts() == {"torn_frames": 0, "damaged_samples": 0, "cut_frames": 0}
