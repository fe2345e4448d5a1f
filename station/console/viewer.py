"""One page that is looked at: a task of its own that sends, newest first; what it does not take in time is replaced, never queued.

Nobody else waits for it: whoever hears the bus only puts things into its slots.
"""

import asyncio
import struct
from collections import deque
from collections.abc import Iterable
from typing import Any

import msgspec
from aiohttp import web

from station.clock import NS_PER_S, Clock
from station.console.seats import Seat
from station.console.wire import Watch
from station.web.dismissal import Dismissal

STALLED_S = 10.0
"""A page that takes nothing for so long is cut: it comes back by itself when it can."""
UNDER_WAY = 2
"""Pictures of each camera between here and the screen; more of them would grow old in the sockets' queues, seconds on a slow computer."""
MOST_SAID = 64
"""Answers and cues that may wait; a page that does not take them is not listening."""
_HEADER = struct.Struct("<Bxxxxxxxqq")
"""Of a picture's message: which camera (its place in the rig's list), captured at, sent at, ns."""


class Viewer:
    """Its slots, and its link."""

    def __init__(
        self, socket: web.WebSocketResponse, seat: Seat, tab: str, address: str, clock: Clock, transport: asyncio.Transport | None = None
    ) -> None:  # fmt: skip
        self.socket, self.seat, self.tab, self.address = socket, seat, tab, address
        self._clock, self.transport = clock, transport
        self.dismissal = Dismissal(socket)
        self.watch = Watch(())
        self.seen = True
        """Can somebody see it?"""
        self.pace_fps = 0.0
        """How many pictures a second it gets of each camera, at most."""
        self._said: deque[bytes] = deque(maxlen=MOST_SAID)
        self._slots: dict[str, bytes] = {}
        """The newest state, the newest tick."""
        self._pictures: dict[int, tuple[int, bytes]] = {}
        """By camera: captured at, and the JPEG."""
        self._pictures_sent = self._drawn = 0
        self._due_ns: dict[int, int] = {}
        self._waiting = asyncio.Event()
        self.sent = self.replaced = 0

    @property
    def id(self) -> str:
        """Of the page, as the session knows it."""
        return f"{self.seat.id}.{self.tab}"

    @property
    def wants_pictures(self) -> bool:
        """Does anybody look at a camera here?"""
        return self.seen and bool(self.watch.cameras)

    def say(self, message: dict[str, Any]) -> None:
        """It is told, in turn."""
        self._said.append(msgspec.json.encode(message))
        self._waiting.set()

    def show(self, slot: str, raw: bytes) -> None:
        """The newest of its kind."""
        self._slots[slot] = raw
        self._waiting.set()

    def show_picture(self, camera: int, captured_ns: int, jpeg: bytes) -> None:
        """The newest of its camera, if one is due; one that was not taken yet goes."""
        if self.pace_fps <= 0 or captured_ns < self._due_ns.get(camera, 0):
            return
        self.replaced += camera in self._pictures
        self._pictures[camera] = captured_ns, jpeg
        # half a period of slack: a camera's own grid decides, not where its pictures fall in ours
        self._due_ns[camera] = captured_ns + round(NS_PER_S / self.pace_fps * 0.75)
        self._waiting.set()

    def drew(self, pictures: int) -> None:
        """So many of those that were sent are on its screen."""
        self._drawn = min(pictures, self._pictures_sent)
        self._waiting.set()

    async def send(self) -> None:
        """Until the link ends. Raises TimeoutError where it takes nothing any more."""
        while not self.socket.closed:
            await self._waiting.wait()
            self._waiting.clear()
            while (found := self._next()) is not None:
                text, raw = found
                sending = self.socket.send_str(raw.decode()) if text else self.socket.send_bytes(raw)
                await asyncio.wait_for(sending, STALLED_S)
                self.sent += 1

    def _next(self) -> tuple[bool, bytes] | None:
        """Is it text, and its bytes; None where nothing waits. Words come before numbers, numbers before pictures."""
        if self._said:
            return True, self._said.popleft()
        if self._slots:
            return True, self._slots.pop(next(iter(self._slots)))
        if self._pictures and self._pictures_sent - self._drawn < UNDER_WAY * max(1, len(self.watch.cameras)):
            self._pictures_sent += 1
            camera = next(iter(self._pictures))
            captured_ns, jpeg = self._pictures.pop(camera)
            return False, _HEADER.pack(camera, captured_ns, self._clock()) + jpeg
        return None


def tell_all(viewers: Iterable[Viewer], message: dict[str, Any]) -> None:
    """Say it to every page."""
    for viewer in viewers:
        viewer.say(message)


def show_look(viewers: Iterable[Viewer], message: dict[str, Any]) -> None:
    """Show what a job sees to the pages that show jobs; of it only the newest matters."""
    raw = msgspec.json.encode(message)
    for viewer in viewers:
        if viewer.watch.job and viewer.seen:
            viewer.show("look", raw)
