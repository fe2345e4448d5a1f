"""Which USB device is behind a kernel's device node, and what to call it for good.

A serial number is what a maker printed, and many print the same into every piece. Only one that no other device of its
kind has is taken for a name; twins, and the halves of a device that shows up as two, go by their place: the socket and the interface.
"""

import contextlib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from station.files import calibration_files
from station.terminal.shown import shown

_NAMES = re.compile(r"[A-Za-z0-9 ._:@#/+-]+")
"""Nor wildcards: udev's matches know `*`, `?`, `[…]` and `|`."""


class Usb(NamedTuple):
    """One USB device, as the kernel's tree under /sys shows it."""

    folder: Path
    """Of the device: `serial`, `idProduct`, `bcdDevice` are files in it."""
    place: str
    """Its socket and interface, such as `1-2.3:1.0`: stays while the cable stays where it is."""
    twins: tuple[str, ...]
    """Other nodes whose serial number is the same."""

    def attribute(self, name: str) -> str:
        """What the device says of itself; "" where it says nothing."""
        return read(self.folder / name)

    @property
    def by_place(self) -> bool:
        """Does its serial number not tell it from others? True as well if it was calibrated when it did not, and its twin is out now."""
        serial = self.attribute("serial")
        return bool(self.twins) or not names(serial) or calibration_files.path_of(f"{serial}@{self.place}").exists()

    @property
    def identity(self) -> str:
        """What its calibration is filed under: its serial number, `<serial>@<place>` for a twin, "" without a serial."""
        serial = self.attribute("serial")
        return f"{serial}@{self.place}" if serial and self.by_place else serial

    @property
    def advice(self) -> str:
        """What to tell about its name; "" where its serial number is its own."""
        serial = self.attribute("serial")
        if not self.by_place:
            return ""
        why = "it has no serial number"
        if serial and not names(serial):
            why = f"its serial number {shown(serial)} cannot stand in a udev rule"
        elif serial:
            others = f" ({', '.join(self.twins)})" if self.twins else ""
            why = f"its serial number {serial} is another's too{others}"
        return f"{why}: it goes by the USB socket it is in now ({self.place}), leave it there"


def names(serial: str) -> bool:
    """May a udev rule name a device by it? One with a quote in it could end the match, and begin a rule of the device's own."""
    return _NAMES.fullmatch(serial) is not None


def behind(node: Path, others: Iterable[Path]) -> Usb | None:
    """The USB device behind a node such as /sys/class/video4linux/video0; None where there is none.

    `others` are the nodes of its class that would be mistaken for it by a serial number; it may be among them.
    """
    found = _device(node)
    if found is None:
        return None
    folder, place = found
    serial = read(folder / "serial")
    twins = [
        other.name
        for other in others
        if serial
        and other.name != node.name
        and (there := _device(other)) is not None
        and read(there[0] / "serial") == serial
    ]
    return Usb(folder, place, tuple(sorted(twins)))


def _device(node: Path) -> tuple[Path, str] | None:
    link = node / "device"
    if not link.exists():
        return None
    below = link.resolve()
    for folder in below.parents:
        if (folder / "idVendor").exists():
            return folder, below.name
        below = folder
    return None


def read(path: Path) -> str:
    """One of the kernel's small files; "" where there is none."""
    with contextlib.suppress(OSError):
        return path.read_text().strip()
    return ""
