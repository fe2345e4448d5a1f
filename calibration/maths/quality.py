"""Is a camera's picture what it was: sharp, exposed, alive, and of the right camera? Pure."""

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from calibration.maths.registration import register

Gray = NDArray[np.uint8]

_DARK, _BRIGHT = 4, 251
_MOST_LOST = 0.9
"""Share of a reference picture that may be black or white."""
_CHANGED, _MOST_MOVING = 20.0, 0.01
"""Grey levels by which a smoothed pixel differs where something moved, and the share of them a still scene may have."""


class Exposure(NamedTuple):
    """How light falls."""

    mean: float
    """0 to 255."""
    dark_share: float
    """Share of pixels that are black."""
    bright_share: float
    """Share of pixels that are white."""


class Pace(NamedTuple):
    """How a stream's pictures come."""

    rate_hz: float
    jitter_ms: float
    """The 95th percentile of |gap − median gap|."""
    longest_gap_ms: float
    pictures: int


class Match(NamedTuple):
    """Which camera's reference a picture looks like."""

    reference: str
    """"" where it looks like none."""
    share: float
    own_share: float
    """Of the reference it should look like."""


LEAST_MATCH = 0.25
"""Share of a reference's cells that must agree to call a picture that camera's."""
_SURE = 0.8
"""Of the best share: the own reference is then taken, for places look alike."""


def exposure(gray: Gray) -> Exposure:
    """Mean grey level (0 … 255), and the shares of pixels that are black or white (0 … 1). (H, W)"""
    return Exposure(float(gray.mean()), float((gray <= _DARK).mean()), float((gray >= _BRIGHT).mean()))


def no_reference(grays: Sequence[Gray]) -> str:
    """Why some pictures of a scene cannot be what later ones are compared with; "" if they can."""
    light = exposure(mean_picture(grays))
    if light.dark_share > _MOST_LOST or light.bright_share > _MOST_LOST:
        shade = "black" if light.dark_share > _MOST_LOST else "white"
        share = 100 * max(light.dark_share, light.bright_share)
        return f"{share:.0f} % of the picture is {shade}. Next: take the cap off, put the light on"
    smooth = [cv2.GaussianBlur(gray, (0, 0), 2.0).astype(np.float32) for gray in (grays[0], grays[-1])]
    moved = float((np.abs(smooth[0] - smooth[1]) > _CHANGED).mean())
    if moved > _MOST_MOVING:
        do = "Next: leave the view, keep everything still, take it again"
        return f"{100 * moved:.0f} % of the picture moved while it was taken. {do}"
    return ""


def sharpness(gray: Gray) -> float:
    """Energy of the finest detail over that of the coarser detail, noise smoothed: gain, offset and most of what moved drop out.

    Detail is what a difference of Gaussians passes: σ 0.7 − 1.4 px over σ 1.4 − 5.6 px. Blur takes the fine part first.
    """
    picture = gray.astype(np.float32)
    fine, middle, coarse = (cv2.GaussianBlur(picture, (0, 0), sigma) for sigma in (0.7, 1.4, 5.6))
    return float(np.mean((fine - middle) ** 2) / (np.mean((middle - coarse) ** 2) + 1e-3))


def repeated(digests: Sequence[bytes]) -> int:
    """How many pictures are byte for byte the one before, by their digests: a camera that sends its last picture again."""
    return sum(a == b for a, b in itertools.pairwise(digests))


def pace(captured_at_ns: Sequence[int]) -> Pace:
    """Rate (Hz) and jitter (ms: 95 % of the gaps are nearer to the median one) from capture times. (N,)

    Raises ValueError for fewer than two.
    """
    if len(captured_at_ns) < 2:
        raise ValueError("a rate needs two pictures")
    gaps = np.diff(np.asarray(captured_at_ns, np.int64)) / 1e6
    rate = 1000 * len(gaps) / float(gaps.sum())
    return Pace(rate, float(np.percentile(np.abs(gaps - np.median(gaps)), 95)), float(gaps.max()), len(captured_at_ns))


def mean_picture(pictures: Sequence[Gray]) -> Gray:
    """The average of N pictures of a still scene: √N times less noise. (H, W) each, and so is it."""
    return np.asarray(np.round(np.mean(np.stack(pictures), axis=0)), np.uint8)


def identify(picture: Gray, references: dict[str, Gray], own: str) -> Match:
    """Which camera's reference the picture agrees with most; `own` is the one it should be. Other sizes cannot match."""
    alike = {name: gray for name, gray in references.items() if gray.shape == picture.shape}
    mine = register(alike[own], picture).share if own in alike else 0.0
    if mine >= _SURE:
        return Match(own, mine, mine)
    shares = {own: mine} | {name: register(gray, picture).share for name, gray in alike.items() if name != own}
    best = max(shares, key=lambda name: shares[name], default="")
    if best and shares[best] < LEAST_MATCH:
        best = ""
    return Match(own if best and mine >= _SURE * shares[best] else best, shares.get(best, 0.0), mine)
