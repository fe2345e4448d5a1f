"""The web server behind the headset's page, in a thread of its own.

Three doors: HTTPS for headsets on the network, plain HTTP on the loopback address for a cable (`adb reverse`), and a
unix socket for the node that feeds the display. Only the files in `page/`, read at the start, are ever served. Who gets
through the first two, and for how long, is `station.web`'s.
"""

import asyncio
import contextlib
import datetime
import errno
import ssl
import threading
from pathlib import Path

import msgspec
from aiohttp import WSMsgType, web

from drivers.vr import wire
from drivers.vr.operator import Counts, Display, OnPose, Operator
from drivers.vr.operator_lease import OperatorLease, Refusal, new_code, new_key
from station.borders.decoding import Decoder, Undecodable
from station.clock import NS_PER_MS, NS_PER_S, Clock
from station.devices.headset import FromHeadset, HeadsetWorn, Pairing, Press, ToHeadset, door_path, pairing_path
from station.errors import DeviceBusy
from station.web import certificate
from station.web.guard import HEADERS, Guard, Handler
from station.web.listener import CLOSING_S, STOP_S, Listener, runner

PAGE = Path(__file__).parent / "page"
HELLO_S = 5.0
ADDRESSES_S = 10.0
"""How often the computer's addresses are looked at."""
REFUSED = 4001
"""Close code."""
START_S = 5.0

_TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css"}


