"""Before which camera somebody holds a hand, from what each saw before and sees now. Pure."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from calibration.maths.quality import Gray

_SIZE = (80, 60)
_LEVELS = 16.0
"""Grey levels by which a pixel of the small, smoothed picture differs where something else is seen; noise and flicker stay below."""
LEAST_SHARE = 0.5
"""Of a covered camera's picture that changes. An arm reaching past a camera, or a shadow, changes less."""
_SURE = 0.6
"""The next most changed picture must stay below this share of the most changed one."""


class Covered(NamedTuple):
    """What was seen."""

    camera: str
    """"" where none was covered, or two were."""
    shares: dict[str, float]
    """Of each camera's picture that changed, 0 to 1."""


def covered(before: Mapping[str, Sequence[Gray]], now: Mapping[str, Sequence[Gray]]) -> Covered:
    """Which camera is covered now and was not before: some pictures of each, (H, W)."""
    cameras = [camera for camera in before if len(before[camera]) and len(now.get(camera, ()))]
    shares = {camera: changed(before[camera], now[camera]) for camera in cameras}
    ranked = sorted(shares, key=lambda camera: -shares[camera])
    if not ranked or shares[ranked[0]] < LEAST_SHARE:
        return Covered("", shares)
    others = shares[ranked[1]] if len(ranked) > 1 else 0.0
    return Covered(ranked[0] if others < _SURE * shares[ranked[0]] else "", shares)


def changed(before: Sequence[Gray], now: Sequence[Gray]) -> float:
    """Share of the picture that shows something else, 0 to 1; pictures of another size show something else altogether."""
    if before[-1].shape != now[-1].shape:
        return 1.0
    return float((np.abs(_small(before) - _small(now)) > _LEVELS).mean())


def _small(pictures: Sequence[Gray]) -> NDArray[np.float32]:
    """Their mean, small and smooth."""
    small = [
        cv2.GaussianBlur(cv2.resize(gray, _SIZE, interpolation=cv2.INTER_AREA), (0, 0), 1.0).astype(np.float32)
        for gray in pictures
    ]
    return np.asarray(np.mean(np.stack(small), axis=0), np.float32)
