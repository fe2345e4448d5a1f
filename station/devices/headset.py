"""What passes between a headset's driver and the node that feeds its display (`station.console.vr_panel`).

A headset is also a display with buttons. Its driver shows whatever it is given and passes on what was pressed; it knows
neither cameras nor sessions. The door is a unix socket in the user's runtime folder, which no browser can reach: every
message is one binary WebSocket message holding one of the structs below as MessagePack.
"""

from pathlib import Path

import msgspec

from station.bus.endpoints import LONGEST_PATH
from station.errors import StationError
from station.files.runtime_folder import runtime_root, socket_place


class _Passed(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag=True):
    pass


# -- to the headset --
class Picture(_Passed, frozen=True):
    """The newest picture of one panel."""

    panel: str
    captured_at_ns: int
    jpeg: bytes


class Button(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something the operator may press now."""

    name: str
    label: str
    key: str = ""
    """The controller's key that presses it: a, b, x or y."""
    confirm: bool = False
    """It has to be pressed twice."""


class Board(_Passed, frozen=True):
    """What is said beside the pictures."""

    state: str
    """idle, engaged or hold: decides colour, haptic and tone."""
    why: str
    phase: str
    text: str
    """Counts, for people."""
    buttons: tuple[Button, ...] = ()
    hands: tuple[str, ...] = ()
    """Names of the hands whose clutch is closed."""


class PressResult(_Passed, frozen=True):
    """The answer to a press."""

    done: bool
    text: str


ToHeadset = Picture | Board | PressResult


# -- from the headset --
class Press(_Passed, frozen=True):
    """The operator pressed a button of the board."""

    name: str


class HeadsetWorn(_Passed, frozen=True):
    """Does an operator look? Nothing needs to be sent while nobody does."""

    yes: bool


FromHeadset = Press | HeadsetWorn


class Pairing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How to reach the headset's page: what `station vr` prints. Lives as long as the driver's process."""

    urls: tuple[str, ...]
    """The first is the best one to type."""
    code: str
    key: str = ""
    """What a link holds instead of the code: too long to be guessed, so it never waits behind those who guess."""


def door_path(port: int) -> Path:
    """The unix socket of the headset at this port. Raises StationError if its path is too long for one."""
    path = socket_place(runtime_root() / f"vr-{port}.door")
    if len(str(path)) > LONGEST_PATH:
        raise StationError(f"the socket path {path} is too long. Next: set XDG_RUNTIME_DIR to a shorter folder")
    return path


def pairing_path(port: int) -> Path:
    """The file with the pairing code, readable by its owner only."""
    return runtime_root() / f"vr-{port}.pairing"
