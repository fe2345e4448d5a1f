"""Strangers at the door, over real sockets on the loopback address: everything they try is bounded and ends by itself."""

import asyncio
import contextlib
import datetime
import os
import resource
import socket
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from station.clock import monotonic_ns
from station.web import certificate, listener
from station.web.guard import Guard
from station.web.listener import Listener, runner
from station.web.peers import Peers

SHORT_NS = 700_000_000
CUT_S = 3.0
"""Within this a stranger whose time was 0.7 s is gone, on a busy machine too."""
NAMES = ("127.0.0.1", "localhost")


class Door:
    """A page of one word, and what came of it."""

    def __init__(self, listener: Listener, guard: Guard, port: int) -> None:
        self.listener, self.guard, self.port = listener, guard, port
        self.known: list[asyncio.Transport] = []

    async def ask(self, head: str = "", method: str = "GET", path: str = "/") -> bytes:
        """The whole answer to one request; b"" if the connection was cut."""
        host = "" if "host:" in head.lower() else f"Host: 127.0.0.1:{self.port}\r\n"
        return await self.raw(f"{method} {path} HTTP/1.1\r\n{host}{head}\r\n".encode())

    async def raw(self, sent: bytes, seconds: float = 10.0) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            with contextlib.suppress(ConnectionError):
                writer.write(sent)
                return await asyncio.wait_for(reader.read(65536), seconds)
            return b""
        finally:
            writer.transport.abort()


@asynccontextmanager
async def door(peers: Peers | None = None, context: ssl.SSLContext | None = None) -> AsyncIterator[Door]:
    async def page(request: web.Request) -> web.Response:
        if request.path == "/known":
            assert made.listener.know(request.transport)
        return web.Response(text="hello")

    guard, behind = Guard(lambda: NAMES), Listener(monotonic_ns, peers)
    served = await runner(guard.application(page))
    made = Door(behind, guard, 0)
    await behind.listen(served, "127.0.0.1", 0, context)
    made.port = behind._doors[0].getsockname()[1]
    try:
        yield made
    finally:
        await behind.close()
        await served.cleanup()


@pytest.fixture
def context(tmp_path: Path) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(*certificate.ensure(tmp_path, ("127.0.0.1",), datetime.datetime.now(datetime.UTC)))
    return made


