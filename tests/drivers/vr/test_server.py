"""The headset's driver against pages that behave and pages that don't, over real sockets."""

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

from drivers.vr.operator import MISBEHAVED, SILENT
from drivers.vr.server import REFUSED
from drivers.vr.webxr import WebXrHeadset
from station.bus.messages import HandPose
from station.clock import monotonic_ns
from station.devices.contract import Reading
from station.devices.headset import (
    Board,
    Button,
    FromHeadset,
    HeadsetWorn,
    Pairing,
    Picture,
    Press,
    PressResult,
    ToHeadset,
    door_path,
    pairing_path,
)
from station.errors import DeviceBusy
from tests.drivers.vr.conftest import headset
from tests.drivers.vr.page import HAND, Page


def readings(driver: WebXrHeadset, count: int, tries: int = 50) -> list[Reading]:
    found: list[Reading] = []
    for _ in range(tries):
        found += driver.read()
        if len(found) >= count:
            return found
    raise AssertionError(f"{len(found)} readings, wanted {count}; {driver.health()}")


async def poses(page: Page, count: int) -> None:
    """Send until `count` are certainly mapped: the first pings have been answered by then."""
    await asyncio.sleep(0.2)
    for _ in range(count):
        await page.pose()
        await asyncio.sleep(0.01)


def test_poses_become_readings_on_the_stations_clock(driver: WebXrHeadset, port: int, code: str) -> None:
    async def operate() -> None:
        async with Page(port) as page:
            page.offset_ms = 12_345_678.9
            assert await page.pair(code)
            await poses(page, 20)
            await page.close()

    start_ns = monotonic_ns()
    asyncio.run(operate())
    found = readings(driver, 20)
    times = [reading.captured_at_ns for reading in found]
    assert times == sorted(set(times))
    assert start_ns < times[0]
    assert times[-1] <= monotonic_ns()
    pose = found[0].body
    assert isinstance(pose, HandPose) and pose.left is not None
    assert pose.left.position_m == pytest.approx((0.3, -0.1, 1.2))
    assert pose.head_yaw_rad == pytest.approx(0.0)
    assert driver.health()["lost"] == 0


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


def test_a_second_operator_is_refused_and_the_first_goes_on(driver: WebXrHeadset, port: int, code: str) -> None:
    async def operate() -> str:
        async with Page(port) as first, Page(port) as second:
            await first.pair(code)
            assert await second.pair(code) is None
            _, why = await second.closed()
            await poses(first, 3)
            await first.close()
            return why

    assert "another operator is connected" in asyncio.run(operate())
    readings(driver, 3)


def test_a_reloaded_page_comes_back_with_its_token(driver: WebXrHeadset, port: int, code: str) -> None:
    async def operate() -> None:
        async with Page(port) as before, Page(port) as after:
            welcome = await before.pair(code)
            assert welcome is not None
            again = await after.pair(token=welcome["token"])  # the old link is not closed yet
            assert again is not None
            assert again["token"] == welcome["token"]
            assert (await before.closed())[0] == MISBEHAVED
            await poses(after, 3)
            await after.close()

    asyncio.run(operate())
    readings(driver, 3)


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


def test_the_page_and_its_parts_are_served_and_name_no_other_host(driver: WebXrHeadset, port: int) -> None:
    async def ask(path: str) -> bytes:
        async with Page(port) as page:
            status, body = await page.get(path)
            assert status == 200
            return body

    assert b"main.js" in asyncio.run(ask("/"))
    for file in (Path(__file__).parents[3] / "drivers/vr/page").iterdir():
        text = asyncio.run(ask(f"/{file.name}")).decode()
        assert "http://" not in text
        assert not [word for word in text.split("https://")[1:] if not word.startswith(" address")]


def test_https_serves_the_certificate_of_this_computer(driver: WebXrHeadset, port: int) -> None:
    context = ssl.create_default_context()
    context.load_verify_locations(Path(os.environ["XDG_CONFIG_HOME"]) / "station/vr/certificate.pem")
    with (
        socket.create_connection(("127.0.0.1", port)) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as secure,
    ):
        secure.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        assert secure.recv(15) == b"HTTP/1.1 200 OK"


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


def test_a_repeated_or_older_pose_is_no_sample(driver: WebXrHeadset, port: int, code: str) -> None:
    async def operate() -> None:
        async with Page(port) as page:
            await page.pair(code)
            await poses(page, 3)
            await page.pose(n=2)
            await page.pose(t=5.0)
            await page.pose(n=page.number + 4)
            await asyncio.sleep(0.1)
            await page.close()

    asyncio.run(operate())
    assert len(readings(driver, 4)) == 4
    assert driver.health()["out_of_order"] == 2


