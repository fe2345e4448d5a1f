"""What the conformance suite needs to know of a driver: how to make one, and how to pull its cable."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple

from station.devices.contract import Driver, Reading


class Subject(NamedTuple):
    """One device with its driver. A new kind of driver adds its own to `SUBJECTS` in conftest.py."""

    make: Callable[[], Driver]
    """A driver that is not open; every call a new one on the same device."""
    unplug: Callable[[], None]
    replug: Callable[[], None]
    falls_silent: bool = False
    """People take it off and put it on again (a headset): that is nothing wrong, it says nothing meanwhile."""

    def read_one(self, driver: Driver, within: int = 2000) -> Reading:
        """The next reading."""
        for _ in range(within):
            readings = driver.read()
            if readings:
                return readings[0]
        raise AssertionError(f"no reading in {within} tries")


Factory = Callable[[Path], AbstractContextManager[Subject]]
"""Given a folder of its own, sets the device up and takes it down."""
