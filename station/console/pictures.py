"""Pictures as whoever looks gets them. Pure."""

import numpy as np

from station.bus.messages import Frame
from station.bus.wire import Sample

JPEG_QUALITY = 80
LARGEST_SIDE = 65_500
"""Pixels: what a JPEG holds."""


def as_jpeg(sample: Sample) -> bytes | None:
    """The picture as JPEG: as the camera made it, or made here from raw pixels; None if it is neither, or not as large as it says."""
    frame = sample.body
    if not isinstance(frame, Frame) or not sample.payload:
        return None
    if frame.encoding == "jpeg":
        return sample.payload[0]
    if frame.encoding not in ("bgr8", "rgb8") or len(sample.payload[0]) != frame.height * frame.width * 3:
        return None
    if not 0 < frame.width <= LARGEST_SIDE or not 0 < frame.height <= LARGEST_SIDE:
        return None
    import cv2  # here: who only passes JPEGs on needs none of its 27 MB

    pixels = np.frombuffer(sample.payload[0], np.uint8).reshape(frame.height, frame.width, 3)
    bgr = pixels if frame.encoding == "bgr8" else pixels[..., ::-1]
    done, jpeg = cv2.imencode(".jpg", np.ascontiguousarray(bgr), [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return jpeg.tobytes() if done else None
