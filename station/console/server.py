"""The console's web server: the page's files, pairing, and one WebSocket per page. Who gets through the door is `station.web`'s.

A page acts over its WebSocket alone, as whoever its cookie says; what its role may not ask is refused here, what makes no sense by the
session. Only files that are read at the start are ever served.
"""

import asyncio
import datetime
import logging
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import WSMsgType, web

from station.bus.requests import Refused, Reply, StillThere, Who
from station.clock import NS_PER_S, Clock
from station.console import view, wire
from station.console.acts import Acts
from station.console.archive import EPISODES, POLICIES, RIG, Archive
from station.console.asking import Known, Question, questions, who_asks
from station.console.hub import Hub
from station.console.jobs import Jobs
from station.console.limits import AT_ONCE, MOST_READERS, MOST_VIEWERS, Holds, Rate
from station.console.seat_file import SeatFile
from station.console.seats import Book, Seat, paired, seated
from station.console.viewer import Viewer
from station.errors import StationError
from station.version import station_version
from station.web import certificate
from station.web.attempts import Attempts, TooMany
from station.web.guard import HEADERS, Guard
from station.web.listener import STOP_S, Listener, runner

_log = logging.getLogger("console")
PAGE = Path(__file__).parent / "page"
COOKIE = "station_console"
HELLO_S = 5.0
HEARTBEAT_S = 5.0
_TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
UNPAIRED, FULL, RUDE, REPLACED = 4001, 4002, 4003, 4004
"""Close codes."""


