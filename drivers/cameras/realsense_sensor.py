"""The one seam to librealsense: nothing else imports pyrealsense2, and nothing behind it knows the station.

Sensors are driven directly rather than through the SDK's pipeline, so that `rs.software_device` can stand where the
camera would. The SDK reports every failure as RuntimeError; here they become SensorFailed.
"""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np

Kind = Literal["color", "depth"]
Domain = Literal["hardware_clock", "system_time", "global_time"]
QUEUE = 4


class SensorFailed(Exception):
    """What the SDK said."""


class SdkMissing(Exception):
    """pyrealsense2, or a library it needs, is not installed."""


class About(NamedTuple):
    """A camera as enumerated."""

    serial: str
    model: str
    firmware: str
    usb: str


class Wanted(NamedTuple):
    """One stream to start."""

    kind: Kind
    width: int
    height: int
    fps: float


class Raw(NamedTuple):
    """One picture as the SDK gave it: BGR (H, W, 3) uint8, or depth (H, W) uint16 in the camera's depth units."""

    kind: Kind
    pixels: "np.ndarray[Any, np.dtype[Any]]"
    device_ns: int
    domain: Domain
    number: int


class Camera(Protocol):
    """One connected camera. Any call may raise SensorFailed."""

    about: About

    def set_option(self, name: str, value: float) -> float | None:
        """Set it on every sensor that has it; what it then reads, None where no sensor has it."""

    def start(self, wanted: Sequence[Wanted]) -> None:
        """Start these streams. SensorFailed names what the camera offers if it lacks one."""

    def next(self, timeout_s: float) -> Raw | None:
        """The next picture, None when there was none in time."""

    def reset(self) -> None:
        """Restart the camera; it vanishes from the bus and comes back some seconds later."""

    def close(self) -> None:
        """Stop the streams."""


class Bus(Protocol):
    """Where cameras are found."""

    def connected(self) -> tuple[About, ...]:
        """Everything plugged in. Raises SdkMissing, SensorFailed."""

    def connect(self, serial: str) -> Camera | None:
        """That camera, None if it is not there."""


class SdkBus:
    """The computer's USB, through librealsense."""

    def __init__(self) -> None:
        self._context: Any = None

    def connected(self) -> tuple[About, ...]:
        """Every RealSense plugged in."""
        return tuple(about(device) for device in self._devices())

    def connect(self, serial: str) -> Camera | None:
        """The camera of that serial."""
        for device in self._devices():
            if about(device).serial == serial:
                return SdkCamera(device)
        return None

    def _devices(self) -> list[Any]:
        with _failures():
            if self._context is None:
                self._context = _sdk().context()
            return list(self._context.query_devices())


class SdkCamera:
    """One camera through librealsense."""

    def __init__(self, device: Any) -> None:
        self._rs = _sdk()
        self._device = device
        self._sensors = list(device.query_sensors())
        self._started: list[Any] = []
        self._queue: Any = None
        self.about = about(device)

    def set_option(self, name: str, value: float) -> float | None:
        """Set and read back."""
        option = getattr(self._rs.option, name)
        found = None
        with _failures():
            for sensor in self._sensors:
                if sensor.supports(option):
                    sensor.set_option(option, value)
                    found = float(sensor.get_option(option))
        return found

    def start(self, wanted: Sequence[Wanted]) -> None:
        """Open each sensor with the profiles it gives of those wanted, all into one queue."""
        with _failures():
            chosen = [self._profile(want) for want in wanted]
            self._queue = self._rs.frame_queue(QUEUE)
            for sensor in self._sensors:
                profiles = [profile for owner, profile in chosen if owner is sensor]
                if profiles:
                    sensor.open(profiles)
                    self._started.append(sensor)
                    sensor.start(self._queue)

    def next(self, timeout_s: float) -> Raw | None:
        """The next picture of any stream."""
        with _failures():
            there, frame = self._queue.try_wait_for_frame(round(timeout_s * 1000))
            if not there:
                return None
            kind: Kind = "depth" if frame.profile.stream_type() == self._rs.stream.depth else "color"
            pixels = np.array(frame.as_video_frame().get_data(), copy=True)
            domain = frame.get_frame_timestamp_domain().name
            return Raw(kind, pixels, round(frame.get_timestamp() * 1e6), domain, frame.get_frame_number())

    def reset(self) -> None:
        """Restart the camera."""
        with _failures():
            self._device.hardware_reset()

    def close(self) -> None:
        """Stop and close what was started; a camera that is gone has nothing left to stop."""
        for sensor in self._started:
            for call in (sensor.stop, sensor.close):
                with contextlib.suppress(RuntimeError):
                    call()
        self._started, self._queue = [], None

    def _profile(self, want: Wanted) -> tuple[Any, Any]:
        rs = self._rs
        stream, pixels = (rs.stream.depth, rs.format.z16) if want.kind == "depth" else (rs.stream.color, rs.format.bgr8)
        offered = set()
        for sensor in self._sensors:
            for profile in sensor.get_stream_profiles():
                if profile.stream_type() != stream or profile.format() != pixels:
                    continue
                size = profile.as_video_stream_profile()
                if (size.width(), size.height(), profile.fps()) == (want.width, want.height, round(want.fps)):
                    return sensor, profile
                offered.add(f"{size.width()}×{size.height()}@{profile.fps()}")
        raise SensorFailed(f"no {want.kind} like that; it offers {', '.join(sorted(offered)) or 'none'}")


def about(device: Any) -> About:
    """What an SDK device says of itself; "" for what it leaves out."""
    info = _sdk().camera_info
    wanted = (info.serial_number, info.name, info.firmware_version, info.usb_type_descriptor)
    with _failures():
        return About(*(device.get_info(key) if device.supports(key) else "" for key in wanted))


def _sdk() -> Any:
    try:
        import pyrealsense2
    except ImportError as error:
        raise SdkMissing(str(error)) from error
    return pyrealsense2


@contextlib.contextmanager
def _failures() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        raise SensorFailed(str(error)) from error
