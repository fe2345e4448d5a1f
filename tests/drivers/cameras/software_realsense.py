"""A D405 made of librealsense's own software device: the SDK's code runs, the sensor is ours."""

from typing import Any

import pyrealsense2 as rs

from drivers.cameras.realsense_sensor import SdkBus

SERIAL = "128422271347"


class SoftwareD405:
    """One sensor that gives colour and depth, as a D405's does."""

    def __init__(self) -> None:
        self.device = rs.software_device()
        self.device.register_info(rs.camera_info.serial_number, SERIAL)
        self.device.register_info(rs.camera_info.name, "Intel RealSense D405")
        self.sensor = self.device.add_sensor("Stereo Module")
        self._color = self._stream(rs.stream.color, rs.format.bgr8, 3, 1)
        self._depth = self._stream(rs.stream.depth, rs.format.z16, 2, 2)
        for option, low, high in (
            (rs.option.exposure, 1, 165000),
            (rs.option.enable_auto_exposure, 0, 1),
            (rs.option.global_time_enabled, 0, 1),
        ):
            span = rs.option_range()
            span.min, span.max, span.step, span.default = low, high, 1, high
            self.sensor.add_option(option, span, True)

    def _stream(self, kind: Any, pixels: Any, bpp: int, uid: int) -> Any:
        stream = rs.video_stream()
        stream.type, stream.fmt, stream.bpp, stream.uid, stream.index = kind, pixels, bpp, uid, 0
        stream.width, stream.height, stream.fps = 640, 480, 60
        lens = rs.intrinsics()
        lens.width, lens.height, lens.fx, lens.fy, lens.ppx, lens.ppy = 640, 480, 430, 430, 320, 240
        lens.model, lens.coeffs = rs.distortion.none, [0] * 5
        stream.intrinsics = lens
        return self.sensor.add_video_stream(stream)

    def shoot(
        self, pixels: Any, device_ms: float, number: int, domain: Any = rs.timestamp_domain.hardware_clock
    ) -> None:
        frame = rs.software_video_frame()
        frame.pixels, frame.bpp, frame.stride = pixels, pixels.strides[1], pixels.strides[0]
        frame.timestamp, frame.domain, frame.frame_number = device_ms, domain, number
        frame.profile = (self._depth if pixels.ndim == 2 else self._color).as_video_stream_profile()
        self.sensor.on_video_frame(frame)


class OneDevice(SdkBus):
    """A bus on which only this camera is, or nothing."""

    def __init__(self, software: SoftwareD405) -> None:
        super().__init__()
        self.software = software
        self.plugged = True

    def _devices(self) -> list[Any]:
        return [self.software.device] if self.plugged else []
