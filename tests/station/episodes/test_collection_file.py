"""A task's plan on the disk, and what is counted there: deleted, relabelled and relabelled-away episodes tell the truth."""

import os
from pathlib import Path

import pytest

from station.episodes import naming
from station.episodes.catalogue import read_episode
from station.episodes.collection import CollectionPlan
from station.episodes.collection_file import (
    NAME,
    Collection,
    Collector,
    as_yaml,
    counted,
    keep,
    of_task,
    parse,
    read,
    remove,
)
from station.episodes.edits import Change, carry_out, plan
from station.episodes.labels import set_success
from station.errors import UsageError
from tests.station.datasets.recorded import Recorded, make

PLAN = """# where the cube stands
each: 2
scenes: [left, right]
places: {left: {cam_high: [0.3, 0.6]}}
"""


def test_it_is_kept_as_it_was_written_and_replaced_as_a_whole(tmp_path: Path) -> None:
    folder = tmp_path / "cube"
    assert of_task(folder) is None
    kept = keep(folder, PLAN)
    assert (folder / NAME).read_text() == PLAN
    assert of_task(folder) == kept == CollectionPlan(2, ("left", "right"), places={"left": {"cam_high": (0.3, 0.6)}})
    with pytest.raises(UsageError, match=r"plan.yaml: .*unknown field `scene`.*Next: correct it"):
        keep(folder, "each: 2\nscene: left\n")
    assert (folder / NAME).read_text() == PLAN, "the plan before stays"
    remove(folder)
    remove(folder)
    assert of_task(folder) is None


def test_as_yaml_says_the_same_and_leaves_out_what_is_not_said() -> None:
    known = parse(PLAN, "")
    assert parse(as_yaml(known), "") == known
    assert "seed" not in as_yaml(known) and "instruction" not in as_yaml(known)


@pytest.mark.parametrize("text", ["", "each: [", "each: 2\neach: 3\n", "- 1\n", "each: !!python/object:os.system 1\n"])
def test_what_is_no_plan_is_refused_by_the_files_name(tmp_path: Path, text: str) -> None:
    file = tmp_path / "p.yaml"
    file.write_text(text)
    with pytest.raises(UsageError, match=r"p\.yaml"):
        read(file)


def test_a_file_that_is_not_there_or_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Next: name a plan's file"):
        read(tmp_path / "none.yaml")
    (tmp_path / "p.yaml").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="Next: name a plan's file"):
        read(tmp_path / "p.yaml")
    os.mkfifo(tmp_path / "fifo.yaml")
    with pytest.raises(UsageError, match="a FIFO"):
        read(tmp_path / "fifo.yaml")


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot be written"):
        keep(tmp_path / "file", PLAN)


@pytest.mark.slow
def test_what_is_there_counts_and_what_was_deleted_or_called_otherwise_does_not(tmp_path: Path) -> None:
    folder = tmp_path / "cube"
    paths = [
        make(tmp_path, Recorded(rows=3, episode=n, scene="left", object="red cube", success=None)) for n in range(3)
    ]
    keep(folder, PLAN)
    collector = Collector()

    def numbers() -> dict[int, bool | None]:
        found = collector.look(folder)
        assert (found.why, found.uncounted) == ("", 0)
        assert all((e.scene, e.object, e.operator) == ("left", "red cube", "ann") for e in found.episodes)
        return {episode.number: episode.success for episode in found.episodes}

    assert numbers() == {0: None, 1: None, 2: None}
    set_success(paths[1], False)
    assert numbers() == {0: None, 1: False, 2: None}
    deleted = naming.delete(paths[0])
    assert numbers() == {1: False, 2: None}
    naming.undelete(deleted)
    change = Change(task="other")
    carry_out(plan([read_episode(paths[2])], change), change)
    assert numbers() == {0: None, 1: False}
    (folder / "episode_9.hdf5").write_bytes(b"no episode")
    assert collector.look(folder).uncounted == 0, "it was looked at, and is none"
    (folder / NAME).write_text("each: many\n")
    found = collector.look(folder)
    assert found.plan is None and "plan.yaml" in found.why and "Next:" in found.why


@pytest.mark.slow
def test_many_that_nobody_has_read_yet_are_counted_a_few_at_a_time(tmp_path: Path) -> None:
    for number in range(5):
        make(tmp_path, Recorded(rows=3, episode=number, scene="left"))
    folder, looks = tmp_path / "cube", []
    for _ in range(4):
        episodes, uncounted = counted(folder, 2)
        looks.append((len(episodes), uncounted))
    assert looks[0] == (2, 3) and looks[-1] == (5, 0) and looks == sorted(looks), looks


def test_a_folder_that_is_not_there_has_no_plan(tmp_path: Path) -> None:
    assert Collector().look(tmp_path / "none") == Collection(None)
