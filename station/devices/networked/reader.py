"""A connection to a controller that brings states as they come, read by a thread of its own."""

import socket
import threading
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Generic, TypeVar

from station.clock import Clock

T = TypeVar("T")
_KEPT = 64
"""Readings nobody has taken; older ones are dropped."""
_WAIT_S = 0.2


class Broken(Exception):
    """The connection is over, or what comes over it is not what it should be; the text says which."""


class Reader(Generic[T]):
    """Starts at once on a connection that is open; `parse` makes readings of what comes, and raises Broken."""

    def __init__(
        self, connection: socket.socket, parse: Callable[[bytes, int], Iterable[T]], name: str, clock: Clock
    ) -> None:
        self._socket, self._parse, self._clock = connection, parse, clock
        self._states: deque[T] = deque(maxlen=_KEPT)
        self._arrived = threading.Event()
        self.broken = ""
        """Why it is over; "" while it is not."""
        self._closing = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        self._socket.settimeout(_WAIT_S)
        try:
            while not self._closing:
                with suppress(TimeoutError):
                    got = self._socket.recv(65536)
                    now_ns = self._clock()
                    if not got:
                        raise Broken("it hung up")
                    self._states.extend(self._parse(got, now_ns))
                    self._arrived.set()
        except (Broken, OSError) as error:
            self.broken = str(error) or type(error).__name__
            self._arrived.set()

    def take(self, wait_s: float = 0.0) -> list[T]:
        """What has come since the last time; waits at most so long for the first."""
        if wait_s and not self._states:
            self._arrived.clear()
            if not self._states and not self.broken:
                self._arrived.wait(wait_s)
        found = []
        while self._states:
            found.append(self._states.popleft())
        return found

    def close(self) -> None:
        """Hang up, and wait for the thread."""
        self._closing = True
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()


def connected(address: str, port: int, within_s: float) -> socket.socket:
    """A connection on which small packets leave at once. Raises OSError."""
    connection = socket.create_connection((address, port), within_s)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection
