"""`station record` in a pseudo-terminal, as an operator has it: types keys, reads the panel, closes the terminal."""

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path

from station.files import check_results
from station.files.check_results import CheckResult, StoredCheck
from station.rig.rig import load_rig
from tests.system.rig import PATIENCE_S

_ESCAPES = re.compile(rb"\x1b\[[0-9;?]*[a-zA-Z]")
# how a picture of the panel begins and ends, as station/cli/operator/screen.py writes it
_FRAME, _FRAME_END = b"\x1b[H", b"\x1b[J"


class Terminal:
    """One run of the command."""

    def __init__(self, arguments: list[str], columns: int = 80, lines: int = 24) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self.before = termios.tcgetattr(slave)
        command = [str(Path(sys.executable).with_name("station")), *arguments]
        self.process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True, preexec_fn=self._own_terminal
        )
        self._slave: int | None = slave
        self.written = b""

    @staticmethod
    def _own_terminal() -> None:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    def press(self, keys: str) -> None:
        """Type."""
        os.write(self._master, keys.encode())

    @property
    def panel(self) -> str:
        """The frame that stands, in plain text: the last whole one, for a terminal is read in pieces."""
        before, begun, frame = self.written.rpartition(_FRAME)
        if begun and _FRAME_END not in frame:
            frame = before.rpartition(_FRAME)[2]
        return _ESCAPES.sub(b"", frame).decode(errors="replace")

    @property
    def text(self) -> str:
        """All that was written, in plain text."""
        return _ESCAPES.sub(b"", self.written).decode(errors="replace")

    def until(self, words: str, seconds: float = PATIENCE_S) -> str:
        """Wait until the panel says so."""
        return self.wait(lambda: words in self.panel, words, seconds)

    def wait(self, seen: Callable[[], bool], what: str, seconds: float = PATIENCE_S) -> str:
        """Read until it is so; AssertionError with the panel if it is not."""
        deadline = time.monotonic() + seconds
        while not seen():
            assert self.process.poll() is None, f"it ended without {what!r}:\n{self.text[-3000:]}"
            assert time.monotonic() < deadline, f"no {what!r} within {seconds:g} s:\n{self.panel or self.text}"
            self._read(0.1)
        return self.panel

    def ended(self, seconds: float = PATIENCE_S) -> int:
        """Wait for the command's end; its exit code."""
        deadline = time.monotonic() + seconds
        while self.process.poll() is None:
            assert time.monotonic() < deadline, f"it goes on:\n{self.panel}"
            self._read(0.1)
        self._read(0.1)
        return self.process.returncode

    def restored(self) -> bool:
        """Is the terminal as it was before?"""
        return self._slave is not None and termios.tcgetattr(self._slave) == self.before

    def hang_up(self) -> None:
        """The window is closed: the kernel tells the command so."""
        self._close_slave()
        os.close(self._master)
        self._master = -1

    def interrupt(self) -> None:
        """Ctrl-C, through the terminal."""
        self.press("\x03")

    def close(self) -> None:
        """Whatever happened."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        self._close_slave()
        if self._master >= 0:
            os.close(self._master)

    def _close_slave(self) -> None:
        if self._slave is not None:
            os.close(self._slave)
            self._slave = None

    def _read(self, seconds: float) -> None:
        if self._master < 0:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(seconds)
            return
        if select.select([self._master], [], [], seconds)[0]:
            with contextlib.suppress(OSError):
                self.written += os.read(self._master, 65536)


def recording(rig: Path, data: Path, *more: str) -> Terminal:
    """`station record` of the task `pick`, on a rig whose check has just passed."""
    loaded = load_rig(rig)
    check_results.store(loaded.name, StoredCheck(loaded.sha256, time.time(), CheckResult("pass", ())))
    words = ["record", "--rig", str(rig), "--task", "pick", "--data", str(data), "--operator", "ada", "--quiet", *more]
    return Terminal(words)
