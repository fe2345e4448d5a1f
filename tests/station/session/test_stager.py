"""A sitting that follows its task's collection plan: what is staged, what goes into the episode, what is counted meanwhile."""

from pathlib import Path

import msgspec
import pytest

from station.bus.messages import PilotState, Staging
from station.bus.requests import BeginRecording, Discard, Done, Label, OpenSession, RecordingInfo, Start, Stop, Undo
from station.clock import NS_PER_S
from station.episodes.collection import Collected, CollectionPlan, order
from station.episodes.collection_file import Collection
from station.runtime.sitting import Sitting
from tests.station.session.world import COMPLETE, IDLE, World

PLAN = CollectionPlan(
    each=2, scenes=("left", "right"), objects=("red cube",), seed=3, instruction="put the {object} away"
)
FIRST, SECOND = order(PLAN)[:2]
OPERATOR = OpenSession("pick", operator="ada", instruction="hand over", reset="operator")


@pytest.fixture
def world() -> World:
    world = World()
    world.collected = Collection(PLAN)
    return world.opened(OPERATOR)


def staging(world: World) -> Staging:
    found = world.core.state().staging
    assert found is not None
    return found


def begun(world: World) -> RecordingInfo:
    """Start a take; what its file will say."""
    world.press(Start())
    request, then = world.sync_asked.pop()
    then(Done())
    assert isinstance(request, BeginRecording)
    return request.info


def ended(world: World, request: Stop | Discard) -> None:
    world.press(request)
    world.sync_asked.pop()[1](Done())


def built(world: World) -> None:
    part, _, then = world.finalising.pop(0)
    then(Path(str(part).replace(".mcap.part", ".hdf5")), "")


def test_each_take_is_what_the_plan_wants_next_and_its_file_says_so(world: World) -> None:
    assert staging(world) == Staging(FIRST.scene, "red cube", 0, 2, 0, 4, 4)
    info = begun(world)
    assert (info.scene, info.object, info.instruction) == (FIRST.scene, "red cube", "put the red cube away")
    assert staging(world).scene == FIRST.scene, "while it is recorded, what it is of"
    ended(world, Stop())
    assert staging(world) == Staging(SECOND.scene, "red cube", 0, 2, 1, 4, 3, ("scene",)), "counted before it is built"
    built(world)
    world.collected = Collection(PLAN, "", (Collected(4, FIRST.scene, "red cube", "ada", None),))
    world.time(NS_PER_S)
    assert staging(world) == Staging(SECOND.scene, "red cube", 0, 2, 1, 4, 3, ("scene",)), "and once after"
    assert begun(world).scene == SECOND.scene


@pytest.mark.parametrize("request_", [Stop(False), Discard()])
def test_a_failure_and_a_discarded_take_come_again(world: World, request_: Stop | Discard) -> None:
    begun(world)
    ended(world, request_)
    assert (staging(world).scene, staging(world).done) == (FIRST.scene, 0)
    assert staging(world).changed == ()


def test_what_is_said_of_it_afterwards_counts_at_once(world: World) -> None:
    begun(world)
    ended(world, Stop())
    world.press(Label(False))
    assert (staging(world).scene, staging(world).done) == (FIRST.scene, 0)
    world.press(Label(True))
    assert (staging(world).scene, staging(world).done) == (SECOND.scene, 1)
    built(world)
    world.press(Undo())
    assert (staging(world).scene, staging(world).done) == (FIRST.scene, 0)


def test_an_episode_that_somebody_deletes_elsewhere_is_wanted_again(world: World) -> None:
    world.collected = Collection(PLAN, "", (Collected(0, FIRST.scene, "red cube", "ben", True),))
    world.time(NS_PER_S)
    assert (staging(world).scene, staging(world).done) == (SECOND.scene, 1)
    world.collected = Collection(PLAN)
    world.time(2 * NS_PER_S)
    assert (staging(world).scene, staging(world).done) == (FIRST.scene, 0)


def test_the_disk_is_left_alone_while_something_is_recorded(world: World) -> None:
    begun(world)
    world.collected = Collection(None, "must not be looked at")
    world.time(5 * NS_PER_S)
    assert staging(world).why == ""
    ended(world, Stop())
    assert staging(world).why == "must not be looked at"


def test_a_plan_that_is_broken_meanwhile_is_told_and_recording_goes_on(world: World) -> None:
    world.collected = Collection(None, "plan.yaml: each: expected int. Next: correct it")
    world.time(NS_PER_S)
    assert staging(world) == Staging("", "", 0, 0, 0, 0, 0, why="plan.yaml: each: expected int. Next: correct it")
    info = begun(world)
    assert (info.scene, info.object, info.instruction) == ("", "", "hand over")


def test_whom_the_plan_does_not_name_is_told_and_not_staged() -> None:
    world = World()
    world.collected = Collection(msgspec.structs.replace(PLAN, operators=("ben",)))
    world.opened(OPERATOR)
    assert "it names ben" in staging(world).why and staging(world).scene == ""
    assert begun(world).scene == ""


@pytest.mark.parametrize(
    "open_session",
    [OpenSession("pick", scene="by hand"), OpenSession("pick", source="policy", policy="p", policy_folder="/p")],
)
def test_a_named_scene_and_a_policys_rollouts_follow_no_plan(open_session: OpenSession) -> None:
    world = World()
    world.collected = Collection(PLAN)
    world.press(open_session)
    assert world.core.state().staging is None


def test_a_complete_plan_starts_nothing_more_by_itself() -> None:
    world = World()
    all_but_one = tuple(Collected(n, one.scene, one.object, "ada", None) for n, one in enumerate(order(PLAN)[:3]))
    world.collected = Collection(PLAN, "", all_but_one)
    world.opened(msgspec.structs.replace(OPERATOR, reset="timed", reset_s=1.0))
    assert begun(world).scene == order(PLAN)[3].scene
    ended(world, Stop())
    assert (staging(world).left, staging(world).scene, staging(world).done) == (0, "", 4)
    world.time(10 * NS_PER_S)
    world.time(20 * NS_PER_S)
    assert world.phase() == "reset" and not world.sync_asked
    assert begun(world).scene == "", "whoever wants to may go on"


def test_a_session_that_was_killed_counts_what_is_there() -> None:
    left = Sitting(OPERATOR, 5, (4,), (), 0, 0, None)
    world = World(left)
    world.collected = Collection(PLAN, "", (Collected(4, FIRST.scene, "red cube", "ada", None),))
    world.heard_pilot(PilotState("engaged", "leader", "", ()))
    world.heard_recorder(IDLE)
    assert (staging(world).scene, staging(world).done) == (SECOND.scene, 1)


def test_no_plan_is_none_of_the_sittings_business() -> None:
    world = World().recording()
    assert world.core.state().staging is None
    world.recorder(100, COMPLETE)
    assert world.core.state().staging is None
