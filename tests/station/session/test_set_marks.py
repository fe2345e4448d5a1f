"""Marks: set with their own name or the next one, done when they survive a kill."""

from pathlib import Path

import msgspec

from station.bus.requests import Done, KeepMark, OpenSession, Refused, SetMark, Start, Stop
from station.rig.file import Task
from tests.station.session.world import COMPLETE, RIG, World

PART = "/data/pick/episode_4.mcap.part"
OWN = msgspec.structs.replace(RIG, marks=("contact",), tasks={"pick": Task(("reach", "grasp"))})


def mark(world: World, name: str = "") -> KeepMark:
    world.press(SetMark(name))
    request, then = world.sync_asked.pop()
    then(Done())
    assert isinstance(request, KeepMark)
    return request


def test_without_a_name_they_follow_each_other_and_begin_again() -> None:
    world = World(rig=OWN).recording()
    assert world.core.state().marks == ("reach", "grasp")
    world.now_ns = 77
    assert mark(world) == KeepMark(PART, "reach", 77)
    assert [mark(world).name for _ in range(3)] == ["grasp", "reach", "grasp"]
    assert mark(world, "grasp").name == "grasp"
    assert mark(world).name == "reach"
    assert (world.core.state().marked, world.core.state().mark) == (6, "reach")
    assert world.replies[-1] == Done("reach")


def test_it_is_done_when_it_is_kept() -> None:
    world = World(rig=OWN).recording()
    before = len(world.replies)
    world.press(SetMark())
    assert (len(world.replies), world.core.state().marked) == (before, 0)
    world.sync_asked.pop()[1](Refused("the disk is full"))
    assert world.replies[before:] == [Refused("the disk is full")]
    assert world.core.state().marked == 0


def test_only_the_tasks_own_names() -> None:
    world = World(rig=OWN).recording()
    world.press(SetMark("contact"))
    refused = world.replies[-1]
    assert isinstance(refused, Refused) and "(reach, grasp)" in refused.why
    assert not world.sync_asked
    other = World(rig=msgspec.structs.replace(OWN, tasks={}))
    other.recording()
    assert mark(other).name == "contact"


def test_every_episode_begins_with_the_first() -> None:
    world = World(rig=OWN).recording()
    mark(world)
    world.recorder(100, COMPLETE)
    world.press(Start(2.0))
    world.sync_asked.pop()[1](Done())
    assert (world.core.state().marked, world.core.state().mark) == (0, "")
    assert mark(world) == KeepMark("/data/pick/episode_5.mcap.part", "reach", world.now_ns)


def test_nothing_is_marked_while_nothing_is_recorded() -> None:
    world = World(rig=OWN).opened(OpenSession("pick"))
    world.press(SetMark())
    assert isinstance(world.replies[-1], Refused)
    assert "mark" not in world.core.state().actions
    world.press(Start(2.0))
    world.sync_asked.pop()[1](Done())
    assert "mark" in world.core.state().actions
    world.press(Stop())
    world.press(SetMark())
    assert isinstance(world.replies[-1], Refused)


def test_a_rig_without_names_has_no_marks() -> None:
    world = World(rig=RIG).recording()
    assert "mark" not in world.core.state().actions
    world.press(SetMark())
    assert world.replies[-1] == Refused(
        "no mark is called ''. Next: one of those of this task (none: the rig file's `marks` names them)"
    )
    assert Path(PART).name == "episode_4.mcap.part"
