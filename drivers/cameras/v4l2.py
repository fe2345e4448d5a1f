"""Kernel cameras through V4L2: the kernel's own stamp and frame number with each picture, MJPEG as the camera made it.

The buffer's CLOCK_MONOTONIC stamp is when the picture began (or ended) arriving from the sensor, whoever is late to
read it; gaps in its sequence are pictures lost, exactly counted.
"""

import errno
import os
import select
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from drivers.cameras.controls import EXPOSURE_AUTO_ID, Control, all_controls
from drivers.cameras.jpeg import encode
from drivers.cameras.losses import Losses
from drivers.cameras.settings import OpenCVSettings
from drivers.cameras.source import Identity, Shot
from drivers.cameras.v4l2_device import Offer, V4L2Device
from station.clock import NS_PER_S, Clock
from station.errors import DeviceBusy, DeviceError, DeviceForbidden, DeviceMissing, DeviceSilent, DeviceWrong
from station.rig import usb

SYSFS = Path("/sys/class/video4linux")
_BUFFERS = 4
_PASSED_THROUGH = ("MJPG", "JPEG")
_ENCODED = {
    "YUYV": (2, cv2.COLOR_YUV2BGR_YUYV),
    "UYVY": (2, cv2.COLOR_YUV2BGR_UYVY),
    "RGB3": (3, cv2.COLOR_RGB2BGR),
    "BGR3": (3, None),
}
"""Pixel format → bytes a pixel, OpenCV's conversion to BGR."""
_AUTO, _MANUAL, _APERTURE_PRIORITY = 0, 1, 3
"""Of the menu V4L2_CID_EXPOSURE_AUTO; UVC's automatic is aperture priority."""


class V4L2:
    """One /dev/video device."""

    def __init__(self, node: str, path: Path, settings: OpenCVSettings, clock: Clock) -> None:
        self._node, self._path, self._clock = node, path, clock
        self._width, self._height, self._fps = settings.width, settings.height, settings.fps
        self._fourcc, self._controls = settings.fourcc, settings.controls.asked()
        self._device: V4L2Device | None = None
        self._sequence: int | None = None
        self._lost = 0
        self._broken = Losses()
        self._taken: list[Control] = []
        self._looked_ns = 0
        self._changed: dict[str, str] = {}

    def open(self) -> Identity:
        """Format, rate, controls, then stream. DeviceWrong names what the camera offers instead."""
        try:
            self._device = device = V4L2Device(self._path)
            if not device.gives_pictures():
                raise self._wrong(
                    "a camera that gives pictures", "a device that does not", "use the camera's index-0 device"
                )
            self._fourcc = self._set_format(device)
            notes = [
                f"{self._fourcc} {'passed through' if self._fourcc in _PASSED_THROUGH else 'encoded once as JPEG'}"
            ]
            notes += self._set_controls(device)
            device.start(_BUFFERS)
            card, behind = device.card(), usb_of(self._path, SYSFS)
            controls = _read_all(device)
            if behind is None:
                return Identity(card, notes=tuple(notes), controls=controls)
            notes += [behind.advice] if behind.advice else []
            return Identity(card, behind.identity, behind.attribute("bcdDevice"), tuple(notes), controls)
        except OSError as error:
            if isinstance(error, DeviceError):
                raise
            raise self._explain(error) from error

    def grab(self, timeout_s: float) -> Shot | None:
        """The next picture, or None."""
        device = self._device
        if device is None:
            return None
        try:
            if not select.select([device], [], [], timeout_s)[0]:
                return None
            picture = device.read()
        except BlockingIOError:
            return None
        except OSError as error:
            raise self._explain(error) from error
        arrived_ns = self._clock()
        self._look_at_a_control(device, arrived_ns)
        if self._sequence is not None and picture.sequence > self._sequence + 1:
            self._lost += picture.sequence - self._sequence - 1
        self._sequence = picture.sequence
        jpeg = None if picture.broken else self._to_jpeg(picture.data)
        if jpeg is None:
            size = len(picture.data)
            cause = "the kernel marked it as broken" if picture.broken else f"{size} bytes, too few or too many"
            self._broken.add(f"{cause}; check the cable and the hub", arrived_ns)
            return None
        if picture.stamp_ns is not None:
            return Shot(jpeg, picture.stamp_ns, "driver", picture.sequence)
        return Shot(jpeg, arrived_ns, "arrival", picture.sequence)

    def warnings(self, now_ns: int) -> tuple[str, ...]:
        """Controls that took their value and have another one by now; pictures that the kernel gave broken."""
        broken = self._broken.recent(now_ns)
        return ((broken,) if broken else ()) + tuple(self._changed.values())

    def counts(self) -> dict[str, float]:
        """Pictures the kernel numbered and never gave, and those it marked as broken."""
        return {"lost_frames": float(self._lost), "broken_frames": float(self._broken.count)}

    def close(self) -> None:
        """Stop and let go, whether or not the camera is still there."""
        if self._device is not None:
            self._device.close()
        self._device = None

    def _set_format(self, device: V4L2Device) -> str:
        offers = device.offers(self._width, self._height)
        sized = [offer for offer in offers if (offer.width, offer.height) == (self._width, self._height)]
        fast_enough = {offer.fourcc for offer in sized if offer.fps >= self._fps * 0.99}
        known = set(device.pixel_formats())
        readable = [name for name in (*_PASSED_THROUGH, *_ENCODED) if name in known and self._fourcc in ("", name)]
        if not readable:
            raise self._wrong(
                f"{self._fourcc or 'a readable pixel format'}",
                f"{', '.join(sorted(known))}",
                "correct `fourcc`, or leave it out",
            )
        fourcc = next((name for name in readable if name in fast_enough), readable[0])
        found = device.set_format(self._width, self._height, fourcc)
        fps = device.set_fps(self._fps)
        if found != (self._width, self._height, fourcc) or abs(fps - self._fps) > 0.02 * self._fps:
            raise self._wrong(
                f"{self._width}×{self._height} {fourcc} at {self._fps:g} fps",
                f"{found[0]}×{found[1]} {found[2]} at {fps:g} fps",
                f"use what the camera offers: {formats_text(offers)}",
            )
        return fourcc

    def _set_controls(self, device: V4L2Device) -> list[str]:
        """Set each, then read all back: a later one may have changed an earlier. Returns what did not take."""
        failures = {}
        for control in self._controls:
            try:
                _set_control(device, control)
            except OSError as error:
                failures[control.name] = os.strerror(error.errno or 0).lower()
        notes = []
        for control in self._controls:
            found = failures.get(control.name)
            if found is None and (value := _read_control(device, control)) != control.value:
                found = f"it reads {value}"
            if found is not None:
                notes.append(f"{control.name} did not take {control.value}: {found}")
        self._taken = [
            control for control in self._controls if not any(n.startswith(f"{control.name} ") for n in notes)
        ]
        self._changed = {}
        return notes

    def _look_at_a_control(self, device: V4L2Device, now_ns: int) -> None:
        """Once a second one of them, in turn: another program, or the camera itself, may have changed it."""
        if not self._taken or now_ns - self._looked_ns < NS_PER_S:
            return
        self._looked_ns = now_ns
        control = self._taken[0]
        self._taken = [*self._taken[1:], control]
        found = _read_control(device, control)
        if found is None or found == control.value:
            self._changed.pop(control.name, None)
        else:
            self._changed[control.name] = f"{control.name} is {found}, {control.value} was set: something changed it"

    def _to_jpeg(self, data: bytes) -> bytes | None:
        if self._fourcc in _PASSED_THROUGH:
            return data
        depth, conversion = _ENCODED[self._fourcc]
        if len(data) != self._width * self._height * depth:
            return None
        picture = np.frombuffer(data, np.uint8).reshape(self._height, self._width, depth)
        bgr: Any = picture if conversion is None else cv2.cvtColor(picture, conversion)
        return encode(bgr)

    def _wrong(self, expected: str, found: str, do: str) -> DeviceWrong:
        return DeviceWrong(self._node, str(self._path), expected, found, do)

    def _explain(self, error: OSError) -> DeviceError:
        node, port, code = self._node, str(self._path), error.errno
        if code in (errno.EACCES, errno.EPERM):
            return DeviceForbidden(
                node,
                port,
                "to be allowed to open it",
                "permission denied",
                "`sudo usermod -aG video $USER`, then log out and in",
            )
        if code == errno.EBUSY:
            return DeviceBusy(
                node, port, "a camera nobody uses", "it is in use", f"`fuser -v {port}` names the program; close it"
            )
        if code in (errno.ENOENT, errno.ENODEV, errno.ENXIO):
            return DeviceMissing(node, port, "a camera", "it is gone", "check the cable; `station find` lists cameras")
        if code in (errno.EIO, errno.ETIMEDOUT, errno.EPROTO, errno.EPIPE):
            return DeviceSilent(
                node,
                port,
                "pictures",
                os.strerror(code).lower(),
                "check the cable and the hub; at most two cameras to a hub",
            )
        return self._wrong("a V4L2 camera", f"{error}", "check what the device is with `station find`")


