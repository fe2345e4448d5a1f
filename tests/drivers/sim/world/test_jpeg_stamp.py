import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.sim.world.jpeg_stamp import Stamp, read_stamp, stamp
from tests.pictures import bgr

PICTURE = np.arange(64 * 64 * 3, dtype=np.uint8).reshape(64, 64, 3)
JPEG = cv2.imencode(".jpg", PICTURE)[1].tobytes()


@given(st.integers(0, 2**63 - 1), st.integers(0, 2**31))
def test_what_is_stamped_is_read_and_the_picture_is_the_same(captured_ns: int, frame: int) -> None:
    stamped = stamp(JPEG, captured_ns, frame)
    assert read_stamp(stamped) == Stamp(captured_ns, frame)
    assert stamped.endswith(JPEG[2:])
    decoded = bgr(stamped)
    np.testing.assert_array_equal(decoded, bgr(JPEG))


def test_a_picture_without_a_stamp_has_none() -> None:
    assert read_stamp(JPEG) is None
    assert read_stamp(b"") is None


def test_what_is_no_jpeg_is_refused() -> None:
    with pytest.raises(ValueError, match="not a JPEG"):
        stamp(b"GIF89a", 1, 1)


@given(st.binary(max_size=200))
def test_reading_any_bytes_never_fails(data: bytes) -> None:
    read_stamp(data)
    read_stamp(JPEG[:2] + data)
