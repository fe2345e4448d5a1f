"""A supervisor's life, on the disk: so that one that ended by no order is told to whoever comes next.

`life.json` in the rig's state folder is there while a station runs, and its time is a sign of life; an orderly end removes it. What is
found there without its owner is a fault: the next life puts it aside as `fault.json`, for the next command that attaches.
Nothing here is needed to run: a disk that takes no file costs the telling only.
"""

import contextlib
import logging
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from station.borders.decoding import Decoder, Undecodable
from station.clock import NS_PER_S
from station.files import durable
from station.files.lock import Lock
from station.files.state_folder import state_folder, state_root
from station.version import station_version

SIGN_NS = 5 * NS_PER_S
"""Between two signs of life: how exact the time of a fault is."""
_BOOT = Path("/proc/sys/kernel/random/boot_id")  # random(4)

_log = logging.getLogger("supervisor")


class Life(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file."""

    pid: int
    boot: str
    """Of the computer."""
    rig_file: str
    version: str
    """Of the software."""
    began_s: float
    """Wall time."""
    fault: str = ""
    """What the supervisor itself said of its end; "" while it lives, and of one that could say nothing."""


_life: Decoder[Life] = Decoder("json", Life)


class Fault(NamedTuple):
    """A life that nobody asked to end."""

    life: Life
    what: str
    """In words."""
    at_s: float
    """Wall time, to `SIGN_NS`."""


def boot_id() -> str:
    """Of the computer, another one after each start; "" where the kernel does not say."""
    with contextlib.suppress(OSError):
        return _BOOT.read_text().strip()
    return ""


class LifeFile:
    """Of the supervisor that makes it, which holds the rig's lock."""

    def __init__(self, rig: str, rig_file: Path) -> None:
        self._rig = rig
        self._life = Life(os.getpid(), boot_id(), str(rig_file), station_version(), time.time())
        self._sign_due_ns = 0
        with _as_far_as_it_goes():
            path = state_folder(rig) / _path(rig).name
            if path.exists():
                path.replace(_fault_path(rig))
            durable.replace(path, msgspec.json.encode(self._life))

    def sign(self, now_ns: int) -> None:
        """It lives."""
        if now_ns >= self._sign_due_ns:
            self._sign_due_ns = now_ns + SIGN_NS
            with contextlib.suppress(OSError):
                os.utime(_path(self._rig))

    def end(self, fault: str = "") -> None:
        """In order, or by a fault that it can name."""
        with _as_far_as_it_goes():
            if fault:
                durable.replace(_path(self._rig), msgspec.json.encode(msgspec.structs.replace(self._life, fault=fault)))
            else:
                _path(self._rig).unlink(missing_ok=True)


def running(rig: str) -> Life | None:
    """The life of the station that runs, as it wrote it at its begin; None where none runs, or it could not write."""
    owner = Lock.owner(rig, "supervisor")
    found = _read(_path(rig))
    return found if found is not None and owner is not None and found.pid == owner else None


def last_fault(rig: str) -> Fault | None:
    """How the last life ended that nobody asked to end, if nobody was told yet."""
    paths = [_fault_path(rig)] if Lock.held(rig, "supervisor") else [_path(rig), _fault_path(rig)]
    for path in paths:
        if (life := _read(path)) is not None:
            with contextlib.suppress(OSError):
                return Fault(life, life.fault or _what(life, boot_id()), path.stat().st_mtime)
    return None


def was_told(rig: str) -> None:
    """Somebody knows of it now; call it while a station runs, which has put the file aside."""
    with contextlib.suppress(OSError):
        _fault_path(rig).unlink(missing_ok=True)


def _what(life: Life, boot: str) -> str:
    if life.boot != boot:
        return "the computer went down under it"
    return "its supervisor was killed, by somebody or because the memory was full"


def _read(path: Path) -> Life | None:
    try:
        return _life.decode(path.read_bytes())
    except (OSError, Undecodable):
        return None


def _path(rig: str) -> Path:
    return state_root() / rig / "life.json"


def _fault_path(rig: str) -> Path:
    return state_root() / rig / "fault.json"


@contextlib.contextmanager
def _as_far_as_it_goes() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        _log.warning("a fault of this life will not be told: %s", error)
