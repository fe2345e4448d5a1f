"""Finds cameras: V4L2 devices with their formats and serials, and RealSense cameras by serial."""

import contextlib
import os
from collections.abc import Generator
from pathlib import Path

from drivers.cameras.jpeg import encode
from drivers.cameras.realsense_sensor import Bus, SdkBus, SdkMissing, SensorFailed, Wanted
from drivers.cameras.settings import OpenCVSettings
from drivers.cameras.v4l2 import SYSFS, V4L2, camera_nodes, formats_text, usb_of
from drivers.cameras.v4l2_device import V4L2Device
from station.clock import monotonic_ns
from station.errors import DeviceSilent
from station.rig import usb
from station.rig.discovery import Found

_INTEL = "8086"
_LINKS = "CAM_*"
_USUAL = 640, 480
"""The size that policies are usually trained at, which a rig file is suggested with."""
_GRAB_S = 0.2
"""How long one picture is waited for."""


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
        intel = [path for path in paths if self._vendor(path) == _INTEL]
        return [self._v4l2(path) for path in paths if path not in intel] + self._realsenses(bool(intel))

    def pictures(self, found: Found) -> Generator[bytes | None, None, None]:
        """What it sees, as JPEG, at the size that a rig file is suggested with. Raises DeviceError."""
        return self._of_realsense(found) if found.port == found.serial else self._of_v4l2(found)

    def _of_v4l2(self, found: Found) -> Generator[bytes | None, None, None]:
        try:
            with contextlib.closing(V4L2Device(Path(found.port))) as device:
                rates = [offer.fps for offer in device.offers(*_USUAL) if (offer.width, offer.height) == _USUAL]
        except OSError as error:
            raise _no_picture(found, error.strerror or str(error)) from error
        if not rates:
            raise _no_picture(found, f"none of {_USUAL[0]}×{_USUAL[1]} is offered")
        settings = OpenCVSettings(found.port, *_USUAL, fps=max(5.0, min(rates)))
        source = V4L2(found.name or found.model, Path(found.port), settings, monotonic_ns)
        source.open()
        try:
            while True:
                shot = source.grab(_GRAB_S)
                yield None if shot is None else shot.data
        finally:
            source.close()

    def _of_realsense(self, found: Found) -> Generator[bytes | None, None, None]:
        try:
            camera = self._bus.connect(found.serial)
            if camera is None:
                raise _no_picture(found, "it is not there")
            try:
                camera.start([Wanted("color", *_USUAL, 30.0)])
                while True:
                    raw = camera.next(_GRAB_S)
                    yield None if raw is None else encode(raw.pixels)
            finally:
                camera.close()
        except (SdkMissing, SensorFailed) as error:
            raise _no_picture(found, str(error)) from error

    def _devices(self) -> list[Path]:
        return [self._dev / node.name for node in camera_nodes(self._sysfs)]

    def _vendor(self, path: Path) -> str:
        behind = usb_of(path, self._sysfs)
        return behind.attribute("idVendor") if behind else ""

    def _v4l2(self, path: Path) -> Found:
        behind = usb_of(path, self._sysfs)
        stable, name = self._stable(path, behind is None or behind.by_place)
        model, details, best, advice = _ask(path)
        if model == "":
            model = usb.read(self._sysfs / path.name / "name") or "camera"
        if behind is not None and behind.advice:
            advice = (*advice, behind.advice)
        line = f"cam_high: {{driver: opencv, source: {stable}, width: 640, height: 480, fps: {best}}}" if best else ""
        return Found(
            "camera", model, str(path), stable, behind.identity if behind else "", details, (line,) if line else (), advice,
            _rule(behind) if behind else "", name or f"CAM_{path.name.removeprefix('video')}",
        )  # fmt: skip

    def _stable(self, path: Path, by_place: bool) -> tuple[str, str]:
        """A link that is this camera's for good: of twins, `by-id` has the one that was plugged in last."""
        links = [(self._dev, _LINKS), (self._dev / "v4l" / "by-id", "*"), (self._dev / "v4l" / "by-path", "*")]
        for folder, pattern in (links[0], links[2]) if by_place else links:
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


def _no_picture(found: Found, why: str) -> DeviceSilent:
    return DeviceSilent(found.model, found.port, "a picture", why, "replug it, and close what else uses it")


def _rule(behind: usb.Usb) -> str:
    serial, product = behind.attribute("serial"), behind.attribute("idProduct")
    who = f'ATTRS{{serial}}=="{serial}", ATTRS{{idProduct}}=="{product}"'
    if behind.by_place:
        who = f'KERNELS=="{behind.place}"'
    return f'SUBSYSTEM=="video4linux", ATTR{{index}}=="0", {who}, GROUP="video", MODE="0660", SYMLINK+="{{name}}"'


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
