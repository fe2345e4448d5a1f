"""A client of a station: what it is told where nothing runs, where something does not come up, and that it leaves nothing."""

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from station.bus.messages import Health, ProcessState, SessionState, StationState
from station.bus.requests import CloseSession, Done, OpenSession, Refused, Reply, Restart, SessionRequest, Start
from station.bus.sockets import Publisher, RequestServer
from station.client import Station, connect, trouble, well
from station.client import station as module
from station.client.session import SessionClient
from station.client.station import FAULT_S, KILL_S, STOP_S
from station.clock import monotonic_ns
from station.errors import NodeAbsent, OtherVersion, RequestRefused, StationError
from station.extras import missing
from station.files.lock import Lock
from station.rig.file import Safety
from station.rig.rig import Rig
from station.runtime import supervisor
from station.runtime.life import LifeFile

RIG = Rig("r", Path("r.yaml"), "abc", 50.0, 3.0, Path("/data"), "jpeg", (), (), Safety(), None)


def process(state: str, error: str = "") -> ProcessState:
    """The pilot, as a supervisor tells it."""
    return ProcessState("pilot", 1, True, 0, 0.0, 0.0, Health("pilot", state, error), 0, "")  # type: ignore[arg-type]


class Running:
    """A supervisor with one process, and a session that takes what it is asked, in a thread of its own."""

    def __init__(self, told: ProcessState) -> None:
        self.told, self.asked = told, list[str]()
        self.state = SessionState("ended", "", "", 4, 0, 0, 0, 0, ())
        self._lock = Lock(RIG.name, "supervisor")
        self._publishers = {name: Publisher(RIG.name, name, 1, monotonic_ns) for name in ("supervisor", "session")}
        self._sitting = RequestServer[SessionRequest](RIG.name, "session", SessionRequest)
        self._nodes = RequestServer[Restart](RIG.name, "supervisor", Restart)
        self._finish = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._finish.is_set():
            self._publishers["supervisor"].publish("station", StationState("r", "r.yaml", 1, 0, (self.told,)))
            self._publishers["session"].publish("session", self.state)
            self._sitting.serve(self._session, 20)
            self._nodes.serve(lambda asked: Refused(f"no node {asked.node}"))
        for publisher in self._publishers.values():
            publisher.close()
        self._sitting.close()
        self._nodes.close()
        self._lock.release()

    def _session(self, request: SessionRequest) -> Reply:
        self.asked.append(type(request).__name__)
        if isinstance(request, Start):
            self.state = SessionState("ready", "t", "", self.state.episode + 1, 100, 1, 0, 0, (), saved_path="/e.hdf5")
        elif isinstance(request, OpenSession):
            self.state = SessionState("ready", request.task, "", 4, 0, 0, 0, 0, ())
        elif isinstance(request, CloseSession):
            self.state = SessionState("ended", "", "", 5, 0, 0, 0, 0, ())
        return Done()

    def close(self) -> None:
        self._finish.set()
        self._thread.join()


@pytest.fixture
def running(runtime: str) -> Iterator[Running]:
    running = Running(process("ok"))
    yield running
    running.close()


def test_attached_it_hears_asks_and_leaves_the_station_running(running: Running) -> None:
    with connect(RIG, start=False) as station:
        assert [found.node for found in station.state().processes] == ["pilot"]
        heard = [sample.body for sample in station.listen([("session", "session")], seconds=0.3)]
        assert heard, "the session says how it is"
        with pytest.raises(RequestRefused, match="no node nobody"):
            station.ask("supervisor", Restart("nobody"))
        forgotten = station.subscribe([("session", "session")])
    assert forgotten.socket.closed, "what was given out is closed at the end"
    assert Station(RIG).runs, "somebody else's station goes on"


def test_a_sitting_is_opened_recorded_in_and_closed(running: Running) -> None:
    with Station(RIG).session() as session:
        with session.sitting(OpenSession("t", "/data")):
            number = session.begin(2.0)
            assert number == 4
            assert session.until_over(number, 2.0).recorded_ticks == 100
            assert session.until_saved().saved_path == "/e.hdf5"
        assert running.asked == ["OpenSession", "Start", "CloseSession"]
        assert session.until(lambda state: state.phase == "ended", 5.0).episode == 5


def test_a_sitting_is_closed_whatever_happens_in_it(running: Running) -> None:
    with Station(RIG).session() as session, pytest.raises(ZeroDivisionError), session.sitting(OpenSession("t")):
        raise ZeroDivisionError
    assert running.asked == ["OpenSession", "CloseSession"]


