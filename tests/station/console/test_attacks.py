"""What attackers try at the console's door. Nothing moves, nobody who is paired is locked out."""

import asyncio
import resource
import time
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from station.bus.requests import Allow, Hold, LeaveControl
from station.console.page_link import RUDE, UNPAIRED
from station.console.seats import revoked
from station.console.server import COOKIE, PAGE
from station.web.peers import PER_PEER
from tests.station.console.served import Console, Page, served

IDLE, ASKED = 1000, 10
"""So many connections; so often meanwhile somebody paired asks for something."""


async def _status(console: Console, path: str, **headers: str) -> int:
    async with aiohttp.ClientSession() as browser, browser.get(console.base + path, headers=headers) as answer:
        for name, value in answer.headers.items():
            if name == "Content-Security-Policy":
                assert "unsafe" not in value and "default-src 'none'" in value
        return answer.status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "attacker.example"}, 421), ({"Host": "attacker.example", "Origin": "http://attacker.example"}, 421),
        ({"Origin": "http://attacker.example"}, 403), ({"Origin": "null"}, 403), ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"}, 403),
    ],
)  # fmt: skip
def test_another_sites_page_and_a_rebound_name_get_nothing(
    headers: dict[str, str], status: int, tmp_path: Path
) -> None:
    async def tries(console: Console) -> None:
        for path in ("/", "/pair", "/link", "/main.js"):
            assert await _status(console, path, **headers) == status
        async with await console.paired("engineer") as browser:
            with pytest.raises(aiohttp.WSServerHandshakeError):
                await browser.ws_connect(f"{console.base}/link", headers=headers)
        assert not console.hub.asked

    served(tmp_path, tries, speaks=False)


def test_a_link_without_an_origin_a_cookie_or_a_hello_is_none(tmp_path: Path) -> None:
    async def tries(console: Console) -> None:
        async with aiohttp.ClientSession() as stranger:
            with pytest.raises(aiohttp.WSServerHandshakeError):
                await stranger.ws_connect(f"{console.base}/link")
            async with stranger.ws_connect(f"{console.base}/link", headers={"Origin": console.base}) as socket:
                assert await Page(socket).closed() == UNPAIRED
            forged = {"Origin": console.base, "Cookie": f"{COOKIE}=forged"}
            async with stranger.ws_connect(f"{console.base}/link", headers=forged) as socket:
                assert await Page(socket).closed() == UNPAIRED
        async with (
            await console.paired("engineer") as browser,
            browser.ws_connect(f"{console.base}/link", headers={"Origin": console.base}) as socket,
        ):
            await socket.send_str('{"type": "hold", "id": 1}')
            assert await Page(socket).closed() == RUDE
        assert not console.hub.asked

    served(tmp_path, tries, speaks=False)


@pytest.mark.parametrize(
    "path",
    ["/../seats.py", "/%2e%2e/seats.py", "/vendor/../../wire/rig.py", "/package.json", "//etc/passwd", "/vendor"],
)
def test_only_the_pages_own_files_are_served(path: str, tmp_path: Path) -> None:
    async def tries(console: Console) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", console.server.port)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
        answer = await reader.read()
        assert answer.split()[1] in (b"404", b"400")
        writer.close()
        scripts = [f"/{path.relative_to(PAGE)}" for path in PAGE.rglob("*.js")]
        for there in ("/", "/style.css", *scripts):
            assert await _status(console, there) == 200

    served(tmp_path, tries, speaks=False)


def test_a_stolen_viewers_cookie_moves_nothing_and_is_taken_back_at_once(tmp_path: Path) -> None:
    async def tries(console: Console) -> None:
        async with await console.paired("viewer") as browser:
            (cookie,) = [c.value for c in browser.cookie_jar]
            async with (
                aiohttp.ClientSession(headers={"Cookie": f"{COOKIE}={cookie}"}) as thief,
                console.page(thief, "cccccccccccccccc") as page,
            ):
                for word in ({"type": "press", "id": 1, "name": "start", "seen": 1}, {"type": "control", "id": 2, "what": "take"},
                                 {"type": "press", "id": 3, "name": "allow", "seen": 1}, {"type": "park", "id": 4}):  # fmt: skip
                    await page.say(word)
                    assert not (await page.heard("answer"))["done"]
                assert not console.hub.asked
                await page.say({"type": "hold", "id": 5})
                assert (await page.heard("answer"))["done"], "to stop the arms is anybody's"
                await page.say({"type": "hold", "id": 6})
                assert "a moment ago" in (await page.heard("answer"))["why"]
                assert console.hub.requests() == [Hold("held by ada at 127.0.0.1 (console)"), Allow(False)]
                (seat,) = console.seats.read().seats
                console.seats.change(lambda book: revoked(book, seat.id))
                await page.say({"type": "hold", "id": 7})
                await page.closed()
                assert len(console.hub.requests()) == 2

    served(tmp_path, tries, speaks=False)


