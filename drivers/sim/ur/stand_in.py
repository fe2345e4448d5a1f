"""A UR controller on the network: its ports at one address, in a thread of the world's (or of a process of its own: `alone`)."""

import selectors
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol

from drivers.sim.ur import dashboard
from drivers.sim.ur.controller import UNLOCK_NS, Controller
from drivers.sim.ur.joints import Arm, Fingers
from drivers.sim.ur.line import Line, Weather
from drivers.sim.ur.robotiq import Robotiq
from drivers.sim.ur.rtde import Session
from station.clock import NS_PER_S, Clock

DASHBOARD, PRIMARY, SECONDARY, REALTIME, RTDE, URCAP = 29999, 30001, 30002, 30003, 30004, 63352
_SCRIPTS = (PRIMARY, SECONDARY, REALTIME)
CYCLE_NS = NS_PER_S // 500


class _Talk(Protocol):
    def hear(self, got: bytes, now_ns: int) -> bytes: ...
    def due(self, now_ns: int) -> bytes: ...
    def close(self) -> None: ...


class _Lines:
    """A port that is spoken line by line."""

    def __init__(self, answer: Callable[[str, int], str]) -> None:
        self._answer, self._left = answer, b""

    def hear(self, got: bytes, now_ns: int) -> bytes:
        *lines, self._left = (self._left + got).split(b"\n")
        return "".join(self._answer(line.decode("ascii", "replace"), now_ns) for line in lines).encode()

    def due(self, now_ns: int) -> bytes:  # noqa: ARG002
        return b""

    def close(self) -> None:
        pass


class _Scripts(_Lines):
    """A port that takes programs: from `def` to the `end` at the margin."""

    def __init__(self, controller: Controller) -> None:
        super().__init__(self._line)
        self._controller, self._text = controller, ""

    def _line(self, line: str, now_ns: int) -> str:
        if not self._text and not line.startswith(("def ", "sec ")):
            return ""
        self._text += line + "\n"
        if line.rstrip() == "end":
            self._controller.load(self._text, now_ns)
            self._text = ""
        return ""


class StandIn:
    """One controller, and the gripper on its arm if it has one."""

    def __init__(
        self,
        address: str,
        arm: Arm,
        fingers: Fingers | None,
        clock: Clock,
        skew_ppm: float = 0.0,
        unlock_ns: int = UNLOCK_NS,
    ) -> None:
        self.address, self._clock = address, clock
        self.controller = Controller(arm, clock(), skew_ppm, unlock_ns)
        self.gripper = Robotiq(fingers) if fingers is not None else None
        self.weather = Weather()
        self.lock = threading.Lock()
        """Held while anything is done to it from outside its thread."""
        self.taken: set[str] = set()
        """Input registers that somebody has; a field bus has some, too."""
        self._selector = selectors.DefaultSelector()
        self._clients: dict[Line, _Talk] = {}
        self._listening: dict[socket.socket, int] = {}
        self._finish = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Listen and run. OSError where the address is not to be had."""
        self.listen()
        self._finish.clear()
        self._thread = threading.Thread(target=self._run, name=f"ur {self.address}", daemon=True)
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
        ports = [DASHBOARD, *_SCRIPTS, RTDE] + ([URCAP] if self.gripper is not None else [])
        for port in ports:
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
                    due_ns = max(due_ns + CYCLE_NS, now_ns - CYCLE_NS)
                    self._cycle(now_ns)

    def _cycle(self, now_ns: int) -> None:
        """One cycle of the controller: what came is heard, it goes on, what is due is told."""
        if not self.weather.silent:
            for line, talk in list(self._clients.items()):
                self._try(line, lambda line=line, talk=talk: line.send(talk.hear(line.arrived(now_ns), now_ns), now_ns))  # type: ignore[misc]
        self.controller.step(now_ns)
        if self.gripper is not None:
            self.gripper.step()
        for line, talk in list(self._clients.items()):
            self._try(line, lambda line=line, talk=talk: self._tell(line, talk, now_ns))  # type: ignore[misc]

    def _tell(self, line: Line, talk: _Talk, now_ns: int) -> None:
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
        port, controller, now_ns = self._listening[listening], self.controller, self._clock()
        line = Line(connection, self.weather)
        gripper = self.gripper
        talk: _Talk
        if port == RTDE:
            talk = Session(controller, self.taken, now_ns)
        elif port == DASHBOARD:
            talk = _Lines(lambda text, at_ns: dashboard.answer(text, controller, at_ns) + "\n")
            line.send(f"{dashboard.GREETING}\n".encode(), now_ns)
        elif port == URCAP and gripper is not None:
            talk = _Lines(lambda text, _: gripper.hear(text))
        else:
            talk = _Scripts(controller)
        self._clients[line] = talk
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
