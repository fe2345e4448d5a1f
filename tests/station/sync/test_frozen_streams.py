"""What is recorded is frozen when the recording begins, under names that ticks and files share."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from station.bus.messages import Vector
from station.bus.requests import Done, EndRecording
from station.devices.contract import StreamDescription
from station.episodes.naming import journal_path
from tests.station.sync.stage import File, Stage


@pytest.fixture
def stage(runtime: str) -> Iterator[Stage]:
    made = Stage(runtime)
    yield made
    made.close()


@pytest.fixture
def deep(runtime: str) -> Iterator[Stage]:
    made = Stage(runtime, depth=True)
    yield made
    made.close()


def test_a_headset_put_on_meanwhile_truncates_nothing_and_is_told(stage: Stage, tmp_path: Path) -> None:
    part = journal_path(tmp_path, 0)
    stage.all_speak()
    assert stage.begin(part) == Done()
    stage.rows(5)
    stage.speak("hand_pose", "vr")
    stage.rows(12)
    assert stage.recorder.unrecorded == ("vr",)
    assert {chosen.stream for chosen in stage.tick.chosen} == {"follower_left", "cam"}
    assert isinstance(stage.ask(EndRecording("stopped", str(part))), Done)
    stage.until(lambda: not stage.recorder.recording, "end")
    file = File(part, stage.recorder.recorded_ticks)
    assert file.rows == stage.recorder.recorded_ticks >= 17
    assert (file.streams, file.unrecorded) == ({"follower_left", "cam"}, ("vr",))

    again = journal_path(tmp_path, 1)  # the next one has it from its first row on
    stage.begin(again, 5)
    stage.until(lambda: stage.recorder.ended == "complete", "end")
    assert (File(again, 5).streams, File(again, 5).unrecorded) == ({"follower_left", "cam", "vr"}, ())


def test_a_device_that_describes_more_meanwhile_adds_it_to_the_next_one_only(stage: Stage, tmp_path: Path) -> None:
    part = journal_path(tmp_path, 0)
    stage.all_speak()
    stage.begin(part)
    stage.rows(5)
    arm = stage.descriptions["follower_left"]
    more = msgspec.structs.replace(arm, streams=(StreamDescription("vector", 50.0), *arm.streams))
    stage.speak("description", "follower_left", more)
    stage.speak("vector", "follower_left", Vector((1.0, 2.0)))
    stage.rows(10)
    assert stage.recorder.unrecorded == ("follower_left_vector",)
    stage.ask(EndRecording("stopped"))
    stage.until(lambda: not stage.recorder.recording, "end")
    file = File(part, stage.recorder.recorded_ticks)
    assert (file.rows, file.extras) == (stage.recorder.recorded_ticks, {})

    again = journal_path(tmp_path, 1)
    stage.begin(again, 5)
    stage.until(lambda: stage.recorder.path == str(again) and stage.recorder.ended == "complete", "end")
    assert File(again, 5).extras == {"follower_left_vector": (5, 2)}


def test_depth_that_comes_before_its_camera_has_said_what_it_is_is_nobodys_death(deep: Stage, tmp_path: Path) -> None:
    """A synchronizer that was restarted hears pictures before descriptions, which come once a second."""
    deep.speak("depth", "cam")
    deep.speak("frame", "cam")
    deep.speak("arm_state", "follower_left")
    deep.until(lambda: {chosen.stream for chosen in deep.tick.chosen} >= {"cam", "follower_left"}, "pictures")
    assert "vr" in deep.recorder.missing
    deep.all_speak()
    part = journal_path(tmp_path, 0)
    assert deep.begin(part, 5) == Done()
    deep.until(lambda: deep.recorder.ended == "complete", "end")
    file = File(part, 5)
    assert (file.streams, file.depth_shape) == ({"follower_left", "cam", "cam_depth"}, (5, 48, 64))
