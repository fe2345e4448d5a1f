"""How far two pictures are from each other. Exact, in whole numbers: verifying compares dozens of pairs an episode and camera. Pure."""

import math

from station.datasets.picture_rows import RGB


def mean_square(one: RGB, other: RGB) -> float:
    """Of the differences of two pictures of one size, in grey levels squared."""
    import cv2  # here: pictures as shot are compared byte for byte, and need none of it

    return float(cv2.norm(one, other, cv2.NORM_L2SQR)) / one.size


def decibels(mean_square_levels: float) -> float:
    """PSNR; infinite where nothing differs."""
    return 10 * math.log10(255**2 / mean_square_levels) if mean_square_levels else math.inf


def means(picture: RGB) -> tuple[float, float, float]:
    """Mean level of each channel, 0 … 255."""
    import cv2  # here, like above

    red, green, blue, _ = cv2.mean(picture)
    return red, green, blue
