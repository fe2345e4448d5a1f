"""The data folder as pages see it: what is listed, played, said and thrown away; nothing but episodes is ever found."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import h5py
import numpy as np
import pytest

from station.console.played import MOST_ROWS, Played
from station.console.shelf import Shelf
from station.datasets.choosing import choose
from station.datasets.selection import read_selection
from station.episodes import naming
from station.episodes.edits import Change
from station.episodes.labels import add_note, read_labels
from station.errors import EpisodeError, UsageError
from tests.station.datasets.recorded import Recorded, make, number_in


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("shelf") / "data"
    for number in range(3):
        make(
            data,
            Recorded(
                rows=40, episode=number, success=(True, False, None)[number], operator=("ann", "ben", "ann")[number]
            ),
        )
    make(data, Recorded(rows=10, task="raw", images="raw", cameras=("cam_high",)))
    return data


@pytest.fixture
def shelf(made: Path) -> Iterator[Shelf]:
    shelf = Shelf(made)
    yield shelf
    shelf.close()


def names(shelf: Shelf, *where: str) -> list[str]:
    return [each["name"] for each in shelf.listing(where)["episodes"]]


def test_what_is_listed_is_what_is_asked_for_the_newest_first(shelf: Shelf) -> None:
    found = shelf.listing()
    assert [each["name"] for each in found["episodes"]] == ["cube/2", "cube/1", "cube/0", "raw/0"]
    assert (found["tasks"], found["operators"], found["of"], found["waiting"]) == (
        ["cube", "raw"],
        ["ann", "ben"],
        4,
        [],
    )
    assert names(shelf, "success=true") == ["cube/0", "raw/0"]
    assert names(shelf, "operator=ben", "success=false") == ["cube/1"]
    assert names(shelf, "length_s=0.5..") == ["cube/2", "cube/1", "cube/0"]
    with pytest.raises(UsageError, match="no field 'sucess'"):
        shelf.listing(["sucess=true"])


def test_an_empty_and_an_absent_folder_have_nothing(tmp_path: Path) -> None:
    for data in (tmp_path, tmp_path / "absent"):
        assert Shelf(data).listing()["episodes"] == [] == Shelf(data).trash()["episodes"]


@pytest.mark.parametrize(
    "name", ["cube/9", "../data/cube/0", "cube/../cube/0", "/etc/passwd", "", "cube/0.hdf5", "cube/0.deleted"]
)
def test_only_what_was_found_has_a_name(shelf: Shelf, name: str) -> None:
    for ask in (shelf.detail, shelf.played, lambda n: shelf.thumbnail(n, False), lambda n: shelf.delete([n])):
        with pytest.raises((UsageError, EpisodeError), match="no such episode any more"):
            ask(name)


def test_pictures_are_those_of_the_rows_to_the_byte(made: Path) -> None:
    path = naming.episode_path(made / "cube", 0)
    played = Played(path)
    with h5py.File(path) as file:
        for camera, rows in played.outline.cameras.items():
            place = list(file.attrs["camera_names"]).index(camera)
            new = file[f"/sync/is_new/{camera}"][()]
            assert rows == [0, *np.flatnonzero(new[1:]) + 1]
            for row, jpeg in played.pictures(camera, list(range(played.outline.rows))):
                assert jpeg == bytes(
                    file[f"/observations/images/{camera}"][row][: int(file["/compress_len"][place, row])]
                )
    assert [row for row, _ in played.pictures("cam_high", [-1, 39, 40, 10**9])] == [39], (
        "rows that are none are left out"
    )
    assert len(played.pictures("cam_high", [1] * 500)) == MOST_ROWS
    for row in (0, 1, 17, 39, 10**9):
        rows = [max(r for r in rows if r <= row) for rows in played.outline.cameras.values()]
        shown = zip(played.outline.cameras, rows, strict=True)
        assert played.moment(row) == [played.pictures(camera, [at])[0] for camera, at in shown]
    with pytest.raises(EpisodeError, match="no camera of that name"):
        played.pictures("../cam_high", [0])
    played.close()


def test_raw_pictures_are_made_jpeg(shelf: Shelf) -> None:
    ((row, jpeg),) = shelf.played("raw/0").pictures("cam_high", [4])
    decoded = np.asarray(cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR), np.uint8)
    with h5py.File(shelf.path("raw/0")) as file:
        assert row == 4 and number_in(decoded[:, :, ::-1]) == number_in(file["/observations/images/cam_high"][4])


def test_columns_are_whole_and_as_recorded(shelf: Shelf) -> None:
    played = shelf.played("cube/1")
    with h5py.File(played.path) as file:
        for name, path in (("qpos", "/observations/qpos"), ("action", "/action"), ("source", "/control/source")):
            column = played.column(name)
            assert column is not None
            assert np.array_equal(np.frombuffer(column, "<f4"), file[path][()].astype(np.float32).ravel())
        age = played.column("age:cam_high")
        assert age is not None and np.allclose(np.frombuffer(age, "<f4"), file["/sync/age/cam_high"][()] / 1e6)
    assert played.column("rig_yaml") is None


def test_a_detail_has_the_card_that_the_terminal_shows(shelf: Shelf) -> None:
    found = shelf.detail("cube/1")
    assert (found["rows"], found["success"], found["operator"]) == (40, False, "ben")
    assert found["card"]["headline"] and found["card"]["streams"][0][0] == "stream"
    assert all(set(each) == {"row", "words"} for each in found["card"]["findings"])
    assert shelf.thumbnail("cube/1", last=False)[:2] == b"\xff\xd8" != shelf.thumbnail("cube/1", last=True)


def test_what_is_said_of_many_is_said_and_taken_back(tmp_path: Path) -> None:
    paths = [make(tmp_path, Recorded(rows=3, episode=number)) for number in range(2)]
    add_note(paths[0], "slipped\nonce")
    shelf = Shelf(tmp_path)
    assert shelf.listing()["episodes"][1]["note"] == "slipped\nonce"
    assert shelf.edit(["cube/0", "cube/1"], Change(success=False, note="again")) == "2 changed"
    assert [labels.success for path in paths if (labels := read_labels(path))] == [False, False]
    assert shelf.edit(["cube/0"], Change(success=False)) == "it is so already"
    assert shelf.undo(["cube/0"]) == "2 as before"
    first = read_labels(paths[0])
    assert first is not None and (first.success, first.note) == (True, "slipped\nonce")


def test_the_trash_takes_and_gives_back_and_says_what_it_could_not(tmp_path: Path) -> None:
    path = make(tmp_path, Recorded(rows=3))
    shelf = Shelf(tmp_path)
    assert shelf.delete(["cube/0"]) == "1 in the trash" and not path.exists()
    assert names(shelf) == []
    (deleted,) = shelf.trash()["episodes"]
    assert (deleted["name"], deleted["rows"], deleted["success"]) == ("cube/0.deleted", 3, True)
    assert shelf.thumbnail("cube/0.deleted", last=False)[:2] == b"\xff\xd8"
    with pytest.raises(EpisodeError, match="0 in the trash; 1 as before: 'cube/0'"):
        shelf.delete(["cube/0"])
    assert shelf.restore(["cube/0.deleted"]) == "1 restored" and path.exists()


def test_what_cannot_be_read_is_listed_with_its_reason_and_played_by_nobody(tmp_path: Path) -> None:
    path = make(tmp_path, Recorded(rows=3))
    path.write_bytes(path.read_bytes()[:2000])
    shelf = Shelf(tmp_path)
    (line,) = shelf.listing()["episodes"]
    assert "not a whole HDF5 file" in line["problem"]
    with pytest.raises(EpisodeError, match="not a whole HDF5 file"):
        shelf.detail("cube/0")
    with pytest.raises(EpisodeError, match="not a whole HDF5 file"):
        shelf.edit(["cube/0"], Change(success=True))


def test_a_list_but_for_some_is_a_selection_that_datasets_take(made: Path, shelf: Shelf, tmp_path: Path) -> None:
    chosen = shelf.selection(["task=cube"], ["cube/1"], "blurred")
    taken = choose(chosen, tmp_path).taken
    assert sorted(each.name for each in taken) == ["cube/episode_0.hdf5", "cube/episode_2.hdf5"]
    assert "reason: blurred" in shelf.selection_text(["task=cube"], ["cube/1"], "blurred")
    file, out = shelf.kept_selection("pick", ["task=cube"], ["cube/1"], "blurred")
    assert read_selection(file) == chosen and out == made.with_name("data-sets") / "pick"
    with pytest.raises(UsageError, match="say why those are left out"):
        shelf.selection([], ["cube/1"], "")
    out.mkdir()
    with pytest.raises(UsageError, match="is there already"):
        shelf.kept_selection("pick", [], [], "")
