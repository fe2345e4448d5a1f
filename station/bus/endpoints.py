"""Where nodes meet: one ipc endpoint per node, derived from rig and node name, in the user's runtime folder (0700).

ZeroMQ lets a second process steal an ipc endpoint: the lock of `station.files.lock`, taken before binding, keeps two of ours
apart, and a stranger at an endpoint has not the key of the node (`station.bus.door`), so that nobody believes it.
"""

import os

from station.errors import StationError
from station.files.runtime_folder import runtime_folder, socket_place

LONGEST_PATH = 100
"""A unix socket's path holds 107 bytes; ZeroMQ keeps some."""


def stream_endpoint(rig: str, node: str) -> str:
    """Where a node publishes."""
    return _endpoint(rig, f"{node}.pub")


def request_endpoint(rig: str, node: str) -> str:
    """Where a node takes requests."""
    return _endpoint(rig, f"{node}.req")


def _endpoint(rig: str, name: str) -> str:
    path = socket_place(runtime_folder(rig) / name)
    if len(os.fsencode(path)) > LONGEST_PATH:
        raise StationError(
            f"the socket path {path} is longer than {LONGEST_PATH} bytes. Next: give the rig a shorter name, "
            "or set XDG_RUNTIME_DIR to a shorter folder"
        )
    return f"ipc://{path}"
