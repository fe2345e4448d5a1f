"""Pages: one holds control, and what they would move from afar is allowed at the rig. The time is the test's."""

from typing import TypedDict

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from station.bus.actions import meant, offered
from station.bus.messages import Control, PilotState
from station.bus.requests import (
    Align,
    Allow,
    AskLeave,
    CloseSession,
    Done,
    Engage,
    HandOver,
    KeepControl,
    LeaveControl,
    OpenSession,
    Pause,
    Refused,
    SessionRequest,
    Start,
    StillThere,
    Stop,
    TakeControl,
)
from station.clock import NS_PER_S
from tests.station.session.world import World


class Page(TypedDict, total=False):
    """Who asks from where."""

    person: str
    seat: str
    at_rig: bool


ADA: Page = {"person": "ada", "seat": "a.1"}
BOB: Page = {"person": "bob", "seat": "b.1"}
FAR: Page = {**BOB, "at_rig": False}
READY = PilotState("engaged", "leader", "", ())


def at(world: World, seconds: float) -> None:
    world.time(round(seconds * NS_PER_S))


def holder(world: World) -> str:
    return world.core.state().control.holder


def taken(world: World, page: Page = ADA) -> World:
    world.press(TakeControl(), **page)
    assert world.replies.pop() == Done()
    return world


# -- control --


def test_a_page_without_control_asks_for_nothing_and_the_terminal_needs_none() -> None:
    world = World()
    world.press(OpenSession("pick"), **ADA)
    assert "does not hold control" in world.replies.pop().why  # type: ignore[union-attr]
    taken(world)
    world.press(OpenSession("pick"), **BOB)
    assert "ada (console) holds control" in world.replies.pop().why  # type: ignore[union-attr]
    world.press(OpenSession("pick"))
    assert world.pilot_asked, "who is at the terminal asks as ever"


def test_the_holder_is_asked_and_may_say_no() -> None:
    world = taken(World())
    world.press(TakeControl(), **FAR)
    assert not world.replies, "bob waits"
    assert world.core.state().control == Control("a.1", "ada (console)", "bob (console)", 20 * NS_PER_S)
    world.press(KeepControl(), **FAR)
    assert isinstance(world.replies.pop(), Refused), "only the holder keeps it"
    world.press(KeepControl(), **ADA)
    told = [reply for reply in world.replies if isinstance(reply, Refused)]
    assert told and "ada (console) keeps control" in told[0].why
    assert world.core.state().control == Control("a.1", "ada (console)")


@pytest.mark.parametrize("gives", [True, False])
def test_given_or_not_answered_it_passes(gives: bool) -> None:
    world = taken(World())
    world.press(TakeControl(), **FAR)
    for second in range(1, 20):
        world.press(StillThere(), **ADA)
        at(world, second)
        assert holder(world) == "ada (console)"
    world.press(LeaveControl(), **ADA) if gives else at(world, 20)
    assert holder(world) == "bob (console)"


def test_a_silent_holder_holds_no_longer_and_who_waits_has_it_at_once() -> None:
    world = taken(World())
    world.press(TakeControl(), **FAR)
    at(world, 10.5)
    assert holder(world) == "bob (console)"
    at(world, 21)
    assert holder(world) == ""


def test_a_page_at_the_rig_and_whoever_stands_there_relieves_any_page() -> None:
    world = taken(World(), FAR)
    taken(world, ADA)
    assert holder(world) == "ada (console)"
    world.press(LeaveControl())
    assert world.replies.pop() == Done()
    assert holder(world) == ""


def test_losing_control_ends_nothing() -> None:
    world = World().recording()
    taken(world)
    at(world, 60)
    assert holder(world) == "" and world.phase() == "recording"


# -- leave --

MOVES: tuple[SessionRequest, ...] = (OpenSession("pick"),)


def asked_from_afar(world: World | None = None, request: SessionRequest | AskLeave = MOVES[0]) -> World:
    world = taken(world or World(), FAR)
    world.press(request, **FAR)
    return world


def test_what_moves_waits_for_somebody_at_the_rig_then_counts_down() -> None:
    world = asked_from_afar()
    motion = world.core.state().motion
    assert motion is not None and (motion.asked_by, motion.moves_ns) == ("bob (console)", 0)
    assert not world.pilot_asked
    at(world, 5)
    world.press(Allow())
    at(world, 7.9)
    assert not world.pilot_asked, "3 s are counted down"
    at(world, 8.1)
    assert world.pilot_asked.pop()[0] == Engage("leader")
    assert world.core.state().motion is None


def test_nobody_at_the_rig_nothing_moves_and_it_says_so() -> None:
    world = asked_from_afar()
    at(world, 19.9)
    world.press(Allow(), **FAR)
    assert "only somebody at the rig" in world.replies.pop().why  # type: ignore[union-attr]
    at(world, 20)
    assert "nobody at the rig allowed it within 20 s" in world.replies.pop().why  # type: ignore[union-attr]
    at(world, 60)
    assert not world.pilot_asked and world.phase() == "ended"


