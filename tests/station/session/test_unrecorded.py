"""A policy's rollouts that nobody records: the same buttons, no folder, no recorder; a hold ends the rollout and not the sitting."""

from pathlib import Path

import msgspec
import pytest

from station.bus.messages import PilotState
from station.bus.requests import (
    Align,
    CloseSession,
    Discard,
    Disengage,
    Done,
    Engage,
    HandOver,
    Hold,
    Label,
    Note,
    OpenSession,
    Pause,
    Refused,
    SessionRequest,
    Start,
    StartPolicy,
    Stop,
    StopPolicy,
    Undo,
)
from station.clock import NS_PER_S
from station.session.unrecorded import BELATED_NS
from tests.station.session.world import IDLE, World

OPEN = OpenSession("handover", source="policy", policy="p", policy_folder="/p", reset="operator", kept=False)
ENGAGED = PilotState("engaged", "policy", "", ())
HELD = PilotState("hold", "policy", "follower_left is silent", (), 1, (), held_by="station")


class NoDisk(World):
    """Whatever is asked of its disk is a fault."""

    def prepare(self, folder: Path) -> int:
        raise AssertionError("a folder was touched")

    another_rigs = drift = disk_budget = label = note = delete = prepare  # type: ignore[assignment]


def answered(asked: list, expected: object, reply: object = None) -> None:  # type: ignore[type-arg]
    request, then = asked.pop(0)
    assert request == expected
    then(reply or Done())


def started(world: World, seconds: float | None = None) -> World:
    world.press(Start(seconds))
    answered(world.policy_asked, StopPolicy())
    answered(world.policy_asked, StartPolicy())
    answered(world.pilot_asked, Engage("policy"))
    world.heard_pilot(ENGAGED)
    assert (world.phase(), world.replies[-1]) == ("running", Done())
    return world


def opened(open_session: OpenSession = OPEN) -> World:
    world = NoDisk()
    world.heard_runner(7)
    world.press(open_session)
    assert (world.phase(), world.core.state().kept, world.core.state().episode) == ("reset", False, 0)
    return world


def rested(world: World) -> None:
    assert world.phase() == "reset"
    answered(world.pilot_asked, Disengage())
    answered(world.policy_asked, StopPolicy())
    assert world.sync_asked == [] and world.finalising == [] and world.disk == []


def test_it_is_begun_and_ended_like_an_episode_and_nothing_is_recorded() -> None:
    world = started(opened())
    names = world.core.state().actions
    assert "end" in names and not {"stop", "success", "failure", "discard", "mark", "note"} & set(names)
    world.press(Stop())
    assert world.replies[-1] == Done()
    rested(world)
    assert world.core.state().episode == 1
    started(world)


def test_its_time_ends_it() -> None:
    world = opened()
    world.time(5 * NS_PER_S)
    started(world, 2.0)
    world.time(7 * NS_PER_S - 1)
    assert world.phase() == "running"
    world.time(7 * NS_PER_S)
    rested(world)
    assert (world.core.state().why, world.core.state().ended_early) == ("", 0)


def test_a_hold_ends_the_rollout_and_not_the_sitting_and_space_begins_the_next() -> None:
    world = started(opened())
    world.heard_pilot(HELD)
    rested(world)
    state = world.core.state()
    assert (state.why, state.ended_early, state.ended_by) == ("hold: follower_left is silent", 1, "station")
    started(world)
    assert world.core.state().why == ""


def test_the_hold_before_it_is_not_its_own() -> None:
    world = opened()
    world.press(Start())
    answered(world.policy_asked, StopPolicy())
    answered(world.policy_asked, StartPolicy())
    answered(world.pilot_asked, Engage("policy"))
    world.heard_pilot(HELD)  # it was on its way
    assert world.phase() == "running"
    world.now_ns += BELATED_NS + 1
    world.heard_pilot(HELD)
    rested(world)


def test_a_pause_holds_and_the_rollout_goes_on() -> None:
    world = started(opened())
    world.press(Pause())
    request, then = world.pilot_asked.pop(0)
    assert isinstance(request, Hold)
    paused = PilotState("hold", "policy", request.why, (), 1, (), asked=True)
    world.heard_pilot(paused)  # it may be heard before the answer
    then(Done())
    assert (world.phase(), world.core.state().paused) == ("running", True)
    assert "go_on" in world.core.state().actions
    world.now_ns += 60 * NS_PER_S
    world.heard_pilot(paused)
    world.press(Align())
    answered(world.pilot_asked, Engage("policy"))
    world.heard_pilot(paused)  # still on its way
    world.heard_pilot(ENGAGED)
    assert (world.phase(), world.core.state().paused, world.sync_asked) == ("running", False, [])


def test_hands_take_over_and_hand_back() -> None:
    world = started(opened())
    world.press(HandOver("leader"))
    answered(world.pilot_asked, Engage("leader"))
    world.heard_pilot(PilotState("engaged", "leader", "", ()))
    world.press(HandOver())
    answered(world.pilot_asked, Engage("policy"))
    assert world.phase() == "running"


@pytest.mark.parametrize("request_", [Stop(True), Discard(), Label(True), Note("late"), Undo()])
def test_what_only_a_file_can_have_is_refused(request_: SessionRequest) -> None:
    world = started(opened())
    world.press(request_)
    assert isinstance(world.replies[-1], Refused) and world.phase() == "running"


def test_only_a_policys_rollouts_go_unrecorded() -> None:
    world = NoDisk()
    world.press(msgspec.structs.replace(OPEN, source="leader"))
    assert isinstance(world.replies[-1], Refused) and world.phase() == "ended"


def test_after_as_many_as_are_wanted_no_timed_reset_begins_another() -> None:
    world = started(opened(msgspec.structs.replace(OPEN, reset="timed", reset_s=1.0, episodes=1)))
    world.press(Stop())
    rested(world)
    for second in (5, 10):
        world.time(second * NS_PER_S)
    assert world.policy_asked == []


def test_closing_ends_it() -> None:
    world = started(opened())
    world.press(CloseSession())
    assert world.phase() == "saving"
    while world.pilot_asked:
        world.pilot_asked.pop(0)[1](Done())
    assert world.phase() == "ended" and world.replies[-1] == Done("")


def test_a_session_that_was_killed_holds_the_arms_and_goes_on() -> None:
    before = started(opened())
    left = before.core.sitting()
    world = NoDisk(left)
    world.heard_pilot(ENGAGED)
    world.heard_recorder(IDLE)
    assert "killed" in world.core.state().why
    rested(world)
    world.heard_runner(7)
    started(world)
