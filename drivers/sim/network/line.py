"""The network between a stand-in and one client: bytes out and in, late by what a network takes, none at all while it is silent."""

import random
import socket
from collections import deque

from station.clock import NS_PER_MS

_MOST = 1 << 20
"""Bytes a client may leave unread before it is hung up on."""


class Weather:
    """How the network is, for all clients of one controller."""

    def __init__(self) -> None:
        self.silent = False
        self.latency_ms = self.jitter_ms = 0.0
        self._random = random.Random(1)

    def delay_ns(self) -> int:
        """How late the next bytes are."""
        return round((self.latency_ms + self._random.random() * self.jitter_ms) * NS_PER_MS)


class Line:
    """One connection. Raises OSError when it is over."""

    def __init__(self, connection: socket.socket, weather: Weather) -> None:
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.connection, self._weather = connection, weather
        self._in: deque[tuple[int, bytes]] = deque()
        self._out: deque[tuple[int, bytes]] = deque()

    def receive(self, now_ns: int) -> None:
        """Take what has come."""
        got = self.connection.recv(65536)
        if not got:
            raise ConnectionResetError("hung up")
        self._in.append((self._at(self._in, now_ns), got))

    def arrived(self, now_ns: int) -> bytes:
        """What has made its way by now."""
        return self._past(self._in, now_ns)

    def send(self, data: bytes, now_ns: int) -> None:
        """On its way."""
        if data:
            self._out.append((self._at(self._out, now_ns), data))
            if sum(len(one) for _, one in self._out) > _MOST:
                raise ConnectionAbortedError("the client does not read")

    def flush(self, now_ns: int) -> None:
        """Hand over what has made its way."""
        if self._weather.silent:
            return
        data = self._past(self._out, now_ns)
        if not data:
            return
        try:
            sent = self.connection.send(data)
        except BlockingIOError:
            sent = 0
        if sent < len(data):
            self._out.appendleft((now_ns, data[sent:]))

    def _at(self, queue: "deque[tuple[int, bytes]]", now_ns: int) -> int:
        return max(now_ns + self._weather.delay_ns(), queue[-1][0] if queue else 0)

    def _past(self, queue: "deque[tuple[int, bytes]]", now_ns: int) -> bytes:
        found = []
        while queue and queue[0][0] <= now_ns:
            found.append(queue.popleft()[1])
        return b"".join(found)
