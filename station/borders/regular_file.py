"""Opens files that are files. A FIFO would wait for a writer, a device may do anything, a folder is nothing to read."""

import errno
import os
import stat
from pathlib import Path

_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def open_regular(path: Path) -> int:
    """A descriptor to read `path` with, which the caller closes. Raises OSError, for what is no regular file too (not opened)."""
    _check(path, os.stat(path).st_mode)
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        _check(path, os.fstat(fd).st_mode)  # it may have become something else in between
    except OSError:
        os.close(fd)
        raise
    return fd


def read_regular(path: Path, largest: int) -> bytes:
    """The content of a small file. Raises OSError, also where it is longer than `largest` bytes."""
    fd = open_regular(path)
    try:
        content = bytearray()
        while piece := os.read(fd, largest + 1 - len(content)):
            content += piece
            if len(content) > largest:
                raise OSError(errno.EFBIG, f"is longer than {largest} bytes", str(path))
        return bytes(content)
    finally:
        os.close(fd)


def reason(error: BaseException) -> str:
    """What the operating system said, without the path that the caller's sentence names anyway."""
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error) or type(error).__name__


def _check(path: Path, mode: int) -> None:
    if not stat.S_ISREG(mode):
        kind = _KINDS.get(stat.S_IFMT(mode), "no file")
        raise OSError(errno.EINVAL, f"it is {kind}, not a file", str(path))
