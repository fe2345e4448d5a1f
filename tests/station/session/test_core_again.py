"""A session that begins anew in the middle of a sitting, and one that is asked for what is absurd."""

import math
from typing import Literal

import pytest

from station.bus.messages import Ending, EndReason, PilotState, RecorderState
from station.bus.requests import (
    Done,
    OpenSession,
    Refused,
    Start,
)  # fmt: skip
from station.runtime.sitting import Sitting
from station.session.takes import KILLED
from tests.station.session.world import World

LEFT = Sitting(OpenSession("pick"), 4, saved=(2,), building=(3,), discarded=1, early=0, seconds=2.0, check_result="{}")


def reborn(
    path: str, recording: bool, ended: Ending | None = None, pilot: Literal["engaged", "hold"] = "engaged"
) -> World:
    """A new life that finds the last one's sitting."""
    world = World(LEFT)
    world.heard_pilot(PilotState(pilot, "leader", "silent" if pilot == "hold" else "", ()))
    world.press(Start(1.0))
    assert world.replies == [Refused("the session was restarted and takes up its sitting. Next: ask again in a moment")]
    assert not world.core.knows
    world.heard_recorder(RecorderState(recording, path, 20, ended, 0, 0, ()))
    assert world.core.knows
    return world


def test_a_new_life_ends_what_its_last_one_was_recording() -> None:
    world = reborn("/data/pick/episode_4.mcap.part", True)
    world.sync_asked.pop()[1](Done())
    assert [part.name for part, _, _ in world.finalising] == ["episode_3.mcap.part", "episode_4.mcap.part"]
    assert (world.phase(), world.core.state().episode, world.core.state().why) == ("ready", 5, KILLED.sentence)


def test_an_episode_that_ended_while_nobody_listened_keeps_its_number_and_its_cause() -> None:
    world = reborn("/data/pick/episode_4.mcap.part", False, Ending(EndReason.HOLD, "leader_left is silent"), "hold")
    assert world.finalising[-1][0].name == "episode_4.mcap.part"
    state = world.core.state()
    assert (state.phase, state.episode, state.why) == ("hold", 5, "hold: leader_left is silent")
    assert state.ended_early == 1


def test_a_number_that_a_killed_recorder_has_used_is_not_used_again() -> None:
    world = World(LEFT)
    world.free = 5
    world.heard_recorder(RecorderState(False, "", 0, None, 0, 0, ()))
    assert not world.core.knows, "the pilot has not said whether the arms are engaged"
    world.heard_pilot(PilotState("engaged", "leader", "", ()))
    world.heard_recorder(RecorderState(False, "", 0, None, 0, 0, ()))
    assert (world.phase(), world.core.state().episode) == ("ready", 5)


@pytest.mark.parametrize("seconds", [math.inf, math.nan, 1e300, -1.0, 0.0, 1e-9])
def test_an_absurd_length_is_refused_and_nothing_begins(seconds: float) -> None:
    world = World().opened()
    world.press(Start(seconds))
    assert isinstance(world.replies[-1], Refused)
    assert (world.phase(), world.sync_asked) == ("ready", [])


@pytest.mark.parametrize(
    "asked",
    [
        OpenSession(".."), OpenSession("../../etc"), OpenSession(""), OpenSession("a\0b"), OpenSession("é" * 150),
        OpenSession("\x1b]0;owned\x07"), OpenSession("pick", data="~nosuchuser/data"),
        OpenSession("pick", reset="timed", reset_s=math.inf), OpenSession("pick", reset="timed", reset_s=math.nan),
        OpenSession("pick", episodes=-1),
    ],
)  # fmt: skip
def test_an_absurd_sitting_is_refused_with_what_to_give_instead(asked: OpenSession) -> None:
    world = World()
    world.press(asked)
    refused = world.replies[-1]
    assert isinstance(refused, Refused)
    assert "Next:" in refused.why
    assert world.phase() == "ended"
