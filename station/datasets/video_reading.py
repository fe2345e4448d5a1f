"""Frames of a video file by their number, as whoever trains on it gets them. For verifying: one file opened, few frames asked."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import av
import numpy as np

from station.datasets.picture_rows import RGB
from station.errors import EpisodeError


class VideoReader:
    """One file; `with` closes it. Everything raises EpisodeError for a file that is broken."""

    def __init__(self, path: Path) -> None:
        try:
            self._container: Any = av.open(str(path))
        except (av.FFmpegError, OSError) as error:
            raise EpisodeError(f"{path}: not a video that can be opened: {error}. Next: export again") from error
        if not self._container.streams.video:
            raise EpisodeError(f"{path}: there is no video in it. Next: export again")
        self._stream: Any = self._container.streams.video[0]
        self._path = path

    @property
    def frames(self) -> int:
        """How many there are, as the file's table says."""
        return int(self._stream.frames)

    def problems(self, frames: int, rate_hz: float, size: tuple[int, int] | None = None) -> Iterator[str]:
        """How it differs from a file of so many frames at this rate and size (width, height), that begins at 0."""
        stream = self._stream
        if self.frames != frames:
            yield f"{self._path.name} has {self.frames} frames, its episodes have {frames}"
        if size is not None and (stream.width, stream.height) != size:
            yield f"{self._path.name} has {stream.width} × {stream.height} pixels, not {size[0]} × {size[1]}"
        if abs(float(stream.average_rate or 0) - rate_hz) > 1e-6 * rate_hz:
            yield f"{self._path.name} has {float(stream.average_rate or 0):g} frames a second, not {rate_hz:g}"
        if stream.start_time:
            yield f"{self._path.name} begins at {float(stream.start_time * stream.time_base):g} s, not at 0"

    def pictures(self, frames: Sequence[int], rate_hz: float) -> list[RGB | bytes]:
        """These frames, in this order: RGB; of a video of JPEGs the JPEGs themselves."""
        found = {frame: self._picture(frame, rate_hz) for frame in sorted(set(frames))}
        return [found[frame] for frame in frames]

    def _picture(self, frame: int, rate_hz: float) -> RGB | bytes:
        stream = self._stream
        wanted = round(frame / rate_hz / stream.time_base)
        nearest = 0.5 / rate_hz / float(stream.time_base)
        try:
            self._container.seek(wanted, stream=stream)
            if stream.codec_context.name == "mjpeg":
                for packet in self._container.demux(stream):
                    if packet.pts is not None and abs(packet.pts - wanted) < nearest:
                        return bytes(packet)
            else:
                for decoded in self._container.decode(stream):
                    if decoded.pts is not None and abs(decoded.pts - wanted) < nearest:
                        return np.asarray(decoded.to_ndarray(format="rgb24"), np.uint8)
        except av.FFmpegError as error:
            raise EpisodeError(f"{self._path}: frame {frame} cannot be read: {error}. Next: export again") from error
        raise EpisodeError(f"{self._path}: frame {frame} is not in it. Next: export again")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self._container.close()
