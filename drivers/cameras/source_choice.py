"""Chooses how a rig file's `source:` is opened: as a kernel device, or as a file or URL. Each imports what it needs only then."""

import os
from pathlib import Path

from drivers.cameras.settings import OpenCVSettings
from drivers.cameras.source import Source
from station.devices.contract import Place
from station.errors import DeviceMissing


def choose_source(settings: OpenCVSettings, place: Place, previous: Source | None) -> Source:
    """The source, not yet open. Raises DeviceMissing where no device is.

    `previous` is what was chosen last time: a `Capture` is used again, as it knows whether its last read still hangs.
    """
    target = _target(settings)
    if not is_kernel_device(settings):
        from drivers.cameras.capture import Capture

        if isinstance(previous, Capture) and previous.target == target:
            return previous
        return Capture(place.node, target, settings, place.clock)
    if not Path(target).is_char_device():
        raise DeviceMissing(
            place.node,
            settings.source,
            "a camera there",
            "no such device",
            "plug it in; `station find` lists cameras, `station udev` names them",
        )
    from drivers.cameras.v4l2 import V4L2

    return V4L2(place.node, Path(target), settings, place.clock)


def is_kernel_device(settings: OpenCVSettings) -> bool:
    """Is it one, or named as one that is not plugged in?"""
    target = _target(settings)
    return "://" not in target and (Path(target).is_char_device() or target.startswith("/dev/"))


def _target(settings: OpenCVSettings) -> str:
    """A link may lead to a URL: simulated rigs publish their cameras so."""
    path = f"/dev/video{settings.source}" if settings.source.isdigit() else settings.source
    return os.readlink(path) if os.path.islink(path) and "://" in os.readlink(path) else path
