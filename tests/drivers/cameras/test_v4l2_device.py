"""The structs against the numbers of a kernel's header (linux/videodev2.h, x86_64 and aarch64 alike), and sizes in steps."""

import ctypes
import sys

import pytest

from drivers.cameras import v4l2_device as v4l2
from drivers.cameras.v4l2_device import V4L2Device
from tests.drivers.cameras.fake_v4l2 import HANDLERS, FakeV4L2

CALLS = {
    "QUERYCAP": 0x80685600, "ENUM_FMT": 0xC0405602, "G_FMT": 0xC0D05604, "S_FMT": 0xC0D05605, "REQBUFS": 0xC0145608,
    "QUERYBUF": 0xC0585609, "QBUF": 0xC058560F, "DQBUF": 0xC0585611, "STREAMON": 0x40045612, "STREAMOFF": 0x40045613,
    "G_PARM": 0xC0CC5615, "S_PARM": 0xC0CC5616, "G_CTRL": 0xC008561B, "S_CTRL": 0xC008561C,
    "ENUM_FRAMESIZES": 0xC02C564A, "ENUM_FRAMEINTERVALS": 0xC034564B,
}  # fmt: skip


@pytest.mark.skipif(sys.maxsize < 2**32, reason="the numbers are a 64-bit kernel's")
def test_calls_and_structs_are_the_kernels() -> None:
    assert {name: getattr(v4l2, name) for name in CALLS} == CALLS
    buffer = v4l2.Buffer
    offsets = buffer.seconds.offset, buffer.sequence.offset, buffer.m.offset, buffer.length.offset
    assert (offsets, v4l2.Format.fmt.offset) == ((24, 56, 64, 72), 8)


def test_a_size_in_steps_is_offered_if_it_is_one(kernel: FakeV4L2, monkeypatch: pytest.MonkeyPatch) -> None:
    def in_steps(size: v4l2.FrameSize) -> None:
        if size.index:
            raise OSError(22, "Invalid argument")
        size.type, size.size = 3, (ctypes.c_uint32 * 6)(160, 1280, 16, 120, 720, 8)

    monkeypatch.setattr(kernel, "_enum_sizes", in_steps)
    monkeypatch.setitem(HANDLERS, v4l2.ENUM_FRAMESIZES, lambda fake, size: fake._enum_sizes(size))
    device = V4L2Device(kernel.path)
    assert {offer[1:3] for offer in device.offers(640, 480)} == {(640, 480)}
    assert {offer[1:3] for offer in device.offers(641, 480)} == {(1280, 720)}
    device.close()