def camera_nodes(sysfs: Path) -> list[Path]:
    """The first node of each camera: the others carry metadata."""
    if not sysfs.is_dir():
        return []
    return sorted(node for node in sysfs.iterdir() if usb.read(node / "index") in ("0", ""))


def usb_of(path: Path, sysfs: Path) -> usb.Usb | None:
    """The USB device behind a /dev/video path; None where there is none."""
    return usb.behind(sysfs / path.resolve().name, camera_nodes(sysfs))


def _set_control(device: V4L2Device, control: Control) -> None:
    if control.v4l2_id != EXPOSURE_AUTO_ID:
        device.set_control(control.v4l2_id, control.value)
    elif not control.value:
        device.set_control(control.v4l2_id, _MANUAL)
    else:
        try:
            device.set_control(control.v4l2_id, _APERTURE_PRIORITY)
        except OSError:
            device.set_control(control.v4l2_id, _AUTO)


def _read_control(device: V4L2Device, control: Control) -> int | None:
    try:
        value = device.control(control.v4l2_id)
    except OSError:
        return None
    return int(value != _MANUAL) if control.v4l2_id == EXPOSURE_AUTO_ID else value


def _read_all(device: V4L2Device) -> dict[str, int]:
    """Of the controls that this camera has."""
    read = {control.name: _read_control(device, control) for control in all_controls()}
    return {name: value for name, value in read.items() if value is not None}


def formats_text(offers: Sequence[Offer]) -> str:
    """`MJPG 640×480@30/60, …` from what a camera offers."""
    rates: dict[str, set[float]] = {}
    for offer in offers:
        rates.setdefault(f"{offer.fourcc} {offer.width}×{offer.height}", set()).add(offer.fps)
    return (
        ", ".join(f"{size}@{'/'.join(f'{fps:g}' for fps in sorted(fps_s))}" for size, fps_s in rates.items())
        or "nothing it lists"
    )
