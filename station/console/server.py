"""The console's web server: the page's files, pairing, what is read of the disk, and the pages' links (`page_link`). Who gets through the
door is `station.web`'s. Only files that are read at the start are ever served.
"""

import asyncio
import datetime
import ssl
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from aiohttp import web

from station.clock import NS_PER_S, Clock
from station.console.acts import Acts
from station.console.archive import EPISODES, POLICIES, RIG, Archive
from station.console.hub import Hub
from station.console.jobs import Jobs
from station.console.limits import AT_ONCE, MOST_READERS
from station.console.page_link import PageLinks
from station.console.seat_file import SeatFile
from station.console.seats import Book, Seat, paired, seated
from station.console.setup import Setup
from station.console.viewer import show_look, tell_all
from station.web import certificate
from station.web.attempts import Attempts, TooMany
from station.web.guard import HEADERS, Guard
from station.web.listener import Listener, runner

PAGE = Path(__file__).parent / "page"
COOKIE = "station_console"
_TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


class Server:
    """Of one rig's console. To be used in one event loop."""

    def __init__(self, hub: Hub, seats: SeatFile, clock: Clock, wall_s: Callable[[], float] = time.time) -> None:
        self._seats, self._clock, self._wall_s = seats, clock, wall_s
        self._attempts = Attempts()
        self._guard = Guard(certificate.names)
        self._jobs = Jobs(partial(tell_all, hub.viewers), partial(show_look, hub.viewers))
        self._archive = Archive(
            hub.rig,
            clock,
            lambda: hub.phase == "recording",
            lambda: hub.vector,
            lambda: self._jobs.blind,
            hub.heard.descriptions,
        )
        self._readers: dict[str, set[asyncio.Transport]] = {}
        self._turns: dict[str, asyncio.Semaphore] = {}
        self._listener = Listener(clock)
        setup = Setup(hub, self._jobs, partial(tell_all, hub.viewers), wall_s)
        acts = Acts(hub, self._archive, self._jobs, setup)
        self._links = PageLinks(hub, acts, self._listener, self._revoked, clock)
        self._runner: web.AppRunner | None = None
        self._tls = False
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

    @property
    def seconds(self) -> float | None:
        """How long the episodes of the sitting are to be that was opened here."""
        return self._links.seconds

    async def close(self) -> None:
        """Say goodbye, and close the door."""
        await self._links.close()
        self._jobs.close()
        await self._archive.close()
        await self._listener.close()
        if self._runner is not None:
            await self._runner.cleanup()

    # -- plain requests --

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if request.path == "/link":
            return await self._links.serve(request, self._seat(request))
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

    def _revoked(self, seat: Seat) -> bool:
        now_s = self._wall_s()
        return not any(one.id == seat.id and one.until_s > now_s for one in self._seats.read().seats)
