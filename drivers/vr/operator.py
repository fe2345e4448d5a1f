"""One operator's WebSocket, from the welcome to the close: poses in, pictures and words out, clocks compared."""

import asyncio
import contextlib
import json
import struct
from collections.abc import Callable

import msgspec
from aiohttp import WSMsgType, web

from drivers.vr import wire
from station.bus.messages import HandPose
from station.clock import NS_PER_MS, NS_PER_S, Clock
from station.clock_map import ClockMap
from station.devices.headset import Board, Picture, PressResult
from station.web.dismissal import Dismissal

PING_FIRST_S, PING_S, FIRST_PINGS = 0.02, 0.2, 10
SHOWN_NS = NS_PER_S
"""A page that has not shown a picture after this long is sent the next one anyway."""
SILENT_NS = 5 * NS_PER_S
MOST_MALFORMED, MALFORMED_PER_S = 50, 1.0
"""So much nonsense at once, or all the time, is no page of ours; a little now and then for hours may well be."""
MOST_PER_S = 400
"""Messages a second; a headset sends 120 poses and some answers."""
FUTURE_NS, PAST_NS = 20 * NS_PER_MS, NS_PER_S
"""A pose from further away than this has no time: the page's clock was set, or it lies."""
MISBEHAVED = 4003
"""Close code: the page stays away until somebody asks for it there."""
SILENT = 4004
"""Close code: the page comes back by itself when it can."""
CHECK_S = 0.05
CLOSE_S = 1.0
"""A page that says nothing any more is not waited for longer."""

OnPose = Callable[[HandPose, int], None]


class Counts(msgspec.Struct):
    """What went wrong, for health."""

    malformed: int = 0
    bad_hands: int = 0
    """Hands that were taken as untracked, or as not there."""
    flooded: int = 0
    unmapped: int = 0
    out_of_order: int = 0
    lost: int = 0


class Allowance:
    """So many at once, so many a second in the long run; what was used up comes back with time. Pure."""

    def __init__(self, most: float, per_s: float, now_ns: int) -> None:
        self._most, self._per_s = most, per_s
        self._left, self._at_ns = most, now_ns

    def take(self, now_ns: int) -> bool:
        """Use one. False if none is left."""
        self._left = min(self._most, self._left + (now_ns - self._at_ns) * self._per_s / NS_PER_S)
        self._at_ns = now_ns
        if self._left < 1:
            return False
        self._left -= 1
        return True


class Display:
    """What the headset shows: the newest of everything, kept for whoever sits down next."""

    def __init__(self) -> None:
        self.pictures: dict[str, Picture] = {}
        self.board: Board | None = None
        self.news: set[str] = set()
        """Panels with a picture that was not sent yet."""
        self.results: list[PressResult] = []
        self.changed = asyncio.Event()

    def show(self, shown: Picture | Board | PressResult) -> None:
        """Take it; an older picture that was not sent is dropped."""
        if isinstance(shown, Picture):
            self.pictures[shown.panel] = shown
            self.news.add(shown.panel)
        elif isinstance(shown, Board):
            self.board = shown
        else:
            self.results.append(shown)
        self.changed.set()


