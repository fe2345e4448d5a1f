"""Listens, and lets connections in: never more than `Peers` allows, none that stalls, and never so fast that those inside
suffer. A full file table, a handshake that never ends or a flood closes no port.
"""

import asyncio
import contextlib
import errno
import socket
import ssl
from collections.abc import Hashable
from typing import NamedTuple

from aiohttp import web

from station.clock import Clock
from station.web.peers import Peers

HANDSHAKE_S = 5.0
KEEP_ALIVE_S = 5.0
"""An idle connection that has been answered."""
STOP_S = 1.0
BACKLOG = 128
ACCEPTS_PER_S = 200
"""New connections; a handshake costs 0.5 ms. More of them wait in the kernel's queue, in their order."""
CLOSING_S = 0.02
"""Within this the loop has closed what was aborted."""
FULL_S = 0.1
"""No file descriptor is free: try again after this."""
LONGEST_LINE = 8190
SWEEP_S = 0.5
_OURS_FULL = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


Key = tuple[object, object]
"""What tells a connection apart: its two ends."""


class _Open(NamedTuple):
    """A connection, from its first packet on."""

    socket: socket.socket
    handshake: "asyncio.Task[asyncio.BaseTransport | None]"

    def cut(self) -> None:
        """At once, without a goodbye that the other end could wait for ever with."""
        transport = self.handshake.result() if self.handshake.done() and not self.handshake.cancelled() else None
        if isinstance(transport, asyncio.Transport):
            transport.abort()
        else:
            self.handshake.cancel()


async def runner(application: web.Application) -> web.AppRunner:
    """An application ready to be listened for, with bounds on what a stranger may send."""
    made = web.AppRunner(
        application, access_log=None, handle_signals=False, shutdown_timeout=STOP_S, keepalive_timeout=KEEP_ALIVE_S,
        lingering_time=0.0, max_line_size=LONGEST_LINE, max_field_size=LONGEST_LINE,
    )  # fmt: skip
    await made.setup()
    return made


class Listener:
    """Doors that share one set of caps. To be used in one event loop."""

    def __init__(self, clock: Clock, peers: Peers | None = None) -> None:
        self._clock = clock
        self.peers = peers if peers is not None else Peers()
        self._open: dict[Key, _Open] = {}
        self._doors: list[socket.socket] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def listen(self, application: web.AppRunner, host: str, port: int, context: ssl.SSLContext | None) -> None:
        """Open a door; `host` "" is every address. Raises OSError if the port is taken."""
        assert application.server is not None
        if not self._tasks:
            self._tasks.append(asyncio.create_task(self._sweep()))
        for door in _bound(host, port):
            self._doors.append(door)
            self._tasks.append(asyncio.create_task(self._accept(door, application.server, context)))

    @property
    def ports(self) -> tuple[int, ...]:
        """Where it listens."""
        return tuple(door.getsockname()[1] for door in self._doors)

    def know(self, transport: asyncio.BaseTransport | None) -> bool:
        """This connection's page looks after it from here. False if it was cut a moment ago."""
        if transport is None:
            return False
        return self.peers.know((transport.get_extra_info("sockname"), transport.get_extra_info("peername")))

    async def close(self) -> None:
        """Close the doors and cut every connection."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for door in self._doors:
            door.close()
        for found in self._open.values():
            found.cut()
        await asyncio.gather(*(found.handshake for found in self._open.values()), return_exceptions=True)
        await asyncio.sleep(CLOSING_S)
        self._open.clear()

    async def _accept(self, door: socket.socket, server: web.Server, context: ssl.SSLContext | None) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                taken, address = await loop.sock_accept(door)
                key = (taken.getsockname(), address)
            except OSError as error:  # of one connection that is gone again, or no descriptor is free
                await asyncio.sleep(FULL_S if error.errno in _OURS_FULL else 0)
                continue
            self._forget_closed()
            for gone in self.peers.arrive(key, str(address[0]), self._clock()):
                self._cut(gone)
            handshake = asyncio.create_task(_enter(taken, server, context))
            handshake.add_done_callback(lambda done, of=taken: _close_unless_in(done, of))  # type: ignore[misc]
            self._open[key] = _Open(taken, handshake)
            await asyncio.sleep(1 / ACCEPTS_PER_S)

    async def _sweep(self) -> None:
        """Cut strangers whose time is up, forget who has left."""
        while True:
            await asyncio.sleep(SWEEP_S)
            for key in self.peers.expired(self._clock()):
                self._cut(key)
            self._forget_closed()

    def _forget_closed(self) -> None:
        for key in [key for key, found in self._open.items() if found.socket.fileno() < 0]:
            del self._open[key]
            self.peers.leave(key)

    def _cut(self, key: Hashable) -> None:
        found = self._open.get(key)  # type: ignore[call-overload]
        if found is not None:
            found.cut()


async def _enter(
    taken: socket.socket, server: web.Server, context: ssl.SSLContext | None
) -> asyncio.BaseTransport | None:
    """The handshake; None if it failed."""
    seconds = (HANDSHAKE_S, STOP_S) if context is not None else (None, None)
    try:
        transport, _ = await asyncio.get_running_loop().connect_accepted_socket(
            server, taken, ssl=context, ssl_handshake_timeout=seconds[0], ssl_shutdown_timeout=seconds[1]
        )
    except OSError:
        return None
    return transport


def _close_unless_in(handshake: "asyncio.Task[asyncio.BaseTransport | None]", taken: socket.socket) -> None:
    if handshake.cancelled() or handshake.result() is None:
        taken.close()


def _bound(host: str, port: int) -> list[socket.socket]:
    """Listening sockets of a port. Raises OSError."""
    if host:
        return [_listening(socket.AF_INET, (host, port))]
    doors = [_listening(socket.AF_INET, ("0.0.0.0", port))]
    with contextlib.suppress(OSError):  # a computer without IPv6
        doors.append(_listening(socket.AF_INET6, ("::", port)))
    return doors


def _listening(family: socket.AddressFamily, address: tuple[str, int]) -> socket.socket:
    door = socket.socket(family, socket.SOCK_STREAM)
    try:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family is socket.AF_INET6:
            door.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        door.setblocking(False)
        door.bind(address)
        door.listen(BACKLOG)
    except OSError:
        door.close()
        raise
    return door
