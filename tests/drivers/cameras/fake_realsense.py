"""The seam to librealsense, as documentation and users describe a D405: enumeration, options, reset, unplug.

Times of a restart are the few seconds users report; nothing here was seen on hardware.
"""

from collections import deque
from collections.abc import Sequence

import numpy as np

from drivers.cameras.realsense_sensor import About, Domain, Kind, Raw, SdkMissing, SensorFailed, Wanted

D405 = About("128422271347", "Intel RealSense D405", "5.12.14.100", "3.2")
D435 = About("017322071111", "Intel RealSense D435", "5.15.1.0", "3.2")
SIZES = ((640, 480, 60), (640, 480, 30), (1280, 720, 30))


class FakeCamera:
    """One connected camera."""

    def __init__(self, bus: "FakeBus", about: About) -> None:
        self.about = about
        self.bus = bus
        self.options = {
            "global_time_enabled": 1.0, "enable_auto_exposure": 1.0, "exposure": 33000.0, "gain": 16.0,
            "enable_auto_white_balance": 1.0, "white_balance": 4600.0, "depth_units": 0.0001,
        }  # fmt: skip
        self.wanted: list[Wanted] = []
        self.frames: deque[Raw] = deque()
        self.closed = False

    def set_option(self, name: str, value: float) -> float | None:
        self._there()
        if name not in self.options or name in self.bus.lacks:
            return None
        if name == "exposure" and self.options["enable_auto_exposure"]:
            raise SensorFailed("exposure is read-only while auto exposure is on")
        self.options[name] = min(value, 165000.0)
        return self.options[name]

    def start(self, wanted: Sequence[Wanted]) -> None:
        self._there()
        if self.bus.busy:
            raise SensorFailed("xioctl(VIDIOC_S_FMT) failed, errno=16 Last Error: Device or resource busy")
        for want in wanted:
            if (want.width, want.height, want.fps) not in SIZES:
                raise SensorFailed("no color like that; it offers 640×480@30, 640×480@60, 1280×720@30")
        self.wanted = list(wanted)

    def next(self, timeout_s: float) -> Raw | None:
        self._there()
        return self.frames.popleft() if self.frames else None

    def reset(self) -> None:
        self._there()
        self.bus.resets += 1
        self.bus.present.remove(self.about)

    def close(self) -> None:
        self.closed = True

    def shoot(
        self,
        device_ns: int,
        number: int,
        kind: Kind = "color",
        domain: Domain = "hardware_clock",
        width: int = 640,
        height: int = 480,
    ) -> None:
        shape = (height, width) if kind == "depth" else (height, width, 3)
        pixels = np.full(shape, number % 200, np.uint16 if kind == "depth" else np.uint8)
        self.frames.append(Raw(kind, pixels, device_ns, domain, number))

    def _there(self) -> None:
        if self.about not in self.bus.present:
            raise SensorFailed("No such device")


class FakeBus:
    """What is plugged in."""

    def __init__(self, *present: About) -> None:
        self.present = list(present)
        self.resets = 0
        self.busy = False
        self.lacks: set[str] = set()
        self.installed = True
        self.opened: list[FakeCamera] = []

    def connected(self) -> tuple[About, ...]:
        if not self.installed:
            raise SdkMissing("No module named 'pyrealsense2'")
        return tuple(self.present)

    def connect(self, serial: str) -> FakeCamera | None:
        for about in self.present:
            if about.serial == serial:
                self.opened.append(FakeCamera(self, about))
                return self.opened[-1]
        return None
