"""Depth as a dataset has it: bit for bit as it was recorded, uint16 millimetres, whatever becomes of the pictures. Pure."""

import numpy as np
from numpy.typing import NDArray

from station.datasets.formats.contract import Frame
from station.errors import EpisodeError


def millimetres(frame: Frame) -> NDArray[np.uint16]:
    """(H, W)"""
    return np.frombuffer(frame.stored, "<u2").reshape(frame.pictures.height, frame.pictures.width)


def png(frame: Frame) -> bytes:
    """A PNG of 16 bits, one channel."""
    import cv2  # here: whoever lists the formats draws nothing

    done, data = cv2.imencode(".png", millimetres(frame), (cv2.IMWRITE_PNG_COMPRESSION, 1))
    if not done:
        raise frame.pictures.wrong(frame.row, "the depth picture cannot be encoded")
    return data.tobytes()


def stored_of(data: bytes | memoryview, where: str) -> bytes:
    """The numbers of such a PNG as an episode has them, little-endian. Raises EpisodeError for what is none."""
    import cv2

    try:
        found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        found = None
    if found is None or found.dtype != np.uint16 or found.ndim != 2:
        raise EpisodeError(f"{where}: a depth picture is no PNG of 16 bits. Next: export again")
    return np.ascontiguousarray(found, "<u2").tobytes()
