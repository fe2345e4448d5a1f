"""The vendor's library (ur_rtde's control interface) in a process of its own: `python -m drivers.ur.library_process …`.

Apart from the driver, because a link that breaks may end the library's process (it has been seen to die of a segmentation fault while it
reconnects), because what it has queued is to die with it, and because it prints. What it is told comes over the socket whose descriptor is
its first argument, one message each: `S` start (six targets), `G` goal (six), `B` the driver lives, `E` end. It answers `R` running,
`L` lost, or `X` and why it could not start.

The watchdog in the controller is fed from here, with targets or without; but only while the driver says that it lives.
"""

import os
import select
import socket
import struct
import sys
import time
from contextlib import suppress
from typing import Any

from drivers.ur.track import Track

SIX = struct.Struct("<6d")
_KICK_S = 0.04
"""How often a standing arm's watchdog is fed."""
_STANDS_S = 0.5
"""A target that has stood for so long is not repeated."""
_UNSENT_MS = 500
"""Bytes that the controller has not acknowledged by then are thrown away with their connection."""
_STOPS_RAD_S2 = 10.0


class Settings:
    """The process's arguments."""

    def __init__(self, arguments: list[str]) -> None:
        self.descriptor, self.priority, self.controller_hz = (int(one) for one in arguments[:3])
        self.address = arguments[3]
        self.lookahead_s, self.gain, self.watchdog_hz, self.alive_s = (float(one) for one in arguments[4:8])
        self.upper = arguments[8] == "1"
        self.most_rad_s = tuple(float(one) for one in arguments[9:15])


class Control:
    """The program on the controller, once it runs."""

    def __init__(self, settings: Settings, start: tuple[float, ...]) -> None:
        """Sends the program. Raises whatever the library does."""
        import rtde_control

        interface = rtde_control.RTDEControlInterface
        flags = interface.FLAG_UPLOAD_SCRIPT | (interface.FLAG_UPPER_RANGE_REGISTERS if settings.upper else 0)
        self._library: Any = interface(settings.address, float(settings.controller_hz), flags)
        _drop_what_is_unsent()
        if not self._library.setWatchdog(settings.watchdog_hz):
            raise RuntimeError("the controller did not take the watchdog")
        self._settings, self.track = settings, Track(start, settings.most_rad_s, time.monotonic())
        self._period_s = 1 / settings.controller_hz
        self._moved_s = self._fed_s = 0.0

    def cycle(self, now_s: float) -> bool:
        """One cycle: the next target, or the watchdog's food. False if the program has ended."""
        target = self.track.at(now_s)
        if not self.track.stands:
            self._moved_s = now_s
        if now_s - self._moved_s < _STANDS_S:
            self._fed_s = now_s
            s = self._settings
            return bool(self._library.servoJ(target, 0.0, 0.0, self._period_s, s.lookahead_s, s.gain))
        if now_s - self._fed_s < _KICK_S:
            return True
        self._fed_s = now_s
        return bool(self._library.kickWatchdog())

    def end(self) -> None:
        """Stop following; the controller holds the arm, and its watchdog ends the program."""
        self._library.servoStop(_STOPS_RAD_S2)


def _drop_what_is_unsent() -> None:
    """Targets that wait for a link to come back must not be obeyed when it does: connections end with what they have not sent."""
    for entry in os.listdir("/proc/self/fd"):
        with suppress(OSError):
            if not os.readlink(f"/proc/self/fd/{entry}").startswith("socket:"):
                continue
            with socket.socket(fileno=os.dup(int(entry))) as connection:
                if connection.family == socket.AF_INET:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNSENT_MS)


class Process:
    """The loop."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._driver = socket.socket(fileno=settings.descriptor)
        self._driver.setblocking(False)
        self._control: Control | None = None
        self._heard_s = time.monotonic()
        self._due_s = 0.0

    def run(self) -> None:
        """Until the driver hangs up."""
        period_s = 1 / self._settings.controller_hz
        while True:
            wait_s = None if self._control is None else max(0.0, self._due_s - time.monotonic())
            if select.select([self._driver], [], [], wait_s)[0] and not self._hear():
                break
            now_s = time.monotonic()
            if self._control is None or now_s < self._due_s:
                continue
            self._due_s = max(self._due_s + period_s, now_s)
            if now_s - self._heard_s > self._settings.alive_s:
                continue  # nobody says that the driver lives: the controller's watchdog is to notice
            if not self._control.cycle(now_s):
                self._control = None
                self._say(b"L")
        if self._control is not None:
            self._control.end()

    def _hear(self) -> bool:
        """Take what has come; False when there is nobody any more."""
        while True:
            try:
                told = self._driver.recv(64)
            except BlockingIOError:
                return True
            except OSError:
                return False
            if told in (b"", b"E"):
                return False
            self._heard_s = time.monotonic()
            if told[:1] == b"S":
                self._start(SIX.unpack(told[1:]))
            elif told[:1] == b"G" and self._control is not None:
                self._control.track.aim(SIX.unpack(told[1:]), self._heard_s)

    def _start(self, target: tuple[float, ...]) -> None:
        self._control = None
        try:
            self._control = Control(self._settings, target)
        except Exception as error:  # whatever the library raises: the driver tells it
            self._say(b"X" + str(error).encode()[:500])
            return
        self._due_s = self._heard_s = time.monotonic()
        self._say(b"R")

    def _say(self, what: bytes) -> None:
        with suppress(OSError):  # nobody is there any more: the next look says so
            self._driver.send(what)


def main() -> None:
    """Take what comes, until nobody is there."""
    settings = Settings(sys.argv[1:])
    os.dup2(2, 1)  # the library prints
    with suppress(ImportError):
        import rtde_control  # noqa: F401  (before anybody waits for it)
    if settings.priority:
        with suppress(PermissionError):
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(settings.priority))
    process = Process(settings)
    process.run()
    os._exit(0)  # its threads and connections end with it, whatever they are at; its own end would take half a second


if __name__ == "__main__":
    main()
