"""Cameras as HTTP servers: every path is one endless multipart stream of stamped JPEGs at an absolute rate.

All cameras share one port of 127.0.0.1, chosen by the kernel, and one thread. The pictures are encoded once, when the
server starts; sending one costs its COM segment and a copy into the socket.
"""

import asyncio
import threading
from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from aiohttp import web

from drivers.sim.world.jpeg_stamp import stamp
from drivers.sim.world.requests import CameraFault
from station.clock import NS_PER_S, Clock, Grid

_BOUNDARY = b"stationframe"
_PICTURES = 30
_START_S = 5.0


class Source(NamedTuple):
    """One camera to serve."""

    name: str
    width: int
    height: int
    fps: float


class _Camera:
    """One camera's pictures and what is wrong with it."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.pictures = pictures(source)
        self.what: CameraFault = "none"
        self.slow_fps = 0.0
        self.connections: set[asyncio.Task[None]] = set()

    @property
    def fps(self) -> float:
        return self.slow_fps if self.what == "slow" else self.source.fps


class StreamServer:
    """The server and its thread."""

    def __init__(self, sources: Sequence[Source], clock: Clock) -> None:
        self._cameras = {source.name: _Camera(source) for source in sources}
        self._clock = clock
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, name="camera server", daemon=True)
        self.port = 0

    def start(self) -> None:
        """Bind and serve. Raises RuntimeError if it does not come up."""
        self._thread.start()
        if not self._started.wait(_START_S) or not self.port:
            raise RuntimeError("the camera server did not come up")

    def url(self, name: str) -> str:
        """Where a camera is served."""
        return f"http://127.0.0.1:{self.port}/{name}"

    def set_fault(self, name: str, what: CameraFault, value: float) -> None:
        """From any thread."""
        self._loop.call_soon_threadsafe(self._set_fault, self._cameras[name], what, value)

    def stop(self) -> None:
        """End every connection and the thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _set_fault(self, camera: _Camera, what: CameraFault, value: float) -> None:
        if what in ("drop", "refuse"):
            for connection in camera.connections:
                connection.cancel()
        camera.what, camera.slow_fps = what, value

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        runner = web.AppRunner(self._app(), access_log=None, shutdown_timeout=0.1)
        try:
            self._loop.run_until_complete(self._bind(runner))
            self._started.set()
            self._loop.run_forever()
        finally:
            for camera in self._cameras.values():
                for connection in camera.connections:
                    connection.cancel()
            self._loop.run_until_complete(runner.cleanup())
            self._loop.close()

    def _app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/{name}", self._serve)
        return app

    async def _bind(self, runner: web.AppRunner) -> None:
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.port = runner.addresses[0][1]

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        camera = self._cameras.get(request.match_info["name"])
        if camera is None:
            raise web.HTTPNotFound
        if camera.what == "refuse":
            raise web.HTTPServiceUnavailable
        response = web.StreamResponse(
            headers={"Content-Type": f"multipart/x-mixed-replace; boundary={_BOUNDARY.decode()}"}
        )
        response.force_close()
        await response.prepare(request)
        sending = asyncio.ensure_future(self._send(camera, response))
        camera.connections.add(sending)
        try:
            await sending
        except (asyncio.CancelledError, ConnectionError):
            if request.transport is not None:
                request.transport.abort()
        finally:
            sending.cancel()
            camera.connections.discard(sending)
        return response

    async def _send(self, camera: _Camera, response: web.StreamResponse) -> None:
        """Pictures on the camera's grid; a reader that cannot keep up misses some."""
        fps = camera.fps
        grid, number = Grid(self._clock(), fps), 0
        while True:
            if camera.fps != fps:
                fps = camera.fps
                grid, number = Grid(self._clock(), fps), 0
            await asyncio.sleep(max(0, grid.time_ns(number) - self._clock()) / NS_PER_S)
            if camera.what != "freeze":
                captured_ns = self._clock()
                jpeg = stamp(camera.pictures[number % _PICTURES], captured_ns, number)
                head = b"--%s\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % (_BOUNDARY, len(jpeg))
                await response.write(b"".join((head, jpeg, b"\r\n")))
            number = max(number + 1, grid.index_at(self._clock()))


def pictures(source: Source) -> list[bytes]:
    """A second or so of moving pictures with the camera's name and a counter, as JPEG of a real camera's size."""
    random = np.random.default_rng(len(source.name))
    small = random.integers(0, 256, (source.height // 8, source.width // 8, 3), np.uint8)
    scene = cv2.resize(small, (source.width, source.height), interpolation=cv2.INTER_CUBIC)
    found = []
    for number in range(_PICTURES):
        picture = np.roll(scene, number * source.width // _PICTURES, axis=1)
        for text, y in ((source.name, 40), (f"{number:02d}", 90)):
            cv2.putText(picture, text, (10, y), cv2.FONT_HERSHEY_SIMPLEX, 1.2, (0, 0, 0), 6)
            cv2.putText(picture, text, (10, y), cv2.FONT_HERSHEY_SIMPLEX, 1.2, (255, 255, 255), 2)
        found.append(cv2.imencode(".jpg", picture, (cv2.IMWRITE_JPEG_QUALITY, 85))[1].tobytes())
    return found
