"""A request is about what was seen: an episode, a label's, a hold. One that was overtaken is refused with the reason."""

from typing import Any

import pytest

from station.bus.messages import PilotState
from station.bus.requests import (
    Align,
    CloseSession,
    Discard,
    Done,
    Label,
    Note,
    OpenSession,
    Pause,
    Refused,
    SessionRequest,
    Start,
    Stop,
    Undo,
)
from tests.station.session.world import COMPLETE, World


def seen(world: World) -> int:
    return world.core.state().sequence


def saved(world: World, number: int) -> None:
    """The newest journal's HDF5 is there."""
    part, _, then = world.finalising.pop()
    then(part.with_name(f"episode_{number}.hdf5"), "")


def take(world: World) -> None:
    """One whole episode."""
    world.press(Start(1.0))
    world.sync_asked.pop()[1](Done())
    world.press(Stop())
    world.sync_asked.pop()[1](Done())


def refused(world: World, request: SessionRequest, sequence: int) -> str:
    asked = len(world.sync_asked), len(world.pilot_asked)
    world.press(request, sequence)
    assert isinstance(world.replies[-1], Refused), world.replies[-1]
    assert (len(world.sync_asked), len(world.pilot_asked)) == asked
    return world.replies[-1].why


@pytest.mark.parametrize("button", [Stop(), Stop(True), Discard()])
def test_a_stop_for_an_episode_that_has_ended_does_not_end_the_next(button: SessionRequest) -> None:
    world = World().recording()
    before = seen(world)
    world.recorder(100, COMPLETE)
    world.press(Start(2.0))
    world.sync_asked.pop()[1](Done())
    assert world.phase() == "recording"
    why = refused(world, button, before)
    assert "was meant for episode 4, it would be episode 5 now. Next: look again" in why
    assert world.phase() == "recording"
    world.press(button)
    assert world.phase() == "saving"


def test_a_start_pressed_on_an_old_state_starts_nothing() -> None:
    world = World().opened()
    before = seen(world)
    take(world)
    assert world.phase() == "ready"
    assert "Start was meant for episode 4" in refused(world, Start(), before)
    assert world.phase() == "ready"


def test_a_label_is_for_the_episode_that_was_seen_and_is_told_back_with_it() -> None:
    world = World().opened()
    take(world)
    before = seen(world)
    world.press(Label(True))
    assert world.replies[-1] == Done("episode 4 is a success")
    take(world)
    assert "Label was meant for episode 4, it would be episode 5 now" in refused(world, Label(False), before)


def test_a_stop_with_a_label_is_told_back_with_its_episode() -> None:
    world = World().recording()
    world.press(Stop(False))
    world.sync_asked.pop()[1](Done())
    assert world.replies[-1] == Done("episode 4 is a failure")


def test_undo_takes_back_what_was_seen_only() -> None:
    world = World().opened()
    take(world)
    saved(world, 4)
    before = seen(world)
    take(world)
    saved(world, 5)
    assert "Undo was meant for episode 4" in refused(world, Undo(), before)
    world.press(Undo())
    assert isinstance(world.replies[-1], Done)
    assert ("delete", 5, None) in world.disk


def test_going_on_is_meant_for_the_hold_whose_cause_was_read() -> None:
    world = World().opened()
    world.heard_pilot(PilotState("hold", "leader", "follower_left diverged", ()))
    first = seen(world)
    world.press(Align())
    world.pilot_asked.pop()[1](Done())
    world.heard_pilot(PilotState("hold", "leader", "follower_right is near overload", ()))
    assert "an earlier hold" in refused(world, Align(), first)
    world.press(Align())
    assert world.phase() == "opening"


@pytest.mark.parametrize("request_", [Pause(), CloseSession()])
def test_holding_and_ending_are_never_too_late(request_: SessionRequest) -> None:
    world = World().recording()
    world.press(request_, 0)
    assert world.replies == [] or not isinstance(world.replies[-1], Refused)
    assert world.sync_asked


def test_a_note_goes_to_the_episode_it_was_begun_in() -> None:
    world = World().recording()
    before = seen(world)
    world.press(Stop())
    world.sync_asked.pop()[1](Done())
    world.press(Start(2.0))
    world.sync_asked.pop()[1](Done())
    world.press(Note("grip late"), before)
    assert world.replies[-1] == Done("episode 4")
    assert ("note", 4, "grip late") in world.disk


@pytest.mark.parametrize(("sequence", "why"), [(0, "does not say which state"), (10**9, "has gone on since")])
def test_who_saw_nothing_of_this_life_is_asked_to_look(sequence: int, why: str) -> None:
    world = World().opened()
    assert why in refused(world, Start(), sequence)


def test_what_does_not_matter_to_a_button_overtakes_none() -> None:
    world = World().opened()
    take(world)
    before = seen(world)
    saved(world, 4)  # its HDF5 is there by now
    world.time(10**9)
    world.press(Start(1.0), before)
    assert world.phase() == "starting"


def test_the_sequence_never_falls_and_says_when_something_changed() -> None:
    world = World()
    sequences: list[Any] = [seen(world)]
    world.press(OpenSession("pick"))
    world.pilot_asked.pop()[1](Done())
    sequences.append(seen(world))
    take(world)
    sequences.append(seen(world))
    assert sequences == sorted(set(sequences))
    assert seen(world) == sequences[-1], "looking changes nothing"
