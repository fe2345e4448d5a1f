"""What formats in HDF5 have in common: numbers and pixels written so that the same input gives the same bytes."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from station.datasets.depth import millimetres
from station.datasets.formats.contract import EachFrame, Frame, Numbers
from station.datasets.pixels import Pixels
from station.errors import EpisodeError

FIELDS = ("row", "tick_ns", "stalled", "intervention")
"""Ours, beside what the consumers ask for."""


def write_numbers(group: h5py.Group, numbers: Numbers, names: dict[str, str], length: int) -> None:
    """Fields of `numbers` under the names that the format has for them; the last frame is repeated up to `length`."""
    for name, field in names.items():
        values = numbers[field]
        padded = np.concatenate([values, np.repeat(values[-1:], length - len(values), axis=0)])
        group.create_dataset(name, data=padded)


def write_pixels(group: h5py.Group, name: str, size: tuple[int, int], length: int, each: EachFrame) -> None:
    """(length, H, W, 3) RGB, a chunk of each frame, nothing compressed; the last frame is repeated. Raises EpisodeError, OSError."""
    width, height = size
    rows = group.create_dataset(name, (length, height, width, 3), np.uint8, chunks=(1, height, width, 3))
    pixels, end, last = Pixels(size), 0, b""

    def take(frame: Frame) -> None:
        nonlocal end, last
        end, last = frame.frame + 1, pixels.rgb(frame).tobytes()
        rows.id.write_direct_chunk((frame.frame, 0, 0, 0), last)

    each(take)
    for place in range(end, length):
        rows.id.write_direct_chunk((place, 0, 0, 0), last)


def write_depth(group: h5py.Group, name: str, shape: tuple[int, ...], length: int, each: EachFrame) -> None:
    """(length, *shape) uint16 millimetres, gzip, a chunk of each frame; the last one is repeated. Raises EpisodeError, OSError."""
    rows = group.create_dataset(
        name, (length, *shape), np.uint16, chunks=(1, *shape), compression="gzip", compression_opts=1, shuffle=True
    )
    end = 0

    def take(frame: Frame) -> None:
        nonlocal end
        end = frame.frame + 1
        rows[frame.frame] = millimetres(frame).reshape(shape)

    each(take)
    for place in range(end, length):
        rows[place] = rows[end - 1]


def opened(path: Path) -> h5py.File:
    """A file to read back. Raises EpisodeError."""
    try:
        return h5py.File(path, "r", locking=False)
    except OSError as error:
        raise EpisodeError(f"{path} cannot be read: {error}. Next: export again") from error


def read(file: h5py.File, name: str) -> NDArray[Any]:
    """A dataset, whole. Raises EpisodeError."""
    return np.asarray(dataset(file, name)[()])


def dataset(file: h5py.File, name: str) -> h5py.Dataset:
    """Raises EpisodeError where it is not there."""
    try:
        found = file[name]
    except KeyError as error:
        raise EpisodeError(f"{file.filename}: {name} is missing. Next: export again") from error
    if not isinstance(found, h5py.Dataset):
        raise EpisodeError(f"{file.filename}: {name} holds no numbers. Next: export again")
    return found
