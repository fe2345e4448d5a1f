"""What pictures are like: dark, overexposed, blurred; the same one again. Pure: bytes or pixels in, numbers out."""

import zlib
from collections.abc import Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from station.borders.jpeg import MOST_PIXELS
from station.clock import NS_PER_S
from station.episodes.quality.card import PictureCard

EVERY_NS = NS_PER_S * 2 // 5
"""A camera's next picture at least so long after the last one is looked at: 2.5 a second, and 2.1 of a camera of 15."""
DARK = 25.0
"""Mean grey level: a covered lens, a light that is off."""
WHITE = 250
OVEREXPOSED = 0.25
"""Share of a picture that is white: there is nothing to see in a quarter of it."""
BLURRED = 0.008
"""Laplacian variance over variance at half size. Rendered pictures have 0.03 to 0.6, and 0.007 or less blurred by 1.5 pixels (sigma); noise
of a real camera raises both, so that one that is a little out of focus is not seen by this number alone."""
BLURRED_AGAINST_OTHERS = 0.15
"""Of the camera's own median in the episode: below it is blurred too."""
_HALF = 2


class Look(NamedTuple):
    """One picture that was looked at."""

    row: int
    brightness: float
    white: float
    sharpness: float


class PictureGauge:
    """One camera's pictures, new one by new one."""

    def __init__(self) -> None:
        self.looks: list[Look] = []
        self.undecodable = 0
        self.repeats = 0
        self._due_ns = 0
        self._hash: int | None = None
        self._since_ns = self._since_row = 0
        self.frozen_ns, self.frozen_row = 0, -1

    def take(self, row: int, captured_at_ns: int, data: Any, jpeg: bool, shape: tuple[int, int]) -> None:
        """The picture that is new in `row`; `shape`: height, width of a raw one."""
        told = zlib.crc32(data)
        if told == self._hash:
            self.repeats += 1
            if captured_at_ns - self._since_ns > self.frozen_ns:
                self.frozen_ns, self.frozen_row = captured_at_ns - self._since_ns, self._since_row
        else:
            self._hash, self._since_ns, self._since_row = told, captured_at_ns, row
        if captured_at_ns < self._due_ns:
            return
        self._due_ns = max(
            self._due_ns + EVERY_NS, captured_at_ns
        )  # on a grid of its own: a slow camera's are all looked at
        grey = grey_of_jpeg(data) if jpeg else grey_of_raw(data, shape)
        if grey is None or not grey.size:
            self.undecodable += 1
        else:
            self.looks.append(look(row, grey))


def grey_of_jpeg(data: Any) -> NDArray[np.uint8] | None:
    """At half size, (H/2, W/2) uint8; None where it cannot be decoded."""
    import simplejpeg  # here: who only reads a card does not need it

    try:
        height, width, *_ = simplejpeg.decode_jpeg_header(data, strict=False)
        if not 0 < height * width <= MOST_PIXELS:
            return None
        half = {"min_height": max(1, height // _HALF), "min_width": max(1, width // _HALF), "min_factor": _HALF}
        grey = simplejpeg.decode_jpeg(data, "GRAY", fastdct=True, strict=False, **half)
    except (ValueError, KeyError):
        return None
    return np.asarray(grey[:, :, 0], np.uint8)


def grey_of_raw(data: Any, shape: tuple[int, int]) -> NDArray[np.uint8] | None:
    """The same of three bytes a pixel of `shape` (H, W), whatever their order: it is brightness and sharpness that count."""
    pixels = np.frombuffer(data, np.uint8)
    if pixels.size != shape[0] * shape[1] * 3:
        return None
    return np.asarray(cv2.cvtColor(pixels.reshape(*shape, 3)[::_HALF, ::_HALF], cv2.COLOR_BGR2GRAY), np.uint8)


def look(row: int, grey: NDArray[np.uint8]) -> Look:
    """One picture (H, W) in numbers. Sharpness: the variance of its Laplacian over that of its brightness, so that a brighter lamp is no
    sharper picture.
    """
    mean, deviation = cv2.meanStdDev(grey)
    _, edges = cv2.meanStdDev(cv2.Laplacian(grey, cv2.CV_16S))
    white = float(np.count_nonzero(grey >= WHITE)) / grey.size
    contrast = max(float(deviation[0, 0]) ** 2, 1.0)
    return Look(row, float(mean[0, 0]), white, float(edges[0, 0]) ** 2 / contrast)


def picture_card(looks: Sequence[Look], seconds: float) -> PictureCard | None:
    """What they come to; None without any."""
    if not looks:
        return None
    rows = [each.row for each in looks]
    brightness, white, sharpness = (np.array(column) for column in list(zip(*looks, strict=True))[1:])
    median_sharpness = float(np.median(sharpness))
    dark, bright = brightness < DARK, white > OVEREXPOSED
    blurred = (sharpness < max(BLURRED, BLURRED_AGAINST_OTHERS * median_sharpness)) & ~dark & ~bright
    return PictureCard(
        sampled=len(looks), per_s=len(looks) / seconds if seconds > 0 else 0.0, brightness=float(np.median(brightness)),
        dark=int(dark.sum()), dark_run=_run(dark), darkest=float(brightness.min()), darkest_row=rows[int(brightness.argmin())],
        overexposed=int(bright.sum()), overexposed_run=_run(bright), most_overexposed=float(white.max()),
        most_overexposed_row=rows[int(white.argmax())], sharpness=median_sharpness, blurred=int(blurred.sum()),
        blurred_run=_run(blurred), least_sharp=float(sharpness.min()), least_sharp_row=rows[int(sharpness.argmin())],
    )  # fmt: skip


def _run(marked: NDArray[np.bool_]) -> int:
    """The longest run of marked ones."""
    longest = run = 0
    for each in marked:
        run = run + 1 if each else 0
        longest = max(longest, run)
    return longest
