"""A headset that is put on and taken off: `python -m tests.drivers.vr.emulated_headset PORT RATE_HZ`.

Pairs with whatever driver serves PORT, again and again, and moves a hand. On stdin `off` takes it off and `on` puts it
on again; every line is answered when it has been done.
"""

import asyncio
import contextlib
import sys

import aiohttp
import msgspec

from station.clock import NS_PER_S, Grid, monotonic_ns
from station.devices.headset import Pairing, pairing_path
from tests.drivers.vr.page import Page

AGAIN_S = 0.02


async def wear(port: int, rate_hz: float, worn: asyncio.Event) -> None:
    """Operate one driver after another, for ever."""
    while True:
        await worn.wait()
        with contextlib.suppress(FileNotFoundError, aiohttp.ClientError, OSError):
            pairing = msgspec.json.decode(pairing_path(port).read_bytes(), type=Pairing)
            async with Page(port) as page:
                if await page.pair(pairing.code):
                    await _move(page, rate_hz, worn)
        await asyncio.sleep(AGAIN_S)


async def _move(page: Page, rate_hz: float, worn: asyncio.Event) -> None:
    grid, frame = Grid(monotonic_ns(), rate_hz), 0
    while page.closed_with is None and worn.is_set():
        frame = max(frame, grid.index_at(monotonic_ns())) + 1
        await asyncio.sleep(max(0, grid.time_ns(frame) - monotonic_ns()) / NS_PER_S)
        await page.pose()
    if page.closed_with is None:
        await page.close()


async def main(port: int, rate_hz: float) -> None:
    """Until stdin ends."""
    worn = asyncio.Event()
    wearing = asyncio.create_task(wear(port, rate_hz, worn))
    print("ready", flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        if line.strip() == "on":
            worn.set()
        else:
            worn.clear()
        print(line.strip(), flush=True)
    wearing.cancel()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2])))
