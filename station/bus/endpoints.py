"""Where nodes meet: one ipc endpoint per node, derived from rig and node name, in the user's runtime folder (0700).

ZeroMQ lets a second process steal an ipc endpoint, so the flock of `station.node` taken before binding is the only
proof of ownership.
"""

import os
import tempfile
from pathlib import Path

from station.errors import StationError

LONGEST_PATH = 100
"""A unix socket's path holds 107 bytes; ZeroMQ keeps some."""


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


def stream_endpoint(rig: str, node: str) -> str:
    """Where a node publishes."""
    return _endpoint(rig, f"{node}.pub")


def request_endpoint(rig: str, node: str) -> str:
    """Where a node takes requests."""
    return _endpoint(rig, f"{node}.req")


def _endpoint(rig: str, name: str) -> str:
    path = runtime_folder(rig) / name
    if len(os.fsencode(path)) > LONGEST_PATH:
        raise StationError(
            f"the socket path {path} is longer than {LONGEST_PATH} bytes. Next: give the rig a shorter name, "
            "or set XDG_RUNTIME_DIR to a shorter folder"
        )
    return f"ipc://{path}"
