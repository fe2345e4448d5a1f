"""A UVC camera as the kernel shows it: every ioctl of `v4l2_device` is answered in V4L2's own structs.

The descriptor is an eventfd that becomes readable when a picture is in; buffers are anonymous memory. What cannot be
shown here is a real camera's timing.
"""

import ctypes
import errno
import mmap
import os
import threading
import time
from collections import deque
from pathlib import Path
from typing import Any

import pytest

from drivers.cameras import v4l2_device as kernel

MONOTONIC = 0x2000
ERROR = 0x40
_CONTROL = {"focus_auto": 0x009A090C, "focus": 0x009A090A, "exposure_auto": 0x009A0901, "exposure": 0x009A0902}


def fourcc(name: str) -> int:
    return int.from_bytes(name.encode(), "little")


class FakeV4L2:
    """One camera offering MJPG and YUYV in 640×480 at 30 and 60 fps; YUYV at 30 only."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.offers = {"MJPG": (30, 60), "YUYV": (30,)}
        self.size = (640, 480)
        self.controls = {0x009A090C: 1, 0x009A090A: 30, 0x009A0901: 3, 0x009A0902: 250, 0x00980913: 0}
        self.stuck: set[int] = set()
        """Controls that take a value and do not keep it."""
        self.flags = MONOTONIC
        self.fail: int | None = None
        """errno of every ioctl from now on."""
        self.streaming = False
        self.opened = 0
        self.format, self.fps = "YUYV", 30
        self._eventfd = -1
        self._buffers: list[mmap.mmap] = []
        self._queued: deque[int] = deque()
        self._filled: deque[Any] = deque()
        self._sequence = 0
        self._lock = threading.RLock()
        self.plug()

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        real_ioctl, real_map = kernel._ioctl, kernel._map

        def ioctl(fd: int, request: int, argument: Any) -> None:
            self._ioctl(request, argument) if fd == self._eventfd else real_ioctl(fd, request, argument)

        def mapped(fd: int, length: int, offset: int) -> mmap.mmap:
            return self._buffers[offset // 4096] if fd == self._eventfd else real_map(fd, length, offset)

        monkeypatch.setattr("drivers.cameras.v4l2_device._open", self._open)
        monkeypatch.setattr("drivers.cameras.v4l2_device._ioctl", ioctl)
        monkeypatch.setattr("drivers.cameras.v4l2_device._map", mapped)

    def plug(self) -> None:
        self.fail = None
        if not self.path.is_symlink():
            self.path.symlink_to("/dev/null")

    def unplug(self) -> None:
        """The node goes and every call on the open one says ENODEV, as the kernel does it."""
        self.path.unlink()
        with self._lock:
            self.fail, self.streaming = errno.ENODEV, False
        self._wake()

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)

    def shoot(self, data: bytes, captured_at_ns: int | None = None, skip: int = 0, flags: int | None = None) -> None:
        """One picture from the sensor, lost but numbered when no buffer is queued; `skip` more are lost before."""
        with self._lock:
            self._sequence += skip
            sequence, self._sequence = self._sequence, self._sequence + 1
            if not self.streaming or not self._queued:
                return
            index = self._queued.popleft()
            self._buffers[index][: len(data)] = data
            captured_at_ns = time.monotonic_ns() if captured_at_ns is None else captured_at_ns
            self._filled.append(
                kernel.Buffer(
                    index=index, bytesused=len(data), sequence=sequence, length=len(self._buffers[index]),
                    flags=self.flags if flags is None else flags,
                    seconds=captured_at_ns // 10**9, microseconds=captured_at_ns % 10**9 // 1000,
                )
            )  # fmt: skip
        self._wake()

    def _wake(self) -> None:
        if self._eventfd >= 0:
            os.eventfd_write(self._eventfd, 1)

    def _open(self, path: Path) -> int:
        if not os.path.lexists(path):
            raise FileNotFoundError(errno.ENOENT, "No such file or directory", str(path))
        if self.fail is not None:
            raise OSError(self.fail, os.strerror(self.fail), str(path))
        self._eventfd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_SEMAPHORE | os.EFD_CLOEXEC)
        self.opened += 1
        return self._eventfd

    def _ioctl(self, request: int, argument: Any) -> None:
        handler = HANDLERS.get(request)
        if self.fail is not None:
            raise OSError(self.fail, os.strerror(self.fail))
        if handler is None:
            raise OSError(errno.ENOTTY, os.strerror(errno.ENOTTY))
        with self._lock:
            handler(self, argument)

    def _refuse(self, code: int = errno.EINVAL) -> None:
        raise OSError(code, os.strerror(code))

    def _querycap(self, caps: Any) -> None:
        ctypes.memmove(caps.card, b"C922 Pro Stream Webcam\0", 23)
        caps.capabilities = caps.device_caps = 0x0400_0001  # V4L2_CAP_STREAMING | V4L2_CAP_VIDEO_CAPTURE

    def _enum_fmt(self, fmt: Any) -> None:
        if fmt.index >= len(self.offers):
            self._refuse()
        fmt.pixelformat = fourcc(list(self.offers)[fmt.index])

    def _enum_sizes(self, size: Any) -> None:
        if size.index:
            self._refuse()
        size.type, (size.size[0], size.size[1]) = 1, self.size

    def _enum_intervals(self, value: Any) -> None:
        rates = next(rates for name, rates in self.offers.items() if fourcc(name) == value.pixel_format)
        if value.index >= len(rates):
            self._refuse()
        value.type = 1
        value.interval[0].numerator, value.interval[0].denominator = 1, rates[value.index]

    def _s_fmt(self, fmt: Any) -> None:
        wanted = next((name for name in self.offers if fourcc(name) == fmt.fmt.pix.pixelformat), "YUYV")
        self.format = wanted  # like a real camera, it gives the nearest it has and reports no error
        self._g_fmt(fmt)

    def _g_fmt(self, fmt: Any) -> None:
        fmt.fmt.pix.pixelformat = fourcc(self.format)
        fmt.fmt.pix.width, fmt.fmt.pix.height = self.size
        fmt.fmt.pix.sizeimage = self.size[0] * self.size[1] * 2

    def _s_parm(self, parm: Any) -> None:
        asked = parm.interval.denominator / max(1, parm.interval.numerator)
        self.fps = min(self.offers[self.format], key=lambda fps: abs(fps - asked))
        parm.interval.numerator, parm.interval.denominator = 1, self.fps

    def _reqbufs(self, request: Any) -> None:
        self._buffers = [mmap.mmap(-1, self.size[0] * self.size[1] * 2) for _ in range(request.count)]
        self._queued.clear()
        self._filled.clear()

    def _querybuf(self, buffer: Any) -> None:
        buffer.length, buffer.m.offset = self.size[0] * self.size[1] * 2, buffer.index * 4096

    def _qbuf(self, buffer: Any) -> None:
        self._queued.append(buffer.index)

    def _dqbuf(self, buffer: Any) -> None:
        if not self._filled:
            self._refuse(errno.EAGAIN)
        os.eventfd_read(self._eventfd)
        filled = self._filled.popleft()
        ctypes.memmove(ctypes.addressof(buffer), ctypes.addressof(filled), ctypes.sizeof(filled))

    def _streamon(self, _type: Any) -> None:
        self.streaming, self._sequence = True, 0

    def _streamoff(self, _type: Any) -> None:
        self.streaming = False

    def _g_ctrl(self, control: Any) -> None:
        if control.id not in self.controls:
            self._refuse()
        control.value = self.controls[control.id]

    def _s_ctrl(self, control: Any) -> None:
        if control.id not in self.controls:
            self._refuse()
        if control.id == _CONTROL["focus"] and self.controls[_CONTROL["focus_auto"]]:
            self._refuse(errno.EACCES)  # inactive while the autofocus runs
        if control.id == _CONTROL["exposure_auto"] and control.value not in (1, 3):
            self._refuse(errno.ERANGE)
        if control.id not in self.stuck:
            self.controls[control.id] = control.value


HANDLERS: dict[int, Any] = {
    kernel.QUERYCAP: FakeV4L2._querycap,
    kernel.ENUM_FMT: FakeV4L2._enum_fmt,
    kernel.ENUM_FRAMESIZES: FakeV4L2._enum_sizes,
    kernel.ENUM_FRAMEINTERVALS: FakeV4L2._enum_intervals,
    kernel.S_FMT: FakeV4L2._s_fmt,
    kernel.G_FMT: FakeV4L2._g_fmt,
    kernel.S_PARM: FakeV4L2._s_parm,
    kernel.REQBUFS: FakeV4L2._reqbufs,
    kernel.QUERYBUF: FakeV4L2._querybuf,
    kernel.QBUF: FakeV4L2._qbuf,
    kernel.DQBUF: FakeV4L2._dqbuf,
    kernel.STREAMON: FakeV4L2._streamon,
    kernel.STREAMOFF: FakeV4L2._streamoff,
    kernel.G_CTRL: FakeV4L2._g_ctrl,
    kernel.S_CTRL: FakeV4L2._s_ctrl,
}
