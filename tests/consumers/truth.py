"""What a loader must give back: read from the recorded episodes by nothing that the exporters use."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
import simplejpeg
from numpy.typing import NDArray

from tests.station.datasets.recorded import number_in

WORST_DB = 36.0


class Row(NamedTuple):
    """One row of an episode."""

    state: NDArray[np.float32]
    action: NDArray[np.float32]
    instruction: str
    pictures: dict[str, NDArray[np.uint8]]
    """RGB, as decoded by libjpeg."""


def rows(episode: Path) -> Iterator[Row]:
    """Every row, as recorded."""
    with h5py.File(episode, "r", locking=False) as file:
        cameras = [str(name) for name in file.attrs["camera_names"]]
        for row in range(len(file["/action"])):
            pictures = {
                camera: simplejpeg.decode_jpeg(
                    file[f"/observations/images/{camera}"][row, : int(file["/compress_len"][place, row])].tobytes(),
                    "RGB",
                )
                for place, camera in enumerate(cameras)
            }
            yield Row(file["/observations/qpos"][row], file["/action"][row], str(file.attrs["instruction"]), pictures)


def depths(episode: Path) -> dict[str, NDArray[np.uint16]]:
    """Of each camera that has depth, (N, H, W) millimetres, by the name that datasets give the stream."""
    with h5py.File(episode, "r", locking=False) as file:
        return {f"{camera}_depth": rows[()] for camera, rows in file["/observations/depth"].items()}


def check_picture(found: NDArray[np.uint8], expected: NDArray[np.uint8]) -> None:
    """The picture of that very row, near enough, in the right colours and levels."""
    assert number_in(found) == number_in(expected)
    error = float(np.mean((found.astype(np.float64) - expected) ** 2))
    assert 10 * np.log10(255**2 / max(error, 1e-12)) >= WORST_DB
    for patch in (np.s_[-26:-10, 12:34], np.s_[-26:-10, 56:78]):  # red, blue
        assert np.abs(found[patch].mean(axis=(0, 1)) - expected[patch].mean(axis=(0, 1))).max() < 6
    assert abs(float(found.mean()) - float(expected.mean())) < 2


def assert_equal(one: Any, other: Any) -> None:
    """Bit for bit."""
    assert np.asarray(one).dtype == np.asarray(other).dtype
    np.testing.assert_array_equal(one, other)
