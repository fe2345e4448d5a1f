"""Which way a rig file's `source:` is opened: as a kernel device, or as a file or URL."""

import os
import stat
from pathlib import Path

from drivers.cameras.capture import Capture
from drivers.cameras.settings import OpenCVSettings
from drivers.cameras.source import Source
from drivers.cameras.v4l2 import V4L2
from station.device import Place
from station.errors import DeviceMissing


def way_to(settings: OpenCVSettings, place: Place, previous: Source | None) -> Source:
    """The source, not yet open. A link may lead to a URL: simulated rigs publish their cameras so.

    `previous` is what the last opening gave: a `Capture` is used again, as it knows whether its last read still hangs.
    """
    path = Path(f"/dev/video{settings.source}" if settings.source.isdigit() else settings.source)
    if path.is_symlink() and "://" in os.readlink(path):
        return _capture(settings, place, os.readlink(path), previous)
    if "://" in settings.source:
        return _capture(settings, place, settings.source, previous)
    if path.exists() and stat.S_ISCHR(path.stat().st_mode):
        return V4L2(place.node, path, settings, place.clock)
    if str(path).startswith("/dev/"):
        raise DeviceMissing(
            place.node,
            settings.source,
            "a camera there",
            "no such device",
            "plug it in; `station find` lists cameras, `station udev` names them",
        )
    return _capture(settings, place, str(path), previous)


def _capture(settings: OpenCVSettings, place: Place, target: str, previous: Source | None) -> Source:
    if isinstance(previous, Capture) and previous.target == target:
        return previous
    return Capture(place.node, target, settings, place.clock)
