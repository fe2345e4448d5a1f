"""How a device is set up for the kit (`station.devices.conformance`), by name."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from station.devices.conformance import Subject

Factory = Callable[[Path], AbstractContextManager[Subject]]
"""Given a folder of its own, sets the device up and takes it down."""
