"""What is right in a rig file and will bite all the same: looked for on this computer, before anything starts.

Simulated rigs have no cables, and nothing of theirs is looked for.
"""

import os
import re
from pathlib import Path
from typing import NamedTuple

import msgspec

from station.errors import CalibrationBroken
from station.files import calibration_files
from station.rig import usb
from station.rig.problems import Problem, Problems
from station.rig.rig import SHIPPED, Device, Rig, own_rigs

CONTROLLER_PIXELS_S = 2 * 640 * 480 * 60
"""Of USB 2 webcams behind one controller: each reserves what its format may need at worst, and two at 640×480 and 60 fps fill it
(measured by ALOHA's users; facts of each camera are in its descriptors, which only its driver reads)."""
RAW_BYTES_S = 60e6
"""Written to the disk: what an ordinary one keeps up with beside everything else (`check.disk_mb_s`)."""
SYS = Path("/sys/class")
_DEV = "/dev/"


class _Keys(msgspec.Struct, frozen=True):
    """What the rig file's own keys say of a device, whoever drives it; 0 and "" where its driver has no such key."""

    rate_hz: float = 0.0
    width: int = 0
    height: int = 0
    fps: float = 0.0
    serial: str = ""


def _keys(device: Device) -> _Keys:
    return msgspec.convert(device.settings, _Keys, from_attributes=True)


class Plugged(NamedTuple):
    """What is behind a device's port now."""

    serial: str
    controller: str
    """Of the USB bus it is on: its place in the kernel's tree; "" where that is not USB."""


def foresee(rig: Rig, lines: dict[str, int], sysfs: Path = SYS) -> tuple[Problem, ...]:
    """Everything that will bite, by the lines of the file."""
    bites = Problems(lines)
    _names(rig, bites)
    _roles(rig, bites)
    _rates(rig, bites)
    if rig.world is None:
        plugged = {device.node: _plugged(device, sysfs) for device in rig.devices}
        _cables(rig, plugged, bites)
        _controllers(rig, plugged, bites)
        _calibrations(rig, plugged, bites)
    return bites.sorted()


def key_of(device: Device) -> str:
    """Where a device stands in the file."""
    if device.role in ("leader", "follower"):
        return f"arms.{device.side}.{device.role}"
    return "vr" if device.role == "vr" else f"cameras.{device.node}"


def _warn(bites: Problems, key: str, found: str, do: str) -> None:
    bites.add(key, found, do, level="warning")


def _names(rig: Rig, bites: Problems) -> None:
    for folder in (SHIPPED, own_rigs()):
        other = folder / f"{rig.name}.yaml"
        if other.is_file() and other.resolve() != rig.file.resolve():
            _warn(
                bites, "name", f"{other} has the name {rig.name} too: logs, locks and the last check would be one for both",
                "give this rig another name",
            )  # fmt: skip


def _roles(rig: Rig, bites: Problems) -> None:
    headset = any(device.role == "vr" for device in rig.devices)
    if rig.followers and not rig.leaders and not headset:
        _warn(
            bites,
            "arms",
            "no leader and no headset: only a policy or a replay can move the arms",
            "describe a leader, or `vr:`",
        )
    if not rig.cameras:
        _warn(
            bites,
            "cameras",
            "no camera: episodes have no pictures, and most policies need them",
            "describe the cameras",
        )
    for side in rig.sides:
        if headset and side.follower and f"arms.{side.name}.base" not in bites.lines:
            _warn(
                bites, f"arms.{side.name}", "no base: a hand's way cannot be turned into this arm's",
                "measure where it stands: base: {xyz_m: […], rpy_rad: […]}",
            )  # fmt: skip


