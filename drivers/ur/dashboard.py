"""The dashboard server of a UR controller, in a thread of its own: a line asked, a line answered, and every half second the
question whether the pendant is in remote control.

Source: Universal Robots, "Dashboard Server e-Series". It has to be enabled on the pendant (Settings → Security → Services);
PolyScope X before 10.11 has none.
"""

import queue
import socket
import threading
from contextlib import suppress

from station.clock import NS_PER_S, Clock

PORT = 29999
CONNECT_S, ANSWER_S, POLL_S = 0.4, 0.8, 0.5
_HEARD_NS = 3 * NS_PER_S


class Asked:
    """A question under way."""

    def __init__(self, line: str) -> None:
        self.line = line
        self.answer: str | None = None
        """None while there is none; "" where nobody answers."""


class Dashboard:
    """One connection, opened again when it breaks."""

    def __init__(self, address: str, clock: Clock) -> None:
        self._address, self._clock = address, clock
        self._asked: queue.SimpleQueue[Asked | None] = queue.SimpleQueue()
        self._remote: bool | None = None
        self._heard_ns = 0
        self.serial: str | None = None
        """"" where it names none, None while it has not been asked yet."""
        self.missing = ""
        """Why it cannot be asked; "" while it can."""
        self._finish = False
        self._thread = threading.Thread(target=self._run, name="dashboard", daemon=True)
        self._thread.start()

    @property
    def remote(self) -> bool | None:
        """Is the pendant in remote control? None while that is not known, and where it has no such switch (CB3)."""
        return self._remote if self._heard_ns and self._clock() - self._heard_ns < _HEARD_NS else None

    def ask(self, line: str) -> Asked:
        """Ask; look at what is returned for the answer."""
        asked = Asked(line)
        self._asked.put(asked)
        return asked

    def close(self) -> None:
        """Over."""
        self._finish = True
        self._asked.put(None)
        self._thread.join()

    def _run(self) -> None:
        connection: socket.socket | None = None
        while not self._finish:
            asked: Asked | None = None
            try:
                if connection is None:
                    connection = self._connect()
                with suppress(queue.Empty):
                    asked = self._asked.get(timeout=POLL_S if self._heard_ns else 0.001)
                    if asked is None:
                        break
                if asked is not None:
                    asked.answer = _exchange(connection, asked.line)
                else:
                    self._look(connection)
            except OSError as error:
                self._lost(str(error), asked)
                if connection is not None:
                    connection.close()
                connection = None
                self._pause()
        if connection is not None:
            connection.close()

    def _look(self, connection: socket.socket) -> None:
        if self.serial is None:
            self.serial = serial_number(_exchange(connection, "get serial number"))
        self._remote = remote_control(_exchange(connection, "is in remote control"))
        self._heard_ns = self._clock()

    def _connect(self) -> socket.socket:
        connection = socket.create_connection((self._address, PORT), CONNECT_S)
        connection.settimeout(ANSWER_S)
        _line(connection)  # its greeting
        self.missing = ""
        return connection

    def _lost(self, why: str, asked: Asked | None) -> None:
        self.missing, self._heard_ns = why or "no answer", 0
        if asked is not None:
            asked.answer = ""

    def _pause(self) -> None:
        """Before the next attempt; who asks meanwhile is told that nobody answers."""
        with suppress(queue.Empty):
            asked = self._asked.get(timeout=POLL_S)
            if asked is not None:
                asked.answer = ""


def remote_control(answer: str) -> bool | None:
    """Is the pendant in remote control? None: a controller that does not understand the question has no local mode (CB3)."""
    return {"true": True, "false": False}.get(answer.strip().lower())


def serial_number(answer: str) -> str:
    """The controller's; "" where it does not understand the question."""
    return answer if answer.isalnum() else ""


def _exchange(connection: socket.socket, line: str) -> str:
    connection.sendall(line.encode() + b"\n")
    return _line(connection)


def _line(connection: socket.socket) -> str:
    """The next line. Raises OSError where none comes in time."""
    got = b""
    while not got.endswith(b"\n"):  # a byte at a time: what a controller says beyond it is the next answer's
        more = connection.recv(1)
        if not more:
            raise ConnectionResetError("it hung up")
        got += more
    return got.decode("ascii", "replace").strip()
