"""A camera's pictures in an episode, row by row: JPEGs byte for byte, raw ones as arrays."""

from typing import Any

import h5py
import numpy as np
import simplejpeg
from numpy.typing import NDArray

from station.borders.jpeg import MOST_PIXELS
from station.datasets.conversion import Crop
from station.episodes import datasets
from station.episodes.reading import wrong
from station.errors import EpisodeError

RGB = NDArray[np.uint8]
"""(H, W, 3)"""
_END = b"\xff\xd9"
_THUMBNAIL = 4


class PictureRows:
    """Of one camera. All of its pictures are of one size, or reading one that is not raises EpisodeError."""

    crop: Crop | None = None
    """What decoded pictures are of those that were shot; None: all."""

    def __init__(self, file: h5py.File, camera: str, crop: Crop | None = None) -> None:
        """`crop`: what decoded pictures are of those that were shot. Raises EpisodeError where the datasets are not what the layout
        says, UsageError where the crop does not lie in the pictures.
        """
        self.camera = camera
        self._file = file
        self._rows = datasets.dataset(file, f"/observations/images/{camera}")
        self.jpeg: bool = self._rows.ndim == 2
        self._lengths = self._lengths_of() if self.jpeg else None
        self._pieces = self._rows.chunks if self.jpeg and _is_plain(self._rows) else None
        size: tuple[int, int] = self._size(self.stored(0)) if self.jpeg else tuple(self._rows.shape[1:3])
        self.height, self.width = size
        if self.height * self.width > MOST_PIXELS:
            raise self.wrong(0, f"{self.width} × {self.height} pixels are no camera's")
        self.crop = crop
        self._corner = crop.corner(self.width, self.height) if crop is not None else (0, 0)

    @property
    def mean_bytes(self) -> float:
        """Of a picture as it is stored."""
        return float(self.height * self.width * 3) if self._lengths is None else float(np.mean(self._lengths))

    def stored(self, row: int) -> bytes:
        """A row's JPEG as the camera made it, or its raw RGB bytes."""
        if self._lengths is None:
            return bytes(self._rows[row].tobytes())
        length = int(self._lengths[row])
        if self._pieces is None:
            data = bytes(self._rows[row, :length].tobytes())
        else:
            step = self._pieces[1]
            data = b"".join(self._rows.id.read_direct_chunk((row, at))[1] for at in range(0, length, step))[:length]
        if not data.endswith(_END):
            raise self.wrong(row, "the JPEG does not end as one does")
        return data

    def rgb(self, row: int) -> RGB:
        """A row's picture, decoded."""
        return self.decoded(row, self.stored(row))

    def sized(self, row: int, width: int, height: int) -> RGB:
        """A row's picture at a size that is exported. (H, W, 3)"""
        return resized(self.rgb(row), width, height)

    def thumbnail(self, row: int, stored: bytes | None = None) -> RGB:
        """A row's picture at a quarter of its size: a quarter of the time, the same levels. `stored`: where it was read already."""
        if not self.jpeg:
            return self.decoded(row, self.stored(row) if stored is None else stored)[::_THUMBNAIL, ::_THUMBNAIL]
        try:
            data = self.stored(row) if stored is None else stored
            height, width = self.height // _THUMBNAIL, self.width // _THUMBNAIL  # `min_factor` alone keeps the size
            small = np.asarray(simplejpeg.decode_jpeg(data, "RGB", min_height=height, min_width=width), np.uint8)
            return self._cropped(small, small.shape[1] / self.width)
        except ValueError as error:
            raise self.wrong(row, f"the JPEG cannot be decoded: {error}") from error

    def decoded(self, row: int, data: bytes) -> RGB:
        """A picture of this camera, as `stored` gives it, as RGB."""
        if not self.jpeg:
            return self._cropped(np.frombuffer(data, np.uint8).reshape(self.height, self.width, 3))
        self.check(row, data)
        try:
            return self._cropped(np.asarray(simplejpeg.decode_jpeg(data, "RGB"), np.uint8))
        except ValueError as error:
            raise self.wrong(row, f"the JPEG cannot be decoded: {error}") from error

    def _cropped(self, picture: RGB, scale: float = 1.0) -> RGB:
        if self.crop is None:
            return picture
        left, top = (round(at * scale) for at in self._corner)
        return picture[
            top : top + max(1, round(self.crop.height * scale)), left : left + max(1, round(self.crop.width * scale))
        ]

    def check(self, row: int, data: bytes) -> None:
        """Is the JPEG of the size of all the others? Raises EpisodeError."""
        size = self._size(data)
        if size != (self.height, self.width):
            raise self.wrong(row, f"{size[1]} × {size[0]} pixels, the first picture has {self.width} × {self.height}")

    def _size(self, data: bytes) -> tuple[int, int]:
        try:
            height, width, *_ = simplejpeg.decode_jpeg_header(data)
        except (ValueError, KeyError) as error:
            raise wrong(self._file, f"/observations/images/{self.camera} has a row that is no JPEG") from error
        return int(height), int(width)

    def _lengths_of(self) -> NDArray[np.int64]:
        lengths = datasets.table(self._file, "/compress_len")
        place = datasets.cameras(self._file).index(self.camera)
        if place >= len(lengths):
            raise wrong(self._file, f"/compress_len has no row for {self.camera}")
        mine: NDArray[np.int64] = lengths[place].astype(np.int64)
        if mine.min() <= 0 or mine.max() > self._rows.shape[1]:
            raise wrong(self._file, f"/compress_len of {self.camera} is not within its pictures' rows")
        return mine

    def wrong(self, row: int, what: str) -> EpisodeError:
        """The sentence about a row's picture."""
        return wrong(self._file, f"/observations/images/{self.camera} row {row}: {what}")


class DepthRows(PictureRows):
    """Of one camera's depth: (H, W) millimetres a row, `stored` as little-endian uint16; they have no colours."""

    def __init__(self, file: h5py.File, camera: str) -> None:
        """Raises EpisodeError where the dataset is not what the layout says."""
        self.camera, self.jpeg = camera, False
        self._file = file
        self._rows = datasets.dataset(file, f"/observations/depth/{camera}")
        self.height, self.width = self._rows.shape[1:3]

    def stored(self, row: int) -> bytes:
        """A row's numbers."""
        return np.ascontiguousarray(self._rows[row], "<u2").tobytes()


def resized(picture: RGB, width: int, height: int) -> RGB:
    """Stretched to a size. (height, width, 3)"""
    if picture.shape[:2] == (height, width):
        return picture
    import cv2  # here: whoever lists the formats draws nothing

    return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _is_plain(rows: Any) -> bool:
    """Pieces of single rows without a filter: what the station writes; it can be read without HDF5 copying it about."""
    return rows.chunks is not None and rows.chunks[0] == 1 and rows.id.get_create_plist().get_nfilters() == 0