@pytest.fixture
def many_files() -> Iterator[None]:
    """The strangers live in this process too, and need descriptors of their own."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192) if hard > 0 else 8192, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def tried(
    attack: Callable[[Door], Awaitable[None]], peers: Peers | None = None, context: ssl.SSLContext | None = None
) -> None:
    async def run() -> None:
        async with door(peers, context) as made:
            await attack(made)

    asyncio.run(run())


async def gone(reader: asyncio.StreamReader) -> float:
    """Seconds until the other end has cut the connection."""
    begin = time.monotonic()
    with contextlib.suppress(ConnectionError):
        while await asyncio.wait_for(reader.read(4096), 10.0):
            pass
    return time.monotonic() - begin


def test_a_page_is_served_with_its_fences() -> None:
    async def attack(made: Door) -> None:
        answer = await made.ask("Connection: close\r\n")
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert answer.endswith(b"hello")

    tried(attack)


@pytest.mark.parametrize(
    ("head", "method", "status"),
    [
        ("Host: rebound.example\r\n", "GET", b"421"),
        ("Host: 127.0.0.1\r\nHost: rebound.example\r\n", "GET", b"400"),
        ("Origin: https://elsewhere.example\r\n", "GET", b"403"),
        ("Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\n", "GET", b"403"),
        ("Upgrade: websocket\r\nConnection: Upgrade\r\n", "GET", b"403"),
        ("Content-Length: 1000000000\r\n", "POST", b"405"),
        ("Content-Length: 1000000000\r\n", "GET", b"413"),
        ("Transfer-Encoding: chunked\r\n", "GET", b"413"),
        ("", "DELETE", b"405"),
        ("", "OPTIONS", b"405"),
        ("", "NONSENSE", b"40"),
        (f"X: {'x' * 100_000}\r\n", "GET", b"400"),
    ],
)
def test_what_may_not_be_asked_is_refused_and_the_connection_ends(head: str, method: str, status: bytes) -> None:
    async def attack(made: Door) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", made.port)
        host = "" if "Host:" in head else "Host: 127.0.0.1\r\n"
        writer.write(f"{method} / HTTP/1.1\r\n{host}{head}\r\n".encode())
        answer = await asyncio.wait_for(reader.read(65536), 10.0)
        assert answer.startswith(b"HTTP/1.1 " + status) or answer.startswith(b"HTTP/1.0 " + status)
        assert await gone(reader) < 2.0
        writer.transport.abort()

    tried(attack)


def test_a_hundred_thousand_headers_are_too_many() -> None:
    async def attack(made: Door) -> None:
        answer = await made.raw(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n" + b"A: b\r\n" * 100_000 + b"\r\n")
        assert b" 200 " not in answer[:20]
        assert b" 200 " in (await made.ask())[:20]

    tried(attack)


@pytest.mark.slow
@pytest.mark.parametrize("sent", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"])
def test_whoever_stays_without_a_reason_is_cut(sent: bytes) -> None:
    """Silent, in the middle of a request, or after one (then even sooner)."""

    async def attack(made: Door) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", made.port)
        writer.write(sent)
        assert await gone(reader) < CUT_S
        writer.transport.abort()

    tried(attack, Peers(stranger_ns=SHORT_NS))


@pytest.mark.slow
def test_a_byte_now_and_then_keeps_no_connection_open() -> None:
    async def attack(made: Door) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", made.port)
        ended = asyncio.create_task(gone(reader))
        for byte in b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: " + b"x" * 1000:
            if ended.done():
                break
            writer.write(bytes([byte]))
            await asyncio.sleep(0.05)
        assert await ended < CUT_S
        writer.transport.abort()

    tried(attack, Peers(stranger_ns=SHORT_NS))


@pytest.mark.parametrize(
    "sent", [b"", b"\x16\x03\x01\x02\x00\x01\x00", b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01" + b"\0" * 512]
)
def test_a_handshake_that_stalls_or_is_none_is_cut(
    sent: bytes, context: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "HANDSHAKE_S", 0.7)

    async def attack(made: Door) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", made.port)
        writer.write(sent)
        assert await gone(reader) < CUT_S
        writer.transport.abort()
        assert len(made.listener.peers) <= 1

    tried(attack, None, context)


def test_a_stranger_is_cut_in_the_middle_of_a_handshake_too(context: ssl.SSLContext) -> None:
    async def attack(made: Door) -> None:
        first, writer = await asyncio.open_connection("127.0.0.1", made.port)
        others = [await asyncio.open_connection("127.0.0.1", made.port) for _ in range(2)]
        assert await gone(first) < 2.0
        for each in (writer, *(other for _, other in others)):
            each.transport.abort()

    tried(attack, Peers(per_peer=2), context)


@pytest.mark.slow
def test_a_thousand_idle_connections_cost_the_known_nothing_and_a_newcomer_is_served(many_files: None) -> None:
    async def attack(made: Door) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", made.port)

        async def known(path: str) -> None:
            writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
            assert await asyncio.wait_for(reader.readuntil(b"hello"), 5.0)

        await known("/known")
        held, served = [], 0
        for number in range(1200):
            held.append(await asyncio.open_connection("127.0.0.1", made.port))
            if number % 100 == 99:
                served += b"hello" in await made.ask()
                await known("/")
        assert served == 12
        assert len(made.listener.peers) <= 24
        for _, each in (*held, (reader, writer)):
            each.transport.abort()

    tried(attack)


@pytest.mark.slow
def test_a_full_file_table_closes_no_door() -> None:
    async def attack(made: Door) -> None:
        assert b"hello" in await made.ask()
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        strangers = [await asyncio.open_connection("127.0.0.1", made.port) for _ in range(3)]
        await asyncio.sleep(0.2)
        with contextlib.ExitStack() as files, socket.socket() as asked:
            asked.setblocking(False)
            resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/proc/self/fd")) + 3, hard))
            try:
                with contextlib.suppress(OSError):
                    while True:
                        files.enter_context(open(os.devnull))
                loop = asyncio.get_running_loop()
                await loop.sock_connect(asked, ("127.0.0.1", made.port))
                await loop.sock_sendall(asked, b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
                await asyncio.sleep(0.3)  # it stands in the kernel's queue
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            assert b" 200 " in await asyncio.wait_for(loop.sock_recv(asked, 4096), 5.0)
        for _, each in strangers:
            each.transport.abort()

    tried(attack)


@pytest.mark.slow
def test_a_flood_of_requests_leaves_the_loop_to_others() -> None:
    async def attack(made: Door) -> None:
        flood = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 1000
        strangers = [await asyncio.open_connection("127.0.0.1", made.port) for _ in range(20)]
        for _, writer in strangers:
            writer.write(flood)
        late, end = [], time.monotonic() + 2.0
        while time.monotonic() < end:
            begin = time.monotonic()
            await asyncio.sleep(0.01)
            late.append(time.monotonic() - begin - 0.01)
        assert sorted(late)[len(late) // 2] < 0.05
        for _, writer in strangers:
            writer.transport.abort()

    tried(attack)


def test_a_port_that_is_taken_is_an_error_and_leaves_nothing() -> None:
    async def attack(made: Door) -> None:
        other = Listener(monotonic_ns)
        served = await runner(web.Application())
        with pytest.raises(OSError, match="in use"):
            await other.listen(served, "127.0.0.1", made.port, None)
        await other.close()
        await served.cleanup()

    tried(attack)