class Feed:
    """The display's feed, as `vr_panel` opens it."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def __aenter__(self) -> "Feed":
        self._session = aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(door_path(self._port))))
        self._socket = await self._session.ws_connect("http://headset/door", max_msg_size=0)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._socket.close()
        await self._session.close()

    async def show(self, shown: ToHeadset) -> None:
        await self._socket.send_bytes(msgspec.msgpack.encode(shown))

    async def hear(self) -> FromHeadset:
        message = await self._socket.receive(10)
        said: FromHeadset = msgspec.msgpack.decode(message.data, type=FromHeadset)
        return said


def test_pictures_and_words_reach_the_page_and_presses_come_back(driver: WebXrHeadset, port: int, code: str) -> None:
    async def operate() -> None:
        async with Feed(port) as feed, Page(port) as page:
            assert await feed.hear() == HeadsetWorn(False)
            await page.pair(code)
            assert await feed.hear() == HeadsetWorn(True)
            board = Board("engaged", "", "ready", "cube: 2 saved", (Button("start", "start", "a"),), ("follower_left",))
            await feed.show(board)
            said = await page.wait("board")
            assert said is not None
            assert said["buttons"] == [{"name": "start", "label": "start", "key": "a", "confirm": False}]
            await page.say({"kind": "press", "name": "park"})  # not offered: not passed on
            await page.say({"kind": "press", "name": "start"})
            assert await feed.hear() == Press("start")
            await feed.show(PressResult(False, "no sample yet from cam_high"))
            result = await page.wait("result")
            assert result is not None and result["text"] == "no sample yet from cam_high"
            await page.close()
            assert await feed.hear() == HeadsetWorn(False)

    asyncio.run(operate())


class GoingPanel:
    """The display's feed in the moment its process dies."""

    async def send_bytes(self, data: bytes) -> None:
        raise aiohttp.ClientConnectionResetError("Cannot write to closing transport")

    async def close(self, **_: object) -> None:
        pass


def test_a_feed_that_dies_does_not_take_the_operator_with_it(driver: WebXrHeadset, port: int, code: str) -> None:
    assert driver._server is not None
    driver._server._panels.add(GoingPanel())  # type: ignore[arg-type]

    async def operate() -> None:
        async with Page(port) as page:
            assert await page.pair(code)
            await poses(page, 3)
            await page.close()

    asyncio.run(operate())
    readings(driver, 3)


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


def test_a_page_that_shows_slowly_gets_the_newest_picture_not_every_one(
    driver: WebXrHeadset, port: int, code: str
) -> None:
    async def operate() -> None:
        async with Feed(port) as feed, Page(port) as page:
            await page.pair(code)
            await asyncio.sleep(0.2)
            await feed.show(Picture("cam_high", monotonic_ns(), b"0"))
            while not page.pictures:
                await asyncio.sleep(0.01)
            for number in range(1, 50):
                await feed.show(Picture("cam_high", monotonic_ns(), f"{number}".encode()))
            await asyncio.sleep(0.1)
            assert len(page.pictures) == 1, "the first one is not on screen yet"
            await page.say({"kind": "displayed", "panel": "cam_high"})
            while len(page.pictures) < 2:
                await asyncio.sleep(0.01)
            header, jpeg = page.pictures[1]
            assert jpeg == b"49"
            assert 0 <= page.now_ms() - header["t"] < 5000
            await page.close()

    asyncio.run(operate())


def test_a_port_that_is_taken_is_named(home: Path, driver: WebXrHeadset, port: int) -> None:
    other = headset(port)
    with pytest.raises(DeviceBusy, match=rf"vr on port {port}: .*another program has it.*give the rig file's vr"):
        other.open()
    other.close()


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


@pytest.mark.parametrize("step_ms", [-3000, -190, -60, 60, 190, 3000])
def test_a_page_whose_clock_was_set_is_believed_at_once(
    driver: WebXrHeadset, port: int, code: str, step_ms: int
) -> None:
    """Poses go on all the while; none is stamped by more than 100 ms wrong once the step is believed."""

    wrong: list[tuple[float, float]] = []  # when (s), and by how much a pose that was taken is wrong (ms)

    async def read(end: asyncio.Event) -> None:
        while not end.is_set():
            for reading in await asyncio.to_thread(driver.read):
                wrong.append((time.monotonic(), (monotonic_ns() - reading.captured_at_ns) / 1e6))

    async def operate() -> float:
        async with Page(port) as page:
            await page.pair(code)
            await poses(page, 20)
            end = asyncio.Event()
            reader = asyncio.create_task(read(end))
            begin = time.monotonic()
            page.offset_ms += step_ms
            while time.monotonic() - begin < 1.5:
                await page.pose()
                await asyncio.sleep(0.014)
            await page.close()
            end.set()
            await reader
            return begin

    begin = asyncio.run(operate())
    taken = [at - begin for at, off_ms in wrong if abs(off_ms) < 50]
    refused = [at - begin for at, off_ms in wrong if abs(off_ms) >= 50]
    assert max(refused, default=0.0) < 0.6
    assert min(taken) < 0.6
    assert len(taken) > 30


def test_the_page_tells_apart_who_may_come_back_by_itself() -> None:
    assert (MISBEHAVED, SILENT) == (4003, 4004), "the page knows them by number"
    text = (Path(__file__).parents[3] / "drivers/vr/page/link.js").read_text()
    assert f"AWAY = {MISBEHAVED}" in text
