"""The station's logs: `$XDG_STATE_HOME/station/<rig>/logs` (`~/.local/state/…` without that variable), kept over restarts.

`<node>.log` is written by that node's process alone (its lock says that there is no other), turned over at a size, the newest few
kept. `<node>.stderr` is what the process itself, or a library in it, wrote to stderr: a fatal error of C code, the reason of an exit.
Every line begins with the wall clock and the monotonic one, which episodes and samples are stamped by.
"""

import contextlib
import logging
import os
import sys
import time
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TextIO

from station.files.runtime_folder import runtime_folder
from station.files.state_folder import state_folder
from station.terminal.shown import OneLine

LOG_BYTES = 2_000_000
"""A file's size; a quiet day of a node is some 10 kB, one with a fault every second 10 MB."""
KEPT = 4
"""Older files beside it: `pilot.log.1` is the one before."""
STDERR_BYTES = 1_000_000
OURS = ("station", "drivers", "calibration")
"""Whose lines are told from INFO on; other libraries' from WARNING."""


def logs_folder(rig: str) -> Path:
    """Where a rig's logs are, made if it is not there; where it cannot be (no home, a full disk), in the runtime folder."""
    try:
        folder = state_folder(rig) / "logs"
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError:
        folder = runtime_folder(rig) / "logs"
        folder.mkdir(mode=0o700, exist_ok=True)
    return folder


class BothClocks(OneLine):
    """`2026-11-29T13:08:44.123+01:00 1234.567890 WARNING pilot: …`: wall time with its zone, monotonic seconds, level, who, what."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: ARG002, N802 (logging's)
        """Both; a line is written as soon as it is made, so that the monotonic clock is read here."""
        moment = time.localtime(record.created)
        zone = time.strftime("%z", moment)
        wall = time.strftime("%Y-%m-%dT%H:%M:%S", moment)
        return f"{wall}.{int(record.msecs):03d}{zone[:3]}:{zone[3:]} {time.monotonic():.6f}"


def log_to_stderr() -> None:
    """Before a process knows that it is the one it is to be: warnings, to whoever started it."""
    _handle_by(logging.StreamHandler(sys.stderr))


def log_to_file(rig: str, node: str) -> None:
    """From now on into the node's own file; call it once its lock is held. Where that cannot be opened stderr stays."""
    try:
        handler = RotatingFileHandler(
            logs_folder(rig) / f"{node}.log",
            maxBytes=LOG_BYTES,
            backupCount=KEPT,
            encoding="utf-8",
            errors="backslashreplace",
        )
    except OSError as error:
        logging.getLogger(node).warning("no log is kept: %s. Next: make room, or set XDG_STATE_HOME", error)
        return
    _handle_by(handler)
    for name in (*OURS, node):
        logging.getLogger(name).setLevel(logging.INFO)


def _handle_by(handler: logging.Handler) -> None:
    handler.setFormatter(BothClocks())
    root = logging.getLogger()
    for before in root.handlers[:]:
        root.removeHandler(before)
        before.close()
    root.addHandler(handler)
    root.setLevel(logging.WARNING)


class Stderr:
    """A child's stderr, kept by whoever starts it."""

    def __init__(self, rig: str, node: str) -> None:
        self._rig, self._name = rig, f"{node}.stderr"
        self._path = logs_folder(rig) / self._name
        self._size_before = 0

    def open(self) -> TextIO:
        """For the next life; what the ones before wrote goes to `.stderr.1` once it is long. Nobody writes to it just now."""
        self._path = logs_folder(self._rig) / self._name  # somebody may have cleared it away
        if self._size() > STDERR_BYTES:
            self._path.replace(self._path.with_name(f"{self._path.name}.1"))
        self._size_before = self._size()
        return self._path.open("a")

    def bound(self) -> bool:
        """Called now and then: a library that writes without end is cut off (it appends, so that it goes on at the beginning)."""
        if self._size() <= 2 * STDERR_BYTES:
            return False
        with contextlib.suppress(OSError):
            os.truncate(self._path, 0)
        self._size_before = 0
        return True

    def last_line(self) -> str:
        """Of what this life said."""
        try:
            with self._path.open("rb") as file:
                file.seek(max(self._size_before, self._size() - 10_000))
                lines = file.read().decode(errors="replace").strip().splitlines()
        except OSError:
            return "no message"
        return lines[-1] if lines else "no message"

    def _size(self) -> int:
        try:
            return self._path.stat().st_size
        except OSError:
            return 0
