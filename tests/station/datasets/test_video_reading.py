"""Frames of a video by their number, in whatever order they are asked for."""

from pathlib import Path
from typing import cast

import numpy as np
import pytest
import simplejpeg

from station.datasets.conversion import Video
from station.datasets.picture_rows import PictureRows
from station.datasets.video import VideoWriter
from station.datasets.video_reading import VideoReader
from tests.station.datasets.recorded import SIZE, encoded, number_in

FRAMES = 36
ORDERS = ([0, 1, 2, 3], [9, 10, 11, 19, 20, 35], [30, 4, 5, 30, 0], [7, 13, 14, 20, 27], list(range(FRAMES)))


class Shots(PictureRows):
    """JPEGs without a file: each carries its row's number."""

    def __init__(self) -> None:
        self.jpeg, (self.width, self.height) = True, SIZE

    def stored(self, row: int) -> bytes:
        return encoded("cam_high", row)


@pytest.fixture(scope="module")
def shots() -> Shots:
    return Shots()


def written(path: Path, shots: Shots, video: Video) -> Path:
    with VideoWriter(path, *SIZE, 50, video) as writer:
        for row in range(FRAMES):
            writer.add(shots, row, shots.stored(row))
    return path


@pytest.mark.parametrize("frames", ORDERS, ids=str)
@pytest.mark.parametrize("video", ["h264", "as-shot"])
def test_each_frame_is_the_one_that_was_asked_for(
    video: Video, frames: list[int], shots: Shots, tmp_path: Path
) -> None:
    """One that follows closely is decoded from where the last one was, others are sought; what was asked before changes neither."""
    with VideoReader(written(tmp_path / "a.mp4", shots, video)) as reader:
        for _ in range(2):
            found = reader.pictures(frames, 50)
            pixels = [simplejpeg.decode_jpeg(one) if isinstance(one, bytes) else one for one in found]
            assert [number_in(cast("np.typing.NDArray[np.uint8]", one)) for one in pixels] == frames
        assert np.array_equal(np.asarray(reader.pictures(frames[-1:], 50)[0]), np.asarray(found[-1]))
