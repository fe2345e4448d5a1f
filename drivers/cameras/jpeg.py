"""JPEG bytes: is this one whole picture, how large is it, and encoding the pictures that are no JPEG yet. Pure.

Marker layout: ITU-T T.81 (JPEG), Annex B.
"""

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np

QUALITY = 95

_SOI, _EOI = b"\xff\xd8", b"\xff\xd9"
_DHT, _SOS = 0xC4, 0xDA
_SOF = frozenset({0xC0, 0xC1, 0xC2})
"""Baseline, extended and progressive: what OpenCV, PIL and the trainers' loaders decode."""


class Jpeg(NamedTuple):
    """One whole picture."""

    data: bytes
    width: int
    height: int


def whole(packet: bytes) -> Jpeg | None:
    """The one whole JPEG in a camera's packet, or None if it is torn, is two, or is something else.

    USB cameras pad the end with zeros and often leave out the Huffman tables (MJPEG fixes them, T.81 K.3); the padding
    is cut and the tables put back, so that what is recorded is a JPEG by the standard. The picture itself is untouched.
    """
    data = packet.rstrip(b"\0")
    if not data.startswith(_SOI) or not data.endswith(_EOI):
        return None
    width = height = 0
    has_tables = False
    for marker, start, end in _segments(data):
        if marker in _SOF:
            height, width = int.from_bytes(data[start + 3 : start + 5]), int.from_bytes(data[start + 5 : start + 7])
        elif marker == _DHT:
            has_tables = True
        elif marker == _SOS:
            if not width or not height or data.find(_SOI, end) >= 0:
                return None
            if not has_tables:
                data = data[: start - 2] + standard_huffman_tables() + data[start - 2 :]
            return Jpeg(data, width, height)
    return None


def encode(picture: "np.ndarray[Any, np.dtype[np.uint8]]") -> bytes:
    """A BGR picture (H, W, 3) uint8 as JPEG of quality 95, on this thread alone."""
    import cv2  # here, so that a rig file is checked without it

    cv2.setNumThreads(1)
    done, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    if not done:
        raise ValueError(f"OpenCV could not encode a picture of shape {picture.shape}")
    return bytes(data)


@cache
def standard_huffman_tables() -> bytes:
    """The DHT segments of T.81 K.3, as libjpeg writes them into every picture it is not asked to optimise."""
    import numpy as np  # here, as above: every node reads the rig file

    data = encode(np.zeros((16, 16, 3), np.uint8))
    return b"".join(data[start - 2 : end] for marker, start, end in _segments(data) if marker == _DHT)


def _segments(data: bytes) -> list[tuple[int, int, int]]:
    """(marker, first byte after it, end) of each segment up to and including the start of scan."""
    found = []
    at = len(_SOI)
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:  # fill byte
            at += 1
            continue
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4])
        if end > len(data):
            break
        found.append((marker, at + 2, end))
        if marker == _SOS:
            break
        at = end
    return found
