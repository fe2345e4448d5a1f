"""One operator's WebSocket, from the welcome to the close: poses in, pictures and words out, clocks compared."""

import asyncio
import json
import struct
from collections.abc import Callable

import msgspec
from aiohttp import WSMsgType, web

from drivers.vr import wire
from station.bus.messages import HandPose
from station.clock import NS_PER_MS, NS_PER_S, Clock
from station.clock_map import ClockMap
from station.headset import Board, Picture, Told

PING_FIRST_S, PING_S, FIRST_PINGS = 0.02, 0.2, 10
SHOWN_NS = NS_PER_S
"""A page that has not shown a picture after this long is sent the next one anyway."""
SILENT_NS = 5 * NS_PER_S
MOST_MALFORMED = 50
"""A page that has sent this much nonsense is none of ours."""
MOST_PER_S = 400
"""Messages a second; a headset sends 120 poses and some answers."""
FUTURE_NS, PAST_NS = 20 * NS_PER_MS, NS_PER_S
"""A pose from further away than this has no time: the page's clock was set, or it lies."""
MISBEHAVED = 4003
"""Close code."""

Took = Callable[[HandPose, int], None]


class Counts(msgspec.Struct):
    """What went wrong, for health."""

    malformed: int = 0
    flooded: int = 0
    unmapped: int = 0
    out_of_order: int = 0
    lost: int = 0


class Display:
    """What the headset shows: the newest of everything, kept for whoever sits down next."""

    def __init__(self) -> None:
        self.pictures: dict[str, Picture] = {}
        self.board: Board | None = None
        self.news: set[str] = set()
        """Panels with a picture that was not sent yet."""
        self.told: list[Told] = []
        self.changed = asyncio.Event()

    def show(self, shown: Picture | Board | Told) -> None:
        """Take it; an older picture that was not sent is dropped."""
        if isinstance(shown, Picture):
            self.pictures[shown.panel] = shown
            self.news.add(shown.panel)
        elif isinstance(shown, Board):
            self.board = shown
        else:
            self.told.append(shown)
        self.changed.set()


