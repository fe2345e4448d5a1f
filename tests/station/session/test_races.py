"""Requests, answers, time-outs, restarts and ends in any order: nothing is ever recorded that nobody ends and saves."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from station.bus.actions import BY_NAME
from station.bus.messages import Ending, EndReason, PilotState, RecorderState
from station.bus.pending import Unanswered
from station.bus.requests import (
    Align,
    BeginRecording,
    CloseSession,
    Discard,
    Done,
    EndRecording,
    Engage,
    Hold,
    Label,
    Note,
    OpenSession,
    Pause,
    Refused,
    Reply,
    SessionRequest,
    Start,
    Stop,
    Undo,
)  # fmt: skip
from station.session.take import Take
from tests.station.session.world import COMPLETE, STOPPED, World

PART = Path("/data/pick/episode_4.mcap.part")
LATE = Unanswered("synchronizer did not answer in time")


def starting(open_session: OpenSession | None = None) -> tuple[World, Callable[[Any], None]]:
    world = World().opened(open_session)
    world.press(Start(2.0))
    request, then = world.sync_asked.pop()
    assert isinstance(request, BeginRecording)
    assert world.phase() == "starting"
    return world, then


def test_a_close_while_it_begins_ends_and_saves_it_first() -> None:
    world, begun = starting()
    world.press(CloseSession())
    assert world.core.state().actions == ()
    begun(Done())
    assert world.phase() == "saving"
    request, closed = world.sync_asked.pop()
    assert request == EndRecording(STOPPED, str(PART))
    closed(Done("3 rows"))
    world.pilot_asked.pop()[1](Done())
    assert world.phase() == "saving"
    world.finalising.pop()[2](PART.with_name("episode_4.hdf5"), "")
    assert world.phase() == "ended"
    assert world.replies[-1] == Done("1 saved")


def test_a_second_start_is_refused_while_the_first_begins() -> None:
    world, begun = starting()
    world.press(Start(2.0))
    assert isinstance(world.replies[-1], Refused)
    assert world.sync_asked == []
    begun(Done())
    assert world.phase() == "recording"


@pytest.mark.parametrize("button", [Stop(), Discard()])
def test_a_stop_while_it_begins_is_kept_until_it_has_begun(button: SessionRequest) -> None:
    world, begun = starting()
    world.press(button)
    begun(Done())
    request, closed = world.sync_asked.pop()
    assert isinstance(request, EndRecording)
    closed(Done())
    part, discarded, _ = world.finalising.pop()
    assert (part, discarded) == (PART, isinstance(button, Discard))
    assert (world.phase(), world.core.state().episode) == ("ready", 5)


def test_a_begin_that_nobody_answered_is_ended_and_what_it_had_begun_is_saved() -> None:
    world, begun = starting()
    begun(LATE)
    request, closed = world.sync_asked.pop()
    assert isinstance(request, EndRecording)
    closed(Done("40 rows"))
    assert [part for part, _, _ in world.finalising] == [PART]
    assert (world.phase(), world.core.state().episode) == ("ready", 5)
    assert isinstance(world.replies[-1], Done)


def test_a_begin_that_nobody_answered_and_that_never_was_leaves_nothing() -> None:
    world, begun = starting()
    begun(LATE)
    world.sync_asked.pop()[1](Refused("it is not being recorded"))
    assert (world.phase(), world.core.state().episode, world.finalising) == ("ready", 4, [])
    assert world.replies[-1] == Refused(LATE.why)


def test_a_recording_that_nobody_waits_for_is_ended_and_saved() -> None:
    """The answer came after the time-out of all who asked, or the session is another life's."""
    world = World().opened()
    world.recorder(7)
    request, closed = world.sync_asked.pop()
    assert request == EndRecording(Ending(EndReason.UNWANTED), str(PART))
    world.recorder(9)
    assert world.sync_asked == [], "asked once"
    closed(Done())
    assert [part for part, _, _ in world.finalising] == [PART]
    assert world.acknowledged == [9]
    assert world.core.state().episode == 5
    world.recorder(9)  # what was told before it ended, heard afterwards
    assert (world.sync_asked, len(world.finalising)) == ([], 1)


