"""The session: labels, notes, undo, pauses, and the reset between two takes."""

from station.bus.messages import PilotState
from station.bus.requests import (
    Align,
    BeginRecording,
    Done,
    Hold,
    KeepHold,
    Label,
    Note,
    OpenSession,
    Pause,
    Refused,
    Start,
    Stop,
    Undo,
)  # fmt: skip  # fmt: skip  # fmt: skip
from tests.station.session.world import COMPLETE, World


def saved(world: World) -> None:
    part, _, then = world.finalising.pop()
    then(part.with_name(part.name.replace(".mcap.part", ".hdf5")), "")


def test_a_success_pressed_at_the_stop_is_kept_at_once_and_again_once_the_file_is_there() -> None:
    world = World().recording()
    world.press(Stop(success=True))
    world.sync_asked.pop()[1](Done())
    assert world.disk == [("label", 4, True)], "whoever is killed now has said it"
    saved(world)
    assert world.disk == [("label", 4, True)] * 2, "the file itself has it too"


def test_a_label_pressed_while_the_file_is_built_is_not_lost_and_can_be_changed_later() -> None:
    world = World().recording()
    world.recorder(100, COMPLETE)
    world.press(Label(False))
    saved(world)
    world.press(Label(True))
    assert world.disk == [("label", 4, False)] * 2 + [("label", 4, True)]


def test_there_must_be_something_to_label() -> None:
    world = World().opened()
    world.press(Label(True))
    assert isinstance(world.replies[-1], Refused)


def test_notes_go_to_the_episode_on_the_table() -> None:
    world = World().recording()
    world.press(Note("cube slipped"))
    world.recorder(100, COMPLETE)
    world.press(Note("grip late"))
    assert world.disk == [("note", 4, "cube slipped"), ("note", 4, "grip late")]


def test_undo_deletes_the_newest_saved_one() -> None:
    world = World().recording()
    world.recorder(100, COMPLETE)
    world.press(Undo())
    assert isinstance(world.replies[-1], Refused)  # still being built
    saved(world)
    world.press(Undo())
    assert world.disk == [("delete", 4, None)]
    assert (world.core.state().saved, world.core.state().discarded) == (0, 1)
    world.press(Undo())
    assert isinstance(world.replies[-1], Refused)


def test_a_pause_while_recording_keeps_the_episode_and_its_rows() -> None:
    world = World().recording()
    world.press(Align())
    assert isinstance(world.replies[-1], Refused)
    world.press(Pause())
    request, then = world.sync_asked.pop()
    assert request == KeepHold(True)
    then(Done())
    held, then = world.pilot_asked.pop()
    assert isinstance(held, Hold)
    then(Done())
    assert (world.phase(), world.core.state().paused) == ("recording", True)
    world.heard_pilot(PilotState("hold", "leader", held.why, (), asked=True))
    world.press(Align())
    world.pilot_asked.pop()[1](Done())
    request, then = world.sync_asked.pop()
    assert request == KeepHold(False)
    then(Done())
    assert (world.phase(), world.core.state().paused) == ("recording", False)


def test_a_pause_between_episodes_is_a_hold_that_says_so() -> None:
    world = World().opened()
    world.press(Pause())
    request, then = world.pilot_asked.pop()
    assert isinstance(request, Hold)
    then(Done())
    world.heard_pilot(PilotState("hold", "leader", request.why, (), asked=True))
    assert (world.phase(), world.core.state().paused) == ("hold", True)


def test_the_operator_ends_the_reset() -> None:
    world = World().recording(OpenSession("pick", reset="operator"))
    world.recorder(100, COMPLETE)
    world.time(10**12)
    world.time(10**15)
    assert world.phase() == "reset"
    world.press(Start(None))
    begin, then = world.sync_asked.pop()
    assert isinstance(begin, BeginRecording)
    assert begin.ticks is None
    then(Done())
    assert world.phase() == "recording"


def test_a_timed_reset_ends_by_itself_with_an_episode_of_the_same_length() -> None:
    world = World().recording(OpenSession("pick", reset="timed", reset_s=5.0))
    world.recorder(100, COMPLETE)
    world.time(1_000_000_000)
    assert world.core.state().reset_ends_ns == 6_000_000_000
    world.time(5_999_999_999)
    assert world.sync_asked == []
    world.time(6_000_000_000)
    begin, then = world.sync_asked.pop()
    assert isinstance(begin, BeginRecording)
    assert begin.ticks == 100
    then(Refused("no sample yet from cam_high"))
    assert world.core.state().why == "no sample yet from cam_high"


def test_what_cannot_be_said_about_an_episode_is_a_refusal_and_no_end_of_the_session() -> None:
    world = World().recording()
    world.in_use = True
    world.press(Note("slipped"))
    world.press(Stop(success=True))
    world.sync_asked.pop()[1](Done())
    saved(world)
    assert "what was said about it is not: episode_4.hdf5 is in use" in world.core.state().why
    for button in (Label(False), Note("again"), Undo()):
        world.press(button)
    refused = [reply for reply in world.replies if isinstance(reply, Refused)]
    assert [reply.why for reply in refused] == ["episode_4.hdf5 is in use"] * 4
    assert (world.core.state().saved, world.phase()) == (1, "ready")
    world.in_use = False
    world.press(Undo())
    assert world.core.state().saved == 0