class Server:
    """Started and stopped by the driver; what it hears goes to `on_pose`, called in its own thread."""

    def __init__(self, device: str, port: int, rate_hz: float, clock: Clock, on_pose: OnPose) -> None:
        self._device, self._port, self._rate_hz, self._clock, self._on_pose = device, port, rate_hz, clock, on_pose
        self.lease = OperatorLease(new_code(), new_key())
        self.refused = 0
        """Pages that were sent away."""
        self.past = Counts()
        """Of operators who have left."""
        self.operator: Operator | None = None
        self._sockets: set[web.WebSocketResponse] = set()
        self._panels: set[web.WebSocketResponse] = set()
        self._names: tuple[str, ...] = ()
        self._guard = Guard(lambda: self._names)
        self._listener = Listener(clock)
        self._files = {f"/{p.name}": (p.read_bytes(), _TYPES[p.suffix]) for p in PAGE.iterdir() if p.suffix in _TYPES}
        self._files["/"] = self._files["/index.html"]
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._started = threading.Event()
        self._failed: Exception | None = None
        self._display: Display | None = None

    def start(self) -> None:
        """Listen. Raises DeviceBusy if somebody else has a port."""
        self._thread = threading.Thread(target=self._run, name=f"{self._device} page", daemon=True)
        self._thread.start()
        if not self._started.wait(START_S):
            self.stop()
            raise DeviceBusy(self._device, str(self._port), "a web server", "it did not start in time", "try again")
        self.check()

    def check(self) -> None:
        """Raise DeviceBusy if the server could not start, or has fallen over."""
        if self._failed is None:
            return
        self.stop()
        busy = isinstance(self._failed, OSError) and self._failed.errno == errno.EADDRINUSE
        found = "another program has it" if busy else f"{type(self._failed).__name__}: {self._failed}"
        do = f"end that program, or give the rig file's vr another port than {self._port} (it takes the next too)"
        raise DeviceBusy(self._device, f"port {self._port}", "two free ports", found, do) from self._failed

    def stop(self) -> None:
        """Close every connection and end the thread."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        if self._loop is not None and self._stopping is not None and thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
        thread.join()

    @property
    def urls(self) -> tuple[str, ...]:
        """Where the page is, the best address first."""
        outside = [f"https://{address}:{self._port}" for address in certificate.addresses() if address != "127.0.0.1"]
        return (*outside, f"http://localhost:{self._port + 1}")

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except Exception as error:  # told by start(), or by the next read() if it comes later
            self._failed = error
        finally:
            self._started.set()

    async def _serve(self) -> None:
        self._loop, self._stopping, self._display = asyncio.get_running_loop(), asyncio.Event(), Display()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._certify(context, ())
        page = await runner(self._guard.application(self._page))
        door = await runner(_application(self._door))
        door_file = door_path(self._port)
        self._listener = Listener(self._clock)
        try:
            await self._listener.listen(page, "", self._port, context)
            await self._listener.listen(page, "127.0.0.1", self._port + 1, None)
            door_file.unlink(missing_ok=True)
            await web.UnixSite(door, str(door_file)).start()
            door_file.chmod(0o600)
            self._started.set()
            await self._watch(context)
        finally:
            for socket in (*self._sockets, *self._panels):
                await socket.close(code=1001, message=b"the station stopped")
            await self._listener.close()
            await page.cleanup()
            await _end(door)
            door_file.unlink(missing_ok=True)
            pairing_path(self._port).unlink(missing_ok=True)

    def _certify(self, context: ssl.SSLContext, known: tuple[str, ...]) -> tuple[str, ...]:
        names = certificate.addresses()
        self._names = certificate.names()
        if names != known:
            now = datetime.datetime.now(datetime.UTC)
            context.load_cert_chain(*certificate.ensure(certificate.folder("vr"), names, now))
            pairing = msgspec.json.encode(Pairing(self.urls, self.lease.code, self.lease.key))
            certificate.private_write(pairing_path(self._port), pairing)
        return names

    async def _watch(self, context: ssl.SSLContext) -> None:
        """Until stopped; a new address gets a new certificate (for connections to come)."""
        assert self._stopping is not None
        known = certificate.addresses()
        while not self._stopping.is_set():
            try:
                await asyncio.wait_for(self._stopping.wait(), ADDRESSES_S)
            except TimeoutError:
                with contextlib.suppress(OSError):  # no room on the disk: the old one serves those who are here
                    known = self._certify(context, known)

    async def _page(self, request: web.Request) -> web.StreamResponse:
        if request.path == "/link":
            return await self._link(request)
        found = self._files.get(request.path)
        if found is None:
            return web.Response(status=404, text="no such page", headers=HEADERS)
        return web.Response(body=found[0], content_type=found[1], charset="utf-8", headers=HEADERS)

    async def _link(self, request: web.Request) -> web.StreamResponse:
        """The page's WebSocket."""
        socket = web.WebSocketResponse(max_msg_size=wire.LONGEST_BYTES, compress=False, timeout=STOP_S)
        try:
            await socket.prepare(request)
        except ConnectionError:  # gone again: a page that was reloaded
            return web.Response(headers=HEADERS)
        self._sockets.add(socket)
        try:
            token = await self._welcome(socket, request)
            if token:
                await self._operate(socket, token, request.transport)
        finally:
            self._sockets.discard(socket)
        return socket

    async def _welcome(self, socket: web.WebSocketResponse, request: web.Request) -> str:
        """The operator's token; "" for anybody else, who has been told why and sent away."""
        try:
            message = await socket.receive(HELLO_S)
            hello = wire.decode(message.data) if message.type is WSMsgType.TEXT else None
            if not isinstance(hello, wire.Hello):
                raise Refusal("say hello first")
            address = request.remote or ""
            await asyncio.sleep(self.lease.wait_ns(hello.code, hello.token, address, self._clock()) / NS_PER_S)
            token = self.lease.acquire(hello.code, hello.token, address, self._clock())
        except (TimeoutError, wire.Malformed, Refusal) as why:
            self.refused += 1
            text = str(why) if isinstance(why, Refusal) else "no hello"
            await socket.close(code=REFUSED, message=text.encode()[:120])
            return ""
        self._listener.know(request.transport)
        welcome = {"kind": "welcome", "token": token, "rate_hz": self._rate_hz}
        await socket.send_str(msgspec.json.encode(welcome).decode())
        return token

    async def _operate(self, socket: web.WebSocketResponse, token: str, transport: asyncio.Transport | None) -> None:
        assert self._display is not None
        before = self.operator
        cut = transport.abort if transport is not None else lambda: None
        operator = Operator(socket, self._display, self._clock, self._on_pose, self._pressed, self._alive, cut)
        self.operator = operator
        if before is not None:  # the same browser, back before its old link was found dead
            before.send_away("this page was opened anew in another tab or window")
        await self._tell_panels(HeadsetWorn(True))
        try:
            await operator.serve()
        finally:
            for field in Counts.__struct_fields__:
                setattr(self.past, field, getattr(self.past, field) + getattr(operator.counts, field))
            if self.operator is operator:
                self.operator = None
                self.lease.release(token)
                await self._tell_panels(HeadsetWorn(False))

    async def _door(self, request: web.Request) -> web.StreamResponse:
        """The display's feed."""
        assert self._display is not None
        socket = web.WebSocketResponse(max_msg_size=0, compress=False, timeout=STOP_S)
        await socket.prepare(request)
        self._panels.add(socket)
        decoder: Decoder[ToHeadset] = Decoder("msgpack", ToHeadset)
        try:
            await self._tell_panels(HeadsetWorn(self.operator is not None))
            async for message in socket:
                if message.type is WSMsgType.BINARY:
                    try:
                        self._display.show(decoder.decode(message.data))
                    except Undecodable:
                        break  # a panel of another version: it comes back, and `status` says that it has to
        finally:
            self._panels.discard(socket)
        return socket

    async def _tell_panels(self, what: FromHeadset) -> None:
        for panel in tuple(self._panels):
            with contextlib.suppress(ConnectionError):  # on its way out; the operator's link must not go with it
                await panel.send_bytes(msgspec.msgpack.encode(what))

    def _pressed(self, name: str) -> None:
        asyncio.get_running_loop().create_task(self._tell_panels(Press(name)))

    def _alive(self) -> None:
        self.lease.heard(self._clock())

    def health(self) -> dict[str, float]:
        """Numbers for `status`."""
        operator = self.operator
        counts = {field: float(getattr(self.past, field)) for field in Counts.__struct_fields__}
        if operator is not None:
            for field in counts:
                counts[field] += getattr(operator.counts, field)
        numbers = {
            "operator": float(operator is not None),
            "wrong_codes": float(self.lease.attempts.wrong),
            "refused": float(self.refused + self._guard.refused),
            "strangers": float(len(self._listener.peers)),
            "strangers_cut": float(self._listener.peers.crowded + self._listener.peers.late),
            **counts,
        }
        if operator is not None:
            numbers["round_trip_ms"] = operator.round_trip_ns / NS_PER_MS
            numbers["clock_uncertainty_ms"] = operator.clock_map.uncertainty_ns / NS_PER_MS
            numbers["clock_drift_ppm"] = operator.clock_map.drift_ppm
        return numbers


def _application(handler: Handler) -> web.Application:
    application = web.Application()
    application.router.add_get("/{path:.*}", handler)
    return application


async def _end(door: web.AppRunner) -> None:
    """Close the display's feed, and leave nothing.

    A socket accepted just before its server closes never becomes a connection, and nobody closes it (`Server._attach`
    asserts): accept no more first, wait, then close.
    """
    loop = asyncio.get_running_loop()
    for site in door.sites:
        server = site._server  # aiohttp has no other way to its listening sockets; none if it could not start
        for listening in server.sockets if isinstance(server, asyncio.Server) else ():
            loop.remove_reader(listening.fileno())
    await asyncio.sleep(CLOSING_S)
    for site in tuple(door.sites):
        await site.stop()
    await door.cleanup()
