"""The way between a page and the driver's plain port, which can be cut: then nothing passes, and nobody is told.

`python -m tests.drivers.vr.cable PORT` forwards connections to PORT from a port that it prints. A process of its own: it
holds whatever connections a browser likes to keep.
"""

import asyncio
import subprocess
import sys
from typing import Self


class Cable:
    """Runs it; connect to `port`."""

    def __init__(self, to: int) -> None:
        self._to, self.port = to, 0

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "tests.drivers.vr.cable", str(self._to)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = int(self._heard())
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def cut(self) -> None:
        """Let nothing through; whoever connects waits."""
        self._tell("cut")

    def mend(self) -> None:
        """Let everything through again; what was connected before is reset."""
        self._tell("mend")

    def _tell(self, what: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(what + "\n")
        self._process.stdin.flush()
        assert self._heard() == what

    def _heard(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


class Forwarder:
    """The process's end of it."""

    def __init__(self, to: int) -> None:
        self._to = to
        self._whole = asyncio.Event()
        self._whole.set()
        self._connections: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        """Until stdin ends."""
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        print(server.sockets[0].getsockname()[1], flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            if line.strip() == "cut":
                self._whole.clear()
            else:
                for connection in self._connections:
                    connection.cancel()
                self._whole.set()
            print(line.strip(), flush=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        far = None
        try:
            await self._whole.wait()
            far_reader, far = await asyncio.open_connection("127.0.0.1", self._to)
            await asyncio.gather(self._pass_on(reader, far), self._pass_on(far_reader, writer))
        except (asyncio.CancelledError, OSError):
            pass  # reset below
        finally:
            self._connections.discard(task)
            for end in (writer, far):
                if end is not None:
                    end.transport.abort()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            await self._whole.wait()
            writer.write(data)
            await writer.drain()
        writer.write_eof()


if __name__ == "__main__":
    asyncio.run(Forwarder(int(sys.argv[1])).serve())
