"""What an episode says of its devices and of the check before it: declared rates, limits, ages. Text that is no JSON says nothing."""

from datetime import datetime
from typing import Any

import h5py
import msgspec
import numpy as np

from station.clock import NS_PER_S
from station.episodes.quality.card import CheckLink
from station.episodes.reading import attribute
from station.files.check_results import SessionCheck

_DAY_S = 86_400


class _Dimension(msgspec.Struct, frozen=True):
    name: str = ""
    unit: str = ""
    lower: float | None = None
    upper: float | None = None


class _Stream(msgspec.Struct, frozen=True):
    kind: str = ""
    rate_hz: float = 0.0
    dimensions: tuple[_Dimension, ...] = ()


class Device(msgspec.Struct, frozen=True):
    """Of a description, as old files have it too."""

    model: str = ""
    serial: str = ""
    streams: tuple[_Stream, ...] = ()

    def rate_hz(self, kind: str) -> float:
        """Declared for that kind of stream; 0 for none."""
        return next((stream.rate_hz for stream in self.streams if stream.kind == kind), 0.0)

    def limits(self, joints: int) -> tuple[Any, Any]:
        """(J,) lowest and highest position of each; infinite where it does not say."""
        dimensions = next((stream.dimensions for stream in self.streams if stream.kind == "arm_state"), ())
        if len(dimensions) != joints:
            return np.full(joints, -np.inf), np.full(joints, np.inf)
        lower = [-np.inf if each.lower is None else each.lower for each in dimensions]
        upper = [np.inf if each.upper is None else each.upper for each in dimensions]
        return np.array(lower), np.array(upper)


def devices_of(text: str) -> dict[str, Device]:
    """By node, of the attribute `devices`; none where it is none."""
    try:
        return msgspec.json.decode(text, type=dict[str, Device])
    except (msgspec.MsgspecError, RecursionError, ValueError):
        return {}


def check_link(file: h5py.File) -> CheckLink | None:
    """The check that opened the session; None where there was none that can be read."""
    try:
        check = msgspec.json.decode(str(attribute(file, "check_result")), type=SessionCheck)
    except (msgspec.MsgspecError, RecursionError, ValueError):
        return None
    began_s = int(attribute(file, "start_wall_ns")) / NS_PER_S
    return CheckLink(check.verdict, check.at_s, (began_s - check.at_s) / 3600, check.override, _days(file, began_s))


def _days(file: h5py.File, began_s: float) -> dict[str, int]:
    try:
        calibrations = msgspec.json.decode(str(attribute(file, "calibration")), type=dict[str, Any])
    except (msgspec.MsgspecError, RecursionError, ValueError):
        return {}
    found = {}
    for device, calibration in calibrations.items():
        dates = [date for date in _dates(calibration) if date <= began_s]
        if dates:
            found[device[:60]] = int((began_s - max(dates)) / _DAY_S)
    return found


def _dates(value: Any) -> list[float]:
    """Every `date` in it, Unix time."""
    found: list[float] = []
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            waiting += each.values()
            date = each.get("date")
            if isinstance(date, str):
                try:
                    found.append(datetime.fromisoformat(date).timestamp())
                except (ValueError, OverflowError, OSError):
                    continue
        elif isinstance(each, list):
            waiting += each
    return found
