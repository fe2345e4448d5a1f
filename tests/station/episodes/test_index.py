"""The index is never the truth: whatever happens to files and to it, a list is what reading every file gives."""

import os
import shutil
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from station.clock import NS_PER_S
from station.episodes import index, naming
from station.episodes.catalogue import Episode, episodes, read_episode, view
from station.episodes.finalise import finalise
from station.episodes.labels import add_note, set_success
from station.episodes.quality.card import Card
from station.episodes.quality.store import kept_card
from tests.station.episodes.recording import Recording, header, jpeg, write

LONG_AGO_NS = 1_700_000_000_000_000_000


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three episodes of long ago: what changed just now is not kept."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "data" / "cube"
    folder.mkdir(parents=True)
    for number in (0, 1, 10):
        part = naming.journal_path(folder, number)
        write(part, Recording(3, [jpeg()], cameras=("cam_high",)), header(cameras=("cam_high",), episode=number))
        os.utime(finalise(part), ns=(LONG_AGO_NS, LONG_AGO_NS + number))
    return tmp_path / "data"


def read(data: Path) -> list[Episode]:
    """Without any index."""
    found = [read_episode(path) for path in data.rglob("episode_*.hdf5")]
    return sorted(
        found, key=lambda each: (str(each.path.parent), each.number is None, each.number or 0, each.path.name)
    )


def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which files are read from now on."""
    names: list[str] = []

    def noted(path: Path) -> Episode:
        names.append(path.name)
        return read_episode(path)

    monkeypatch.setattr(index, "read_episode", noted)
    return names


def test_only_what_changed_is_read_again(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = opened(monkeypatch)
    first = episodes(data)
    assert first == read(data)
    assert [each.number for each in first] == [0, 1, 10]
    assert sorted(names) == ["episode_0.hdf5", "episode_1.hdf5", "episode_10.hdf5"]
    names.clear()
    assert episodes(data) == first
    assert episodes(data / "cube") == first
    assert names == []
    assert first[0].form is not None
    again = episodes(data)
    assert again[0].form is again[1].form  # kept once
    set_success(data / "cube" / "episode_1.hdf5", True)
    assert episodes(data) == read(data)
    assert names == ["episode_1.hdf5"]
    assert episodes(data)[1].success is True


CHANGES: dict[str, Callable[[Path], object]] = {
    "a note": lambda folder: add_note(folder / "episode_0.hdf5", "slipped"),
    "a label in the file alone": lambda folder: h5py.File(folder / "episode_0.hdf5", "r+").attrs.modify("success", np.int8(0)),
    "labels taken away": lambda folder: (folder / "episode_0.labels.json").unlink(missing_ok=True),
    "broken labels": lambda folder: (folder / "episode_0.labels.json").write_text("{"),
    "deleted": lambda folder: naming.delete(folder / "episode_0.hdf5"),
    "renamed": lambda folder: (folder / "episode_0.hdf5").rename(folder / "episode_7.hdf5"),
    "swapped": lambda folder: (folder / "episode_0.hdf5").replace(folder / "episode_1.hdf5"),
    "torn": lambda folder: os.truncate(folder / "episode_0.hdf5", 5000),
    "copied": lambda folder: shutil.copy2(folder / "episode_0.hdf5", folder / "episode_4.hdf5"),
    "a folder moved": lambda folder: folder.rename(folder.with_name("other")),
    "a view beside it": lambda folder: view(folder.parent / "out", [read_episode(folder / "episode_10.hdf5")]),
    "recorded into": lambda folder: naming.remember(folder, 20),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_a_list_is_what_reading_gives_whatever_changed(data: Path, change: str) -> None:
    episodes(data)
    CHANGES[change](data / "cube")
    assert episodes(data) == read(data)
    assert episodes(data) == read(data)


def test_what_cannot_be_read_is_looked_at_every_time(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = data / "cube" / "episode_1.hdf5"
    os.truncate(path, 3000)
    os.utime(path, ns=(LONG_AGO_NS, LONG_AGO_NS))
    names = opened(monkeypatch)
    assert [bool(each.problem) for each in episodes(data)] == [False, True, False]
    names.clear()
    assert episodes(data)[1].problem
    assert names == ["episode_1.hdf5"]


def test_a_folder_whose_name_is_no_text_is_read_like_any_other(data: Path) -> None:
    strange = data.parent / "strange-\udce7"
    shutil.copytree(data, strange)
    broken = strange / "cube" / "episode_99.hdf5"
    broken.write_bytes(b"no")
    os.utime(broken, ns=(LONG_AGO_NS, LONG_AGO_NS))
    for _ in range(2):
        found = episodes(strange)
        assert found[-1].number == 99 and found[-1].problem


def test_what_changed_just_now_is_not_believed_next_time(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = data / "cube" / "episode_0.hdf5"
    soon_ns = time.time_ns() + NS_PER_S  # however long this test takes
    os.utime(path, ns=(soon_ns, soon_ns))
    names = opened(monkeypatch)
    episodes(data)
    names.clear()
    episodes(data)
    assert names == ["episode_0.hdf5"]


@pytest.mark.parametrize(
    "what", ["no database", "another's tables", "a body that is none", "a folder in its place", "gone"]
)
def test_a_broken_index_costs_nothing_but_time(data: Path, what: str) -> None:
    before = episodes(data)
    path = index.path_of()
    for beside in path.parent.glob("*.sqlite-*"):
        beside.unlink()
    if what == "no database":
        path.write_bytes(b"no database at all " * 1000)
    elif what == "a folder in its place":
        path.unlink()
        path.mkdir()
    elif what == "gone":
        shutil.rmtree(path.parent)
    else:
        with sqlite3.connect(path) as database:
            if what == "another's tables":
                database.executescript("DROP TABLE episode; CREATE TABLE episode (x INTEGER); DROP TABLE form;")
            else:
                database.execute("UPDATE episode SET body = ?", (b"\x00\xff",))
        database.close()
    assert episodes(data) == before
    assert episodes(data) == before


def test_whoever_may_not_be_away_for_long_gets_what_is_known_and_the_newest(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = opened(monkeypatch)
    assert [each.number for each in index.indexed_soon(data / "cube", 1)] == [10]
    assert [each.number for each in index.indexed_soon(data / "cube", 1)] == [1, 10]
    assert names == ["episode_10.hdf5", "episode_1.hdf5"]
    assert episodes(data) == read(data)
    names.clear()
    assert [each.number for each in index.indexed_soon(data / "cube", 0)] == [0, 1, 10]
    assert names == []
    assert index.indexed_soon(data / "none", 5) == []


def test_what_cards_say_is_kept_until_the_episode_changes(data: Path) -> None:
    asked: list[str] = []

    def noted(path: Path) -> Card | None:
        asked.append(path.name)
        return kept_card(path)

    first = [each for _, each in index.measured(episodes(data), noted)]
    assert None not in first
    assert len(asked) == 3
    again = [each for _, each in index.measured(episodes(data), noted)]
    assert [each.facts for each in again if each] == [each.facts for each in first if each]
    assert len(asked) == 3
    set_success(data / "cube" / "episode_1.hdf5", True)
    list(index.measured(episodes(data), noted))
    assert asked[3:] == ["episode_1.hdf5"]