class Operator:
    """Serves one page until it closes, misbehaves or falls silent."""

    def __init__(
        self,
        socket: web.WebSocketResponse,
        display: Display,
        clock: Clock,
        took: Took,
        pressed: Callable[[str], None],
        alive: Callable[[], None],
    ) -> None:
        self._socket, self._display, self._clock = socket, display, clock
        self._took, self._pressed, self._alive = took, pressed, alive
        self.clock_map = ClockMap()
        self.counts = Counts()
        self.round_trip_ns = self._offset_ns = 0
        self._pings: dict[int, int] = {}
        self._last_pose: tuple[int, float] | None = None
        self._in_flight: dict[str, int] = {}
        self._budget, self._budget_ns = float(MOST_PER_S), clock()
        self.heard_ns = clock()

    async def serve(self) -> None:
        """Until the end."""
        for panel in self._display.pictures:
            self._display.news.add(panel)
        self._display.changed.set()
        tasks = [asyncio.create_task(work) for work in (self._ping(), self._show())]
        try:
            await self._listen()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def close(self, why: str) -> None:
        """Send the page away."""
        await self._socket.close(code=MISBEHAVED, message=why.encode())

    async def _listen(self) -> None:
        async for message in self._socket:
            if message.type is not WSMsgType.TEXT:
                self.counts.malformed += 1
            elif self._within_budget():
                self._take(message.data)
            if self.counts.malformed > MOST_MALFORMED:
                await self._socket.close(code=MISBEHAVED, message=b"too many malformed messages")

    def _within_budget(self) -> bool:
        now_ns = self._clock()
        self._budget += (now_ns - self._budget_ns) * MOST_PER_S / NS_PER_S
        self._budget = min(self._budget, float(MOST_PER_S))
        self._budget_ns = now_ns
        if self._budget < 1:
            self.counts.flooded += 1
            return False
        self._budget -= 1
        return True

    def _take(self, text: str) -> None:
        try:
            said = wire.decode(text)
            self.heard_ns = self._clock()
            self._alive()
            if isinstance(said, wire.Pose):
                self._pose(said)
            elif isinstance(said, wire.Pong):
                self._pong(said)
            elif isinstance(said, wire.Press):
                self._press(said)
            elif isinstance(said, wire.Shown):
                self._in_flight.pop(said.panel, None)
                self._display.changed.set()
        except wire.Malformed:
            self.counts.malformed += 1

    def _press(self, press: wire.Press) -> None:
        board = self._display.board
        if board is not None and press.name in (button.name for button in board.buttons):
            self._pressed(press.name)

    def _pose(self, pose: wire.Pose) -> None:
        hands = wire.hand_pose(pose)
        if self._last_pose is not None:
            number, t_ms = self._last_pose
            if pose.n <= number or pose.t <= t_ms:
                self.counts.out_of_order += 1
                return
            self.counts.lost += pose.n - number - 1
        self._last_pose = (pose.n, pose.t)
        if not self.clock_map.ready:
            self.counts.unmapped += 1
            return
        captured_at_ns = self.clock_map.to_host(round(pose.t * NS_PER_MS))
        now_ns = self._clock()
        if not -PAST_NS < captured_at_ns - now_ns < FUTURE_NS:
            self.counts.unmapped += 1
            return
        self._took(hands, min(captured_at_ns, now_ns))

    def _pong(self, pong: wire.Pong) -> None:
        sent_ns = self._pings.pop(pong.n, None)
        if sent_ns is None:
            return
        now_ns = self._clock()
        self.round_trip_ns = now_ns - sent_ns
        page_ns = round(pong.t * NS_PER_MS)
        self.clock_map.observe(page_ns, (sent_ns + now_ns) // 2, uncertainty_ns=self.round_trip_ns // 2)
        self._offset_ns = self.clock_map.to_host(page_ns) - page_ns

    async def _ping(self) -> None:
        number = 0
        while not self._socket.closed:
            number += 1
            now_ns = self._clock()
            if now_ns - self.heard_ns > SILENT_NS:
                await self._socket.close(code=MISBEHAVED, message=b"silent")
                return
            self._pings[number] = now_ns
            self._pings.pop(number - 100, None)
            await self._socket.send_str(f'{{"kind":"ping","n":{number}}}')
            await asyncio.sleep(PING_FIRST_S if number < FIRST_PINGS else PING_S)

    async def _show(self) -> None:
        said: Board | None = None
        while not self._socket.closed:
            await self._display.changed.wait()
            self._display.changed.clear()
            while self._display.told:
                told = self._display.told.pop(0)
                await self._say("told", told)
            board = self._display.board
            if board is not None and board != said:
                said = board
                await self._say("board", board)
            for panel in self._ready():
                await self._send(self._display.pictures[panel])

    def _ready(self) -> list[str]:
        """Panels whose last picture is on screen (or was long ago) and that have a newer one."""
        now_ns = self._clock()
        ready = [name for name in self._display.news if now_ns - self._in_flight.get(name, 0) > SHOWN_NS]
        self._display.news.difference_update(ready)
        return ready

    async def _say(self, kind: str, what: Board | Told) -> None:
        fields = msgspec.to_builtins(what)
        fields.pop("type", None)
        await self._socket.send_str(json.dumps({"kind": kind, **fields}))

    async def _send(self, picture: Picture) -> None:
        """One binary message: the header's length (uint32, little endian), the header as JSON, the JPEG."""
        self._in_flight[picture.panel] = self._clock()
        header = json.dumps({"panel": picture.panel, "t": self._page_ms(picture.captured_at_ns)}).encode()
        await self._socket.send_bytes(struct.pack("<I", len(header)) + header + picture.jpeg)

    def _page_ms(self, host_ns: int) -> float | None:
        """The page's clock at a host time; None before the clocks were compared."""
        if not self.clock_map.ready:
            return None
        return (host_ns - self._offset_ns) / NS_PER_MS
