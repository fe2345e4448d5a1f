"""Marks from the journal into the file, whatever became of the recorder; and what is shown of them."""

from pathlib import Path

import h5py
import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.bus.messages import SCHEMA, Header, Mark
from station.bus.wire import Sample
from station.episodes import naming
from station.episodes.finalise import finalise
from station.episodes.journal import JournalWriter
from station.episodes.marks import in_words, marks_in, row_at
from station.episodes.recover import recover
from station.episodes.verify import verify
from station.errors import EpisodeError
from tests.station.cli.recorded import record, station
from tests.station.episodes.recording import T0_NS, TICK_NS, Recording, header, jpeg

SET = ((-1, "reach"), (2 * TICK_NS, "grasp"), (3 * TICK_NS - 1, "grasp"), (9 * TICK_NS, "place"))
"""Before the first row, on a tick, just before one, after the last row."""
ROWS = 5


def recorded(folder: Path, close: bool = True, episode: int = 0) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    part = naming.journal_path(folder, episode)
    writer = JournalWriter(part, header(cameras=("cam_high",), episode=episode))
    for number, batch in enumerate(Recording(ROWS, [jpeg()], cameras=("cam_high",)).batches()):
        for sample in batch[:-1]:
            writer.append(sample)
        for place, (after_ns, name) in enumerate(SET):
            if place == number:
                at_ns = T0_NS + after_ns
                writer.append(
                    Sample("mark", "synchronizer", Header(SCHEMA, 1, place, at_ns, at_ns, ""), Mark(name), ())
                )
        writer.append(batch[-1])
        writer.flush()
    if close:
        writer.close(ROWS)
    else:
        writer._abandon()  # as kill -9 leaves it
    return part


def marks(path: Path) -> list[tuple[str, int, int]]:
    with h5py.File(path) as file:
        return [(mark.name, mark.row, mark.at_ns - T0_NS) for mark in marks_in(file)]


EXPECTED = [("reach", 0, -1), ("grasp", 2, 2 * TICK_NS), ("grasp", 2, 3 * TICK_NS - 1), ("place", 4, 9 * TICK_NS)]


def test_they_are_in_the_file_with_their_rows(tmp_path: Path) -> None:
    path = finalise(recorded(tmp_path / "cube"))
    assert marks(path) == EXPECTED
    assert verify(path) == []
    with h5py.File(path) as file:
        assert list(file["/marks/name"].attrs["names"]) == ["reach", "grasp", "place"]


def test_a_recorder_that_was_killed_keeps_them(tmp_path: Path) -> None:
    recorded(tmp_path / "cube", close=False)
    assert list(recover(tmp_path / "cube"))
    assert marks(naming.episode_path(tmp_path / "cube", 0)) == EXPECTED


@pytest.mark.parametrize("cut", [1, 300, 900, 1700, 2600, 4000])
def test_whatever_is_cut_off_what_is_left_is_a_beginning(cut: int, tmp_path: Path) -> None:
    part = recorded(tmp_path / "cube", close=False)
    with part.open("r+b") as file:
        file.truncate(part.stat().st_size - cut)
    found = marks(finalise(part))
    with h5py.File(naming.episode_path(part.parent, 0)) as file:
        rows = len(file["/action"])
    assert 0 < rows < ROWS
    assert [name for name, *_ in found] == [name for name, *_ in EXPECTED[: len(found)]]
    assert len(found) >= min(rows, len(EXPECTED))  # one that was flushed with a row is there when the row is


def test_a_file_without_marks_has_none(tmp_path: Path) -> None:
    path = record(tmp_path, 0)
    assert marks(path) == []
    assert verify(path) == []
    with h5py.File(path) as file:
        assert file["/marks/time"].shape == (0,)


def test_a_file_of_the_layout_before_has_none(tmp_path: Path) -> None:
    path = record(tmp_path, 0)
    with h5py.File(path, "r+") as file:
        del file["/marks"]
        file.attrs["layout"] = np.int64(3)
    assert (marks(path), verify(path)) == ([], [])


def test_a_mark_in_another_row_is_found(tmp_path: Path) -> None:
    path = finalise(recorded(tmp_path / "cube"))
    with h5py.File(path, "r+") as file:
        file["/marks/row"][1] = 3
    assert verify(path) == ["/marks/row: grasp at 0.040 s is in row 2, not 3"]


@pytest.mark.parametrize(("path", "value"), [("/marks/name", 200), ("/marks/row", -1), ("/marks/row", 99)])
def test_what_does_not_add_up_is_one_sentence(path: str, value: int, tmp_path: Path) -> None:
    file_path = finalise(recorded(tmp_path / "cube"))
    with h5py.File(file_path, "r+") as file:
        file[path][0] = value
    with h5py.File(file_path) as file, pytest.raises(EpisodeError, match="/marks does not add up"):
        marks_in(file)


@given(st.lists(st.integers(0, 10**6), min_size=1, unique=True).map(sorted), st.integers(-10, 10**6 + 10))
def test_the_row_is_the_newest_at_or_before_it(ticks: list[int], at_ns: int) -> None:
    row = row_at(at_ns, np.array(ticks))
    before = [place for place, tick in enumerate(ticks) if tick <= at_ns]
    assert row == (before[-1] if before else 0)


@pytest.mark.slow
def test_show_tells_them(tmp_path: Path) -> None:
    path = finalise(recorded(tmp_path / "cube"))
    told = station("show", path).output
    assert "reach -0.0 s, grasp 0.0 s, grasp 0.1 s, place 0.2 s" in told
    as_json = msgspec.json.decode(station("show", path, "--json").output)
    assert [each["name"] for each in as_json["marks"]] == ["reach", "grasp", "grasp", "place"]
    html = tmp_path / "page.html"
    assert station("show", path, "--html", html).exit_code == 0
    assert "place 0.2 s" in html.read_text()


def test_of_many_the_first_are_told(tmp_path: Path) -> None:
    path = finalise(recorded(tmp_path / "cube"))
    with h5py.File(path) as file:
        assert in_words(marks_in(file), 2) == "reach -0.0 s, grasp 0.0 s, … 2 more"
