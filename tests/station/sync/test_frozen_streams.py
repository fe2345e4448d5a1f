"""What is recorded is frozen when the recording begins, under names that ticks and files share."""

from pathlib import Path

import msgspec

from station.bus.messages import Vector
from station.bus.messages.endings import Ending, EndReason
from station.bus.requests import Done, EndRecording
from station.devices.contract import StreamDescription
from tests.station.sync.desk import Desk
from tests.station.sync.stage import File


def test_a_headset_put_on_meanwhile_truncates_nothing_and_is_told(tmp_path: Path) -> None:
    desk = Desk(tmp_path, real=True)
    desk.all_speak()
    begin = desk.begin()
    desk.turn(7)
    assert desk.answers[begin] == [Done()]
    desk.speak("hand_pose", "vr")
    desk.turn(12)
    assert desk.recorder is not None
    assert desk.recorder.unrecorded == ("vr",)
    assert {chosen.stream for chosen in desk.ticks[-1].chosen} == {"follower_left", "cam"}
    rows = len(desk.journal.rows)
    end = desk.ask(EndRecording(path=str(desk.path(0))))
    desk.turn(10)
    assert desk.answers[end] == [Done(f"{rows} rows")]
    file = File(desk.path(0), desk.recorder.recorded_ticks)
    assert file.rows == desk.recorder.recorded_ticks == rows >= 16
    assert (file.streams, file.unrecorded, file.ended) == ({"follower_left", "cam"}, ("vr",), "")

    desk.begin(1, 5)  # the next one has it from its first row on
    desk.turn(20)
    assert desk.recorder.ended == Ending(EndReason.COMPLETE)
    again = File(desk.path(1), 5)
    assert (again.streams, again.unrecorded, again.ended) == ({"follower_left", "cam", "vr"}, (), "")


def test_a_device_that_describes_more_meanwhile_adds_it_to_the_next_one_only(tmp_path: Path) -> None:
    desk = Desk(tmp_path, real=True)
    desk.all_speak()
    desk.begin()
    desk.turn(7)
    arm = desk.descriptions["follower_left"]
    more = msgspec.structs.replace(arm, streams=(StreamDescription("vector", 50.0), *arm.streams))
    desk.speak("description", "follower_left", more)
    desk.speak("vector", "follower_left", Vector((1.0, 2.0)))
    desk.turn(10)
    assert desk.recorder is not None
    assert desk.recorder.unrecorded == ("follower_left_vector",)
    desk.ask(EndRecording())
    desk.turn(10)
    file = File(desk.path(0), desk.recorder.recorded_ticks)
    assert (file.rows, file.extras) == (desk.recorder.recorded_ticks, {})

    desk.begin(1, 5)
    desk.turn(20)
    assert File(desk.path(1), 5).extras == {"follower_left_vector": (5, 2)}


def test_depth_that_comes_before_its_camera_has_said_what_it_is_is_nobodys_death(tmp_path: Path) -> None:
    """A synchronizer that was restarted hears pictures before descriptions, which come once a second."""
    desk = Desk(tmp_path, depth=True, real=True)
    for kind, node in (("depth", "cam"), ("frame", "cam"), ("arm_state", "follower_left")):
        desk.speak(kind, node)
    desk.turn(8)
    assert {chosen.stream for chosen in desk.ticks[-1].chosen} >= {"cam", "follower_left"}
    assert desk.recorder is not None
    assert "vr" in desk.recorder.missing
    desk.all_speak()
    begin = desk.begin(0, 5)
    desk.turn(20)
    assert desk.answers[begin] == [Done()]
    file = File(desk.path(0), 5)
    assert (file.streams, file.depth_shape) == ({"follower_left", "cam", "cam_depth"}, (5, 48, 64))
