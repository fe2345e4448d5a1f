"""What is told of a station that nobody asked to end: against what is in the sitting's folder."""

import os
from pathlib import Path

import msgspec
import pytest

from station.bus.requests import OpenSession
from station.client import faults
from station.client.faults import Found, fault_told, find, sitting_told
from station.episodes.naming import deleted_path, episode_path, journal_path
from station.rig.file import Safety
from station.rig.rig import Rig, find_rig
from station.runtime.life import Fault, Life, boot_id
from station.runtime.sitting import Sitting, SittingFile

OPENED = OpenSession("cubes", episodes=50)
SITTING = Sitting(OPENED, 16, tuple(range(15)), (15,), 0, 0, None)
FOLDER = Path("/data/cubes")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """15 saved, one of them deleted since, one being built, one being recorded."""
    folder = tmp_path / "cubes"
    folder.mkdir()
    for number in range(15):
        episode_path(folder, number).touch()
    episode_path(folder, 3).rename(deleted_path(episode_path(folder, 3)))
    for number in (15, 16):
        journal_path(folder, number).touch()
    return folder


def test_what_is_there_is_looked_for(folder: Path) -> None:
    assert find(folder, SITTING) == Found(tuple(range(15)), (15, 16), ())
    journal_path(folder, 15).rename(episode_path(folder, 15))
    assert find(folder, SITTING) == Found(tuple(range(16)), (16,), ())
    episode_path(folder, 7).unlink()
    assert find(folder, SITTING).missing == (7,)


def test_an_episode_that_never_began_is_not_missing(folder: Path) -> None:
    journal_path(folder, 16).unlink()
    assert find(folder, SITTING) == Found(tuple(range(15)), (15,), ())


def test_how_far_it_was_and_the_one_act_to_go_on() -> None:
    said = sitting_told(SITTING, Found(tuple(range(16)), (), ()), FOLDER, "lab")
    assert (
        said
        == "cubes: 16 of 50 saved, nothing lost. Next: `station record --rig lab --task cubes --episodes 34` goes on"
    )
    said = sitting_told(SITTING, Found(tuple(range(15)), (15, 16), ()), FOLDER, "lab")
    assert said.startswith("cubes: 15 of 50 saved, episode 15, 16 in its journal, nothing lost. Next: ")
    assert "--episodes 33`" in said, "what is in a journal is saved by going on"


def test_what_is_not_there_is_not_called_nothing() -> None:
    said = sitting_told(SITTING, Found(tuple(range(15)), (), (15,)), FOLDER, "lab")
    assert "but episode 15 is not in /data/cubes" in said and "nothing lost" not in said


@pytest.mark.parametrize(
    ("changes", "act"),
    [
        ({"source": "vr"}, "`station vr --rig lab --task cubes` goes on"),
        (
            {"source": "policy", "policy_folder": "/p/a b", "operator": "Ann"},
            "`station run --rig lab --policy '/p/a b' --record --task cubes --operator Ann --episodes 34` goes on",
        ),
        ({"data": "/data", "episodes": 0}, "`station record --rig lab --task cubes --data /data` goes on"),
        ({"episodes": 16}, "`station episodes recover /data/cubes` makes all of them whole"),
    ],
)
def test_the_act_is_the_sittings_own_command(changes: dict[str, object], act: str) -> None:
    sitting = msgspec.structs.replace(SITTING, opened=msgspec.structs.replace(OPENED, **changes))
    assert sitting_told(sitting, Found(tuple(range(16)), (), ()), FOLDER, "lab").endswith(f"Next: {act}")


def test_an_evaluation_is_not_gone_on_with(tmp_path: Path) -> None:
    (tmp_path / "trials.csv").touch()
    said = sitting_told(SITTING, Found((0,), (), ()), tmp_path / "trials", "lab")
    assert f"what was judged is in {tmp_path / 'trials.csv'}" in said


def test_the_whole_sentence(folder: Path, runtime: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig("bench", find_rig("bench"), "abc", 50.0, 3.0, folder.parent, "jpeg", (), (), Safety(), None)
    assert not fault_told(rig)
    life = Life(os.getppid(), boot_id(), str(find_rig("bench")), "1", 0.0)
    monkeypatch.setattr(faults, "last_fault", lambda _: Fault(life, "it was killed", 1000.0))
    assert fault_told(rig).endswith("it was killed; no sitting was open, nothing is lost. Next: go on")
    SittingFile("bench").keep(SITTING)
    assert "the station of rig bench ended by itself at 1970-01-01" in fault_told(rig)
    assert ": it was killed. cubes: 15 of 50 saved" in fault_told(rig)
    assert "`station record --rig bench --task cubes --episodes 33` goes on" in fault_told(rig)


def test_rollouts_that_nobody_recorded_are_not_looked_for(
    folder: Path, runtime: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = Rig("bench", find_rig("bench"), "abc", 50.0, 3.0, folder.parent, "jpeg", (), (), Safety(), None)
    life = Life(os.getppid(), boot_id(), str(find_rig("bench")), "1", 0.0)
    monkeypatch.setattr(faults, "last_fault", lambda _: Fault(life, "it was killed", 1000.0))
    opened = OpenSession("cubes", source="policy", policy_folder="/p/cubes", kept=False)
    SittingFile("bench").keep(Sitting(opened, 3, (), (), 0, 1, None))
    assert fault_told(rig).endswith(
        "cubes: nothing of it was recorded, nothing is lost. Next: `station run --rig bench --policy /p/cubes` goes on"
    )


@pytest.mark.parametrize(
    ("ago_s", "said"),
    [(10, "just now"), (60, "1 minute ago"), (7300, "2 hours ago"), (3 * 86400, "3 days ago"), (-5, "just now")],
)
def test_when_is_said_as_people_say_it(ago_s: float, said: str) -> None:
    assert faults._when(1e6 - ago_s, 1e6).endswith(said)
