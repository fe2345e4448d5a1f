"""The rig's runtime folder: sockets, locks, logs, the ports of a simulated world. Gone with the login session."""

import os
import tempfile
from pathlib import Path

from station.errors import StationError


def runtime_root() -> Path:
    """The user's runtime folder, made with mode 0700: `$XDG_RUNTIME_DIR/station`, or `/tmp/station-<uid>` without it."""
    base = os.environ.get("XDG_RUNTIME_DIR")
    root = Path(base) / "station" if base else Path(tempfile.gettempdir()) / f"station-{os.getuid()}"
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    owner = root.stat()
    if owner.st_uid != os.getuid():
        raise StationError(
            f"{root} belongs to user {owner.st_uid}, not to you. Next: set XDG_RUNTIME_DIR to a folder of yours"
        )
    root.chmod(0o700)
    return root


def runtime_folder(rig: str) -> Path:
    """The rig's part of it (sockets, locks, the world's ports)."""
    folder = runtime_root() / rig
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder
