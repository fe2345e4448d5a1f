"""Pictures for the headset: as they came, or made from raw pixels; what is not as large as it says is none."""

import numpy as np
import pytest

from station.bus.messages import SCHEMA, Frame, Header, Vector
from station.bus.wire import Sample
from station.console.pictures import as_jpeg
from tests.pictures import bgr

HEADER = Header(SCHEMA, 1, 0, 0, 0)


def picture(frame: Frame, *payload: bytes) -> bytes | None:
    return as_jpeg(Sample("frame", "cam_high", HEADER, frame, payload))


def test_a_jpeg_is_passed_on_as_it_came() -> None:
    assert picture(Frame("jpeg", 2, 1, "driver"), b"\xff\xd8") == b"\xff\xd8"


def test_raw_pixels_become_a_jpeg_in_the_right_colours() -> None:
    red = np.zeros((16, 16, 3), np.uint8)
    red[..., 0] = 255
    jpeg = picture(Frame("rgb8", 16, 16, "driver"), red.tobytes())
    assert jpeg is not None
    shown = bgr(jpeg)
    assert shown[8, 8, 2] > 200 and shown[8, 8, 0] < 60


@pytest.mark.parametrize(
    ("frame", "payload"),
    [
        (Frame("bgr8", 640, 480, "driver"), (b"",)), (Frame("bgr8", 640, 480, "driver"), ()),
        (Frame("rgb8", 0, 0, "driver"), (b"",)), (Frame("bgr8", -1, -1, "driver"), (b"abc",)),
        (Frame("bgr8", 70_000, 1, "driver"), (bytes(210_000),)), (Frame("bgr8", 2**60, 2**60, "driver"), (b"abc",)),
        (Frame("z16", 1, 1, "driver"), (b"ab",)),
    ],
)  # fmt: skip
def test_what_is_not_as_large_as_it_says_is_no_picture(frame: Frame, payload: tuple[bytes, ...]) -> None:
    assert picture(frame, *payload) is None


def test_another_body_is_no_picture() -> None:
    assert as_jpeg(Sample("frame", "cam_high", HEADER, Vector(()), (b"x",))) is None
