"""A policy's sitting: each episode is a rollout of its own, a hold ends the episode and not the sitting."""

from pathlib import Path

import msgspec
import pytest

from station.bus.messages import Ending, EndReason, PilotState
from station.bus.pending import Unanswered
from station.bus.requests import (
    BeginRecording,
    CloseSession,
    Disengage,
    Done,
    Engage,
    HandOver,
    LoadPolicy,
    OpenSession,
    Pause,
    Refused,
    Start,
    StartPolicy,
    Stop,
    StopPolicy,
)
from station.clock import NS_PER_S
from tests.station.session.world import COMPLETE, IDLE, World

IDENTITY = "act /p, policy.yaml sha256:1"
OPEN = OpenSession("pick", source="policy", policy=IDENTITY, policy_folder="/p", instruction="hand it over")


def pilot(state: str, source: str, why: str = "") -> PilotState:
    return PilotState(state, source, why, (), 0, ())  # type: ignore[arg-type]


def opened() -> World:
    world = World()
    world.heard_runner(7)
    world.press(OPEN)
    return world


def answered(asked: list, expected: object, reply: object = None) -> None:  # type: ignore[type-arg]
    request, then = asked.pop(0)
    assert request == expected
    then(reply or Done())


def recording(start: Start | None = None) -> World:
    world = opened()
    world.press(start or Start(2.0))
    answered(world.policy_asked, StopPolicy())
    answered(world.policy_asked, StartPolicy())
    answered(world.pilot_asked, Engage("policy"))
    world.heard_pilot(pilot("engaged", "policy"))
    world.sync_asked.pop()[1](Done())
    assert world.phase() == "recording"
    return world


def test_nothing_moves_until_an_episode_is_started_and_each_begins_anew() -> None:
    world = opened()
    assert (world.phase(), world.pilot_asked, world.policy_asked) == ("reset", [], [])
    world.press(Start(2.0, trial=3, condition="scene 1002"))
    assert (world.phase(), world.sync_asked) == ("opening", []), "no row before the policy commands"
    answered(world.policy_asked, StopPolicy())
    answered(world.policy_asked, StartPolicy())
    assert world.sync_asked == []
    answered(world.pilot_asked, Engage("policy"))
    begin = world.sync_asked[0][0]
    assert isinstance(begin, BeginRecording)
    assert (begin.info.policy, begin.info.trial, begin.info.condition) == (IDENTITY, 3, "scene 1002")


def test_after_an_episode_the_arms_hold_and_the_policy_asks_nothing() -> None:
    world = recording()
    world.press(Stop(False))
    answered(world.sync_asked, world.sync_asked[0][0])
    assert world.phase() == "reset"
    answered(world.pilot_asked, Disengage())
    answered(world.policy_asked, StopPolicy())
    world.heard_pilot(pilot("hold", "hold", "the rollout is over"))
    assert world.phase() == "reset", "it is no hold that somebody has to resolve"
    world.finalising.pop()[2](Path("/data/pick/episode_4.hdf5"), "")
    assert world.disk == [("label", 4, False)] * 2, "at once, and in the file"


def test_a_hold_ends_the_episode_and_not_the_sitting() -> None:
    world = recording()
    world.recorder(60, Ending(EndReason.HOLD, "follower_left has been silent"))
    assert (world.phase(), world.core.state().ended_early) == ("reset", 1)
    assert "silent" in world.core.state().why
    world.pilot_asked.clear()
    world.policy_asked.clear()
    world.press(Start(2.0))
    answered(world.policy_asked, StopPolicy())


@pytest.mark.parametrize(("commands", "to"), [("policy", "leader"), ("leader", "policy")])
def test_a_hand_over_goes_to_the_other_one_and_the_recording_goes_on(commands: str, to: str) -> None:
    world = recording()
    world.heard_pilot(pilot("engaged", commands))
    world.press(HandOver("leader" if to == "leader" else None))
    answered(world.pilot_asked, Engage(to))  # type: ignore[arg-type]
    assert world.replies[-1] == Done() and world.phase() == "recording"


def test_a_hand_over_that_is_refused_is_told_and_the_policy_goes_on() -> None:
    world = recording()
    world.press(HandOver("leader"))
    answered(world.pilot_asked, Engage("leader"), Refused("leader_left.waist is 1.25 rad below"))
    assert world.replies[-1] == Refused("leader_left.waist is 1.25 rad below")


def test_hands_bring_the_arms_back_between_two_episodes_and_keep_command_after_one() -> None:
    world = opened()
    world.press(HandOver("policy"))
    assert isinstance(world.replies[-1], Refused) and "next episode" in world.replies[-1].why
    world.press(HandOver("leader"))
    answered(world.pilot_asked, Engage("leader"))
    world = recording()
    world.heard_pilot(pilot("engaged", "leader"))
    world.press(Stop(True))
    answered(world.sync_asked, world.sync_asked[0][0])
    assert world.pilot_asked == [], "the arms stay in the hands that lead them"


