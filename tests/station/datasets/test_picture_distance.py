"""The distance of two pictures is exact, whoever made them."""

import math

import numpy as np
import pytest

from station.datasets.picture_distance import decibels, mean_square, means


def test_it_is_the_mean_of_the_squares_in_whole_numbers() -> None:
    drawn = np.random.default_rng(0)
    one, other = (drawn.integers(0, 256, (480, 640, 3), dtype=np.uint8) for _ in range(2))
    assert mean_square(one, other) == float(np.mean((one.astype(np.int64) - other) ** 2))
    assert mean_square(np.zeros_like(one), np.full_like(one, 255)) == 255**2
    assert mean_square(one, one.copy()) == 0
    assert means(one) == pytest.approx(one.mean(axis=(0, 1)))


def test_pictures_that_nobody_may_write_to() -> None:
    picture = np.frombuffer(bytes(range(12)), np.uint8).reshape(2, 2, 3)
    assert mean_square(picture, picture) == 0


def test_decibels() -> None:
    assert decibels(255**2) == 0
    assert decibels(0) == math.inf
