"""One sitting: openings, takes, refusals, disks, and whose doing an early end was."""

import json
from pathlib import Path

import pytest

from station.bus.actions import allowed
from station.bus.messages import Ending, EndReason, PilotState, RecorderState
from station.bus.requests import (
    Align,
    BeginRecording,
    CloseSession,
    Discard,
    Disengage,
    Done,
    EndRecording,
    Engage,
    Label,
    Note,
    OpenSession,
    Pause,
    Refused,
    SessionRequest,
    Start,
    Stop,
    Undo,
)  # fmt: skip
from station.files.check_results import CheckResult, StoredCheck
from station.session.check_gate import CheckStanding
from tests.station.session.world import COMPLETE, STOPPED, World


def test_a_sitting() -> None:
    world = World()
    world.standing = CheckStanding("", StoredCheck("", 5.0, CheckResult("warn", ())))
    world.press(OpenSession("pick"))
    assert world.phase() == "opening"
    request, then = world.pilot_asked.pop()
    assert request == Engage("leader")
    assert world.replies == []
    then(Done())
    assert world.phase() == "ready"
    world.press(Start(2.0))
    begin, then_begun = world.sync_asked.pop()
    assert isinstance(begin, BeginRecording)
    assert (begin.ticks, begin.path, begin.info.episode) == (100, "/data/pick/episode_4.mcap.part", 4)
    assert json.loads(begin.info.check_result)["verdict"] == "warn"
    then_begun(Done())
    world.recorder(57)
    assert world.core.state().recorded_ticks == 57
    world.recorder(100, COMPLETE)
    assert world.core.state().phase == "ready"
    assert world.core.state().episode == 5
    assert (world.core.state().saved, world.core.state().finalising) == (0, 1)
    world.finalising.pop()[2](Path("/data/pick/episode_4.hdf5"), "")
    assert (world.core.state().saved, world.core.state().finalising) == (1, 0)
    world.press(CloseSession())
    request, then = world.pilot_asked.pop()
    assert request == Disengage()
    then(Done())
    assert world.phase() == "ended"
    assert all(isinstance(reply, Done) for reply in world.replies)


def test_stop_is_done_when_the_journal_is_closed_and_the_next_can_start_while_the_file_is_built() -> None:
    world = World().recording()
    world.press(Stop())
    assert world.phase() == "saving"
    request, then = world.sync_asked.pop()
    assert request == EndRecording(STOPPED, "/data/pick/episode_4.mcap.part")
    then(Done())
    assert world.phase() == "ready"
    world.press(Start(2.0))
    assert isinstance(world.sync_asked[0][0], BeginRecording)
    assert world.sync_asked[0][0].path.endswith("episode_5.mcap.part")


def test_discard_is_told_apart_from_save() -> None:
    world = World().recording()
    world.press(Discard())
    world.sync_asked.pop()[1](Done())
    part, discarded, then = world.finalising.pop()
    assert discarded
    then(part, "")
    assert (world.core.state().saved, world.core.state().discarded) == (0, 1)


def test_an_early_end_in_hold_waits_for_the_operators_act() -> None:
    world = World().recording()
    world.heard_pilot(PilotState("hold", "leader", "leader_left silent", ()))
    assert world.phase() == "recording"
    world.recorder(31, Ending(EndReason.HOLD, "follower_left diverged"))
    state = world.core.state()
    assert (state.phase, state.ended_early, state.why) == ("hold", 1, "hold: follower_left diverged")
    world.press(Start(1.0))
    assert isinstance(world.replies[-1], Refused)
    world.press(Align())
    world.pilot_asked.pop()[1](Done())
    assert world.phase() == "ready"


def test_a_hold_while_ready_shows_its_cause() -> None:
    world = World().opened()
    world.heard_pilot(PilotState("hold", "leader", "follower_left diverged", ()))
    assert (world.core.state().phase, world.core.state().why) == ("hold", "follower_left diverged")


def test_a_killed_synchronizer_ends_the_episode_and_keeps_its_rows() -> None:
    world = World().recording()
    world.recorder_lost()
    assert world.core.state().ended_early == 1
    assert world.finalising[0][0] == Path("/data/pick/episode_4.mcap.part")


