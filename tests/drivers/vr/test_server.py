"""The headset's driver against pages that behave and pages that don't, over real sockets."""

import asyncio
import os
import socket
import ssl
import time
from pathlib import Path

import aiohttp
import pytest

from drivers.vr.operator import MISBEHAVED, SILENT
from drivers.vr.webxr import WebXrHeadset
from station.bus.messages import HandPose
from station.clock import monotonic_ns
from station.devices.headset import (
    Board,
    Button,
    HeadsetWorn,
    Picture,
    Press,
    PressResult,
)
from station.errors import DeviceBusy
from tests.drivers.vr.conftest import headset
from tests.drivers.vr.exchange import Feed, poses, readings
from tests.drivers.vr.page import Page


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