def test_frames_that_are_too_large_and_words_that_never_end_close_that_page_alone(tmp_path: Path) -> None:
    async def tries(console: Console) -> None:
        async with await console.paired("operator") as browser, console.page(browser) as good:
            async with console.page(browser, "bbbbbbbbbbbbbbbb") as large:
                await large.say({"type": "press", "id": 1, "name": "x" * 200_000, "seen": 1})
                await large.closed()
            async with console.page(browser, "cccccccccccccccc") as flood:
                for _ in range(60):
                    await flood.say({"type": "alive", "seen": True})
                assert await flood.closed() == RUDE
            async with console.page(browser, "dddddddddddddddd") as nonsense:
                await nonsense.say({"type": "shutdown"})
                assert not (await nonsense.heard("answer"))["done"]
            await good.say({"type": "control", "id": 5, "what": "leave"})
            assert (await good.heard("answer"))["done"]
            assert LeaveControl() in console.hub.requests()

    served(tmp_path, tries, speaks=False)


@pytest.mark.slow
def test_guessing_a_code_waits_and_a_right_one_and_whoever_is_paired_go_through(tmp_path: Path) -> None:
    async def tries(console: Console) -> None:
        async with await console.paired("operator") as browser, console.page(browser) as page:
            for n in range(8):
                assert await _status(console, "/pair", **{"X-Code": f"WRONG{n:05}"}) in (403, 429)
            async with await console.paired("viewer"):
                pass
            await page.say({"type": "hold", "id": 1})
            assert (await page.heard("answer"))["done"]

    served(tmp_path, tries, speaks=False)


@pytest.fixture
def many_files() -> Iterator[None]:
    """The strangers of a test live in its own process, and need descriptors of their own."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192) if hard > 0 else 8192, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.slow
def test_a_thousand_idle_connections_cost_nobody_paired_the_link_and_a_newcomer_no_more_than_its_turn(
    tmp_path: Path, many_files: None
) -> None:
    """Some say nothing, some half a request, some half a page's hello; what is cut comes again until there were a thousand."""
    halves = (
        b"",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n",
        b"POST /pair HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\nabc",
    )

    async def tries(console: Console) -> None:
        idle: list[asyncio.StreamWriter] = []

        async def crowd(numbers: range) -> None:
            for number in numbers:
                _, writer = await asyncio.open_connection("127.0.0.1", console.server.port)
                writer.write(halves[number % len(halves)])
                idle.append(writer)

        async with await console.paired("operator") as browser, console.page(browser) as page:
            came_back, answered = 0, list[float]()
            for first in range(0, IDLE, IDLE // ASKED):
                crowding = asyncio.create_task(crowd(range(first, first + IDLE // ASKED)))
                began = time.monotonic()
                await page.say({"type": "hold", "id": len(answered) + 1})
                assert (await page.heard("answer"))["done"]
                answered.append(time.monotonic() - began)
                async with (
                    aiohttp.ClientSession(cookies={COOKIE: next(iter(browser.cookie_jar)).value}) as again,
                    console.page(again, f"{len(answered):016}"),
                ):
                    came_back += 1
                await crowding
            async with await console.paired("viewer") as other, console.page(other, "eeeeeeeeeeeeeeee"):
                pass
            assert len(idle) == IDLE and len(console.server._listener.peers._strangers) <= PER_PEER
            assert len(answered) == ASKED and max(answered) < 1.0, answered
            assert came_back == len(answered), "an operator who comes back gets in among them"
        for writer in idle:
            writer.transport.abort()

    served(tmp_path, tries, speaks=False)
