"""The true capture time inside a JPEG: a COM segment right after SOI, put there without encoding anything again.

FFD8 | FFFE length "station captured_ns=<int> frame=<int>" | the rest of the picture
"""

import re
from typing import NamedTuple

_SOI = b"\xff\xd8"
_COM = b"\xff\xfe"
_TEXT = re.compile(rb"station captured_ns=(\d+) frame=(\d+)\Z")


class Stamp(NamedTuple):
    """What the source knew about the picture."""

    captured_ns: int
    frame: int


def stamp(jpeg: bytes, captured_ns: int, frame: int) -> bytes:
    """The picture with its stamp. Raises ValueError if it is no JPEG."""
    if jpeg[:2] != _SOI:
        raise ValueError("not a JPEG: it does not begin with SOI")
    text = b"station captured_ns=%d frame=%d" % (captured_ns, frame)
    return b"".join((_SOI, _COM, (len(text) + 2).to_bytes(2), text, memoryview(jpeg)[2:]))


def read_stamp(jpeg: bytes) -> Stamp | None:
    """The stamp of a picture, None if it has none."""
    at = 2
    while at + 4 <= len(jpeg) and jpeg[at] == 0xFF and 0xE0 <= jpeg[at + 1] <= 0xFE:
        length = int.from_bytes(jpeg[at + 2 : at + 4])
        match = _TEXT.match(jpeg[at + 4 : at + 2 + length]) if jpeg[at : at + 2] == _COM else None
        if match is not None:
            return Stamp(int(match[1]), int(match[2]))
        at += 2 + length
    return None
