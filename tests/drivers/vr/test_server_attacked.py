"""The headset's driver and pages that do not behave: strangers, floods, nonsense, sockets without end."""

import asyncio
import contextlib
import json
import os
import random
import socket
import ssl
import threading
import time
from pathlib import Path

import aiohttp
import msgspec
import pytest

from drivers.vr.server import REFUSED
from drivers.vr.webxr import WebXrHeadset
from station.bus.messages import HandPose
from station.devices.headset import (
    Pairing,
    door_path,
    pairing_path,
)
from tests.drivers.vr.conftest import headset
from tests.drivers.vr.exchange import poses, readings
from tests.drivers.vr.page import HAND, Page


def test_a_wrong_code_is_sent_away_and_moves_nothing(driver: WebXrHeadset, port: int, code: str) -> None:
    wrong = f"{(int(code) + 1) % 1_000_000:06}"

    async def intrude() -> tuple[int | None, str]:
        async with Page(port) as page:
            assert await page.pair(wrong) is None
            await page.pose()
            return await page.closed()

    assert asyncio.run(intrude()) == (REFUSED, "wrong code. Next: type the six digits that `station vr` shows")
    assert driver.read() == []
    assert driver.health()["wrong_codes"] == 1


def test_who_does_not_say_hello_is_sent_away(driver: WebXrHeadset, port: int) -> None:
    async def barge_in() -> tuple[int | None, str]:
        async with Page(port) as page:
            await page.open()
            await page.pose()
            return await page.closed()

    assert asyncio.run(barge_in())[0] == REFUSED
    assert driver.read() == []


def test_another_sites_page_may_not_open_the_link(driver: WebXrHeadset, port: int) -> None:
    async def intrude(origin: str) -> int:
        async with Page(port) as page:
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await page.open(origin)
            return refused.value.status

    for origin in ("https://elsewhere.example", "null", ""):
        assert asyncio.run(intrude(origin)) == 403


@pytest.mark.parametrize(
    "path",
    [
        "/../server.py", "/..%2fserver.py", "/%2e%2e/server.py", "/page/../../server.py", "//etc/passwd", "/etc/passwd",
        "/..%5cserver.py", "/main.js/..", "/%00", "/key.pem", "/certificate.pem", "/." , "/door", "/.%2e/.%2e/pyproject.toml",
    ],
)  # fmt: skip
def test_no_file_outside_the_page_is_served(driver: WebXrHeadset, port: int, path: str) -> None:
    async def ask() -> tuple[int, bytes]:
        async with Page(port) as page:
            return await page.get(path)

    status, body = asyncio.run(ask())
    assert status in (400, 404)
    assert b"import" not in body
    assert b"root:" not in body


def _hostile(random_: random.Random) -> object:
    """One of the things a page should not say."""
    pose = {"kind": "pose", "n": random_.randrange(100), "t": random_.choice([0, -1, 1e13, "x", None]), "space": 0,
            "head": None, "left": {**HAND, "p": random_.choice([[1e9, 0, 0], "here", [1], None, [[]]])}, "right": HAND}  # fmt: skip
    return random_.choice(
        [
            "", "{", "[]", "nul", "\U0001f916", '{"kind":"hello","code":"000000"}', '{"kind":"welcome"}',
            json.dumps(pose), json.dumps({**pose, "left": None, "right": None, "more": 1}),
            json.dumps({"kind": "press", "name": "../../discard"}), json.dumps({"kind": "pong", "n": 2**60, "t": 5}),
            json.dumps({"kind": "displayed", "panel": "x" * random_.randrange(100)}), "[" * 2000, '{"a":' * 500,
            bytes(random_.randrange(256) for _ in range(random_.randrange(200))), "x" * random_.randrange(4000),
        ]
    )  # fmt: skip


def test_ten_thousand_hostile_messages_move_nothing_and_kill_nothing(
    driver: WebXrHeadset, port: int, code: str
) -> None:
    random_ = random.Random(0)

    async def attack() -> int:
        sent = 0
        while sent < 10_000:
            async with Page(port) as page:
                await page.pair(code)
                while page.closed_with is None and sent < 10_000:
                    await page.say(_hostile(random_))
                    sent += 1
                    if sent % 20 == 0:
                        await asyncio.sleep(0)
        return sent

    assert asyncio.run(attack()) == 10_000
    assert driver.read() == []
    health = driver.health()
    assert health["malformed"] > 100  # many of them end the link, and those behind them are never read

    async def operate() -> None:
        async with Page(port) as page:
            while await page.pair(code) is None:  # the attackers' last lease becomes free by itself
                await asyncio.sleep(0.1)
                page.closed_with = None
            await poses(page, 3)
            await page.close()

    asyncio.run(operate())
    readings(driver, 3)


def test_a_message_that_is_too_long_ends_the_link(driver: WebXrHeadset, port: int, code: str) -> None:
    async def shout() -> int | None:
        async with Page(port) as page:
            await page.pair(code)
            await page.say("x" * 5000)
            return (await page.closed())[0]

    assert asyncio.run(shout()) == 1009


def test_a_flood_is_thinned(driver: WebXrHeadset, port: int, code: str) -> None:
    async def flood() -> None:
        async with Page(port) as page:
            await page.pair(code)
            for _ in range(3000):
                await page.pose()
            await page.close()

    asyncio.run(flood())
    assert driver.health()["flooded"] > 100


