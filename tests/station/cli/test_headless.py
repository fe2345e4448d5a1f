"""Recording without a panel, against a session's real sockets."""

import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from station.bus.messages import SessionState
from station.bus.requests import Align, Done, OpenSession, Refused, Reply, SessionRequest, Start
from station.bus.sockets import Answerer, Publisher
from station.cli.headless import record_headless
from station.clock import monotonic_ns
from station.rig import Rig
from station.rig_file import Safety

RIG = Rig("r", Path("r.yaml"), "abc", 50.0, 3.0, Path("/data"), "jpeg", (), (), Safety(), None)
STALE = 20
"""States that were told before the hold, and that a client has not read when its Start is refused."""


class HoldsBeforeStart:
    """A session that goes into hold just before the first Start, while its client has other states to read."""

    def __init__(self, rig: str) -> None:
        self._publisher = Publisher(rig, "session", 1, monotonic_ns)
        self._answerer: Answerer[SessionRequest] = Answerer(rig, "session", SessionRequest)
        self._state = SessionState("ready", "t", "", 0, 0, 0, 0, 0, ())
        self.asked: list[str] = []
        self._finish = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._finish.is_set():
            self._tell()
            self._answerer.serve(self._handle, timeout_ms=20)
        self._answerer.close()
        self._publisher.close()

    def _tell(self, **changed: object) -> None:
        self._state = msgspec.structs.replace(self._state, **changed)
        self._publisher.publish("session", self._state)

    def _handle(self, request: SessionRequest) -> Reply:
        self.asked.append(type(request).__name__)
        if isinstance(request, Start) and "Align" not in self.asked:
            for _ in range(STALE):
                self._tell()
            self._tell(phase="hold", why="a leader was silent for a moment")
            return Refused("Start makes no sense while hold")
        if isinstance(request, Align):
            self._tell(phase="ready", why="")
        elif isinstance(request, Start):
            self._tell(phase="ready", episode=1, saved=1, recorded_ticks=50)
        return Done()

    def close(self) -> None:
        self._finish.set()
        self._thread.join()


@pytest.fixture
def session(runtime: str) -> Iterator[HoldsBeforeStart]:
    session = HoldsBeforeStart(RIG.name)
    yield session
    session.close()


def test_a_hold_between_two_episodes_is_aligned_away(session: HoldsBeforeStart) -> None:
    assert record_headless(RIG, OpenSession("t", "/data"), 1, 1.0) == 0
    assert session.asked == ["OpenSession", "Start", "Align", "Start", "CloseSession"]