def test_an_answer_of_an_alignment_that_was_closed_touches_no_later_sitting() -> None:
    world = World()
    world.press(OpenSession("pick"))
    _, late = world.pilot_asked.pop()
    world.press(CloseSession())
    world.pilot_asked.pop()[1](Done())
    assert world.phase() == "ended"
    world.press(OpenSession("pick"))
    late(Done())
    assert world.phase() == "opening", "its own alignment is still to come"
    world.pilot_asked.pop()[1](Done())
    assert world.phase() == "ready"


def test_a_sitting_is_not_over_before_the_pilot_has_let_go() -> None:
    world = World().recording()
    world.press(CloseSession())
    world.sync_asked.pop()[1](Done())
    world.finalising.pop()[2](PART.with_name("episode_4.hdf5"), "")
    assert world.phase() == "saving"
    world.pilot_asked.pop()[1](Done())
    assert world.phase() == "ended"


def test_rows_that_were_acknowledged_and_are_not_in_the_file_are_not_saved() -> None:
    world = World().recording()
    world.recorder(20)
    world.recorder(20, COMPLETE)
    assert world.acknowledged == [20]
    world.finalising.pop()[2](None, "episode_4.hdf5 is not whole: 20 rows were acknowledged, 8 can be read")
    state = world.core.state()
    assert (state.saved, state.saved_path) == (0, "")
    assert "episode 4 is not saved" in state.why and "20 rows were acknowledged" in state.why


class Bus:
    """A synchronizer, a pilot and builders whose messages arrive when hypothesis says so. In order, as sockets do."""

    def __init__(self) -> None:
        self.world = World()
        self.requests: list[tuple[int, Any]] = []
        """On their way to the synchronizer."""
        self.answers: list[tuple[int, Reply]] = []
        self.states: list[RecorderState] = []
        self.recording: str = ""
        self.rows = 0
        self.state = RecorderState(False, "", 0, None, 0, 0, ())
        self.began: list[str] = []
        self.built: list[str] = []
        self.waiting: dict[int, Any] = {}
        self._count = 0
        self.answered = 0
        self.asked = 0

    def collect(self) -> None:
        """What the core asked since it was last looked at."""
        for request, then in self.world.sync_asked:
            self._count += 1
            self.waiting[self._count] = then
            self.requests.append((self._count, request))
        self.world.sync_asked.clear()
        begins = [r for n, r in self.requests if isinstance(r, BeginRecording) and n in self.waiting]
        assert len(begins) <= 1, "two begins outstanding"
        for part, _, built in self.world.finalising:
            self.built.append(str(part))
            built(part, "")
        self.world.finalising.clear()

    # -- the synchronizer --

    def serve(self) -> None:
        """It takes its oldest request."""
        if not self.requests:
            return
        number, request = self.requests.pop(0)
        if isinstance(request, BeginRecording):
            if self.recording or request.path in self.began:  # as the journal of that name would refuse it
                self.answers.append((number, Refused("it exists already, or another goes on")))
                return
            self.recording, self.rows = request.path, 0
            self.began.append(request.path)
            self.world.journals.add(Path(request.path))
        elif isinstance(request, EndRecording):
            if request.path != (self.recording or self.state.path):
                self.answers.append((number, Refused("it is not being recorded")))
                return
            self._end(request.ending)
        self.answers.append((number, Done()))

    def _end(self, ending: Ending) -> None:
        if self.recording:
            self.state = RecorderState(False, self.recording, self.rows, ending, 0, 0, ())
            self.recording = ""

    def restart(self, kept: bool) -> None:
        """Killed: its recording ends, nobody answers what it was asked. `kept`: what it had not taken reaches its next life."""
        self.recording = ""
        self.state = RecorderState(False, "", 0, None, 0, 0, ())
        self.answers, self.states = [], []
        self.waiting.clear()
        if not kept:
            self.requests.clear()
        self.world.recorder_lost()

    def tick(self, early: bool) -> None:
        """A row, or an end by itself; then it says how it is."""
        if self.recording:
            self.rows += 1
            if early:
                self._end(Ending(EndReason.HOLD, "follower_left"))
            else:
                self.state = RecorderState(True, self.recording, self.rows, None, 0, 0, ())
        self.states.append(self.state)

    # -- the wires --

    def hear(self) -> None:
        if self.states:
            self.world.heard_recorder(self.states.pop(0))

    def answer(self) -> None:
        if self.answers:
            number, reply = self.answers.pop(0)
            then = self.waiting.pop(number, None)
            if then is not None:
                then(reply)

    def time_out(self) -> None:
        """The oldest question has waited too long; its answer may come yet, to nobody."""
        if self.waiting:
            number = next(iter(self.waiting))
            self.waiting.pop(number)(LATE)

    def pilot(self, done: bool) -> None:
        if self.world.pilot_asked:
            request, then = self.world.pilot_asked.pop(0)
            if done and isinstance(request, Engage):
                self.world.heard_pilot(PilotState("engaged", "leader", "", ()))
            then(Done() if done or not isinstance(request, Engage | Hold) else Refused("not just now"))

    def hold(self) -> None:
        self.world.heard_pilot(PilotState("hold", "leader", "follower_left diverged", ()))

    def press(self, request: SessionRequest) -> None:
        shown = any(BY_NAME[name].request is type(request) for name in self.world.core.state().actions)
        before = len(self.world.replies)
        self.asked += 1
        self.world.press(request)
        now = self.world.replies[before:]
        assert not (shown and now and isinstance(now[0], Refused) and "makes no sense" in now[0].why), now

    def settle(self) -> None:
        """Everything arrives, nothing is late any more."""
        for _ in range(60):
            self.collect()
            self.serve()
            self.answer()
            self.tick(False)
            self.hear()
            self.pilot(True)
        self.collect()
        while self.states:
            self.hear()
            self.collect()


BUTTONS: tuple[SessionRequest, ...] = (
    OpenSession("pick"), OpenSession("pick", reset="operator"), Start(1.0), Start(None), Start(1.0), Stop(), Stop(True),
    Discard(), Pause(), Align(), Label(True), Note("x"), Undo(), CloseSession(),
)  # fmt: skip
ACTS = st.one_of(
    st.sampled_from(BUTTONS),
    st.sampled_from(["serve", "serve", "answer", "answer", "tick", "tick", "hear", "hear", "pilot", "pilot"]),
    st.sampled_from(["early", "time out", "restart", "restart, its post kept", "hold", "no pilot"]),
)


@pytest.mark.slow
@settings(max_examples=400)
@given(st.lists(ACTS, max_size=60))
def test_every_recording_that_began_is_ended_and_built_whatever_comes_in_which_order(acts: list[Any]) -> None:
    bus = Bus()
    does: dict[str, Callable[[], None]] = {
        "serve": bus.serve, "answer": bus.answer, "tick": lambda: bus.tick(False), "early": lambda: bus.tick(True),
        "hear": bus.hear, "pilot": lambda: bus.pilot(True), "no pilot": lambda: bus.pilot(False), "hold": bus.hold,
        "time out": bus.time_out, "restart": lambda: bus.restart(False), "restart, its post kept": lambda: bus.restart(True),
    }  # fmt: skip
    bus.press(OpenSession("pick"))
    bus.pilot(True)
    for act in acts:
        bus.press(act) if not isinstance(act, str) else does[act]()
        bus.collect()
        core = bus.world.core
        if core.phase == "recording":
            assert isinstance(core._takes.current, Take) and core._takes.current.state == "running"
        assert core.phase not in ("starting", "ready", "reset", "hold") or (core._takes.current is not None) == (
            core.phase == "starting"
        )
        assert core.phase != "ended" or core._takes.current is None
    bus.settle()
    if bus.recording:  # only one that the session knows of, and shows buttons for
        assert bus.world.phase() == "recording"
        assert "stop" in bus.world.core.state().actions or bus.world.core.state().paused
        bus.press(Stop())
        bus.settle()
    assert bus.recording == ""
    if bus.world.phase() != "ended":
        bus.press(CloseSession())
        bus.settle()
    assert bus.world.phase() == "ended"
    assert sorted(bus.built) == sorted(bus.began), "each that began is built, once"
    assert len(bus.world.replies) == bus.asked, "every request is answered once"
