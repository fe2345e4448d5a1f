"""A network between a browser and the console that can be cut without a word: no byte passes, no connection ends."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class CutLink:
    """Passes bytes on to a port of this computer."""

    def __init__(self, port: int) -> None:
        self._to = port
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        assert self._started.wait(20)

    def cut(self) -> None:
        """Nothing passes from here on; what is sent waits, as in a sender's queue."""
        self._loop.call_soon_threadsafe(self._whole.clear)

    def mend(self) -> None:
        """It passes again, in its order."""
        self._loop.call_soon_threadsafe(self._whole.set)

    def close(self) -> None:
        """Every connection ends."""
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join()

    def _run(self) -> None:
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        self._whole, self._end = asyncio.Event(), asyncio.Event()
        self._whole.set()
        coming: set[asyncio.Task[None]] = set()

        async def come(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            coming.add(task)
            task.add_done_callback(coming.discard)
            await self._both_ways(reader, writer)

        server = await asyncio.start_server(come, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._started.set()
        await self._end.wait()
        server.close()
        for task in tuple(coming):
            task.cancel()
        await asyncio.gather(*coming, return_exceptions=True)

    async def _both_ways(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ends = [writer]
        try:
            await self._whole.wait()
            there, onward = await asyncio.open_connection("127.0.0.1", self._to)
            ends.append(onward)
            await asyncio.gather(self._pass(reader, onward), self._pass(there, writer))
        except asyncio.CancelledError:
            pass  # the test ends
        finally:
            for end in ends:
                end.transport.abort()
                with suppress(ConnectionError):
                    await end.wait_closed()

    async def _pass(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while piece := await source.read(1 << 16):
                await self._whole.wait()
                sink.write(piece)
                await sink.drain()
            await self._whole.wait()
        sink.close()


@contextmanager
def cut_link(port: int) -> Iterator[CutLink]:
    """One, and its end."""
    link = CutLink(port)
    try:
        yield link
    finally:
        link.close()