def test_anybody_may_say_no_and_a_hold_is_a_no_until_the_last_moment() -> None:
    world = asked_from_afar()
    world.press(Allow(False), **ADA)
    assert not world.core.state().motion
    world.press(OpenSession("pick"), **FAR)
    world.press(Allow())
    world.heard_pilot(PilotState("hold", "hold", "HOLD", (), holds=1))
    assert "held meanwhile" in world.replies.pop().why  # type: ignore[union-attr]
    at(world, 10)
    assert not world.pilot_asked


def test_a_no_counts_whatever_was_seen_and_a_yes_does_not() -> None:
    """A page's no, and its HOLD, name no state: they are said in a hurry."""
    world = World()
    world.press(TakeControl(), **FAR)
    world.press(AskLeave("park the arms"), **FAR)
    world.press(Allow(), seen=0)
    assert "does not say which state" in world.replies.pop().why  # type: ignore[union-attr]
    assert world.core.state().motion is not None
    world.press(Allow(False), seen=0)
    assert world.replies.pop() == Done() and world.core.state().motion is None
    assert "did not allow it" in world.replies.pop().why  # type: ignore[union-attr]


def test_a_yes_to_what_is_not_asked_any_more_is_no_yes_to_the_next() -> None:
    world = asked_from_afar()
    seen = world.core.state().sequence
    world.press(Allow(False))
    world.press(OpenSession("pick"), **FAR)
    world.press(Allow(), seen=seen)
    assert "not asked for any more" in world.replies.pop().why  # type: ignore[union-attr]
    assert world.core.state().motion.moves_ns == 0  # type: ignore[union-attr]


def test_what_makes_no_sense_any_more_after_the_count_down_is_refused() -> None:
    world = asked_from_afar()
    world.press(Allow())
    world.press(OpenSession("pick"))  # by somebody at the rig, meanwhile
    world.pilot_asked.pop()[1](Done())
    at(world, 4)
    assert "makes no sense while ready" in world.replies.pop().why  # type: ignore[union-attr]


def test_what_moves_nothing_is_done_at_once_from_afar() -> None:
    world = World().opened()
    taken(world, FAR)
    world.press(Start(1.0), **FAR)
    assert world.sync_asked.pop()[1](Done()) is None
    world.press(Pause(), **FAR)
    world.press(Stop(), **FAR)
    world.press(CloseSession(), **FAR)
    assert world.core.state().motion is None


def test_leave_for_a_park_or_a_replay_is_asked_the_same_way_and_somebody_at_the_rig_has_it() -> None:
    world = asked_from_afar(request=AskLeave("park the arms"))
    world.press(Allow())
    at(world, 3.1)
    assert world.replies[-1] == Done()
    world.press(AskLeave("park the arms"))
    assert world.replies.pop() == Done()
    world.press(AskLeave("park the arms"), **ADA)
    assert world.replies.pop() == Done(), "a page at the rig needs no control to have leave"


def test_a_policys_start_waits_and_a_leaders_does_not() -> None:
    world = World()
    taken(world, FAR).press(OpenSession("pick", source="policy", policy="p", policy_folder="/p"), **FAR)
    assert world.phase() == "reset", "to open it moves nothing"
    world.press(Start(1.0), **FAR)
    motion = world.core.state().motion
    assert motion is not None and "policy" in motion.what


def test_the_key_is_y_and_a_pedal_means_yes_only_where_it_would_move_the_arms_itself() -> None:
    world = World().recording()
    state = asked_from_afar(world, AskLeave("replay episode 3")).core.state()
    assert meant("y", state).name == "allow"  # type: ignore[union-attr]
    assert meant("pedal 1", state).name == "stop"  # type: ignore[union-attr]
    assert "allow" in state.actions
    ended = asked_from_afar().core.state()
    assert meant("pedal 1", ended).request is Allow  # type: ignore[union-attr]
    assert ended.motion is not None
    allowed = msgspec.structs.replace(ended, motion=msgspec.structs.replace(ended.motion, moves_ns=5))
    assert all(action.request is not Allow for action in offered(allowed))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([
                TakeControl(), LeaveControl(), KeepControl(), StillThere(), Allow(), Allow(False), AskLeave("park"),
                OpenSession("pick"), Align(), HandOver(),
            ]),
            st.sampled_from([ADA, {**ADA, "at_rig": False}, FAR, BOB]), st.integers(0, 12),
        ), max_size=14,
    )
)  # fmt: skip
def test_from_afar_nothing_moves_without_a_yes_from_the_rig(acts: list[tuple[object, dict[str, object], int]]) -> None:
    world, seconds, allowed = World(), 0, False
    for request, page, later in acts:
        seconds += later
        at(world, seconds)
        near = page.get("at_rig", True)
        if near and not isinstance(request, Allow):
            continue  # whoever is at the rig may move it as ever
        allowed = allowed or (near and request == Allow())  # type: ignore[assignment]
        world.press(request, **page)  # type: ignore[arg-type]
    at(world, seconds + 30)
    assert allowed or not world.pilot_asked
    assert world.core.state().motion is None, "what was asked for has lapsed, or was done"
