"""The controls a rig file may fix, by our names, and the V4L2 controls they are."""

from typing import NamedTuple

import msgspec

_USER, _CAMERA = 0x00980900, 0x009A0900


class Control(NamedTuple):
    """One control asked for."""

    name: str
    v4l2_id: int
    value: int


class Controls(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Values in the camera's own units (`v4l2-ctl -L` and `station find` show ranges); None leaves one as it is.

    The `_auto` ones are 0 or 1. `exposure` is in 100 µs. `exposure_dynamic` 1 lets the camera slow down in the dark.
    """

    focus_auto: int | None = None
    exposure_auto: int | None = None
    exposure_dynamic: int | None = None
    white_balance_auto: int | None = None
    focus: int | None = None
    exposure: int | None = None
    gain: int | None = None
    white_balance: int | None = None
    brightness: int | None = None
    contrast: int | None = None
    saturation: int | None = None
    sharpness: int | None = None
    backlight: int | None = None
    power_line: int | None = None
    zoom: int | None = None

    def __post_init__(self) -> None:
        for name in ("focus_auto", "exposure_auto", "exposure_dynamic", "white_balance_auto"):
            if getattr(self, name) not in (None, 0, 1):
                raise ValueError(f"{name} is 0 or 1")
        for name in self.__struct_fields__:
            if not -(2**31) <= (getattr(self, name) or 0) < 2**31:
                raise ValueError(f"{name} is no value of a control: they are 32 bits wide")

    def asked(self) -> tuple[Control, ...]:
        """Those that were given, automatics first: a camera refuses a focus while its autofocus runs."""
        values = ((name, getattr(self, name)) for name in self.__struct_fields__)
        return tuple(Control(name, _V4L2[name], value) for name, value in values if value is not None)


def all_controls() -> tuple[Control, ...]:
    """Every one that has a name here, to be read: the values mean nothing."""
    return tuple(Control(name, v4l2_id, 0) for name, v4l2_id in _V4L2.items())


EXPOSURE_AUTO_ID = _CAMERA + 1

_V4L2 = {
    "focus_auto": _CAMERA + 12,
    "exposure_auto": EXPOSURE_AUTO_ID,
    "exposure_dynamic": _CAMERA + 3,
    "white_balance_auto": _USER + 12,
    "focus": _CAMERA + 10,
    "exposure": _CAMERA + 2,
    "gain": _USER + 19,
    "white_balance": _USER + 26,
    "brightness": _USER + 0,
    "contrast": _USER + 1,
    "saturation": _USER + 2,
    "sharpness": _USER + 27,
    "backlight": _USER + 28,
    "power_line": _USER + 24,
    "zoom": _CAMERA + 13,
}
"""include/uapi/linux/v4l2-controls.h: V4L2_CID_USER_BASE and V4L2_CID_CAMERA_CLASS_BASE plus an offset."""
