"""A page of the headset without a browser: says what a test wants to say, answers pings."""

import asyncio
import json
import struct
import time
from typing import Any, Self

import aiohttp

HAND = {
    "p": [0.1, 1.2, -0.3], "q": [0, 0, 0, 1], "grip": 0, "trigger": 0, "stick": [0, 0], "pressed": False,
    "a": False, "b": False,
}  # fmt: skip


class Page:
    """One WebSocket, as the page opens it."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port + 1}"
        self.heard: list[dict[str, Any]] = []
        self.pictures: list[tuple[dict[str, Any], bytes]] = []
        self.closed_with: tuple[int | None, str] | None = None
        self.offset_ms = 0.0
        self.number = 0

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def get(self, path: str) -> tuple[int, bytes]:
        """A file of the page, the path exactly as given."""
        from yarl import URL

        async with self._session.get(URL(self._url + path, encoded=True)) as response:
            return response.status, await response.read()

    async def open(self, origin: str | None = None) -> None:
        """Open the link; `origin` is the site whose page does it."""
        self._socket = await self._session.ws_connect(
            self._url + "/link", origin=self._url if origin is None else origin, max_msg_size=0
        )
        self._reader = asyncio.create_task(self._read())

    async def pair(self, code: str = "", token: str = "") -> dict[str, Any] | None:
        """Say hello; the welcome, or None (then `closed_with` says why not)."""
        await self.open()
        await self.say({"kind": "hello", "code": code, "token": token})
        return await self.wait("welcome")

    async def say(self, message: object) -> None:
        """Send JSON, text or bytes."""
        try:
            if isinstance(message, bytes):
                await self._socket.send_bytes(message)
            else:
                await self._socket.send_str(message if isinstance(message, str) else json.dumps(message))
        except aiohttp.ClientError:
            pass  # closed by the other end: `closed_with` says why

    async def pose(self, **changes: Any) -> None:
        """A sample of both hands now."""
        self.number += 1
        message = {"kind": "pose", "n": self.number, "t": self.now_ms(), "space": 1, "head": [0, 0, 0, 1],
                   "left": HAND, "right": None}  # fmt: skip
        await self.say({**message, **changes})

    def now_ms(self) -> float:
        """The page's clock."""
        return time.monotonic() * 1000 + self.offset_ms

    async def wait(self, kind: str, seconds: float = 10.0) -> dict[str, Any] | None:
        """The next message of that kind; None if the link closes first."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for message in self.heard:
                if message["kind"] == kind:
                    self.heard.remove(message)
                    return message
            if self.closed_with is not None:
                return None
            await asyncio.sleep(0.005)
        raise AssertionError(f"no {kind} within {seconds} s; heard {self.heard[-3:]}")

    async def closed(self) -> tuple[int | None, str]:
        """Wait for the end of the link: code and reason."""
        await asyncio.wait_for(asyncio.shield(self._reader), 15)
        assert self.closed_with is not None
        return self.closed_with

    async def close(self) -> None:
        """Close the link from here."""
        await self._socket.close()
        await self._reader

    async def _read(self) -> None:
        reason = ""
        while True:
            message = await self._socket.receive()
            if message.type is aiohttp.WSMsgType.TEXT:
                said = json.loads(message.data)
                if said["kind"] == "ping":
                    await self.say({"kind": "pong", "n": said["n"], "t": self.now_ms()})
                else:
                    self.heard.append(said)
            elif message.type is aiohttp.WSMsgType.BINARY:
                (length,) = struct.unpack_from("<I", message.data)
                self.pictures.append((json.loads(message.data[4 : 4 + length]), message.data[4 + length :]))
            else:
                reason = message.extra or ""
                break
        self.closed_with = (self._socket.close_code, reason)