def _rates(rig: Rig, bites: Problems) -> None:
    for device in rig.devices:
        rate_hz = _keys(device).rate_hz
        if device.role in ("leader", "follower") and 0 < rate_hz < rig.tick_hz:
            _warn(
                bites, f"{key_of(device)}.rate_hz", f"{rate_hz:g} readings a second for {rig.tick_hz:g} ticks: rows will repeat",
                f"raise it to {2 * rig.tick_hz:g} or more, at a higher baud if the bus needs it",
            )  # fmt: skip
    bytes_s = (
        sum(3 * keys.width * keys.height for keys in (_keys(rig.device(name)) for name in rig.cameras)) * rig.tick_hz
    )
    if rig.images == "raw" and bytes_s > RAW_BYTES_S:
        _warn(
            bites,
            "images",
            f"raw pictures of {len(rig.cameras)} cameras are {bytes_s / 1e6:.0f} MB/s",
            "jpeg, unless the trainer needs raw",
        )
    where = rig.data
    while not where.exists() and where != where.parent:
        where = where.parent
    if not os.access(where, os.W_OK):
        _warn(
            bites, "data", f"{where} may not be written to by this user", "name a folder of yours, or change its owner"
        )


def _cables(rig: Rig, plugged: dict[str, Plugged | None], bites: Problems) -> None:
    for device in rig.devices:
        if device.port.startswith(_DEV) and plugged[device.node] is None:
            _warn(
                bites, key_of(device), f"{device.port} is not there",
                "plug it in and switch it on; `station find` lists what is there, `station udev` gives names. Until then neither its "
                "cable nor its calibration can be looked at",
            )  # fmt: skip


def _controllers(rig: Rig, plugged: dict[str, Plugged | None], bites: Problems) -> None:
    """Webcams by the controller they hang on; those that are not there may all hang on one."""
    behind: dict[str, list[Device]] = {}
    for device in rig.devices:
        if device.role == "camera" and device.port.startswith(_DEV):
            found = plugged[device.node]
            behind.setdefault(found.controller if found is not None else "", []).append(device)
    for controller, devices in behind.items():
        asked = {device.node: _keys(device) for device in devices}
        pixels_s = sum(keys.width * keys.height * keys.fps for keys in asked.values())
        if pixels_s <= CONTROLLER_PIXELS_S:
            continue
        names = ", ".join(f"{node} {keys.width}×{keys.height} at {keys.fps:g} fps" for node, keys in asked.items())
        where = f"the USB controller {controller}" if controller else "one USB controller, if they all hang on one,"
        _warn(
            bites, key_of(devices[0]),
            f"{len(devices)} cameras on {where} ask for more than it carries ({names}): pictures will be missing",
            "30 fps, or two of them on a controller of its own (another PCI card, not another hub)",
        )  # fmt: skip


def _calibrations(rig: Rig, plugged: dict[str, Plugged | None], bites: Problems) -> None:
    for device in rig.devices:
        found = plugged[device.node]
        serial = found.serial if found is not None else ""
        if device.role == "vr" or not serial:
            continue
        try:
            known = calibration_files.load(serial)
        except CalibrationBroken as error:
            _warn(bites, key_of(device), str(error), "see above")
            continue
        if known is None:
            what = "cameras" if device.role == "camera" else "arms"
            _warn(
                bites,
                key_of(device),
                f"no calibration for serial {serial}",
                f"`station calibrate {what} --rig {rig.file}`",
            )
        elif known.device != device.node:
            _warn(
                bites, key_of(device), f"serial {serial} was calibrated as {known.device}: cables may be swapped",
                "`station find` says which serial is on which port; then calibrate, or correct the port",
            )  # fmt: skip


def _plugged(device: Device, sysfs: Path) -> Plugged | None:
    """None where it is not there."""
    if not device.port.startswith(_DEV):
        return Plugged(_keys(device).serial, "")
    real = Path(os.path.realpath(device.port))
    kind = sysfs / ("video4linux" if device.role == "camera" else "tty")
    node = kind / real.name
    if not node.exists():
        return Plugged("", "") if real.exists() else None
    behind = usb.behind(node, kind.iterdir())
    return Plugged(behind.identity, _controller(behind.folder)) if behind is not None else Plugged("", "")


def _controller(folder: Path) -> str:
    """The name of what the root hub above a USB device belongs to, such as `0000:00:14.0`; "" without one."""
    for place in folder.parents:
        if re.fullmatch(r"usb\d+", place.name):
            return place.parent.name
    return ""
