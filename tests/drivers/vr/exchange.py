"""What a test's page and a driver exchange: poses one way, pictures and words the other."""

import asyncio

import aiohttp
import msgspec

from drivers.vr.webxr import WebXrHeadset
from station.devices.contract import Reading
from station.devices.headset import (
    FromHeadset,
    ToHeadset,
    door_path,
)
from tests.drivers.vr.page import Page


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
