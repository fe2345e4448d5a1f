"""Encoded pictures as arrays; a test that gets none has failed."""

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]


def bgr(encoded: bytes | Pixels) -> Pixels:
    """(H, W, 3), as OpenCV orders the channels."""
    return _decoded(encoded, cv2.IMREAD_COLOR)


def gray(encoded: bytes | Pixels) -> Pixels:
    """(H, W)."""
    return _decoded(encoded, cv2.IMREAD_GRAYSCALE)


def _decoded(encoded: bytes | Pixels, flags: int) -> Pixels:
    found = cv2.imdecode(np.frombuffer(encoded, np.uint8), flags)
    assert found is not None, "no picture"
    return np.asarray(found, np.uint8)
