"""Pictures for a policy: each frame decoded and resized once, and kept until a tick asks for it."""

import threading
from collections import OrderedDict
from typing import Any, NamedTuple

import cv2
import numpy as np

from station.bus.messages import Frame
from station.policy.folder import Image, Size

Picture = np.ndarray[Any, Any]
"""uint8 (height, width, 3), the policy's size and colour order."""


class FrameKey(NamedTuple):
    """Which frame: a tick's `Chosen` names it alike."""

    stream: str
    start_id: int
    sequence: int


class FrameCache:
    """The newest `per_stream` pictures of every stream. One thread may fill it while another reads."""

    def __init__(self, per_stream: int) -> None:
        self._per_stream = per_stream
        self._pictures: dict[str, OrderedDict[FrameKey, Picture]] = {}
        self._changed = threading.Condition()

    def put(self, key: FrameKey, picture: Picture) -> None:
        """Keep it; the stream's oldest goes if there are too many."""
        with self._changed:
            pictures = self._pictures.setdefault(key.stream, OrderedDict())
            pictures[key] = picture
            while len(pictures) > self._per_stream:
                pictures.popitem(last=False)
            self._changed.notify_all()

    def get(self, key: FrameKey, timeout_s: float = 0.0) -> Picture | None:
        """The picture; None if it has not come within `timeout_s` (it may have been lost, or be gone already)."""
        with self._changed:
            self._changed.wait_for(lambda: self._find(key) is not None, timeout_s)
            return self._find(key)

    def _find(self, key: FrameKey) -> Picture | None:
        pictures = self._pictures.get(key.stream)
        return pictures.get(key) if pictures is not None else None


def prepare(frame: Frame, payload: bytes, image: Image, camera: str = "") -> Picture | None:
    """Decode, crop, put into the policy's colour order, resize; a camera with a size of its own lies at the top left, the rest is
    black. None where the bytes are no picture of that size, or none that the crop lies in.
    """
    picture = _decode(frame, payload)
    crop = image.crop.get(camera)
    if picture is not None and crop is not None:
        inside = crop.top + crop.height <= picture.shape[0] and crop.left + crop.width <= picture.shape[1]
        part = picture[crop.top : crop.top + crop.height, crop.left : crop.left + crop.width]
        picture = np.ascontiguousarray(part) if inside else None
    if picture is None:
        return None
    if (image.color == "rgb") != (frame.encoding == "rgb8"):
        picture = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)  # swaps either way
    size = image.of(camera)
    resized = _pad(picture, size) if image.resize == "pad" else _resize(picture, size.width, size.height)
    if (size.width, size.height) == (image.width, image.height):
        return resized
    canvas = np.zeros((image.height, image.width, 3), np.uint8)
    canvas[: size.height, : size.width] = resized
    return canvas


def _decode(frame: Frame, payload: bytes) -> Picture | None:
    data = np.frombuffer(payload, np.uint8)
    if frame.encoding == "jpeg":
        decoded: Picture | None = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
        return decoded
    if frame.encoding not in ("bgr8", "rgb8") or data.size != frame.height * frame.width * 3:
        return None
    return data.reshape(frame.height, frame.width, 3)


def _resize(picture: Picture, width: int, height: int) -> Picture:
    if picture.shape[:2] == (height, width):
        return picture
    shrinks = width * height < picture.shape[0] * picture.shape[1]
    resized: Picture = cv2.resize(
        picture, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    )
    return resized


def _pad(picture: Picture, size: Size) -> Picture:
    """Keep the aspect ratio, centre on black (what openpi's `resize_with_pad` does)."""
    height, width = picture.shape[:2]
    ratio = min(size.width / width, size.height / height)
    inner = _resize(picture, max(1, round(width * ratio)), max(1, round(height * ratio)))
    padded = np.zeros((size.height, size.width, 3), np.uint8)
    top, left = (size.height - inner.shape[0]) // 2, (size.width - inner.shape[1]) // 2
    padded[top : top + inner.shape[0], left : left + inner.shape[1]] = inner
    return padded