@pytest.mark.slow
def test_a_state_that_does_not_come_is_told_with_the_one_that_stayed(running: Running) -> None:
    called: list[int] = []
    with Station(RIG).session(lambda: called.append(1)) as session, pytest.raises(NodeAbsent, match="stayed ended"):
        session.until(lambda state: state.phase == "recording", 0.5)
    assert len(called) >= 5, "what is to be done meanwhile is done"


def test_look_gives_what_is_new_only(running: Running) -> None:
    session: SessionClient
    with Station(RIG).session() as session:
        session.fresh()
        running.close()
        session.look()
        assert session.look() is None
        assert session.state.episode == 4


@pytest.mark.slow
@pytest.mark.usefixtures("runtime")
def test_where_nothing_runs_and_nothing_may_be_started_it_says_how_to_start_one() -> None:
    with pytest.raises(NodeAbsent, match="no station runs for rig r"):
        connect(RIG, start=False)
    with pytest.raises(NodeAbsent):
        Station(RIG).state(100)


@pytest.mark.slow
@pytest.mark.usefixtures("runtime")
def test_a_supervisor_that_ends_at_once_is_told_in_its_own_words(tmp_path: Path) -> None:
    wrong = Rig("r", tmp_path / "r.yaml", "abc", 50.0, 3.0, Path("/data"), "jpeg", (), (), Safety(), None)
    with pytest.raises(StationError, match=r"r\.yaml"):
        connect(wrong)
    assert not Station(wrong).runs


@pytest.mark.slow
def test_a_device_that_stays_faulty_is_told_in_its_own_words(running: Running) -> None:
    running.told = process("fault", "pilot: no arm answers. Next: check the cable")
    begun_ns = monotonic_ns()
    with pytest.raises(StationError, match="no arm answers"):
        connect(RIG)
    assert (monotonic_ns() - begun_ns) / 1e9 > FAULT_S, "it is waited for first"


def test_how_a_process_is() -> None:
    assert well(process("ok"))
    assert well(process("warn", "old"))
    assert not well(process("fault", "x"))
    assert trouble(process("fault", "x")) == "x"
    ended = ProcessState("pilot", None, False, 1, 0.0, 0.0, None, 0, "killed by SIGKILL")
    assert not well(ended)
    assert trouble(ended) == "pilot ended (killed by SIGKILL)"


def test_a_stream_that_is_no_kind_is_an_error_of_the_script(running: Running) -> None:
    with pytest.raises(KeyError, match="no kind 'frames' in the table"):
        Station(RIG).subscribe([("frames", "cam_high")])


HANGS = """
import os, signal, sys, time
from station.files.lock import Lock
signal.signal(signal.SIGTERM, signal.SIG_IGN)
held = [Lock("r", name) for name in sys.argv[1:]]
print("holds", flush=True)
os.kill(os.getpid(), signal.SIGSTOP)
while True:
    time.sleep(1)
"""


@pytest.mark.slow
def test_what_hangs_is_killed_within_10_s_and_named(runtime: str) -> None:
    # a supervisor stopped in the middle of things, deaf to SIGTERM, and a node that outlives it
    children = [
        subprocess.Popen([sys.executable, "-c", HANGS, name], stdout=subprocess.PIPE)
        for name in ("supervisor", "pilot")
    ]
    try:
        for child in children:
            assert child.stdout is not None and child.stdout.readline() == b"holds\n"
        begun = monotonic_ns()
        assert Station(RIG).stop() == ("supervisor hung: killed", "pilot hung: killed")
        assert (monotonic_ns() - begun) / 1e9 <= STOP_S
        assert [child.wait(5) for child in children] == [-signal.SIGKILL] * 2
    finally:
        for child in children:
            child.kill()
            child.wait()
            assert child.stdout is not None
            child.stdout.close()


def test_a_supervisor_kills_sooner_than_it_is_killed() -> None:
    assert sum(supervisor.STOP_S.values()) + len(supervisor.STOP_S) * supervisor.KILL_S <= KILL_S < STOP_S


def test_other_software_is_told_and_not_mixed(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    LifeFile(RIG.name, RIG.file)
    with connect(RIG, start=False):
        pass
    monkeypatch.setattr(module, "station_version", lambda: "9.0.0")
    with pytest.raises(
        OtherVersion, match=r"runs version .*, this command is 9\.0\.0.* Next: `station stop --rig r`, then"
    ):
        connect(RIG, start=False)


def test_a_module_that_is_not_installed_is_told_alone(runtime: str) -> None:
    gone = ProcessState("pilot", None, False, 3, 0.0, 0.0, None, 0, f"exit 1: {missing('mujoco')}")
    running = Running(gone)
    try:
        with pytest.raises(StationError, match="the extra `sim` or `vr` brings it") as raised:
            connect(RIG, start=False)
    finally:
        running.close()
    assert "\n" not in str(raised.value)
