"""A vendor's library in a process of its own, and the loop around it: from goals as they come to one target a cycle.

Apart from the driver, because a link that breaks may end the library's process, because what it has queued is to die with it, and because
libraries print and change their process. What it is told comes over the socket whose descriptor is its first argument, one message each:
`S` start (as many targets as the arm has joints), `G` goal, `B` the driver lives, `E` follow no more. It answers `R` running, or `X` and
why it could not start or does not go on. It ends when nobody is at the other end any more.
"""

import os
import select
import socket
import struct
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

_UNSENT_MS = 500
"""Bytes that the controller has not acknowledged by then are thrown away with their connection."""
_WHY_BYTES = 500


class Control(Protocol):
    """That the controller follows, once it does. Made at a start: raises whatever the library does."""

    def aim(self, goal: tuple[float, ...], now_s: float) -> None:
        """A new goal."""

    def cycle(self, now_s: float) -> str:
        """One cycle: the next target. Why it does not go on; "" while it does."""

    def end(self) -> None:
        """Stop following; the arm holds."""


class Process:
    """The loop."""

    def __init__(
        self, width: int, period_s: float, alive_s: float, start: Callable[[tuple[float, ...]], Control]
    ) -> None:
        """`alive_s`: for so long it goes on without a word of the driver."""
        descriptor, self._priority = (int(argument) for argument in sys.argv[1:3])
        self._goal, self._period_s, self._alive_s, self._make = struct.Struct(f"<{width}d"), period_s, alive_s, start
        self._driver = socket.socket(fileno=descriptor)
        self._driver.setblocking(False)
        self._control: Control | None = None
        self._heard_s = time.monotonic()
        self._due_s = 0.0

    def run(self) -> None:
        """Until the driver hangs up; ends the process, whatever the library's threads are at."""
        if self._priority:
            with suppress(PermissionError):
                os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(self._priority))
        while True:
            wait_s = None if self._control is None else max(0.0, self._due_s - time.monotonic())
            if select.select([self._driver], [], [], wait_s)[0] and not self._hear():
                break
            now_s = time.monotonic()
            if self._control is None or now_s < self._due_s:
                continue
            self._due_s = max(self._due_s + self._period_s, now_s)
            if now_s - self._heard_s > self._alive_s:
                continue  # nobody says that the driver lives: the controller is to notice
            if why := self._control.cycle(now_s):
                self._control = None
                self._say(b"X" + why.encode()[:_WHY_BYTES])
        self._rest()
        os._exit(0)

    def _hear(self) -> bool:
        """Take what has come; False when there is nobody any more."""
        while True:
            try:
                told = self._driver.recv(256)
            except BlockingIOError:
                return True
            except OSError:
                return False
            if not told:
                return False
            self._heard_s = time.monotonic()
            if told[:1] == b"S":
                self._start(self._goal.unpack(told[1:]))
            elif told[:1] == b"G" and self._control is not None:
                self._control.aim(self._goal.unpack(told[1:]), self._heard_s)
            elif told == b"E":
                self._rest()

    def _rest(self) -> None:
        control, self._control = self._control, None
        if control is not None:
            control.end()

    def _start(self, target: tuple[float, ...]) -> None:
        self._control = None
        try:
            self._control = self._make(target)
        except Exception as error:  # whatever the library raises: the driver tells it
            self._say(b"X" + str(error).encode()[:_WHY_BYTES])
            return
        self._due_s = self._heard_s = time.monotonic()
        self._say(b"R")

    def _say(self, what: bytes) -> None:
        with suppress(OSError):  # nobody is there any more: the next look says so
            self._driver.send(what)


def message(driver: socket.socket, longest: int = 4096) -> bytes:
    """The driver's next message, waited for; b"" when nobody is there any more."""
    try:
        return driver.recv(longest)
    except ConnectionResetError:
        return b""


def arguments() -> list[str]:
    """The process's own, after the socket and the priority. What the library prints goes to the log from here on."""
    os.dup2(2, 1)
    return sys.argv[3:]


def drop_what_is_unsent() -> None:
    """Targets that wait for a link to come back must not be obeyed when it does: connections end with what they have not sent."""
    for entry in os.listdir("/proc/self/fd"):
        with suppress(OSError):
            if not os.readlink(f"/proc/self/fd/{entry}").startswith("socket:"):
                continue
            with socket.socket(fileno=os.dup(int(entry))) as connection:
                if connection.family == socket.AF_INET:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNSENT_MS)