def test_refusals_reach_the_client_and_leave_the_phase() -> None:
    world = World()
    world.press(OpenSession("pick"))
    world.pilot_asked.pop()[1](Refused("leader_left.elbow is 1.2 rad above follower_left.elbow"))
    assert world.replies == [Refused("leader_left.elbow is 1.2 rad above follower_left.elbow")]
    assert world.phase() == "ended"
    world.opened().press(Start(2.0))
    world.sync_asked.pop()[1](Refused("no sample yet from cam_high"))
    assert world.phase() == "ready"
    world.press(Start(0.001))
    assert world.replies[-1] == Refused("0.001 s is less than one tick")


def test_a_folder_that_cannot_be_written_is_one_sentence() -> None:
    world = World()
    world.unwritable = True
    world.press(OpenSession("pick"))
    assert isinstance(world.replies[0], Refused)
    assert "--data" in world.replies[0].why


def test_a_folder_of_another_rig_is_refused_before_arms_move() -> None:
    world = World()
    world.drifted = "camera controls are others than in episode 3: cam_high: exposure is 120, was 157"
    world.unlike = "/data/pick holds episodes of another make"
    world.press(OpenSession("pick"))
    assert world.replies == [Refused(world.unlike)]
    assert (world.phase(), world.pilot_asked) == ("ended", [])
    world.unlike = ""
    world.opened()
    assert world.phase() == "ready"


def test_whose_doing_an_early_end_was_is_told_until_the_next_episode_ends() -> None:
    world = World().recording()
    world.recorder(60, Ending(EndReason.HOLD, "policy asks to hold", "source"))
    assert (world.core.state().ended_by, world.core.state().ended_early) == ("source", 1)


DRIFT = "camera controls are others than in episode 3: cam_high: exposure is 120, was 157"


def test_camera_drift_is_told_before_the_first_episode_and_of_no_later_sitting() -> None:
    world = World()
    world.drifted = DRIFT
    world.press(OpenSession("pick"))
    assert (world.phase(), world.core.state().drift) == ("opening", DRIFT), "before an arm moves"
    world.pilot_asked.pop()[1](Done())
    assert (world.phase(), world.core.state().drift) == ("ready", DRIFT)
    world.press(CloseSession())
    world.pilot_asked.pop()[1](Done())
    world.drifted = ""
    assert world.opened().core.state().drift == ""


def test_closing_while_recording_saves_first() -> None:
    world = World().recording()
    world.press(CloseSession())
    world.sync_asked.pop()[1](Done())
    world.pilot_asked.pop()[1](Done())
    assert world.phase() == "saving"
    world.finalising.pop()[2](Path("/data/pick/episode_4.hdf5"), "")
    assert world.phase() == "ended"
    assert world.replies[-1] == Done("1 saved")


def test_a_nearly_full_disk_refuses_the_start() -> None:
    world = World().opened()
    world.left_s = 59.0
    world.press(Start(2.0))
    assert isinstance(world.replies[-1], Refused)
    assert "59 s" in world.replies[-1].why
    assert world.sync_asked == []


def test_a_disk_that_fills_midway_ends_the_episode_while_it_still_fits() -> None:
    world = World().recording()
    world.heard_recorder(RecorderState(True, "/data/pick/episode_4.mcap.part", 9, None, 0, 0, (), journal_bytes=10**9))
    world.time(10**9)
    assert world.sync_asked == []
    world.free_bytes, world.partial_hdf5_bytes = 10**9, 15 * 10**8  # most of its HDF5 is there already
    world.time(2 * 10**9)
    assert world.sync_asked == []
    world.partial_hdf5_bytes = 10**9
    world.time(3 * 10**9)
    request, then = world.sync_asked.pop()
    assert isinstance(request, EndRecording)
    then(Done())
    assert world.core.state().ended_early == 1
    assert "nearly full" in world.core.state().why
    assert len(world.finalising) == 1


def test_a_folder_that_goes_away_is_told() -> None:
    world = World().opened()
    world.gone = True
    world.time(10**9)
    assert "is gone" in world.core.state().why


@pytest.mark.parametrize(
    "button", [Start(1.0), Stop(), Discard(), Align(), Label(True), Undo(), Pause(), Note("x"), CloseSession()]
)
def test_every_button_is_refused_with_what_makes_sense_where_the_table_has_it_not(button: SessionRequest) -> None:
    world = World()
    world.press(button)
    assert world.replies == [Refused(f"{type(button).__name__} makes no sense while ended. Next: OpenSession")]
    assert type(button) not in allowed("ended")