def test_closing_cuts_a_tls_connection_that_says_no_goodbye(driver: WebXrHeadset, port: int) -> None:
    """The suite's own check counts what is left open."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection(("127.0.0.1", port)) as plain,
        context.wrap_socket(plain) as secure,
    ):
        secure.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert secure.recv(15) == b"HTTP/1.1 200 OK"
        begin = time.monotonic()
        driver.close()
        assert time.monotonic() - begin < 5.0


def test_fifty_openings_leave_nothing_behind(home: Path, port: int, driver: WebXrHeadset) -> None:
    driver.close()
    made = headset(port)
    made.open()
    made.close()
    threads, descriptors = threading.active_count(), len(os.listdir("/proc/self/fd"))
    for _ in range(50):
        made.open()
        assert pairing_path(port).stat().st_mode & 0o777 == 0o600
        made.close()
    assert threading.active_count() == threads
    assert len(os.listdir("/proc/self/fd")) <= descriptors + 1
    assert not pairing_path(port).exists()
    assert not door_path(port).exists()


async def streaming(page: Page, end: asyncio.Event) -> None:
    """An operator at work."""
    while not end.is_set():
        await page.pose()
        await asyncio.sleep(0.02)


def test_twelve_hundred_idle_connections_cost_the_operator_nothing(
    driver: WebXrHeadset, port: int, code: str, many_files: None
) -> None:
    """Without the code, on both doors, from the operator's own address."""

    async def attack() -> tuple[str, int]:
        async with Page(port) as operator, Page(port) as again:
            welcome = await operator.pair(code)
            assert welcome is not None
            end = asyncio.Event()
            work = asyncio.create_task(streaming(operator, end))
            held = []
            for number in range(1200):
                held.append(await asyncio.open_connection("127.0.0.1", port + number % 2))
            strangers = int(driver.health()["strangers"])
            assert operator.closed_with is None
            before = driver.health()["lost"]
            await asyncio.sleep(0.5)
            assert driver.health()["operator"] == 1
            assert driver.health()["lost"] == before
            back = await again.pair(token=welcome["token"])  # the operator's reconnect
            end.set()
            await work
            await again.close()
            for _, writer in held:
                writer.transport.abort()
            assert back is not None
            return back["token"], strangers

    token, strangers = asyncio.run(attack())
    assert token
    assert strangers <= 24
    assert len(readings(driver, 100)) >= 100


def test_idle_sockets_of_the_page_cost_nobody_the_seat(driver: WebXrHeadset, port: int, code: str) -> None:
    """Past the handshake, before the code."""

    async def attack() -> None:
        async with contextlib.AsyncExitStack() as pages:
            for _ in range(60):
                await (await pages.enter_async_context(Page(port))).open()
            owner = await pages.enter_async_context(Page(port))
            assert await owner.pair(code)

    asyncio.run(attack())


def test_a_stranger_with_wrong_codes_for_ever_keeps_nobody_out(driver: WebXrHeadset, port: int, code: str) -> None:
    wrong = f"{(int(code) + 1) % 1_000_000:06}"

    async def guess(end: asyncio.Event) -> None:
        while not end.is_set():
            async with Page(port) as stranger:
                with contextlib.suppress(AssertionError):
                    await stranger.pair(wrong)

    async def attack() -> None:
        end = asyncio.Event()
        stranger = asyncio.create_task(guess(end))
        while driver.health()["wrong_codes"] < 7:
            await asyncio.sleep(0.05)
        async with Page(port) as owner, Page(port) as again, Page(port) as linked:
            welcome = await owner.pair(code)
            assert welcome is not None, owner.closed_with
            await owner.close()
            begin = time.monotonic()
            assert await again.pair(token=welcome["token"]) is not None
            await again.close()
            key = msgspec.json.decode(pairing_path(port).read_bytes(), type=Pairing).key
            assert await linked.pair(key) is not None
            assert time.monotonic() - begin < 1.5, "neither the token nor the terminal's link waits"
            await linked.close()
        end.set()
        await asyncio.wait_for(stranger, 15)

    asyncio.run(attack())


def test_a_page_that_was_pointed_here_by_name_may_not_ask(driver: WebXrHeadset, port: int) -> None:
    async def rebound() -> tuple[int, int]:
        headers = {"Host": "rebound.example", "Origin": "http://rebound.example"}
        async with aiohttp.ClientSession() as session:
            async with session.get(f"http://127.0.0.1:{port + 1}/", headers=headers) as answer:
                page = answer.status
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await session.ws_connect(f"http://127.0.0.1:{port + 1}/link", headers=headers)
            return page, refused.value.status

    assert asyncio.run(rebound()) == (421, 421)


def test_one_hands_nonsense_does_not_take_the_others_pose_nor_the_link(
    driver: WebXrHeadset, port: int, code: str
) -> None:
    bad = {**HAND, "p": [None, 1.2, -0.3]}

    async def operate() -> None:
        async with Page(port) as page:
            await page.pair(code)
            await asyncio.sleep(0.2)
            for _ in range(120):
                await page.pose(left=bad, right=HAND)
                await asyncio.sleep(0.003)
            assert page.closed_with is None
            await page.close()

    asyncio.run(operate())
    found = readings(driver, 120)
    for reading in found:
        pose = reading.body
        assert isinstance(pose, HandPose) and pose.left is not None and pose.right is not None
        assert pose.left.position_m is None and pose.right.position_m
    health = driver.health()
    assert (health["bad_hands"], health["malformed"]) == (120, 0)