class Operator:
    """Serves one page until it closes, misbehaves or falls silent."""

    def __init__(
        self,
        socket: web.WebSocketResponse,
        display: Display,
        clock: Clock,
        on_pose: OnPose,
        pressed: Callable[[str], None],
        alive: Callable[[], None],
        cut: Callable[[], None],
    ) -> None:
        """`cut` ends the connection without a word."""
        self._socket, self._display, self._clock = socket, display, clock
        self._on_pose, self._pressed, self._alive, self._cut = on_pose, pressed, alive, cut
        self.clock_map = ClockMap()
        self.counts = Counts()
        self.round_trip_ns = self._offset_ns = 0
        self._pings: dict[int, int] = {}
        self._last_pose: tuple[int, float] | None = None
        self._restarts = 0
        self._in_flight: dict[str, int] = {}
        self._messages = Allowance(MOST_PER_S, MOST_PER_S, clock())
        self._nonsense = Allowance(MOST_MALFORMED, MALFORMED_PER_S, clock())
        self._compare = asyncio.Event()
        """Is set when the page's clock seems to have been set: to be compared now, not at the next turn."""
        self.heard_ns = clock()
        self._dismissal = Dismissal(socket)

    async def serve(self) -> None:
        """Until the end."""
        for panel in self._display.pictures:
            self._display.news.add(panel)
        self._display.changed.set()
        tasks = [asyncio.create_task(work) for work in (self._ping(), self._show(), self._watch())]
        try:
            await self._dismissal.read(self._listen())
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def send_away(self, why: str) -> None:
        """Its page stays away until somebody asks for it there."""
        self._dismissal.give(MISBEHAVED, why)

    async def _listen(self) -> None:
        async for message in self._socket:
            now_ns = self._clock()
            if not self._messages.take(now_ns):
                self.counts.flooded += 1
            elif not (message.type is WSMsgType.TEXT and self._take(message.data)):
                self.counts.malformed += 1
                if not self._nonsense.take(now_ns):
                    await self._socket.close(code=MISBEHAVED, message=b"too many malformed messages")

    def _take(self, text: str) -> bool:
        """Do what it says. False if it says nothing."""
        try:
            said = wire.decode(text)
        except wire.Malformed:
            return False
        self.heard_ns = self._clock()
        self._alive()
        if isinstance(said, wire.Pose):
            self._pose(said)
        elif isinstance(said, wire.Pong):
            self._pong(said)
        elif isinstance(said, wire.Press):
            self._press(said)
        elif isinstance(said, wire.Displayed):
            self._in_flight.pop(said.panel, None)
            self._display.changed.set()
        return not isinstance(said, wire.Hello)

    def _press(self, press: wire.Press) -> None:
        board = self._display.board
        if board is not None and press.name in (button.name for button in board.buttons):
            self._pressed(press.name)

    def _pose(self, pose: wire.Pose) -> None:
        hands = wire.hands(pose)
        self.counts.bad_hands += hands.bad
        if self._last_pose is not None:
            number, t_ms = self._last_pose
            set_back = self.clock_map.restarts != self._restarts  # then its times begin anew, its numbers don't
            if pose.n <= number or (pose.t <= t_ms and not set_back):
                self.counts.out_of_order += 1
                self._compare.set()
                return
            self.counts.lost += pose.n - number - 1
        self._last_pose, self._restarts = (pose.n, pose.t), self.clock_map.restarts
        if not self.clock_map.ready or self.clock_map.doubted:
            self.counts.unmapped += 1
            return
        captured_at_ns = self.clock_map.to_host(round(pose.t * NS_PER_MS))
        now_ns = self._clock()
        if not -PAST_NS < captured_at_ns - now_ns < FUTURE_NS:
            self.counts.unmapped += 1
            self._compare.set()
            return
        self._on_pose(hands.pose, min(captured_at_ns, now_ns))

    def _pong(self, pong: wire.Pong) -> None:
        sent_ns = self._pings.pop(pong.n, None)
        if sent_ns is None:
            return
        now_ns = self._clock()
        self.round_trip_ns = now_ns - sent_ns
        page_ns = round(pong.t * NS_PER_MS)
        self.clock_map.observe(page_ns, (sent_ns + now_ns) // 2, uncertainty_ns=self.round_trip_ns // 2)
        self._offset_ns = self.clock_map.to_host(page_ns) - page_ns
        if self.clock_map.doubted:
            self._compare.set()

    async def _ping(self) -> None:
        number = 0
        while not self._socket.closed:
            number += 1
            now_ns = self._clock()
            self._pings[number] = now_ns
            self._pings.pop(number - 100, None)
            await self._socket.send_str(f'{{"kind":"ping","n":{number}}}')
            await asyncio.sleep(PING_FIRST_S)
            if number >= FIRST_PINGS:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._compare.wait(), PING_S - PING_FIRST_S)
            self._compare.clear()

    async def _watch(self) -> None:
        """Cut a page that says nothing, even one that takes nothing either."""
        while (left_ns := self.heard_ns + SILENT_NS - self._clock()) > 0:
            await asyncio.sleep(left_ns / NS_PER_S + CHECK_S)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._socket.close(code=SILENT, message=b"silent"), CLOSE_S)
        self._cut()

    async def _show(self) -> None:
        said: Board | None = None
        while not self._socket.closed:
            await self._display.changed.wait()
            self._display.changed.clear()
            while self._display.results:
                result = self._display.results.pop(0)
                await self._say("result", result)
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

    async def _say(self, kind: str, what: Board | PressResult) -> None:
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
