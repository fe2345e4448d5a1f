"""A slow scene, in which no single picture tells a shift: the sum over the episode does, and pictures that are right are left alone."""

from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
import pytest
import simplejpeg

from station.datasets.alignment import changes, shifts
from station.datasets.conversion import Video
from station.datasets.picture_rows import PictureRows
from station.datasets.verifying import _ALIKE
from station.datasets.video import VideoWriter
from station.datasets.video_reading import VideoReader

WIDTH, HEIGHT, FRAMES = 320, 240, 90


class Shots(PictureRows):
    """JPEGs without a file: a small thing that moves by `speed` pixels each `times` rows before a still texture."""

    def __init__(self, speed: float, noise: float = 0.0, times: int = 1) -> None:
        self.jpeg, self.width, self.height = True, WIDTH, HEIGHT
        drawn = np.random.default_rng(0)
        ground = cv2.GaussianBlur(drawn.integers(0, 255, (HEIGHT, WIDTH, 3)).astype(np.float32), (0, 0), 3)
        self._shots = [self._shot(ground, row * speed, noise, drawn) for row in range(FRAMES // times + 1)]
        self._times = times

    def stored(self, row: int) -> bytes:
        return self._shots[row // self._times]

    def _shot(self, ground: Any, shift: float, noise: float, drawn: np.random.Generator) -> bytes:
        moved = np.array([[1, 0, 100 + shift], [0, 1, 100]], np.float32)
        thing = cv2.warpAffine(np.ones((20, 20), np.float32), moved, (WIDTH, HEIGHT))[..., None]
        picture = ground * (1 - thing) + thing * 230 + (drawn.normal(0, noise, ground.shape) if noise else 0)
        done, data = cv2.imencode(".jpg", np.clip(picture, 0, 255).astype(np.uint8), (cv2.IMWRITE_JPEG_QUALITY, 92))
        assert done
        return data.tobytes()


def told(shots: Shots, shift: int, video: Video, path: Path) -> list[str]:
    """Of a video in which frame k shows row k − shift."""
    with VideoWriter(path, WIDTH, HEIGHT, 50, video) as writer:
        for frame in range(FRAMES):
            row = min(max(frame - shift, 0), FRAMES - 1)
            writer.add(shots, row, shots.stored(row))
    with VideoReader(path) as reader:
        return list(shifts(shots, np.arange(FRAMES), lambda frames: reader.pictures(frames, 50)))


@pytest.mark.slow
@pytest.mark.parametrize("video", ["h264", "av1"])
@pytest.mark.parametrize(
    ("speed", "noise", "times"), [(0.02, 0, 1), (0.1, 0, 1), (0.3, 0, 1), (0.3, 2, 1), (1.0, 0, 3)]
)
def test_what_is_right_is_left_alone(speed: float, noise: float, times: int, video: Video, tmp_path: Path) -> None:
    assert told(Shots(speed, noise, times), 0, video, tmp_path / "a.mp4") == []


@pytest.mark.slow
@pytest.mark.parametrize("video", ["h264", "av1"])
@pytest.mark.parametrize(
    ("speed", "times", "shift", "words"),
    [
        (0.1, 1, 1, "before"), (0.1, 1, 2, "before"), (0.3, 1, 1, "before"), (0.3, 1, -1, "behind"),
        (0.3, 1, -2, "behind"), (0.3, 3, 1, "before"), (0.3, 3, -1, "behind"),
    ],
)  # fmt: skip
def test_a_slow_scene_that_is_shifted_is_found(
    speed: float, times: int, shift: int, words: str, video: Video, tmp_path: Path
) -> None:
    shots = Shots(speed, 0, times)
    one, other = (simplejpeg.decode_jpeg(shots.stored(row), "RGB").astype(np.float32) for row in (0, times))
    assert np.mean((one - other) ** 2) < _ALIKE  # no single picture is looked at for it
    (found,) = told(shots, shift, video, tmp_path / "a.mp4")
    assert f"nearer to the pictures {words}" in found


def test_where_nothing_moves_nothing_is_said() -> None:
    assert changes(Shots(1.0, 0, FRAMES), np.arange(FRAMES)) == []
    assert list(shifts(Shots(1.0, 0, FRAMES), np.arange(FRAMES), lambda frames: cast(Any, []))) == []