class Server:
    """Of one rig's console. To be used in one event loop."""

    def __init__(self, hub: Hub, seats: SeatFile, clock: Clock, wall_s: Callable[[], float] = time.time) -> None:
        self._hub, self._seats, self._clock, self._wall_s = hub, seats, clock, wall_s
        self._attempts, self._holds = Attempts(), Holds()
        self._guard = Guard(certificate.names)
        self._jobs = Jobs(self._tell_all, self._show_look)
        self._archive = Archive(
            hub.rig,
            clock,
            lambda: hub.phase == "recording",
            lambda: hub.vector,
            lambda: self._jobs.blind,
            hub.heard.descriptions,
        )
        self._acts = Acts(hub, self._archive, self._jobs)
        self._under_way: set[asyncio.Task[None]] = set()
        self._readers: dict[str, set[asyncio.Transport]] = {}
        self._turns: dict[str, asyncio.Semaphore] = {}
        self._listener = Listener(clock)
        self._runner: web.AppRunner | None = None
        self._tls = False
        self.seconds: float | None = None
        """How long the episodes of the sitting are to be that was opened here."""
        self._files = {
            f"/{path.relative_to(PAGE)}": (path.read_bytes(), _TYPES[path.suffix])
            for path in PAGE.rglob("*") if path.suffix in _TYPES
        }  # fmt: skip
        self._files["/"] = self._files["/index.html"]

    async def listen(self, address: str, port: int, tls: bool) -> None:
        """Open the door. Raises OSError if the port is taken."""
        context = None
        self._tls = tls
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            now = datetime.datetime.now(datetime.UTC)
            context.load_cert_chain(*certificate.ensure(certificate.folder("console"), certificate.addresses(), now))
        self._runner = await runner(self._guard.application(self._answer))
        await self._listener.listen(self._runner, address, port, context)

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._listener.ports[0]

    async def close(self) -> None:
        """Say goodbye, and close the door."""
        for viewer in tuple(self._hub.viewers):
            await viewer.socket.close(code=1001, message=b"the console stopped")
        for act in self._under_way:
            act.cancel()  # what is in the archive's thread is done before that closes
        self._jobs.close()
        await self._archive.close()
        await self._listener.close()
        if self._runner is not None:
            await self._runner.cleanup()

    # -- plain requests --

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if request.path == "/link":
            return await self._link(request)
        if request.path == "/pair":
            return await self._pair(request)
        if f"{request.path}/".startswith((f"{EPISODES}/", f"{RIG}/", f"{POLICIES}/")):
            seat = self._seat(request)
            if seat is None:
                return web.Response(status=403, text="this browser is not paired", headers=HEADERS)
            self._keep(seat, request.transport)
            async with self._turns.setdefault(seat.id, asyncio.Semaphore(AT_ONCE)):
                return await self._archive.answer(request, seat.role)
        found = self._files.get(request.path)
        if found is None:
            return web.Response(status=404, text="no such page", headers=HEADERS)
        return web.Response(body=found[0], content_type=found[1], charset="utf-8", headers=HEADERS)

    async def _pair(self, request: web.Request) -> web.Response:
        """A code for a cookie. The code comes in a header that no other site's page can send."""
        code, address = request.headers.get("X-Code", ""), request.remote or ""
        try:
            await asyncio.sleep(self._attempts.wait_ns(address, self._clock()) / NS_PER_S)
        except TooMany as error:
            return web.Response(status=429, text=str(error), headers=HEADERS)
        bought: list[tuple[Seat, str]] = []

        def buy(book: Book) -> Book | None:
            found = paired(book, code, address, self._wall_s())
            if found is None:
                return None
            bought.append((found[1], found[2]))
            return found[0]

        self._seats.change(buy)
        if not bought:
            self._attempts.failed(address, self._clock())
            text = "this code is none, was used already, or is older than ten minutes. Next: `station console link` makes another"
            return web.Response(status=403, text=text, headers=HEADERS)
        seat, token = bought[0]
        answer = web.Response(text=seat.role, headers=HEADERS)
        answer.set_cookie(
            COOKIE, token, max_age=round(seat.until_s - seat.since_s), path="/", httponly=True, secure=self._tls, samesite="Strict"
        )  # fmt: skip
        return answer

    def _seat(self, request: web.Request) -> Seat | None:
        token = request.cookies.get(COOKIE, "")
        return seated(self._seats.read(), token, self._wall_s()) if token else None

    def _keep(self, seat: Seat, transport: asyncio.Transport | None) -> None:
        """This connection may stay for more, if its seat has not too many."""
        known = {one for one in self._readers.get(seat.id, ()) if not one.is_closing()}
        if transport is not None and transport not in known and len(known) < MOST_READERS:
            self._listener.know(transport)
            known.add(transport)
        self._readers[seat.id] = known

    # -- a page's link --

    async def _link(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(
            max_msg_size=wire.LONGEST_BYTES, compress=False, timeout=STOP_S, heartbeat=HEARTBEAT_S
        )
        seat = self._seat(request)
        try:
            await socket.prepare(request)
        except ConnectionError:  # gone again: a page that was reloaded
            return web.Response(headers=HEADERS)
        if seat is None:
            await socket.close(code=UNPAIRED, message=b"not paired")
            return socket
        viewer = await self._welcome(socket, seat, request)
        if viewer is not None:
            await self._serve(viewer)
        return socket

    async def _welcome(self, socket: web.WebSocketResponse, seat: Seat, request: web.Request) -> Viewer | None:
        try:
            message = await socket.receive(HELLO_S)
            hello = wire.decode(message.data) if message.type is WSMsgType.TEXT else None
        except (TimeoutError, ValueError):
            hello = None
        if not isinstance(hello, wire.Hello):
            await socket.close(code=RUDE, message=b"say hello first")
            return None
        viewer = Viewer(socket, seat, hello.tab, request.remote or "", self._clock, request.transport)
        for other in [other for other in self._hub.viewers if other.id == viewer.id]:
            self._hub.viewers.discard(other)  # it is back before its old link was found dead
            other.dismissal.give(REPLACED, "this window was opened anew")
        if len(self._hub.viewers) >= MOST_VIEWERS:
            await socket.close(code=FULL, message=f"{MOST_VIEWERS} pages look already. Next: close one".encode())
            return None
        self._listener.know(request.transport)
        viewer.say({
            "kind": "welcome", "seat": viewer.id, "role": seat.role, "person": seat.person, "at_rig": seat.at_rig,
            "who": str(who_asks(seat, hello.tab, viewer.address)), "actions": view.action_table(), "version": station_version(),
            "rig": view.rig_facts(self._hub.rig),
        })  # fmt: skip
        if self._jobs.told is not None:
            viewer.say(self._jobs.told)
        return viewer

    async def _serve(self, viewer: Viewer) -> None:
        self._hub.viewers.add(viewer)
        sending = asyncio.create_task(viewer.send())
        # a page that takes nothing any more is cut, not waited for
        sending.add_done_callback(lambda done: _cut(viewer) if not done.cancelled() and done.exception() else None)
        try:
            await viewer.dismissal.read(self._listen(viewer))
        finally:
            self._hub.viewers.discard(viewer)
            sending.cancel()

    async def _listen(self, viewer: Viewer) -> None:
        rate = Rate()
        async for message in viewer.socket:
            if message.type is not WSMsgType.TEXT or not rate.passes(self._clock()):
                await viewer.socket.close(code=RUDE, message=b"too much, or no text")
                return
            try:
                self._said(viewer, wire.decode(message.data))
            except ValueError as error:
                viewer.say({"kind": "answer", "id": wire.id_of(message.data), "done": False, "why": str(error)})

    def _said(self, viewer: Viewer, said: wire.FromPage) -> None:
        """A page's word. Whoever was revoked meanwhile is not heard."""
        if self._revoked(viewer):
            _cut(viewer)
            return
        who = who_asks(viewer.seat, viewer.tab, viewer.address)
        if isinstance(said, wire.OfItself):
            self._of_itself(viewer, said, who)
            return
        if why := self._refusal(viewer, said):
            viewer.say({"kind": "answer", "id": said.id, "done": False, "why": why})
            return
        if isinstance(said, wire.Beside):
            act = asyncio.create_task(self._beside(viewer, said, who))
            self._under_way.add(act)
            act.add_done_callback(self._under_way.discard)
            return
        known = Known(
            self.seconds,
            self._hub.heard.policy,
            "leader" if self._hub.rig.leaders else "vr",
            self._hub.heard.descriptions,
        )
        first, *more = questions(said, str(who), known)

        def answered(reply: Reply) -> None:
            done = not isinstance(reply, Refused)
            why = reply.why if isinstance(reply, Refused) else reply.detail
            if done and isinstance(said, wire.Open | wire.Rollouts):
                self.seconds = said.seconds or None
            viewer.say({"kind": "answer", "id": said.id, "done": done, "why": why})

        self._hub.ask(first, who, answered)
        for question in more:
            self._hub.ask(question, who, lambda _: None)

    def _of_itself(self, viewer: Viewer, said: wire.OfItself, who: Who) -> None:
        if isinstance(said, wire.Alive):
            viewer.seen = said.seen
            if self._hub.holder == viewer.id:
                self._hub.ask(Question("session", StillThere()), who, lambda _: None)
        elif isinstance(said, wire.Watch):
            viewer.watch = said
        elif isinstance(said, wire.Drawn):
            viewer.drew(said.pictures)

    async def _beside(self, viewer: Viewer, said: wire.Beside, who: Who) -> None:
        """What is no node's: it is done beside the loop."""
        try:
            done, why = True, await self._acts.done(said, viewer.seat, who)
        except (StationError, OSError) as error:  # OSError: a disk that went away meanwhile
            done, why = False, str(error)
        _log.info("%s asked: %s: %s", who, said, why or "done")
        viewer.say({"kind": "answer", "id": said.id, "done": done, "why": why})
        if isinstance(said, wire.OfEpisodes):
            self._tell_all({"kind": "episodes"})  # every page that shows some looks again

    def _tell_all(self, message: dict[str, Any]) -> None:
        for viewer in self._hub.viewers:
            viewer.say(message)

    def _show_look(self, message: dict[str, Any]) -> None:
        raw = msgspec.json.encode(message)
        for viewer in self._hub.viewers:
            if viewer.watch.job and viewer.seen:
                viewer.show("look", raw)

    def _refusal(self, viewer: Viewer, said: wire.FromPage) -> str:
        needed = wire.NEEDS[type(said)]
        if not viewer.seat.may(needed):
            next_ = f"`station console link --role {needed}` makes a link for one who may"
            return f"a {viewer.seat.role} may only look, and hold. Next: {next_}"
        if isinstance(said, wire.Hold) and viewer.seat.role == "viewer":
            wait_s = self._holds.wait_s(viewer.seat.id, self._clock())
            if wait_s:
                return f"you held the arms a moment ago. Next: again in {wait_s:.0f} s; operators may at any time"
        return ""

    def _revoked(self, viewer: Viewer) -> bool:
        now_s = self._wall_s()
        return not any(seat.id == viewer.seat.id and seat.until_s > now_s for seat in self._seats.read().seats)


def _cut(viewer: Viewer) -> None:
    """At once, without a goodbye that the other end could wait for ever with."""
    if viewer.transport is not None:
        viewer.transport.abort()
