"""A policy server that speaks openpi's protocol, and behaves as a test wants."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

import numpy as np
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import Server, ServerConnection, serve

from station.policy.backends.openpi_wire import pack, unpack

TRACE = (
    "Traceback (most recent call last):\n  File \"policy.py\", line 3, in infer\nValueError: Unexpected key 'cam_top'\n"
)
Behave = Callable[["PolicyServer", ServerConnection, dict[str, Any]], None]


class PolicyServer:
    """What it was asked, and how it answers: `behave` may be changed between two questions."""

    def __init__(self, chunk: int, dims: int) -> None:
        self.shape = (chunk, dims)
        self.metadata: Any = {"reset_pose": [0.0, -1.5]}
        self.key = ""
        self.asked: list[dict[str, Any]] = []
        self.connections = 0
        self.behave: Behave = PolicyServer.answer
        self.released = threading.Event()
        """Lets a slow answer go."""

    def answer(self, link: ServerConnection, question: dict[str, Any]) -> None:
        """As openpi does: the actions, and how long it took. Row i is i + the state's first number."""
        rows = np.arange(self.shape[0])[:, None] + np.full(self.shape, float(question["state"][0]))
        link.send(pack({"actions": rows, "server_timing": {"infer_ms": 1.5}}))

    def trace(self, link: ServerConnection, question: dict[str, Any]) -> None:
        """As openpi does when its policy raises."""
        link.send(TRACE)
        link.close(1011, "Internal server error. Traceback included in previous frame.")

    def drop(self, link: ServerConnection, question: dict[str, Any]) -> None:
        """The connection breaks."""
        link.socket.close()

    def slow(self, link: ServerConnection, question: dict[str, Any]) -> None:
        """It answers when it is released."""
        self.released.wait(20)
        self.answer(link, question)

    def handle(self, link: ServerConnection) -> None:
        self.connections += 1
        try:
            link.send(pack(self.metadata) if not isinstance(self.metadata, str) else self.metadata)
            for message in link:
                assert isinstance(message, bytes)
                question = unpack(message)
                self.asked.append(question)
                self.behave(self, link, question)
        except (ConnectionClosed, OSError):
            pass

    def meet(self, link: ServerConnection, request: Any) -> Any:
        if request.path == "/healthz":
            return link.respond(HTTPStatus.OK, "OK\n")
        if self.key and request.headers.get("Authorization") != f"Api-Key {self.key}":
            return link.respond(HTTPStatus.UNAUTHORIZED, "no key\n")
        return None


@contextmanager
def serving(server: PolicyServer, port: int = 0) -> Iterator[int]:
    """Serve on a port of 127.0.0.1, and end with every connection closed."""
    links: list[ServerConnection] = []

    def handle(link: ServerConnection) -> None:
        links.append(link)
        server.handle(link)

    listener: Server = serve(
        handle, "127.0.0.1", port, compression=None, max_size=None, process_request=server.meet, ping_interval=None
    )
    thread = threading.Thread(target=listener.serve_forever)
    thread.start()
    try:
        yield listener.socket.getsockname()[1]
    finally:
        server.released.set()
        listener.shutdown()
        thread.join()
        for link in links:
            link.close()