def test_no_policy_no_hand_over() -> None:
    world = World().recording(OpenSession("pick"))
    assert "hand_over" not in world.core.state().actions
    world.press(HandOver())
    assert isinstance(world.replies[-1], Refused) and "no policy" in world.replies[-1].why


def test_a_policy_that_does_not_begin_leaves_the_arms_held_and_says_why() -> None:
    world = opened()
    world.press(Start(2.0))
    answered(world.policy_asked, StopPolicy())
    answered(world.policy_asked, StartPolicy(), Refused("the policy asked nothing: every chunk came too late"))
    assert (world.phase(), world.core.state().why) == (
        "reset",
        "the policy asked nothing: every chunk came too late",
    )
    answered(world.pilot_asked, Disengage())
    assert isinstance(world.replies[-1], Refused)


def test_a_runner_that_was_restarted_loads_the_same_policy_again() -> None:
    world = opened()
    world.heard_runner(8)
    world.press(Start(2.0))
    assert isinstance(world.replies[-1], Refused) and "loaded again" in world.replies[-1].why
    answered(world.policy_asked, LoadPolicy("/p", "hand it over"), Done(IDENTITY))
    world.press(Start(2.0))
    answered(world.policy_asked, StopPolicy())


def test_another_policy_in_that_folder_is_refused() -> None:
    world = opened()
    world.heard_runner(8)
    answered(world.policy_asked, LoadPolicy("/p", "hand it over"), Done("act /p, policy.yaml sha256:2"))
    world.press(Start(2.0))
    assert isinstance(world.replies[-1], Refused) and "have changed" in world.replies[-1].why


def test_one_that_is_judged_blind_is_loaded_again_blind_and_named_by_no_reason() -> None:
    world = World()
    world.heard_runner(7)
    world.press(msgspec.structs.replace(OPEN, blind=True))
    world.heard_runner(8)
    answered(world.policy_asked, LoadPolicy("/p", "hand it over", blind=True), Done("act /p, policy.yaml sha256:2"))
    world.press(Start(2.0))
    assert isinstance(world.replies[-1], Refused) and "have changed" in world.replies[-1].why
    assert "/p" not in world.replies[-1].why


def test_a_session_that_was_killed_asks_a_runner_that_has_no_policy_to_load_it() -> None:
    before = recording()
    left = before.core.sitting()
    assert left is not None
    world = World(left)
    world.heard_pilot(pilot("hold", "hold"))
    world.heard_recorder(IDLE)
    world.pilot_asked.clear()
    world.policy_asked.clear()
    assert world.phase() == "reset"
    world.press(Start(2.0))
    answered(world.policy_asked, StopPolicy())
    answered(world.policy_asked, StartPolicy(), Refused("no policy is loaded"))
    answered(world.policy_asked, LoadPolicy("/p", "hand it over"), Done(IDENTITY))


def test_a_pause_between_rollouts_holds_and_the_sitting_goes_on() -> None:
    world = opened()
    world.press(Pause())
    world.pilot_asked.pop()[1](Done())
    assert (world.phase(), world.core.state().paused) == ("reset", False)


def test_closing_while_the_policy_is_engaged_answers_everybody() -> None:
    world = opened()
    world.press(Start(2.0))
    world.press(CloseSession())
    answered(world.policy_asked, StopPolicy(), Unanswered("the runner was killed"))
    assert isinstance(world.replies[-1], Refused)


def timed() -> World:
    world = World()
    world.heard_runner(7)
    world.press(msgspec.structs.replace(OPEN, reset="timed", reset_s=5.0))
    return world


def test_a_timed_reset_begins_the_next_rollout_but_never_the_first() -> None:
    world = timed()
    for seconds in (1, 10, 100):
        world.time(seconds * NS_PER_S)
    assert (world.core.phase, world.policy_asked) == ("reset", []), "nobody has started one"
    world.press(Start(2.0))
    answered(world.policy_asked, StopPolicy())
    answered(world.policy_asked, StartPolicy())
    answered(world.pilot_asked, Engage("policy"))
    world.heard_pilot(pilot("engaged", "policy"))
    world.sync_asked.pop()[1](Done())
    world.recorder(100, COMPLETE)
    answered(world.pilot_asked, Disengage())
    answered(world.policy_asked, StopPolicy())
    world.time(101 * NS_PER_S)
    assert (world.core.state().reset_ends_ns, world.policy_asked) == (106 * NS_PER_S, [])
    world.time(106 * NS_PER_S)
    answered(world.policy_asked, StopPolicy())
    answered(world.policy_asked, StartPolicy(), Refused("no picture of cam_high"))
    for seconds in (107, 120, 200):
        world.time(seconds * NS_PER_S)
    assert (world.core.phase, world.core.state().why) == ("reset", "no picture of cam_high"), (
        "somebody looks at it first"
    )
