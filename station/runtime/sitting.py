"""What must be known of a sitting beyond the life of the node that keeps it, and beyond the station's own: a file.

It is in the rig's runtime folder, for the session's next life, and, as far as the disk lets, in its state folder: whoever attaches after
the computer went down is told how far the sitting was.
"""

import contextlib
import os
from pathlib import Path

import msgspec

from station.borders.decoding import Decoder, Undecodable
from station.bus.requests import OpenSession
from station.errors import Planted
from station.files.runtime_folder import open_own, replace_own, runtime_folder
from station.files.state_folder import state_folder
from station.runtime.life import boot_id

_NAME = "sitting.json"


class Sitting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Kept on the disk while one is open."""

    opened: OpenSession
    episode: int
    saved: tuple[int, ...]
    building: tuple[int, ...]
    """Episodes whose HDF5 is being built."""
    discarded: int
    early: int
    seconds: float | None
    check_result: str = ""
    judged: dict[int, bool] = {}
    """What was said about episodes that are not saved yet."""


class _Kept(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file of a sitting: it is over when the supervisor it belonged to is gone."""

    supervisor: int
    sitting: Sitting
    boot: str = ""
    """Of the computer: after the next one that pid is somebody else's."""


_kept: Decoder[_Kept] = Decoder("json", _Kept)


def left_behind(rig: str, supervisor: int, boot: str) -> Sitting | None:
    """The sitting that is open under that supervisor of that boot, or was when it ended; None where there was none."""
    for folder in _folders(rig):
        try:
            with os.fdopen(open_own(folder / _NAME, os.O_RDONLY), "rb") as file:
                kept = _kept.decode(file.read())
        except (OSError, Planted, Undecodable):
            continue
        if (kept.supervisor, kept.boot) == (supervisor, boot):
            return kept.sitting
    return None


class SittingFile:
    """Written when the sitting changes, before anybody is told."""

    def __init__(self, rig: str) -> None:
        self._rig = rig
        self._kept: Sitting | None = None

    def keep(self, sitting: Sitting | None) -> None:
        """Keep this one; None: there is none any more."""
        if sitting == self._kept:
            return
        self._kept = sitting
        first, *others = _folders(self._rig)
        _write(first / _NAME, sitting)
        for folder in others:
            with contextlib.suppress(OSError, Planted):  # a full disk ends no sitting
                _write(folder / _NAME, sitting)


def _folders(rig: str) -> list[Path]:
    folders = [runtime_folder(rig)]
    with contextlib.suppress(OSError):
        folders.append(state_folder(rig))
    return folders


def _write(path: Path, sitting: Sitting | None) -> None:
    if sitting is None:
        path.unlink(missing_ok=True)
    else:
        replace_own(path, msgspec.json.encode(_Kept(os.getppid(), sitting, boot_id())))
