"""Finds cameras: V4L2 devices with their formats and serials, and RealSense cameras by serial."""

import contextlib
import os
from pathlib import Path

from drivers.cameras.realsense_sensor import Bus, SdkBus, SdkMissing, SensorFailed
from drivers.cameras.v4l2 import SYSFS, formats_text, usb_attribute
from drivers.cameras.v4l2_device import V4L2Device
from station.found import Found

_INTEL = "8086"
_LINKS = "CAM_*"
_USUAL = 640, 480
"""The size that policies are usually trained at, which a rig file is suggested with."""


class CameraFinder:
    """Cameras on USB."""

    def __init__(self, sysfs: Path = SYSFS, dev: Path = Path("/dev"), bus: Bus | None = None) -> None:
        self._sysfs, self._dev = sysfs, dev
        self._bus: Bus = bus or SdkBus()

    def find(self, ports: tuple[str, ...]) -> list[Found]:
        """Every camera, or those at the ports named (a serial port is none of ours)."""
        paths = self._devices()
        if ports:
            wanted = {os.path.realpath(port) for port in ports}
            return [self._v4l2(path) for path in paths if os.path.realpath(path) in wanted]
        intel = [path for path in paths if self._attribute(path, "idVendor") == _INTEL]
        return [self._v4l2(path) for path in paths if path not in intel] + self._realsenses(bool(intel))

    def _devices(self) -> list[Path]:
        """The first device node of each camera: the others carry metadata."""
        if not self._sysfs.is_dir():
            return []
        names = sorted(folder.name for folder in self._sysfs.iterdir() if _read(folder / "index") in ("0", ""))
        return [self._dev / name for name in names]

    def _attribute(self, path: Path, name: str) -> str:
        return usb_attribute(path, name, self._sysfs)

    def _v4l2(self, path: Path) -> Found:
        serial, product = self._attribute(path, "serial"), self._attribute(path, "idProduct")
        stable, name = self._stable(path)
        model, details, best, advice = _ask(path)
        if model == "":
            model = _read(self._sysfs / path.name / "name") or "camera"
        if not serial:
            advice = (*advice, "it has no serial number: its rule holds to the USB socket it is in now")
        line = f"cam_high: {{driver: opencv, source: {stable}, width: 640, height: 480, fps: {best}}}" if best else ""
        return Found(
            "camera", model, str(path), stable, serial, details, (line,) if line else (), advice,
            self._rule(path, serial, product), name or f"CAM_{path.name.removeprefix('video')}",
        )  # fmt: skip

    def _rule(self, path: Path, serial: str, product: str) -> str:
        if serial:
            who = f'ATTRS{{serial}}=="{serial}", ATTRS{{idProduct}}=="{product}"'
        else:
            socket = (self._sysfs / path.name / "device").resolve().parent.name
            who = f'KERNELS=="{socket}"'
        return f'SUBSYSTEM=="video4linux", ATTR{{index}}=="0", {who}, GROUP="video", MODE="0660", SYMLINK+="{{name}}"'

    def _stable(self, path: Path) -> tuple[str, str]:
        for folder, pattern in (
            (self._dev, _LINKS),
            (self._dev / "v4l" / "by-id", "*"),
            (self._dev / "v4l" / "by-path", "*"),
        ):
            for link in sorted(folder.glob(pattern)) if folder.is_dir() else ():
                if os.path.realpath(link) == os.path.realpath(path):
                    return str(link), link.name if folder == self._dev else ""
        return str(path), ""

    def _realsenses(self, plugged_in: bool) -> list[Found]:
        try:
            cameras = self._bus.connected()
        except (SdkMissing, SensorFailed) as error:
            if not plugged_in:
                return []
            do = "install the extra `realsense` (pip) and libusb-1.0-0 (system)"
            return [Found("camera", "Intel RealSense", "", "", "", (str(error),), advice=(do,))]
        return [
            Found(
                "camera", camera.model, camera.serial, camera.serial, camera.serial,
                (f"firmware {camera.firmware}, USB {camera.usb}",),
                (f'cam_high: {{driver: realsense, serial: "{camera.serial}", width: 640, height: 480, fps: 60}}',),
                ("it is on USB 2: use a USB 3 port and cable",) if camera.usb.startswith("2") else (),
            )
            for camera in cameras
        ]  # fmt: skip


def _ask(path: Path) -> tuple[str, tuple[str, ...], int, tuple[str, ...]]:
    """(model, formats, best rate at 640×480, advice) of a V4L2 camera."""
    if not os.access(path, os.R_OK | os.W_OK):
        return "", ("permission denied",), 0, ("sudo usermod -aG video $USER, then log out and in again",)
    try:
        with contextlib.closing(V4L2Device(path)) as device:
            offers = device.offers(*_USUAL)
            rates = [int(offer.fps) for offer in offers if (offer.width, offer.height) == _USUAL]
            return device.card(), (formats_text(offers),), min(60, max(rates, default=0)), ()
    except OSError as error:
        return "", (f"cannot be asked: {error}",), 0, ("close the program that uses it, or replug it",)


def _read(path: Path) -> str:
    with contextlib.suppress(OSError):
        return path.read_text().strip()
    return ""
