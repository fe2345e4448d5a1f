"""JPEG bytes: is this one whole picture, how large is it, and encoding the pictures that are no JPEG yet. Pure.

Marker layout: ITU-T T.81 (JPEG), Annex B. Exif: CIPA DC-008, 4.6 and 4.7.2.
"""

import re
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    import numpy as np

QUALITY = 95

_SOI, _EOI = b"\xff\xd8", b"\xff\xd9"
_DHT, _SOS, _APP1 = 0xC4, 0xDA, 0xE1
_SOF = frozenset({0xC0, 0xC1, 0xC2})
"""Baseline, extended and progressive: what OpenCV, PIL and the trainers' loaders decode."""


class Jpeg(NamedTuple):
    """One whole picture."""

    data: bytes
    width: int
    height: int
    cut_bytes: int = 0
    """How many came after its end and were cut off, zeros not counted."""
    turned: bool = False
    """It said that it is to be shown turned or mirrored; that was taken out, for only some readers obey it."""


def whole(packet: bytes) -> Jpeg | str:
    """The one whole JPEG in a camera's packet, or why there is none: torn, two, or something else.

    USB cameras pad the end (zeros, CR LF, the last picture's rest) and often leave out the Huffman tables (MJPEG fixes
    them, T.81 K.3); what follows the end is cut and the tables put back, so that what is recorded is a JPEG by the standard.
    An orientation is taken out: OpenCV turns such a picture, PIL does not, and the rig file gives one size. The picture
    itself is untouched.
    """
    if not packet.startswith(_SOI):
        return "no JPEG: it does not begin with FF D8" if packet else "empty"
    segments = _segments(packet)
    if not segments or segments[-1].marker != _SOS:
        return "torn before the picture's data"
    end = _end(packet, segments[-1].end)
    if end is None:
        return "torn: it has no end marker"
    if packet.find(_SOI + b"\xff", segments[-1].end) >= 0:
        return "two pictures in one"
    frame = next((s for s in segments if s.marker in _SOF), None)
    if frame is None:
        return "no JPEG that is read: neither baseline nor progressive"
    height, width = (int.from_bytes(packet[at : at + 2]) for at in (frame.start + 3, frame.start + 5))
    if not width or not height:
        return f"a picture of {width}×{height}"
    turning = [s for s in segments if s.marker == _APP1 and _turns(packet[s.start + 2 : s.end])]
    data = packet[:end]
    if not any(s.marker == _DHT for s in segments):
        scan = segments[-1].start - 2
        data = data[:scan] + standard_huffman_tables() + data[scan:]
    for segment in reversed(turning):  # from the back: places before stay what they are
        data = data[: segment.start - 2] + data[segment.end :]
    return Jpeg(data, width, height, len(packet[end:].strip(b"\0")), bool(turning))


def encode(picture: "np.ndarray[Any, np.dtype[np.uint8]]") -> bytes:
    """A BGR picture (H, W, 3) uint8 as JPEG of quality 95, on this thread alone. Raises ValueError for what is no picture."""
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
    return b"".join(data[s.start - 2 : s.end] for s in _segments(data) if s.marker == _DHT)


class _Segment(NamedTuple):
    """`start` is the byte after the marker, where its length stands."""

    marker: int
    start: int
    end: int


def _segments(data: bytes) -> list[_Segment]:
    """Each segment up to and including the start of scan."""
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
        found.append(_Segment(marker, at + 2, end))
        if marker == _SOS:
            break
        at = end
    return found


_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
"""In entropy-coded data FF 00 is a byte FF, FF D0 to FF D7 restart it, and FF FF fills."""


def _end(data: bytes, at: int) -> int | None:
    """The byte after the end marker, looked for from within the first scan on; None if there is none."""
    while (found := _MARKER.search(data, at)) is not None:
        at = found.end()
        marker = data[at - 1]
        if marker == _EOI[1]:
            return at
        if marker == _SOI[1] or at + 2 > len(data):
            return None
        at += int.from_bytes(data[at : at + 2])  # tables and further scans of a progressive picture
    return None


_ORIENTATION, _UPRIGHT = 0x0112, 1
_ENTRY_BYTES = 12
_EXIF, _XMP = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0"
_XMP_ORIENTATION = re.compile(rb"tiff:Orientation(?:=[\"']|>)\s*([2-8])")


def _turns(app1: bytes) -> bool:
    """Does this segment's content say that the picture is to be shown turned or mirrored?"""
    if app1.startswith(_XMP):
        return _XMP_ORIENTATION.search(app1) is not None
    if not app1.startswith(_EXIF):
        return False
    tiff = app1[len(_EXIF) :]
    order: Literal["little", "big"] = "little" if tiff.startswith(b"II") else "big"
    at = int.from_bytes(tiff[4:8], order)
    for entry in range(int.from_bytes(tiff[at : at + 2], order)):
        here = at + 2 + _ENTRY_BYTES * entry
        if here + _ENTRY_BYTES > len(tiff):
            break
        if int.from_bytes(tiff[here : here + 2], order) == _ORIENTATION:
            return int.from_bytes(tiff[here + 8 : here + 10], order) not in (0, _UPRIGHT)
    return False
