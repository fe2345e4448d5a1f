"""Video files of a constant rate: encoded with settings that are fixed here and named in the card, or the camera's JPEGs as they are.

Every file begins at 0 and its frame k stands at k / rate. One thread encodes, for two give other bytes; who wants both processors
makes two files at once.
"""

import platform
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple, Self

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter

from station.datasets.conversion import Video
from station.datasets.formats.contract import EachFrame, Frame
from station.datasets.picture_rows import PictureRows
from station.datasets.plan import Plan
from station.errors import EpisodeError
from station.runtime.realtime import keeping_priority


class Encoder(NamedTuple):
    """An encoder with everything that decides its bytes."""

    codec: str
    """FFmpeg's name of the encoder."""
    name: str
    """Of the format that it makes."""
    key_every: int
    """Frames from one key frame to the next: repeated pictures cost nearly nothing in between."""
    options: Mapping[str, str]

    def described(self) -> str:
        """As the card says it."""
        options = ", ".join(f"{key} {value}" for key, value in self.options.items())
        return (
            f"{self.name} ({self.codec}, {options}, key frame every {self.key_every}, yuv420p, BT.601, limited range)"
        )


_INSTRUCTIONS = {"x264-params": "asm=sse4.2"} if platform.machine() in ("x86_64", "AMD64") else {}
"""x264's way with AVX-512 reads memory that nobody wrote (its look-ahead for `mbtree`): other bytes by chance, and on other processors.
These instructions every 64-bit PC has, and pictures of a robot's cameras are encoded as fast by them."""
ENCODERS: Mapping[Video, Encoder] = {
    "h264": Encoder("libx264", "h264", 10, {"preset": "veryfast", "crf": "18", **_INSTRUCTIONS}),
    "av1": Encoder("libsvtav1", "av1", 10, {"preset": "10", "crf": "30", "svtav1-params": "lp=1"}),
}
PICTURES: Mapping[Video, str] = {
    "as-shot": "The camera's own JPEGs, not encoded again",
    "jpeg": "Each frame a JPEG, encoded anew (quality 95, 4:4:4)",
    "raw": "Pixels, RGB: nothing lost",
}
"""Those that are in no encoder's hands, as the card says them."""
_BT601, _LIMITED, _FULL, _AREA = 6, 1, 2, "AREA"


def video_notes(video: Video) -> list[str]:
    """What whoever plays the files has to know."""
    return ["The videos are MJPEG in MP4: browsers and some players do not show them."] if video == "as-shot" else []


def write_videos(paths: Sequence[Path], plan: Plan, camera: str, each: EachFrame) -> None:
    """One camera's pictures of consecutive episodes, a file of each episode. Raises EpisodeError, OSError."""
    left = iter(paths)
    video: VideoWriter | None = None

    def take(frame: Frame) -> None:
        nonlocal video
        if frame.frame == 0:
            if video is not None:
                video.close()
            path = next(left)
            path.parent.mkdir(parents=True, exist_ok=True)
            video = VideoWriter(path, *plan.size_of(camera), plan.rate_hz, plan.conversion.video)
        assert video is not None
        video.add(frame.pictures, frame.row, frame.stored)

    try:
        each(take)
    finally:
        if video is not None:
            video.close()


class VideoWriter:
    """One video file while it is written; `with` closes it."""

    def __init__(self, path: Path, width: int, height: int, rate_hz: float, video: Video) -> None:
        """Raises EpisodeError where the size cannot be encoded."""
        self._encoder = ENCODERS.get(video)
        if self._encoder is not None and (width % 2 or height % 2):
            raise EpisodeError(
                f"{width} × {height} pictures cannot be encoded as {video}: both must be even. Next: give an even --size, or --crop"
            )
        self._size = width, height
        self._rate = Fraction(rate_hz).limit_denominator(1000)
        self._time_base = 1 / self._rate
        self._reformatter = VideoReformatter()
        """One for the file: what converts is built once (5 ms), where a frame's own would be built for each picture."""
        self._container: Any = av.open(str(path), "w", format="mp4")
        self._decoder: Any = None
        self._stream: Any = None
        self._frames = 0
        self._last: tuple[bytes, Any] = (b"", None)

    def add(self, pictures: PictureRows, row: int, stored: bytes) -> None:
        """The next frame: the picture of that row, `stored` as the episode has it. Raises EpisodeError where it is none."""
        if self._encoder is None:
            self._add_as_shot(pictures, row, stored)
        else:
            self._encode(self._prepared(pictures, row, stored))
        self._frames += 1

    def _add_as_shot(self, pictures: PictureRows, row: int, stored: bytes) -> None:
        if self._stream is None:
            width, height = self._size
            self._stream = self._container.add_mux_stream("mjpeg", rate=self._rate, width=width, height=height)
            self._stream.time_base = self._time_base
        if stored != self._last[0]:
            pictures.check(row, stored)
            self._last = stored, None
        packet = av.Packet(stored)
        packet.stream = self._stream
        packet.time_base = self._time_base
        packet.pts = packet.dts = self._frames
        packet.duration = 1
        packet.is_keyframe = True
        self._container.mux(packet)

    def _prepared(self, pictures: PictureRows, row: int, stored: bytes) -> VideoFrame:
        """As the encoder takes it; a picture that repeats the one before is not decoded again."""
        if self._last[1] is None or stored != self._last[0]:
            frame = self._decoded(pictures, row, stored)
            width, height = self._size
            frame = self._reformatter.reformat(
                frame, width, height, "yuv420p", dst_colorspace=_BT601, interpolation=_AREA, src_color_range=_FULL,
                dst_color_range=_LIMITED, threads=1,
            )  # fmt: skip
            self._last = stored, frame
        ready: VideoFrame = self._last[1]
        ready.pict_type = 0  # a JPEG's says I, and x264 would make each a key frame
        ready.pts = self._frames
        ready.time_base = self._time_base
        return ready

    def _decoded(self, pictures: PictureRows, row: int, stored: bytes) -> Any:
        if not pictures.jpeg or pictures.crop is not None:
            return VideoFrame.from_ndarray(np.ascontiguousarray(pictures.decoded(row, stored)), "rgb24")
        if self._decoder is None:
            self._decoder = av.CodecContext.create("mjpeg", "r")
            self._decoder.options = {"err_detect": "explode"}
            self._decoder.thread_count = 1
        try:
            frames = self._decoder.decode(av.Packet(stored))
        except av.FFmpegError as error:
            raise pictures.wrong(row, f"the JPEG cannot be decoded: {error.strerror}") from error
        if len(frames) != 1 or (frames[0].width, frames[0].height) != (pictures.width, pictures.height):
            raise pictures.wrong(row, "the JPEG is not of the size of the first picture")
        return frames[0]

    def _encode(self, frame: VideoFrame) -> None:
        encoder = self._encoder
        assert encoder is not None
        if self._stream is None:
            self._stream = self._container.add_stream(encoder.codec, rate=self._rate, options=dict(encoder.options))
            context = self._stream.codec_context
            context.width, context.height = self._size
            context.pix_fmt, context.time_base = "yuv420p", self._time_base
            context.gop_size, context.max_b_frames, context.thread_count = encoder.key_every, 0, 1
            context.color_range = _LIMITED
            context.colorspace = context.color_primaries = context.color_trc = _BT601
            with keeping_priority():
                context.open()
        for packet in self._stream.encode(frame):
            self._container.mux(packet)

    def close(self) -> None:
        """What the encoder still holds, and the file's table."""
        try:
            if self._encoder is not None and self._stream is not None:
                for packet in self._stream.encode(None):
                    self._container.mux(packet)
        finally:
            self._container.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self.close()
