"""A controller on the network: its ports at one address, in a thread of the world's (or of a process of its own)."""

import selectors
import socket
import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from itertools import takewhile
from typing import Any, Protocol

from drivers.sim.network.joints import Logged
from drivers.sim.network.line import Line, Weather
from station.clock import NS_PER_S, Clock


class Talk(Protocol):
    """What is said on one connection. ValueError: it is hung up on."""

    def hear(self, got: bytes, now_ns: int) -> bytes:
        """What came, and what it is answered."""

    def due(self, now_ns: int) -> bytes:
        """What is told unasked."""

    def close(self) -> None:
        """The client is gone."""


class StandIn(ABC):
    """One controller, and the gripper on its arm if it has one."""

    def __init__(self, address: str, clock: Clock, rate_hz: float) -> None:
        self.address, self._clock, self._cycle_ns = address, clock, round(NS_PER_S / rate_hz)
        self.weather = Weather()
        self.lock = threading.Lock()
        """Held while anything is done to it from outside its thread."""
        self._selector = selectors.DefaultSelector()
        self._clients: dict[Line, Talk] = {}
        self._listening: dict[socket.socket, int] = {}
        self._finish = threading.Event()
        self._thread: threading.Thread | None = None

    @abstractmethod
    def press(self, what: str, value: float, now_ns: int) -> str:
        """What people do at its pendant, at its cable, beside it: a word, a number where it needs one. "" or what is wrong with it."""

    def log(self, since_ns: int = 0) -> list[Logged]:
        """What has happened to the arm since then. `q`: where its joints are, every cycle."""
        with self.lock:
            newest = list(takewhile(lambda entry: entry.at_ns >= since_ns, reversed(self._log())))
        return newest[::-1]

    @abstractmethod
    def _log(self) -> "deque[Logged]":
        """All of it, the oldest first."""

    @abstractmethod
    def _ports(self) -> tuple[int, ...]:
        """Where it listens."""

    @abstractmethod
    def _talk(self, port: int, line: Line, now_ns: int) -> Talk:
        """Somebody has come to that port."""

    @abstractmethod
    def _step(self, now_ns: int) -> None:
        """The controller goes on."""

    def start(self) -> None:
        """Listen and run. OSError where the address is not to be had."""
        self.listen()
        self._finish.clear()
        self._thread = threading.Thread(target=self._run, name=f"controller {self.address}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Over: every connection is closed."""
        self._finish.set()
        if self._thread is not None:
            self._thread.join()
        with self.lock:
            self.shut()
        self._selector.close()

    def listen(self) -> None:
        """Open the ports."""
        for port in self._ports():
            listening = socket.create_server((self.address, port))
            listening.setblocking(False)
            self._listening[listening] = port
            self._selector.register(listening, selectors.EVENT_READ)

    def shut(self) -> None:
        """Nobody is let in any more, and everybody is hung up on."""
        for listening in self._listening:
            self._selector.unregister(listening)
            listening.close()
        self._listening = {}
        self.hang_up()

    def hang_up(self) -> None:
        """Close every connection."""
        for line in list(self._clients):
            self._gone(line)

    def _run(self) -> None:
        due_ns = self._clock()
        while not self._finish.is_set():
            wait_s = max(0, due_ns - self._clock()) / NS_PER_S
            if self.weather.silent:
                self._finish.wait(wait_s)
                events: list[Any] = []
            else:
                events = self._selector.select(wait_s)
            with self.lock:
                for key, _ in events:
                    self._event(key.fileobj)
                now_ns = self._clock()
                if now_ns >= due_ns:
                    due_ns = max(due_ns + self._cycle_ns, now_ns - self._cycle_ns)
                    self._cycle(now_ns)

    def _cycle(self, now_ns: int) -> None:
        """One cycle of the controller: what came is heard, it goes on, what is due is told."""
        if not self.weather.silent:
            for line, talk in list(self._clients.items()):
                self._try(line, lambda line=line, talk=talk: line.send(talk.hear(line.arrived(now_ns), now_ns), now_ns))  # type: ignore[misc]
        self._step(now_ns)
        for line, talk in list(self._clients.items()):
            self._try(line, lambda line=line, talk=talk: self._tell(line, talk, now_ns))  # type: ignore[misc]

    def _tell(self, line: Line, talk: Talk, now_ns: int) -> None:
        line.send(talk.due(now_ns), now_ns)
        line.flush(now_ns)

    def _event(self, ready: Any) -> None:
        if ready in self._listening:
            self._accept(ready)
            return
        line = next((line for line in self._clients if line.connection is ready), None)
        if line is not None:
            self._try(line, lambda: line.receive(self._clock()))

    def _accept(self, listening: socket.socket) -> None:
        connection, _ = listening.accept()
        line = Line(connection, self.weather)
        self._clients[line] = self._talk(self._listening[listening], line, self._clock())
        self._selector.register(connection, selectors.EVENT_READ)

    def _try(self, line: Line, do: Callable[[], None]) -> None:
        try:
            do()
        except (OSError, ValueError):
            self._gone(line)

    def _gone(self, line: Line) -> None:
        talk = self._clients.pop(line, None)
        if talk is None:
            return
        talk.close()
        with suppress(KeyError):
            self._selector.unregister(line.connection)
        line.connection.close()
