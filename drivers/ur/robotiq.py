"""A Robotiq gripper through its URCap's socket, in a thread of its own: its answers take 10 to 30 ms, which no arm may wait for.

Source: what the URCap answers on port 63352, and Robotiq's instruction manual of the 2F-85 and 2F-140. It is activated by an operator's
act alone: activating moves the fingers to both ends.
"""

import socket
import threading
from contextlib import suppress

from drivers import robotiq
from drivers.ur.settings import Gripper
from station.clock import NS_PER_S, Clock
from station.devices.networked.readings import Fingers

PORT = 63352
RATE_HZ = 40.0
CONNECT_S, ANSWER_S = 0.4, 0.5
_AGAIN_S = 0.5
_END_S = 0.03
_FRESH_NS = NS_PER_S
_RESETS_NS = 2 * NS_PER_S
_STATUS_EVERY = 10
"""Of the cycles: whether it is activated and well is asked more seldom than where it is."""


class Robotiq:
    """One gripper's connection, opened again when it breaks."""

    def __init__(self, address: str, settings: Gripper, clock: Clock) -> None:
        self._address, self._settings, self._clock = address, settings, clock
        self.fingers: Fingers | None = None
        self.status = -1
        """0 reset, 1 activating, 3 active; −1 not known."""
        self.fault = 0
        self.missing = "not connected yet"
        """Why it cannot be reached; "" while it can."""
        self._goal: float | None = None
        self._sent: int | None = None
        self._activate = self._begun = 0
        """How often that was asked for; the last time that it was begun."""
        self._finish = threading.Event()
        self._thread = threading.Thread(target=self._run, name="robotiq", daemon=True)
        self._thread.start()

    @property
    def active(self) -> bool:
        """Has it been activated, and is it heard?"""
        return self.status == robotiq.ACTIVE and not self.missing

    @property
    def trouble(self) -> str:
        """What is wrong with it; "" if nothing is."""
        if self.missing:
            return f"the gripper does not answer ({self.missing})"
        return robotiq.trouble(self.status, self.fault)

    @property
    def begun(self) -> bool:
        """Has what was asked for last been begun: was it reset since, and told to activate itself?"""
        return self._begun == self._activate

    def newest(self, now_ns: int) -> Fingers | None:
        """The newest reading, unless it is old."""
        fingers = self.fingers
        return fingers if fingers is not None and now_ns - fingers.at_ns < _FRESH_NS else None

    def go(self, opening: float) -> None:
        """Where the fingers are to be; the newest counts."""
        self._goal = opening

    def rest(self) -> None:
        """Nothing more is asked of it; it stays as it is."""
        self._goal = None

    def activate(self) -> None:
        """Move the fingers to both ends, after which it follows."""
        self._activate += 1

    def close(self) -> None:
        """Let go of it; it stays as it is."""
        self._finish.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._finish.is_set():
            try:
                with socket.create_connection((self._address, PORT), CONNECT_S) as connection:
                    connection.settimeout(ANSWER_S)
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    self._serve(connection)
            except (OSError, ValueError) as error:
                self.missing = str(error) or "no answer"
            self._finish.wait(_AGAIN_S)

    def _serve(self, connection: socket.socket) -> None:
        """One connection's life. Raises OSError or ValueError when it is over."""
        cycle, activated, self._sent = 0, self._activate, None
        while not self._finish.is_set():
            begun_ns = self._clock()
            if activated != self._activate:
                activated = self._activate
                self._told(connection, "ACT 0 ATR 0")
                self._until_reset(connection)
                self.status = robotiq.RESET
                self._told(connection, "ACT 1 GTO 1")
                self._begun, self._sent, cycle = activated, None, 0
            if cycle % _STATUS_EVERY == 0:
                self.status, self.fault = self._asked(connection, "STA"), self._asked(connection, "FLT")
                self.missing = ""
            self._send_goal(connection)
            self._look(connection)
            cycle += 1
            self._finish.wait(max(0.0, 1 / RATE_HZ - (self._clock() - begun_ns) / NS_PER_S))

    def _until_reset(self, connection: socket.socket) -> None:
        until_ns = self._clock() + _RESETS_NS
        while self._asked(connection, "STA") != robotiq.RESET:
            if self._clock() > until_ns:
                raise ValueError("it does not reset")
            self._finish.wait(1 / RATE_HZ)

    def _send_goal(self, connection: socket.socket) -> None:
        goal, s = self._goal, self._settings
        if goal is None or self.status != robotiq.ACTIVE:
            return
        count = round(s.closed_count + (s.open_count - s.closed_count) * max(0.0, min(1.0, goal)))
        if count != self._sent:
            self._told(connection, f"POS {count} SPE {round(255 * s.speed)} FOR {round(255 * s.force)} GTO 1")
            self._sent = count

    def _look(self, connection: socket.socket) -> None:
        asked_ns = self._clock()
        count, stopped = self._asked(connection, "POS"), self._asked(connection, "OBJ")
        s, before = self._settings, self.fingers
        opening = max(0.0, min(1.0, 1 - (count - s.open_count) / (s.closed_count - s.open_count)))
        since_s = (asked_ns - before.at_ns) / NS_PER_S if before is not None else 0.0
        velocity = (opening - before.opening) / since_s if before is not None and 0 < since_s < 1 else 0.0
        self.fingers = Fingers(asked_ns, opening, velocity, stopped in (1, 2))

    def _asked(self, connection: socket.socket, name: str) -> int:
        """Of an answer that is not ended, what came by the end of its time counts."""
        connection.sendall(f"GET {name}\n".encode())
        got = b""
        while not got.strip():
            got += _some(connection)
        if not got.endswith(b"\n"):
            connection.settimeout(_END_S)
            with suppress(TimeoutError):
                while not got.endswith(b"\n"):
                    got += _some(connection)
            connection.settimeout(ANSWER_S)
        said, _, value = got.decode("ascii", "replace").strip().partition(" ")
        if said != name or not value.isdigit():
            raise ValueError(f"it answers {got!r} to GET {name}")
        return int(value)

    def _told(self, connection: socket.socket, values: str) -> None:
        connection.sendall(f"SET {values}\n".encode())
        got = b""
        with suppress(TimeoutError):
            while len(got) < 3:
                got += _some(connection)
        if got.strip() != b"ack":
            raise ValueError(f"it answers {got!r} to SET {values}")


def _some(connection: socket.socket) -> bytes:
    got = connection.recv(1024)
    if not got:
        raise ConnectionResetError("it hung up")
    return got
