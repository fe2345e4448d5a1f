"""A page's WebSocket that is sent away while it is being read, so that the page hears why.

aiohttp cuts a connection that is closed beside a reader at once. What the page had sent meanwhile is unread then, the kernel answers it
with a reset, and the page takes a link that it was sent away from for one that was lost: it comes back by itself.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any

from aiohttp import web


class Dismissal:
    """Of one socket."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self._socket = socket
        self._given = asyncio.Event()
        self._code, self._why = 0, b""

    def give(self, code: int, why: str) -> None:
        """Close it with this code and these words (123 bytes of them go with it, RFC 6455 5.5) as soon as nobody reads it."""
        self._code, self._why = code, why.encode()[:123]
        self._given.set()

    async def read(self, listening: Coroutine[Any, Any, None]) -> None:
        """Until `listening` ends, which alone reads the socket, or it is sent away. Raises what `listening` raises."""
        reader = asyncio.create_task(listening)
        given = asyncio.create_task(self._given.wait())
        try:
            await asyncio.wait((reader, given), return_when=asyncio.FIRST_COMPLETED)
        finally:
            heard_out = reader.done()
            for task in (reader, given):
                task.cancel()
            await asyncio.gather(reader, given, return_exceptions=True)
        if heard_out:
            reader.result()
        else:
            await self._socket.close(code=self._code, message=self._why)
