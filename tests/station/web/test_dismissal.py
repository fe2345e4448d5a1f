"""A page that speaks while it is sent away hears why, and not that its link broke."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator

from aiohttp import ClientSession, WSMsgType, web

from station.web.dismissal import Dismissal

AWAY, TIMES = 4003, 10


class Served:
    """A server that greets, and takes in what a page says for as long as it may."""

    def __init__(self) -> None:
        self.newest: Dismissal | None = None
        self.ended: list[str] = []

    async def page(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.newest = Dismissal(socket)
        await socket.send_str("welcome")
        try:
            await self.newest.read(self._listen(socket))
        except ValueError as error:
            self.ended.append(str(error))
        return socket

    async def _listen(self, socket: web.WebSocketResponse) -> None:
        async for message in socket:
            if message.data == "absurd":
                raise ValueError("absurd")
            if message.data == "another is here":
                assert self.newest is not None
                self.newest.give(AWAY, "opened anew")


@contextlib.asynccontextmanager
async def served(one: Served) -> AsyncIterator[str]:
    application = web.Application()
    application.router.add_get("/", one.page)
    runner = web.AppRunner(application)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"ws://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


def test_a_page_that_speaks_on_is_told_why_it_is_sent_away() -> None:
    """The page has a thread of its own, so that it speaks while it is sent away."""
    heard: list[tuple[WSMsgType, object, object]] = []

    async def page(url: str) -> None:
        async with ClientSession() as client:
            for _ in range(TIMES):
                async with client.ws_connect(url) as socket:
                    assert (await socket.receive()).data == "welcome"
                    await socket.send_str("another is here")
                    with contextlib.suppress(ConnectionError):
                        for _ in range(50):
                            await socket.send_str("pose" * 1000)
                    message = await socket.receive()
                    heard.append((message.type, message.data, message.extra))

    async def serve() -> None:
        async with served(Served()) as url:
            speaking = threading.Thread(target=lambda: asyncio.run(page(url)))
            speaking.start()
            await asyncio.get_running_loop().run_in_executor(None, speaking.join)

    asyncio.run(serve())
    assert heard == [(WSMsgType.CLOSE, AWAY, "opened anew")] * TIMES


def test_one_that_ends_by_itself_just_ends_and_an_error_is_an_error() -> None:
    async def talk() -> None:
        one = Served()
        async with served(one) as url, ClientSession() as client:
            async with client.ws_connect(url) as socket:
                assert (await socket.receive()).data == "welcome"
            async with client.ws_connect(url) as socket:
                assert (await socket.receive()).data == "welcome"
                await socket.send_str("absurd")
                assert (await socket.receive()).type in (WSMsgType.CLOSE, WSMsgType.CLOSED)
        assert one.ended == ["absurd"]

    asyncio.run(talk())
