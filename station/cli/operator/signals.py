"""Signals that an operator's loop waits for like for anything else."""

import contextlib
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Signals:
    """Ctrl-C, a closed terminal and SIGTERM as something a poller sees."""

    def __init__(self) -> None:
        self._read, self._write = socket.socketpair()
        self._read.setblocking(False)
        self._write.setblocking(False)
        self.interrupts = 0
        self.hung_up = False

    @property
    def fd(self) -> int:
        """For a poller."""
        return self._read.fileno()

    @contextmanager
    def caught(self) -> Iterator[None]:
        """Ours for the length of a sitting. A terminal that hung up goes on being gone."""
        before = {
            number: signal.signal(number, self._took) for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM)
        }
        wakeup = signal.set_wakeup_fd(self._write.fileno(), warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.set_wakeup_fd(wakeup)
            if self.hung_up:
                before[signal.SIGHUP] = signal.SIG_IGN
            for number, handler in before.items():
                signal.signal(number, handler)
            self._read.close()
            self._write.close()

    def drain(self) -> None:
        """Seen."""
        with contextlib.suppress(BlockingIOError):
            self._read.recv(64)

    def _took(self, number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGHUP:
            self.hung_up = True
        # a terminal that closes may say so twice: that is no second Ctrl-C
        if number == signal.SIGINT or self.interrupts == 0:
            self.interrupts += 1
