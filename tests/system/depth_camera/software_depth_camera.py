"""The driver `software_depth`: the RealSense driver on librealsense's own software device, which makes colour and depth.

Its folder stands on PYTHONPATH and brings its entry point along, as an installed package of somebody else's would.
"""

import threading
from typing import Any

import numpy as np

from drivers.cameras.realsense import RealSenseCamera
from station.clock import NS_PER_S, Grid
from station.devices.contract import Place
from tests.drivers.cameras.software_realsense import SERIAL, OneDevice, SoftwareD405

FPS = 15.0
"""Below what it declares: a busy machine has other things to do, and `status` says so."""


class SoftwareDepthCamera(RealSenseCamera):
    """One camera with both streams. Every depth picture has its own number in every pixel."""

    def __init__(self, settings: Any, place: Place) -> None:
        software = SoftwareD405()
        super().__init__(settings, place, OneDevice(software))
        self._software, self._place = software, place
        self._closing = threading.Event()
        self._shutter: threading.Thread | None = None

    def open(self) -> None:
        """Open it, and let it take pictures."""
        super().open()
        self._closing.clear()
        self._shutter = threading.Thread(target=self._shoot, name="shutter", daemon=True)
        self._shutter.start()

    def _shoot(self) -> None:
        grid, index = Grid(self._place.clock(), FPS), 0
        while not self._closing.wait(max(0, grid.time_ns(index + 1) - self._place.clock()) / NS_PER_S):
            index += 1
            stamp_ms = (grid.time_ns(index) - 1234 * NS_PER_S) / 1e6
            self._software.shoot(np.full((480, 640, 3), 99, np.uint8), stamp_ms, index)
            self._software.shoot(np.full((480, 640), index % 60_000, np.uint16), stamp_ms, index)

    def close(self) -> None:
        """Stop."""
        self._closing.set()
        if self._shutter is not None:
            self._shutter.join()
            self._shutter = None
        super().close()


__all__ = ["SERIAL", "SoftwareDepthCamera"]
