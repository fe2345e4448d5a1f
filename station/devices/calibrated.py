"""What a calibration file changes about any device: it travels with the description, and its latency is taken off."""

import msgspec

from station.bus.messages import Description
from station.clock import NS_PER_MS
from station.errors import CalibrationBroken, DeviceWrong
from station.files import calibration_files
from station.files.calibration_files import Calibration


def calibration_of(node: str, port: str, serial: str) -> Calibration | None:
    """A device's calibration file; None if it has none.

    Raises DeviceWrong for one that is torn or edited: its numbers would be guesses.
    """
    try:
        return calibration_files.load(serial)
    except CalibrationBroken as error:
        raise DeviceWrong(node, port, "a whole calibration file", str(error), "see above") from error


def calibrated(node: str, port: str, description: Description) -> Description:
    """The description with what calibration says about the device. Raises DeviceWrong as `calibration_of` does."""
    found = calibration_of(node, port, description.serial) if description.serial else None
    if found is None:
        return description
    notes = description.notes
    if found.latency is not None:
        notes = (
            *notes,
            f"{found.latency.latency_ms:.1f} ms latency taken off, measured {found.latency.made.date[:10]}",
        )
    return msgspec.structs.replace(description, calibration=calibration_files.for_episode(found), notes=notes)


def latency_ns(description: Description) -> int:
    """How long after the world looked like that the device stamps it; 0 where that was not measured."""
    latency = description.calibration.latency if description.calibration is not None else None
    return round(latency.latency_ms * NS_PER_MS) if latency is not None else 0
