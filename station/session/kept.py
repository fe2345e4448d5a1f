"""What the next life of the session's node must know of the sitting: a file in the rig's runtime folder."""

import os
from pathlib import Path

import msgspec

from station.borders.decoding import Decoder, Undecodable
from station.errors import Planted
from station.files.runtime_folder import open_own, replace_own
from station.session.sitting import Sitting


class _Kept(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file of a sitting: it is over when the supervisor it belonged to is gone."""

    supervisor: int
    sitting: Sitting


_kept: Decoder[_Kept] = Decoder("json", _Kept)


def left_behind(path: Path) -> Sitting | None:
    """The sitting of a life of this node that was killed under the same supervisor."""
    try:
        with os.fdopen(open_own(path, os.O_RDONLY), "rb") as file:
            kept = _kept.decode(file.read())
    except (OSError, Planted, Undecodable):
        return None
    return kept.sitting if kept.supervisor == os.getppid() else None


class SittingFile:
    """Written when the sitting changes, on the disk before anybody is told."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._kept: Sitting | None = None

    def keep(self, sitting: Sitting | None) -> None:
        """Keep this one; None: there is none any more."""
        if sitting == self._kept:
            return
        self._kept = sitting
        if sitting is None:
            self._path.unlink(missing_ok=True)
        else:
            replace_own(self._path, msgspec.json.encode(_Kept(os.getppid(), sitting)))
