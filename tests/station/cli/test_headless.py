"""Recording without a panel, against a session's real sockets."""

import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from station.bus.messages import Health, ProcessState, SessionState, StationState
from station.bus.requests import Align, Done, OpenSession, Refused, Reply, SessionRequest, Start
from station.bus.sockets import Publisher, RequestServer
from station.cli import patience
from station.cli.headless import record_headless
from station.client import Station
from station.clock import monotonic_ns
from station.errors import RequestRefused, StationError
from station.files.lock import Lock
from station.rig.file import Safety
from station.rig.rig import Rig

RIG = Rig("r", Path("r.yaml"), "abc", 50.0, 3.0, Path("/data"), "jpeg", (), (), Safety(), None)
STALE = 20
"""States that were told before the hold, and that a client has not read when its Start is refused."""


class Scripted:
    """A session whose answers the test decides, while its client has other states to read."""

    def __init__(self, rig: str) -> None:
        self._publisher = Publisher(rig, "session", 1, monotonic_ns)
        self._request_server: RequestServer[SessionRequest] = RequestServer(rig, "session", SessionRequest)
        self._state = SessionState("ready", "t", "", 0, 0, 0, 0, 0, ())
        self.asked: list[str] = []
        self._finish = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._finish.is_set():
            self._tell()
            self._request_server.serve(self._handle, timeout_ms=20)
        self._request_server.close()
        self._publisher.close()

    def _tell(self, **changed: object) -> None:
        self._state = msgspec.structs.replace(self._state, **changed)
        self._publisher.publish("session", self._state)

    def _handle(self, request: SessionRequest) -> Reply:
        self.asked.append(type(request).__name__)
        if isinstance(request, Start):
            return self.start()
        if isinstance(request, Align):
            return self.align()
        return Done()

    def start(self) -> Reply:
        self._tell(phase="ready", episode=self._state.episode + 1, saved=self._state.saved + 1, recorded_ticks=50)
        return Done()

    def align(self) -> Reply:
        self._tell(phase="ready", why="")
        return Done()

    def close(self) -> None:
        self._finish.set()
        self._thread.join()


class HoldsBeforeStart(Scripted):
    """Goes into hold just before the first Start."""

    def start(self) -> Reply:
        if "Align" in self.asked:
            return super().start()
        for _ in range(STALE):
            self._tell()
        self._tell(phase="hold", why="a leader was silent for a moment")
        return Refused("Start makes no sense while hold")


class ArmDiesWhileItAligns(Scripted):
    """In hold; the first alignments fail, until the supervisor has brought the arm back."""

    def __init__(self, rig: str, failures: int) -> None:
        self.failures = failures
        super().__init__(rig)
        self._tell(phase="hold", why="follower_right has been silent for 500 ms")

    def align(self) -> Reply:
        if self.asked.count("Align") <= self.failures:
            return Refused("stopped: follower_right has been silent for 500 ms: check its power and cable")
        return super().align()


class Supervisor:
    """Says that the arm's node is down until the time given, then that all are well."""

    def __init__(self, rig: str, down_s: float) -> None:
        self._back_ns = monotonic_ns() + int(down_s * 1e9)
        self._lock = Lock(rig, "supervisor")
        self._publisher = Publisher(rig, "supervisor", 1, monotonic_ns)
        self._finish = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._finish.wait(0.05):
            back = monotonic_ns() > self._back_ns
            health = Health("follower_right", "ok", "") if back else None
            node = ProcessState(
                "follower_right", 1 if back else None, back, 1, 0.0, 0.0, health, 0, "killed by SIGKILL"
            )
            self._publisher.publish("station", StationState("r", "r.yaml", 1, 0, (node,)))
        self._publisher.close()
        self._lock.release()

    @property
    def back(self) -> bool:
        return monotonic_ns() > self._back_ns

    def close(self) -> None:
        self._finish.set()
        self._thread.join()


@pytest.fixture
def session(runtime: str) -> Iterator[HoldsBeforeStart]:
    session = HoldsBeforeStart(RIG.name)
    yield session
    session.close()


@pytest.mark.slow
def test_a_hold_between_two_episodes_is_aligned_away(session: HoldsBeforeStart) -> None:
    assert record_headless(Station(RIG), OpenSession("t", "/data"), 1, 1.0) == 0
    assert session.asked == ["OpenSession", "Start", "Align", "Start", "CloseSession"]


@pytest.mark.slow
def test_an_arm_that_dies_while_it_aligns_again_is_waited_for_and_announced(
    runtime: str, capsys: pytest.CaptureFixture[str]
) -> None:
    supervisor, session = Supervisor(RIG.name, 6.0), ArmDiesWhileItAligns(RIG.name, failures=1)
    told: list[float] = []
    try:
        begun = monotonic_ns()
        assert (
            record_headless(
                Station(RIG), OpenSession("t", "/data"), 3, 1.0, meanwhile=lambda: told.append(monotonic_ns())
            )
            == 0
        )
        assert supervisor.back
        assert (monotonic_ns() - begun) / 1e9 > 6.0 + 3.0
    finally:
        session.close()
        supervisor.close()
    assert session.asked == ["OpenSession", "Align", "Align", "Start", "Start", "Start", "CloseSession"]
    said = " ".join(capsys.readouterr().out.split())
    assert said.count("Arms move in 3 s") == 2
    assert "the next episode waits, for 600 s at most: follower_right ended (killed by SIGKILL)" in said
    assert "the next episode goes on after" in said
    assert len(told) > 100, "keys, health and the like are heeded all the while"


@pytest.mark.slow
def test_after_the_wait_it_gives_up_with_the_cause(runtime: str) -> None:
    supervisor, session = Supervisor(RIG.name, 1e6), ArmDiesWhileItAligns(RIG.name, failures=10**6)
    try:
        with pytest.raises(StationError, match=r"waited 2 s and gave up: follower_right ended .*Next: `station status"):
            record_headless(Station(RIG), OpenSession("t", "/data"), 3, 1.0, wait_s=2.0)
    finally:
        session.close()
        supervisor.close()
    assert session.asked[-1] == "CloseSession", "the arms hold, what was recorded is saved"


@pytest.mark.slow
def test_a_sitting_that_cannot_be_opened_while_everybody_is_well_is_refused_at_once(runtime: str) -> None:
    class Refuses(Scripted):
        def _handle(self, request: SessionRequest) -> Reply:
            return Refused("leader_left.elbow is 1.2 rad above follower_left.elbow")

    supervisor, session = Supervisor(RIG.name, -1.0), Refuses(RIG.name)
    try:
        with pytest.raises(RequestRefused, match=r"1\.2 rad"):
            record_headless(Station(RIG), OpenSession("t", "/data"), 3, 1.0)
    finally:
        session.close()
        supervisor.close()


@pytest.mark.slow
def test_a_station_that_is_gone_is_not_waited_for(runtime: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "_SILENT_S", 1.0)
    session = ArmDiesWhileItAligns(RIG.name, failures=10**6)
    try:
        with pytest.raises(StationError, match="its supervisor was ended"):
            record_headless(Station(RIG), OpenSession("t", "/data"), 3, 1.0)
    finally:
        session.close()
