"""The rig's runtime folder: sockets, locks, logs, the ports of a simulated world. Gone with the login session."""

import os
import tempfile
from pathlib import Path

from station.errors import StationError


def runtime_folder(rig: str) -> Path:
    """The rig's runtime folder (sockets, locks, the world's ports), made with mode 0700.

    `$XDG_RUNTIME_DIR/station/<rig>`, or `/tmp/station-<uid>/<rig>` where there is no such variable.
    """
    base = os.environ.get("XDG_RUNTIME_DIR")
    root = Path(base) / "station" if base else Path(tempfile.gettempdir()) / f"station-{os.getuid()}"
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    owner = root.stat()
    if owner.st_uid != os.getuid():
        raise StationError(
            f"{root} belongs to user {owner.st_uid}, not to you. Next: set XDG_RUNTIME_DIR to a folder of yours"
        )
    root.chmod(0o700)
    folder = root / rig
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder
