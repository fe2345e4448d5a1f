"""Whatever is asked, answered, heard or built, in whatever order: the session goes on, and whoever closes it ends it."""

import math
from pathlib import Path
from typing import get_args

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from station.bus.messages import Ending, EndReason, Phase, PilotState, RecorderState
from station.bus.messages.commanding import SourceName
from station.bus.pending import Outcome, Unanswered
from station.bus.requests import (
    Align,
    Allow,
    AskLeave,
    CloseSession,
    ControlRequest,
    Discard,
    Done,
    HandOver,
    KeepControl,
    Label,
    LeaveControl,
    Note,
    OpenSession,
    Pause,
    Refused,
    SessionRequest,
    Start,
    StillThere,
    Stop,
    TakeControl,
    Undo,
)
from station.clock import NS_PER_MS
from tests.station.session.world import IDLE, World

SECONDS = st.sampled_from([0.0, 0.02, 2.0, 5.0])
SOURCES: tuple[SourceName, ...] = get_args(SourceName)
JUDGED = st.sampled_from([None, True, False])
OPENED = st.builds(
    OpenSession, st.just("pick"), source=st.sampled_from(["leader", "policy", *SOURCES]), policy=st.sampled_from(["", "p"]),
    policy_folder=st.sampled_from(["", "/p"]), reset=st.sampled_from(["none", "operator", "timed"]), reset_s=SECONDS,
    episodes=st.sampled_from([0, 1, 3]), opening=st.sampled_from([False, True, None]), kept=st.sampled_from([True, True, False]),
)  # fmt: skip
REQUESTS: st.SearchStrategy[SessionRequest | ControlRequest] = st.one_of(
    st.builds(Start, st.sampled_from([None, 0.0, 2.0, math.nan])), st.builds(Stop, JUDGED), st.builds(Label, JUDGED),
    st.builds(HandOver, st.sampled_from([None, "leader", "policy"])), st.builds(Allow, st.booleans()), st.just(Note("well")),
    st.sampled_from([Discard(), Undo(), Pause(), Align(), TakeControl(), LeaveControl(), KeepControl(), StillThere(),
                     AskLeave("park the arms"), CloseSession()]),
)  # fmt: skip
OUTCOMES: st.SearchStrategy[Outcome] = st.sampled_from([Done(), Done(), Done("p"), Refused("no"), Unanswered("silent")])
SEATS = st.sampled_from(["", "", "", "page", "other page"])


class AnyOrder(RuleBasedStateMachine):
    """One session, its neighbours and its clients."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.rows = 0

    @initialize(opened=OPENED)
    def open(self, opened: OpenSession) -> None:
        self.world.heard_runner(1)
        self.world.press(opened)

    @rule(
        request=st.one_of(OPENED, REQUESTS, REQUESTS),
        seat=SEATS,
        at_rig=st.booleans(),
        seen=st.sampled_from([None, None, 1]),
    )
    def ask(self, request: SessionRequest | ControlRequest, seat: str, at_rig: bool, seen: int | None) -> None:
        self.world.press(request, seen, seat=seat, at_rig=at_rig)

    @rule(of=st.sampled_from(["pilot", "policy", "sync"]), newest=st.booleans(), outcome=OUTCOMES)
    def answer(self, of: str, newest: bool, outcome: Outcome) -> None:
        waiting = getattr(self.world, f"{of}_asked")
        if waiting:
            waiting.pop(-1 if newest else 0)[1](outcome)

    @rule(state=st.sampled_from(["idle", "aligning", "engaged", "hold"]), source=st.sampled_from(["", *SOURCES]),
          holds=st.integers(0, 3))  # fmt: skip
    def pilot(self, state: str, source: str, holds: int) -> None:
        self.world.heard_pilot(PilotState(state, source, "a hand guides it", (), holds, ()))  # type: ignore[arg-type]

    @rule(life=st.integers(1, 3))
    def runner(self, life: int) -> None:
        self.world.heard_runner(life)

    @rule(more=st.integers(0, 100), ended=st.sampled_from([None, None, *EndReason]), odd=st.booleans())
    def recorder(self, more: int, ended: EndReason | None, odd: bool) -> None:
        current = self.world.core.state().episode
        self.rows += more
        path = f"/data/pick/episode_{current + odd}.mcap.part"
        self.world.heard_recorder(
            RecorderState(ended is None, path, self.rows, Ending(ended) if ended else None, 0, 0, ())
        )

    @rule()
    def recorder_idle(self) -> None:
        self.world.heard_recorder(IDLE)

    @rule()
    def recorder_restarted(self) -> None:
        self.world.recorder_lost()

    @precondition(lambda self: self.world.finalising)
    @rule(error=st.sampled_from(["", "", "the disk is full"]))
    def built(self, error: str) -> None:
        part, _, then = self.world.finalising.pop(0)
        then(None if error else Path(str(part).replace(".mcap.part", ".hdf5")), error)

    @rule(passed_ms=st.sampled_from([20, 20, 1000, 5000, 200_000]))
    def time(self, passed_ms: int) -> None:
        self.world.time(self.world.now_ns + passed_ms * NS_PER_MS)

    @rule(gone=st.booleans(), unwritable=st.booleans(), in_use=st.booleans(), left_s=st.sampled_from([1.0, 1e6]))
    def disk(self, gone: bool, unwritable: bool, in_use: bool, left_s: float) -> None:
        self.world.gone, self.world.unwritable, self.world.in_use, self.world.left_s = gone, unwritable, in_use, left_s

    @precondition(lambda self: self.world.core.knows)
    @rule()
    def killed(self) -> None:
        """Another life takes up what this one left."""
        left = self.world.core.sitting()
        lives, now_ns = self.world.recorder_life, self.world.now_ns
        self.world = World(left)
        self.world.now_ns, self.world.recorder_life = now_ns, lives
        if left is not None:
            self.world.heard_pilot(PilotState("hold", "leader", "", (), 0, ()))
            self.world.heard_recorder(IDLE)

    @invariant()
    def is_somewhere(self) -> None:
        assert self.world.core.state().phase in get_args(Phase)

    def teardown(self) -> None:
        """Everybody answers, and somebody closes it: then it is over."""
        world = self.world
        world.gone = world.unwritable = world.in_use = False
        world.heard_pilot(PilotState("hold", "leader", "", (), 0, ()))
        for _ in range(60):
            for waiting in (world.pilot_asked, world.policy_asked, world.sync_asked):
                while waiting:
                    waiting.pop(0)[1](Done())
            while world.finalising:
                part, _, then = world.finalising.pop(0)
                then(Path(str(part).replace(".mcap.part", ".hdf5")), "")
            world.heard_recorder(IDLE)
            if world.core.phase == "ended":
                return
            world.press(CloseSession())
            world.time(world.now_ns + 10_000 * NS_PER_MS)
        pytest.fail(f"still {world.core.phase}: {world.core.state()}")


AnyOrder.TestCase.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
TestAnyOrder = AnyOrder.TestCase
