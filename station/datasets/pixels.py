"""One camera's frames as pixels or as JPEGs encoded anew, at the size that is exported."""

import numpy as np
import simplejpeg

from station.datasets.formats.contract import Frame
from station.datasets.picture_rows import RGB, resized

QUALITY = 95
"""Of a JPEG that is encoded anew, with colours at full resolution."""


class Pixels:
    """Frames in their order: one that repeats the picture before it is neither decoded nor encoded again."""

    def __init__(self, size: tuple[int, int]) -> None:
        """`size`: (width, height)."""
        self._size = size
        self._stored = b""
        self._rgb: RGB | None = None
        self._jpeg = b""

    def rgb(self, frame: Frame) -> RGB:
        """(H, W, 3). Raises EpisodeError where the picture is none."""
        if self._rgb is None or frame.stored != self._stored:
            self._stored, self._jpeg = frame.stored, b""
            self._rgb = self._sized(frame)
        return self._rgb

    def jpeg(self, frame: Frame) -> bytes:
        """Encoded anew. Raises EpisodeError where the picture is none."""
        rgb = self.rgb(frame)
        if not self._jpeg:
            self._jpeg = simplejpeg.encode_jpeg(np.ascontiguousarray(rgb), QUALITY, "RGB", "444", fastdct=False)
        return self._jpeg

    def _sized(self, frame: Frame) -> RGB:
        return resized(frame.pictures.decoded(frame.row, frame.stored), *self._size)
