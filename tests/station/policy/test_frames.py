import threading

import cv2
import numpy as np
import pytest

from station.bus.messages import Frame
from station.policy.folder import Crop, Image, Size
from station.policy.frames import FrameCache, FrameKey, prepare

RED = (200, 30, 10)


def picture(height: int = 48, width: int = 64) -> np.ndarray:
    """RGB: red, with a blue right half."""
    rgb = np.empty((height, width, 3), np.uint8)
    rgb[:] = RED
    rgb[:, width // 2 :] = RED[::-1]
    return rgb


def frame(encoding: str, height: int = 48, width: int = 64) -> Frame:
    return Frame(encoding, width, height, "arrival")  # type: ignore[arg-type]


@pytest.mark.parametrize("color", ["rgb", "bgr"])
@pytest.mark.parametrize("encoding", ["jpeg", "rgb8", "bgr8"])
def test_colours_come_out_in_the_policys_order(encoding: str, color: str) -> None:
    rgb = picture()
    payload = {
        "rgb8": rgb.tobytes(),
        "bgr8": rgb[..., ::-1].tobytes(),
        "jpeg": cv2.imencode(".jpg", rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes(),
    }[encoding]
    result = prepare(frame(encoding), payload, Image(64, 48, color))  # type: ignore[arg-type]
    assert result is not None
    expected = rgb if color == "rgb" else rgb[..., ::-1]
    np.testing.assert_allclose(result[10, 10].astype(int), expected[10, 10], atol=6)
    np.testing.assert_allclose(result[10, 50].astype(int), expected[10, 50], atol=6)


def test_stretch_fills_and_pad_keeps_the_aspect_ratio() -> None:
    payload = picture().tobytes()
    stretched = prepare(frame("rgb8"), payload, Image(20, 20))
    padded = prepare(frame("rgb8"), payload, Image(20, 20, resize="pad"))
    assert stretched is not None
    assert padded is not None
    assert stretched.shape == padded.shape == (20, 20, 3)
    assert stretched[0, 0].tolist() == list(RED)
    assert not padded[:2].any(), "black above"
    assert not padded[-2:].any(), "and below"
    assert padded[10, 0].tolist() == list(RED)


def test_growing_too() -> None:
    grown = prepare(frame("rgb8"), picture().tobytes(), Image(128, 96))
    assert grown is not None
    assert grown.shape == (96, 128, 3)


@pytest.mark.parametrize(
    ("encoding", "payload"),
    [("jpeg", b""), ("jpeg", b"\xff\xd8 no picture"), ("rgb8", b"short"), ("z16", b"\0" * 6144)],
)
def test_bytes_that_are_no_picture_are_none(encoding: str, payload: bytes) -> None:
    assert prepare(frame(encoding), payload, Image(64, 48)) is None


def test_the_cache_keeps_the_newest_of_each_stream() -> None:
    cache = FrameCache(2)
    image = picture()
    for stream in ("cam_high", "cam_low"):
        for sequence in range(4):
            cache.put(FrameKey(stream, 1, sequence), image)
    assert [cache.get(FrameKey("cam_high", 1, i)) is not None for i in range(4)] == [False, False, True, True]
    assert cache.get(FrameKey("cam_low", 1, 3)) is not None
    assert cache.get(FrameKey("cam_low", 2, 3)) is None, "another life of the camera's"


def test_a_reader_waits_for_a_frame_that_is_being_decoded() -> None:
    cache = FrameCache(2)
    found = []
    reader = threading.Thread(target=lambda: found.append(cache.get(FrameKey("cam_high", 1, 7), timeout_s=30)))
    reader.start()
    cache.put(FrameKey("cam_high", 1, 6), picture())
    cache.put(FrameKey("cam_high", 1, 7), picture())
    reader.join(30)
    assert found[0] is not None


def test_a_camera_with_a_size_of_its_own_lies_at_the_top_left() -> None:
    image = Image(64, 48, sizes={"cam_wrist": Size(20, 10)})
    own = prepare(frame("rgb8"), picture().tobytes(), Image(20, 10))
    found = prepare(frame("rgb8"), picture().tobytes(), image, "cam_wrist")
    assert found is not None and own is not None and found.shape == (48, 64, 3)
    assert np.array_equal(found[:10, :20], own) and not found[10:].any() and not found[:, 20:].any()
    other = prepare(frame("rgb8"), picture().tobytes(), image, "cam_high")
    assert other is not None and np.array_equal(other, picture())


@pytest.mark.parametrize("encoding", ["jpeg", "rgb8"])
def test_a_part_of_a_cameras_pictures(encoding: str) -> None:
    """The blue half begins at column 32: of 40 columns from 12 on it is the right half; other cameras are seen whole."""
    rgb = picture()
    payload = rgb.tobytes() if encoding == "rgb8" else cv2.imencode(".jpg", rgb[..., ::-1])[1].tobytes()
    image = Image(20, 10, crop={"cam_high": Crop(40, 24, 12, 8)})
    cropped = prepare(frame(encoding), payload, image, "cam_high")
    assert cropped is not None and cropped.shape == (10, 20, 3)
    np.testing.assert_allclose(cropped[5, [0, 8, 11, 19]].astype(int), [RED, RED, RED[::-1], RED[::-1]], atol=12)
    whole = prepare(frame(encoding), payload, image, "cam_low")
    assert whole is not None
    np.testing.assert_allclose(whole[5, [0, 8, 11, 19]].astype(int), [RED, RED, RED[::-1], RED[::-1]], atol=12)
    assert prepare(frame(encoding), payload, Image(20, 10, crop={"cam_high": Crop(40, 24, 30, 8)}), "cam_high") is None
