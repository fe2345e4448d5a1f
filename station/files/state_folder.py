"""What is kept over restarts of the computer: `$XDG_STATE_HOME/station`, `~/.local/state/station` without that variable."""

import os
from pathlib import Path


def state_root() -> Path:
    """Not made here."""
    base = os.environ.get("XDG_STATE_HOME")
    return (Path(base) if base else Path.home() / ".local" / "state") / "station"


def state_folder(rig: str) -> Path:
    """A rig's part of it, made if it is not there. Raises OSError."""
    folder = state_root() / rig
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder
