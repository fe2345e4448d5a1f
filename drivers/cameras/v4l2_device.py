"""A V4L2 device by the kernel's own calls: what it offers, format, rate, controls, and pictures out of mapped buffers.

Structs and numbers are those of include/uapi/linux/videodev2.h. Every call raises OSError with the kernel's errno.
"""

import contextlib
import ctypes
import errno
import fcntl
import mmap
import os
from collections.abc import Iterator
from ctypes import c_int32, c_long, c_uint8, c_uint32, c_ulong
from pathlib import Path
from typing import Any, NamedTuple

CAPTURE = 1
"""V4L2_BUF_TYPE_VIDEO_CAPTURE."""
_MMAP = 1
_VIDEO_CAPTURE, _DEVICE_CAPS = 0x1, 0x8000_0000
_DISCRETE = 1
FLAG_ERROR, FLAG_MONOTONIC, CLOCK_MASK = 0x40, 0x2000, 0xE000
"""Of a buffer: its data are broken; its stamp is CLOCK_MONOTONIC's."""
NS_PER_US = 1000


class Capability(ctypes.Structure):
    """struct v4l2_capability."""

    _fields_ = (
        ("driver", c_uint8 * 16), ("card", c_uint8 * 32), ("bus_info", c_uint8 * 32), ("version", c_uint32),
        ("capabilities", c_uint32), ("device_caps", c_uint32), ("reserved", c_uint32 * 3),
    )  # fmt: skip


class FormatDescription(ctypes.Structure):
    """struct v4l2_fmtdesc."""

    _fields_ = (
        ("index", c_uint32), ("type", c_uint32), ("flags", c_uint32), ("description", c_uint8 * 32),
        ("pixelformat", c_uint32), ("mbus_code", c_uint32), ("reserved", c_uint32 * 3),
    )  # fmt: skip


class FrameSize(ctypes.Structure):
    """struct v4l2_frmsizeenum. `size`: width, height if discrete, else min, max, step of the width and of the height."""

    _fields_ = (
        ("index", c_uint32), ("pixel_format", c_uint32), ("type", c_uint32), ("size", c_uint32 * 6),
        ("reserved", c_uint32 * 2),
    )  # fmt: skip


class Fraction(ctypes.Structure):
    """struct v4l2_fract, s."""

    _fields_ = (("numerator", c_uint32), ("denominator", c_uint32))


class FrameInterval(ctypes.Structure):
    """struct v4l2_frmivalenum. `interval`: the interval if discrete, else the shortest, the longest, the step."""

    _fields_ = (
        ("index", c_uint32), ("pixel_format", c_uint32), ("width", c_uint32), ("height", c_uint32), ("type", c_uint32),
        ("interval", Fraction * 3), ("reserved", c_uint32 * 2),
    )  # fmt: skip


class PixelFormat(ctypes.Structure):
    """struct v4l2_pix_format."""

    _fields_ = tuple(
        (name, c_uint32)
        for name in (
            "width", "height", "pixelformat", "field", "bytesperline", "sizeimage", "colorspace", "priv", "flags",
            "encoding", "quantization", "transfer",
        )
    )  # fmt: skip


class _FormatUnion(ctypes.Union):
    _fields_ = (("pix", PixelFormat), ("raw", c_uint8 * 200), ("align", c_ulong))


class Format(ctypes.Structure):
    """struct v4l2_format."""

    _fields_ = (("type", c_uint32), ("fmt", _FormatUnion))


class StreamParameter(ctypes.Structure):
    """struct v4l2_streamparm with its capture part."""

    _fields_ = (
        ("type", c_uint32), ("capability", c_uint32), ("mode", c_uint32), ("interval", Fraction), ("extended", c_uint32),
        ("read_buffers", c_uint32), ("reserved", c_uint8 * 176),
    )  # fmt: skip


class BufferRequest(ctypes.Structure):
    """struct v4l2_requestbuffers."""

    _fields_ = (
        ("count", c_uint32), ("type", c_uint32), ("memory", c_uint32), ("capabilities", c_uint32), ("flags", c_uint32),
    )  # fmt: skip


class _Place(ctypes.Union):
    _fields_ = (("offset", c_uint32), ("userptr", c_ulong), ("fd", c_int32))


class Buffer(ctypes.Structure):
    """struct v4l2_buffer."""

    _fields_ = (
        ("index", c_uint32), ("type", c_uint32), ("bytesused", c_uint32), ("flags", c_uint32), ("field", c_uint32),
        ("seconds", c_long), ("microseconds", c_long), ("timecode", c_uint32 * 4), ("sequence", c_uint32),
        ("memory", c_uint32), ("m", _Place), ("length", c_uint32), ("reserved2", c_uint32), ("request_fd", c_int32),
    )  # fmt: skip


class ControlValue(ctypes.Structure):
    """struct v4l2_control."""

    _fields_ = (("id", c_uint32), ("value", c_int32))


def _call(direction: int, number: int, kind: Any) -> int:
    """_IOC of asm-generic/ioctl.h for the type 'V': 1 the kernel reads the argument, 2 it writes it, 3 both."""
    return direction << 30 | ctypes.sizeof(kind) << 16 | ord("V") << 8 | number


QUERYCAP = _call(2, 0, Capability)
ENUM_FMT = _call(3, 2, FormatDescription)
G_FMT, S_FMT = _call(3, 4, Format), _call(3, 5, Format)
REQBUFS = _call(3, 8, BufferRequest)
QUERYBUF, QBUF, DQBUF = _call(3, 9, Buffer), _call(3, 15, Buffer), _call(3, 17, Buffer)
STREAMON, STREAMOFF = _call(1, 18, c_int32), _call(1, 19, c_int32)
G_PARM, S_PARM = _call(3, 21, StreamParameter), _call(3, 22, StreamParameter)
G_CTRL, S_CTRL = _call(3, 27, ControlValue), _call(3, 28, ControlValue)
ENUM_FRAMESIZES, ENUM_FRAMEINTERVALS = _call(3, 74, FrameSize), _call(3, 75, FrameInterval)


class Offer(NamedTuple):
    """One pixel format, size and rate that a camera gives."""

    fourcc: str
    width: int
    height: int
    fps: float


class Picture(NamedTuple):
    """One buffer's content as the kernel gave it."""

    data: bytes
    sequence: int
    """The driver's number; a gap is a picture that was lost."""
    stamp_ns: int | None
    """CLOCK_MONOTONIC; None where the driver stamps by another clock."""
    broken: bool


class V4L2Device:
    """One open /dev/video node."""

    def __init__(self, path: Path) -> None:
        self._fd = _open(path)
        self._buffers: list[mmap.mmap] = []

    def fileno(self) -> int:
        """For select: readable when a picture is in."""
        return self._fd

    def card(self) -> str:
        """The camera's name."""
        return bytes(self._capability().card).split(b"\0")[0].decode(errors="replace")

    def gives_pictures(self) -> bool:
        """Is it a capture device (and not the metadata node beside one)?"""
        found = self._capability()
        own: int = found.device_caps if found.capabilities & _DEVICE_CAPS else found.capabilities
        return bool(own & _VIDEO_CAPTURE)

    def pixel_formats(self) -> list[str]:
        """Four-character codes in the camera's order."""
        wanted = (FormatDescription(index=index, type=CAPTURE) for index in range(64))
        return [_name(found.pixelformat) for found in self._each(ENUM_FMT, wanted)]

    def offers(self, width: int, height: int) -> list[Offer]:
        """Every format, size and rate it lists.

        Where sizes come in steps: the size given if it is one of them, else the largest. Where rates do: the highest.
        """
        return [
            Offer(fourcc, *size, fps)
            for fourcc in self.pixel_formats()
            for size in self._sizes(fourcc, width, height)
            for fps in self._rates(fourcc, *size)
        ]

    def set_format(self, width: int, height: int, fourcc: str) -> tuple[int, int, str]:
        """Ask for a format; what the camera took instead, if it differs: width, height, code."""
        asked = Format(type=CAPTURE)
        self._ioctl(G_FMT, asked)
        asked.fmt.pix.width, asked.fmt.pix.height, asked.fmt.pix.pixelformat = width, height, _code(fourcc)
        asked.fmt.pix.bytesperline = 0
        self._ioctl(S_FMT, asked)
        pix = asked.fmt.pix
        return pix.width, pix.height, _name(pix.pixelformat)

    def set_fps(self, fps: float) -> float:
        """Ask for a rate; the one the camera took, 0 where it does not say."""
        asked = StreamParameter(type=CAPTURE)
        asked.interval.numerator, asked.interval.denominator = 1000, round(fps * 1000)
        self._ioctl(S_PARM, asked)
        return asked.interval.denominator / asked.interval.numerator if asked.interval.numerator else 0.0

    def control(self, control_id: int) -> int:
        """A control's value."""
        found = ControlValue(id=control_id)
        self._ioctl(G_CTRL, found)
        return int(found.value)

    def set_control(self, control_id: int, value: int) -> None:
        """Set a control."""
        self._ioctl(S_CTRL, ControlValue(id=control_id, value=value))

    def start(self, count: int) -> None:
        """Map `count` buffers (or as many as the driver gives), queue them all, stream."""
        request = BufferRequest(count=count, type=CAPTURE, memory=_MMAP)
        self._ioctl(REQBUFS, request)
        for index in range(request.count):
            buffer = self._buffer(index)
            self._ioctl(QUERYBUF, buffer)
            self._buffers.append(_map(self._fd, buffer.length, buffer.m.offset))
            self._ioctl(QBUF, buffer)
        self._ioctl(STREAMON, c_int32(CAPTURE))

    def read(self) -> Picture:
        """The next picture, its buffer given back. Raises BlockingIOError where none is in."""
        buffer = self._buffer(0)
        self._ioctl(DQBUF, buffer)
        data = self._buffers[buffer.index][: buffer.bytesused]
        ours = buffer.flags & CLOCK_MASK == FLAG_MONOTONIC
        stamp_ns = buffer.seconds * 1_000_000_000 + buffer.microseconds * NS_PER_US if ours else None
        picture = Picture(data, buffer.sequence, stamp_ns, bool(buffer.flags & FLAG_ERROR))
        self._ioctl(QBUF, buffer)
        return picture

    def close(self) -> None:
        """Stop, unmap, let go, whether or not the camera is still there."""
        fd, self._fd = self._fd, -1
        if fd < 0:
            return
        buffers, self._buffers = self._buffers, []
        with contextlib.suppress(OSError):
            _ioctl(fd, STREAMOFF, c_int32(CAPTURE))
        for buffer in buffers:
            buffer.close()
        os.close(fd)

    def _capability(self) -> Capability:
        found = Capability()
        self._ioctl(QUERYCAP, found)
        return found

    def _buffer(self, index: int) -> Buffer:
        return Buffer(index=index, type=CAPTURE, memory=_MMAP)

    def _sizes(self, fourcc: str, width: int, height: int) -> Iterator[tuple[int, int]]:
        wanted = (FrameSize(index=index, pixel_format=_code(fourcc)) for index in range(256))
        for found in self._each(ENUM_FRAMESIZES, wanted):
            if found.type == _DISCRETE:
                yield found.size[0], found.size[1]
                continue
            (least_w, most_w, step_w), (least_h, most_h, step_h) = found.size[:3], found.size[3:]
            fits = width in range(least_w, most_w + 1, step_w or 1) and height in range(
                least_h, most_h + 1, step_h or 1
            )
            yield (width, height) if fits else (most_w, most_h)
            return

    def _rates(self, fourcc: str, width: int, height: int) -> Iterator[float]:
        wanted = (FrameInterval(index=i, pixel_format=_code(fourcc), width=width, height=height) for i in range(256))
        for found in self._each(ENUM_FRAMEINTERVALS, wanted):
            shortest = found.interval[0]
            if shortest.numerator:
                yield shortest.denominator / shortest.numerator
            if found.type != _DISCRETE:
                return

    def _each(self, request: int, wanted: Iterator[Any]) -> Iterator[Any]:
        """An enumeration: the kernel ends it with EINVAL; a driver that cannot list anything says ENOTTY."""
        for struct in wanted:
            try:
                self._ioctl(request, struct)
            except OSError as error:
                if error.errno in (errno.EINVAL, errno.ENOTTY):
                    return
                raise
            yield struct

    def _ioctl(self, request: int, argument: Any) -> None:
        _ioctl(self._fd, request, argument)


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)


def _ioctl(fd: int, request: int, argument: Any) -> None:
    fcntl.ioctl(fd, request, argument)


def _map(fd: int, length: int, offset: int) -> mmap.mmap:
    return mmap.mmap(fd, length, offset=offset)


def _name(code: int) -> str:
    return (code & 0x7FFF_FFFF).to_bytes(4, "little").decode("latin-1").rstrip()


def _code(name: str) -> int:
    return int.from_bytes(name.ljust(4).encode("latin-1"), "little")
