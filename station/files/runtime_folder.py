"""The rig's runtime folder: sockets, locks, keys, logs, the ports of a simulated world. Gone with the login session.

What is in it is believed, so whatever the station makes there must be the user's own and shut to others; a link, a file in a
folder's place, somebody else's, is told by name and never followed.
"""

import contextlib
import os
import stat
import tempfile
from pathlib import Path

from station.errors import Planted

_OTHERS, _OTHERS_WRITE = stat.S_IRWXG | stat.S_IRWXO, stat.S_IWGRP | stat.S_IWOTH


def runtime_root() -> Path:
    """The user's runtime folder, made with mode 0700: `$XDG_RUNTIME_DIR/station`, or `/tmp/station-<uid>` without it."""
    base = os.environ.get("XDG_RUNTIME_DIR")
    if base:
        Path(base).mkdir(mode=0o700, parents=True, exist_ok=True)
        return own_folder(Path(base) / "station")
    return own_folder(Path(tempfile.gettempdir()) / f"station-{os.getuid()}")


def runtime_folder(rig: str) -> Path:
    """The rig's part of it (sockets, locks, the world's ports)."""
    return own_folder(runtime_root() / rig)


def own_folder(path: Path) -> Path:
    """A folder below the runtime folder, made if it is not there. Raises Planted."""
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        _refuse(path, path.lstat(), stat.S_IFDIR)
    return path


def open_own(path: Path, flags: int, private: bool = True) -> int:
    """Open a file in a runtime folder, made with mode 0600 if the flags say so; its descriptor. Raises Planted, FileNotFoundError.

    `private`: others may not even read it. A planted pipe is not waited at.
    """
    try:
        fd = os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, 0o600)
    except FileNotFoundError:
        raise
    except OSError as error:
        with contextlib.suppress(FileNotFoundError):
            _refuse(path, path.lstat(), stat.S_IFREG)
        raise Planted(f"{path} cannot be opened: {error.strerror}. Next: remove it and try again") from error
    try:
        _refuse(path, os.fstat(fd), stat.S_IFREG, _OTHERS if private else _OTHERS_WRITE)
    except BaseException:
        os.close(fd)
        raise
    return fd


def replace_own(path: Path, content: bytes) -> None:
    """Write a file in a runtime folder whole, mode 0600: a reader finds the old one or the new one."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(open_own(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL), "wb") as file:
        file.write(content)
    if path.is_dir() and not path.is_symlink():
        fresh.unlink()
        _refuse(path, path.lstat(), stat.S_IFREG)
    fresh.replace(path)  # a link in its place is replaced, not followed


def socket_place(path: Path) -> Path:
    """Where a socket is to be bound: nothing, or the socket of a life that was killed. Raises Planted."""
    with contextlib.suppress(FileNotFoundError):
        _refuse(path, path.lstat(), stat.S_IFSOCK)
    return path


_WORDS = {
    stat.S_IFDIR: "a folder", stat.S_IFREG: "a file", stat.S_IFSOCK: "a socket", stat.S_IFLNK: "a symbolic link",
    stat.S_IFIFO: "a pipe", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device",
}  # fmt: skip


def _refuse(path: Path, found: os.stat_result, wanted: int, shut: int = _OTHERS) -> None:
    """Is it what we would have made? Raises Planted."""
    kind = stat.S_IFMT(found.st_mode)
    if kind != wanted:
        raise Planted(
            f"{path} is {_WORDS.get(kind, 'something')} where the station keeps {_WORDS[wanted]} of its own: it is not "
            "followed. Next: find out who put it there, remove it and try again"
        )
    if found.st_uid != os.getuid():
        raise Planted(
            f"{path} belongs to user {found.st_uid}, not to you (user {os.getuid()}). "
            "Next: remove it, or set XDG_RUNTIME_DIR to a folder of yours"
        )
    if wanted != stat.S_IFSOCK and found.st_mode & shut:
        raise Planted(
            f"{path} is open to other users (mode {stat.S_IMODE(found.st_mode):04o}, expected "
            f"{0o700 if wanted == stat.S_IFDIR else 0o600:04o}): they may have put anything there. "
            f"Next: remove it, or `chmod go= {path}` if nobody else uses this computer"
        )
