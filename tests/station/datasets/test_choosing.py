"""Which episodes a selection takes, and what it says about the others."""

from pathlib import Path

import pytest

from station.datasets.choosing import choose, filtered, is_held_back, split_explained
from station.datasets.selection import (
    Excluded,
    Selection,
    Split,
    as_yaml,
    read_selection,
    selection_of,
    write_selection,
)
from station.datasets.source_files import Source
from station.episodes.facts import Fact
from station.episodes.filters import Bounds
from station.errors import UsageError
from tests.station.datasets.recorded import SINGLE, Recorded, make


def source(number: int, **facts: Fact) -> Source:
    path = f"/data/cube/episode_{number}.hdf5"
    known: dict[str, Fact] = {
        "task": "cube",
        "episode": number,
        "success": True,
        "length_s": 10.0 + number,
        "operator": "ann",
    }
    return Source(path, f"cube/episode_{number}.hdf5", f"identity {number}", 1, 1, known | facts)


def test_it_says_how_many_and_why_not() -> None:
    selection = Selection(
        folders=("/data",), where={"success": True, "length_s": Bounds(min=11)},
        exclude=(Excluded("cube/episode_5.hdf5", "the camera was moved"),),
    )  # fmt: skip
    choice = filtered(selection, [source(k, success=k != 3) for k in range(6)])
    assert [one.facts["episode"] for one in choice.taken] == [1, 2, 4]
    assert choice.explained() == "3 of 6: 1 length_s is below 11, 1 success is not true, 1 excluded"
    assert [left.detail for left in choice.left] == ["length_s is 10", "success is false", "the camera was moved"]


@pytest.mark.parametrize(
    ("where", "taken"),
    [
        ({"success": "unset"}, [2]),
        ({"success": (True, "unset")}, [0, 2]),
        ({"operator": ("ben", "eve")}, [1]),
        ({"length_s": Bounds(max=11)}, [0, 1]),
        ({"day": Bounds(min="2026-11-02", max="2026-11-03")}, [1, 2]),
    ],
)
def test_filters(where: dict[str, object], taken: list[int]) -> None:
    sources = [
        source(0, day="2026-11-01"),
        source(1, success=False, operator="ben", day="2026-11-02"),
        source(2, success=None, day="2026-11-03"),
    ]
    choice = filtered(selection_of({"folders": ["/data"], "where": where}, "test"), sources)
    assert [one.facts["episode"] for one in choice.taken] == taken


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ({"folders": []}, "length >= 1"),
        ({"folders": ["a"], "wher": {}}, "unknown field `wher`"),
        ({"folders": ["a"], "sources": ["demos"]}, "Invalid enum value 'demos'"),
        ({"folders": ["a"], "split": {"validation": 1.5}}, "<= 0.9"),
        ({"folders": ["a"], "seed": 10**30}, "give a number that can be"),
        ({"folders": ["a"], "where": {"length_s": {"min": float("nan")}}}, "give a number that can be"),
    ],
)
def test_a_wrong_file_is_one_sentence(raw: object, said: str) -> None:
    with pytest.raises(UsageError, match=said.replace("(", r"\(")):
        selection_of(raw, "test")


def test_it_evaluates_nothing(tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    file.write_text("folders: !!python/object/apply:os.system ['touch /tmp/evaluated']\n")
    with pytest.raises(UsageError, match="plain YAML"):
        read_selection(file)


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ({"sucess": True}, "did you mean 'success'"),
        ({"success": 1}, "success is a bool"),
        ({"operator": Bounds(min=1)}, "operator is a text"),
        ({"length_s": "long"}, "length_s is a number"),
    ],
)
def test_a_filter_of_no_field_is_named(where: dict[str, object], said: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=said):
        choose(Selection(folders=(str(tmp_path),), where=where), tmp_path)  # type: ignore[arg-type]


def test_an_exclusion_of_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match="names no episode"):
        filtered(
            Selection(
                folders=("/data",),
                exclude=(Excluded("cube/episode_99.hdf5", ""),),
            ),
            [source(0)],
        )


def test_what_is_written_is_read(tmp_path: Path) -> None:
    selection = Selection(
        folders=("a", "b"), where={"success": True, "length_s": Bounds(min=3), "operator": ("ann", "ben")},
        split=Split(0.2, "scene"), exclude=(Excluded("cube/episode_1.hdf5", "blurred"),), seed=7,
    )  # fmt: skip
    write_selection(tmp_path / "s.yaml", selection)
    assert read_selection(tmp_path / "s.yaml") == selection
    assert "sources" not in as_yaml(selection)  # what is as always is not said


def test_the_split_moves_nobody_when_episodes_come(tmp_path: Path) -> None:
    selection = Selection(folders=("/data",), split=Split(validation=0.2))
    few, many = ({k for k in range(count) if is_held_back(selection, source(k))} for count in (200, 2000))
    assert few == {k for k in many if k < 200}
    assert 300 < len(many) < 500
    assert few != {k for k in range(200) if is_held_back(Selection(("/data",), split=Split(0.2), seed=1), source(k))}


def test_a_group_stays_together() -> None:
    selection = Selection(folders=("/data",), split=Split(validation=0.5, group_by="scene"))
    sides = {
        scene: {is_held_back(selection, source(k, scene=scene)) for k in range(20)} for scene in map(str, range(20))
    }
    assert all(len(side) == 1 for side in sides.values())
    assert {True} in sides.values() and {False} in sides.values()


def test_it_says_how_many_of_each_task_are_held_back_and_why_none_is() -> None:
    tasks = [source(k, task="cube" if k < 100 else "lid", scene=str(k % 3)) for k in range(150)]
    selection = Selection(folders=("/data",), split=Split(validation=0.2))
    held = [is_held_back(selection, one) for one in tasks]
    assert split_explained(selection, tasks) == [
        f"{150 - sum(held)} to train with, {sum(held)} held back",
        f"  cube: {sum(held[:100])} of 100 held back",
        f"  lid: {sum(held[100:])} of 50 held back",
    ]
    by_scene = Selection(folders=("/data",), split=Split(validation=0.01, group_by="scene"))
    counts, why = split_explained(by_scene, [source(k, scene=str(k % 3)) for k in range(9)])
    assert counts == "9 to train with, 0 held back"
    assert "1% were asked for" in why and "a scene stays on one side: these are of 3. Next: another `seed`" in why
    assert split_explained(Selection(folders=("/data",)), tasks) == []


def test_files_are_found_named_and_taken_once(tmp_path: Path) -> None:
    data = tmp_path / "data"
    make(data, Recorded(rows=4, sides=SINGLE, cameras=(), episode=0, operator="ann"))
    make(data, Recorded(rows=4, sides=SINGLE, cameras=(), episode=1, success=False))
    (data / "cube" / "episode_2.hdf5").write_bytes(b"not one")
    copy = tmp_path / "copy" / "cube"
    copy.mkdir(parents=True)
    (copy / "episode_0.hdf5").write_bytes((data / "cube" / "episode_0.hdf5").read_bytes())
    choice = choose(Selection(folders=("data", "copy"), where={"rows": 4}), tmp_path)
    assert [one.name for one in choice.taken] == ["cube/episode_0.hdf5", "cube/episode_1.hdf5"]
    assert sorted(left.kind for left in choice.left) == ["cannot be used", "the same recording twice"]
    assert choice.taken[0].facts["day"] == "2027-01-15"
