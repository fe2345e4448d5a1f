"""A console that is served to the test: browsers that pair with it, pages that they open, and a job that asks."""

import asyncio
import base64
import json
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from station.clock import monotonic_ns
from station.console.seat_file import SeatFile
from station.console.seats import Role, invited
from station.console.server import COOKIE, Server
from station.steps.protocol import End, Line, Look, Step
from tests.station.console.stage import Staged, picture

TAB = "aaaaaaaaaaaaaaaa"
PICTURE = base64.b64encode(picture(0, 0)).decode()


class AskingJob:
    """A job that asks once, and goes on until it is answered or ended."""

    def __init__(self, arguments: Sequence[str], quiet: bool, looks: bool) -> None:
        assert arguments[0] in ("check", "dataset", "eval", "calibrate", "replay", "rig") and quiet and looks
        self.arguments = arguments
        self.end: End | None = None
        self._given = threading.Event()

    def lines(self) -> Iterator[Line]:
        yield Step(1, "hold the leaders", ("go on",))
        yield Look("the board is seen", PICTURE, {"waist_deg": 12.5})
        assert self._given.wait(20)
        self.end = End(0)
        yield self.end

    def answer(self, step: Step, answer: str) -> None:
        assert (step.number, answer) == (1, "go on")

    def stop(self) -> None:
        self._given.set()

    def wait(self) -> int:
        return 0

    def close(self) -> None:
        self._given.set()


class Console:
    """One that is served, and browsers that come to it."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self.hub = Staged(self.data)
        self.seats = SeatFile(folder / "seats.json")
        self.wall_s = 1000.0
        self.server = Server(self.hub, self.seats, monotonic_ns, lambda: self.wall_s)
        self.codes = 0

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"

    async def paired(self, role: Role, at_rig: bool = True, person: str = "ada") -> aiohttp.ClientSession:
        """A browser with a seat; `person`: "" for one whose link named nobody."""
        self.codes += 1
        code = f"CODE{self.codes:06}"
        self.seats.change(lambda book: invited(book, code, role, person, at_rig, self.wall_s))
        browser = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))
        async with browser.get(f"{self.base}/pair", headers={"X-Code": code}) as answer:
            assert answer.status == 200, await answer.text()
            assert (answer.cookies[COOKIE]["httponly"], answer.cookies[COOKIE]["samesite"]) == (True, "Strict")
        return browser

    @asynccontextmanager
    async def page(self, browser: aiohttp.ClientSession, tab: str = TAB) -> AsyncIterator["Page"]:
        """It opens the page."""
        async with browser.ws_connect(f"{self.base}/link", headers={"Origin": self.base}) as socket:
            page = Page(socket)
            await page.say({"type": "hello", "tab": tab})
            page.welcome = await page.heard("welcome")
            yield page


class Page:
    """One open page."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.welcome: dict[str, Any] = {}

    async def say(self, message: object) -> None:
        await self.socket.send_str(json.dumps(message))

    async def heard(self, kind: str) -> dict[str, Any]:
        while True:
            message = await self.socket.receive(20)
            assert message.type is not aiohttp.WSMsgType.CLOSE, f"closed: {message.data} {message.extra}"
            if message.type is aiohttp.WSMsgType.TEXT and (told := json.loads(message.data))["kind"] == kind:
                found: dict[str, Any] = told
                return found

    async def closed(self) -> int:
        while not self.socket.closed:
            if (await self.socket.receive(20)).type in (
                aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR,
            ):  # fmt: skip
                break
        return self.socket.close_code or 0


def served(folder: Path, what: Callable[[Console], Awaitable[None]], speaks: bool = True) -> None:
    """Serve it while `what` goes on."""

    async def serve() -> None:
        console = Console(folder)
        await console.server.listen("127.0.0.1", 0, tls=False)
        speaking = asyncio.create_task(console.hub.run()) if speaks else None
        try:
            await what(console)
        finally:
            if speaking is not None:
                speaking.cancel()
            await console.server.close()

    asyncio.run(serve())
