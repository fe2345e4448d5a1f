"""Who owns a rig, and each of its nodes: a lock on `<runtime>/<name>.lock`, the only proof of it.

The lock belongs to the open file (fcntl(2), "open file description locks"): the kernel lets go of it however the process dies, and, unlike
flock(2)'s, it can be asked for without being taken. Whoever only wants to know whether a station runs must be in nobody's way: a
probe that takes the lock for a moment refuses a start at that moment.
"""

import contextlib
import fcntl
import os
import struct
from pathlib import Path

from station.errors import AlreadyRunning
from station.files.runtime_folder import open_own, runtime_folder

_FLOCK = "hhqqi4x"
"""struct flock on 64-bit Linux: type, whence, start, length (0: the whole file), pid."""
_MINE = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
_PID_BYTES = 12


class Lock:
    """Taken as long as this object is not released. Raises AlreadyRunning with the owner's pid."""

    def __init__(self, rig: str, name: str) -> None:
        path = _path(rig, name)
        self._fd = open_own(path, os.O_RDWR | os.O_CREAT)
        try:
            fcntl.fcntl(self._fd, fcntl.F_OFD_SETLK, _MINE)
        except BlockingIOError:
            os.close(self._fd)
            raise AlreadyRunning(
                f"{name} of rig {rig} is already run by process {Lock.owner(rig, name) or '?'}. Next: use the running "
                f"station (`station status --rig {rig}`), or end it with `station stop --rig {rig}`"
            ) from None
        os.pwrite(self._fd, str(os.getpid()).ljust(_PID_BYTES).encode(), 0)  # at once: nobody reads half of it

    def release(self) -> None:
        """Let go."""
        os.close(self._fd)

    @staticmethod
    def held(rig: str, name: str) -> bool:
        """Does a process hold it? Asked without taking it."""
        try:
            fd = open_own(_path(rig, name), os.O_RDONLY)
        except FileNotFoundError:
            return False
        try:
            found = fcntl.fcntl(fd, fcntl.F_OFD_GETLK, _MINE)
        finally:
            os.close(fd)
        return bool(struct.unpack(_FLOCK, found)[0] != fcntl.F_UNLCK)

    @staticmethod
    def owner(rig: str, name: str) -> int | None:
        """The process that holds it; None if nobody does, or if it took it so lately that it has not said who it is."""
        if not Lock.held(rig, name):
            return None
        path = _path(rig, name)
        written = path.read_text(errors="replace").strip()
        return int(written) if written.isdecimal() and _has_open(int(written), path) else None


def _path(rig: str, name: str) -> Path:
    return runtime_folder(rig) / f"{name}.lock"


def _has_open(pid: int, path: Path) -> bool:
    """Has that process the file open? What stands in it may be its last owner's pid, and by now somebody else's."""
    try:
        open_files = os.listdir(f"/proc/{pid}/fd")
    except OSError:
        return False
    for fd in open_files:
        with contextlib.suppress(OSError):  # closed meanwhile
            if os.path.samefile(f"/proc/{pid}/fd/{fd}", path):
                return True
    return False
