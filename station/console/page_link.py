"""A page's link: one WebSocket from hello to its end, and what is done with each word that comes over it.

A page acts over it alone, as whoever its cookie says; what its role may not ask is refused here, what makes no sense by the session.
"""

import asyncio
import logging
from collections.abc import Callable

from aiohttp import WSMsgType, web

from station.bus.requests import Refused, Reply, StillThere, Who
from station.clock import Clock
from station.console import view, wire
from station.console.acts import Acts
from station.console.asking import Known, Question, questions, who_asks
from station.console.hub import Hub
from station.console.limits import MOST_VIEWERS, Holds, Rate
from station.console.seats import Seat
from station.console.viewer import Viewer, tell_all
from station.errors import StationError
from station.version import station_version
from station.web.guard import HEADERS
from station.web.listener import STOP_S, Listener

_log = logging.getLogger("console")
HELLO_S = 5.0
HEARTBEAT_S = 5.0
UNPAIRED, FULL, RUDE, REPLACED = 4001, 4002, 4003, 4004
"""Close codes."""


class PageLinks:
    """Of one console. To be used in its event loop."""

    def __init__(self, hub: Hub, acts: Acts, listener: Listener, revoked: Callable[[Seat], bool], clock: Clock) -> None:
        """`revoked`: may whoever sits there no longer be heard?"""
        self._hub, self._acts, self._listener = hub, acts, listener
        self._revoked, self._clock, self._holds = revoked, clock, Holds()
        self._under_way: set[asyncio.Task[None]] = set()
        self.seconds: float | None = None
        """How long the episodes of the sitting are to be that was opened here."""

    async def close(self) -> None:
        """Say goodbye."""
        for viewer in tuple(self._hub.viewers):
            await viewer.socket.close(code=1001, message=b"the console stopped")
        for act in self._under_way:
            act.cancel()  # what is in the archive's thread is done before that closes

    async def serve(self, request: web.Request, seat: Seat | None) -> web.StreamResponse:
        """From hello to its end. `seat`: None is told that it is not paired."""
        socket = web.WebSocketResponse(
            max_msg_size=wire.LONGEST_BYTES, compress=False, timeout=STOP_S, heartbeat=HEARTBEAT_S
        )
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
        for told in self._acts.told:
            viewer.say(told)
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
        if self._revoked(viewer.seat):
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
            tell_all(self._hub.viewers, {"kind": "episodes"})  # every page that shows some looks again

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


def _cut(viewer: Viewer) -> None:
    """At once, without a goodbye that the other end could wait for ever with."""
    if viewer.transport is not None:
        viewer.transport.abort()
