"""Frames of a video file by their number, as whoever trains on it gets them. For verifying: one file opened, few frames asked."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import av
import numpy as np
from av.video.reformatter import VideoReformatter

from station.datasets.picture_rows import RGB
from station.errors import EpisodeError

_GO_ON = 5
"""So many frames ahead are decoded, not sought: a key frame is as far behind, and what was decoded last is not decoded again."""


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
        self._reformatter = VideoReformatter()
        """One for the file, for it is longer in the building than at work."""
        self._decoded: Iterator[Any] = iter(())
        self._at = -1
        """The frame that was decoded last; the next one follows it."""

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
        is_jpegs = stream.codec_context.name == "mjpeg"
        wanted = round(frame / rate_hz / stream.time_base)
        nearest = 0.5 / rate_hz / float(stream.time_base)
        try:
            if is_jpegs or not 0 <= self._at < frame <= self._at + _GO_ON:
                self._container.seek(wanted, stream=stream)
                self._decoded = self._container.demux(stream) if is_jpegs else self._container.decode(stream)
            self._at = -1
            for one in self._decoded:
                if one.pts is not None and abs(one.pts - wanted) < nearest:
                    self._at = frame
                    return bytes(one) if is_jpegs else self._rgb(one)
        except av.FFmpegError as error:
            raise EpisodeError(f"{self._path}: frame {frame} cannot be read: {error}. Next: export again") from error
        raise EpisodeError(f"{self._path}: frame {frame} is not in it. Next: export again")

    def _rgb(self, decoded: Any) -> RGB:
        return np.asarray(self._reformatter.reformat(decoded, format="rgb24", threads=1).to_ndarray(), np.uint8)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self._container.close()
