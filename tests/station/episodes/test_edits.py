"""Many labels changed at once: shown before it is done, done for what was shown, and undone to the letter."""

from pathlib import Path

import msgspec
import pytest

from station.episodes import naming
from station.episodes.catalogue import episodes
from station.episodes.labels import Labels, add_note, change_labels, read_labels, set_success
from tests.station.cli.recorded import record, station


@pytest.fixture
def data(tmp_path: Path) -> Path:
    paths = [record(tmp_path, number, rows=3) for number in range(5)]
    set_success(paths[0], True)
    set_success(paths[1], False)
    add_note(paths[1], "slipped")
    return tmp_path


def said(data: Path) -> list[Labels | None]:
    return [read_labels(naming.episode_path(data / "cube", number)) for number in range(5)]


def test_without_yes_it_is_shown_and_nothing_changes(data: Path) -> None:
    before, files = said(data), sorted(path.name for path in (data / "cube").iterdir())
    got = station("edit", data, "--where", "success=false,unset", "--success")
    assert got.exit_code == 0
    assert "cube/1: success no → yes\n" in got.output
    assert "4 of 5 episodes would change; nothing was changed" in got.output
    assert said(data) == before
    assert sorted(path.name for path in (data / "cube").iterdir()) == files


@pytest.mark.slow
def test_what_was_shown_is_done_and_can_be_undone(data: Path) -> None:
    before = [each.success for each in episodes(data)]
    hashes = [path.stat().st_size for path in sorted(data.rglob("*.hdf5"))]
    assert station("edit", data, "--where", "episode=1,3..4", "--success", "--note", "checked", "--yes").exit_code == 0
    assert [each.success for each in episodes(data)] == [True, True, None, True, True]
    assert [each.note for each in episodes(data)] == ["", "checked", "", "checked", "checked"]
    undone = station("edit", data, "--undo")
    assert "cube/1: success yes → no, note checked → slipped" in undone.output
    assert [each.success for each in episodes(data)] == [True, True, None, True, True]  # only shown
    assert station("edit", data, "--undo", "--yes").exit_code == 0
    assert [each.success for each in episodes(data)] == before
    assert [each.note for each in episodes(data)] == ["", "slipped", "", "", ""]
    assert station("edit", data, "--undo").exit_code == 2  # there is no more
    assert [path.stat().st_size for path in sorted(data.rglob("*.hdf5"))] == hashes


@pytest.mark.slow
def test_task_and_instruction_are_said_beside_the_file(data: Path) -> None:
    got = station(
        "edit", data, "--where", "episode=0..2", "--to-task", "fold", "--instruction", "fold the towel", "--yes"
    )
    assert got.exit_code == 0, got.output
    found = episodes(data)
    assert [each.task for each in found] == ["fold", "fold", "fold", "cube", "cube"]
    assert [each.instruction for each in found][1:4] == ["fold the towel", "fold the towel", "hand the cube over"]
    assert [each.number for each in episodes(data, "fold")] == [0, 1, 2]
    assert [each.number for each in episodes(data, "cube")] == [3, 4]
    assert "task fold" in station("ls", data).output
    assert station("view", data / "out", "--data", data, "--task", "fold", "--include", "all").exit_code == 0
    assert len(list((data / "out").iterdir())) == 3
    assert station("edit", data / "cube", "--undo", "--yes").exit_code == 0
    assert {each.task for each in episodes(data / "cube")} == {"cube"}


def test_what_was_said_since_stays(data: Path) -> None:
    assert station("edit", data, "--where", "episode=2,3", "--failure", "--yes").exit_code == 0
    set_success(data / "cube" / "episode_2.hdf5", True)
    got = station("edit", data, "--undo", "--yes")
    assert got.exit_code == 1
    assert "episode_2.hdf5: something else was said of it since" in got.stderr
    assert [each.success for each in episodes(data)] == [True, False, True, None, None]


@pytest.mark.slow
def test_a_change_that_was_broken_off_is_undone_as_well(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from station.episodes import edits

    known = change_labels
    calls: list[Path] = []

    def dies(path: Path, change: object) -> Labels:
        calls.append(path)
        if len(calls) > 2:
            raise KeyboardInterrupt
        return known(path, change)  # type: ignore[arg-type]

    monkeypatch.setattr(edits, "change_labels", dies)
    got = station("edit", data, "--failure", "--yes")
    assert got.exit_code != 0
    monkeypatch.setattr(edits, "change_labels", known)
    assert station("edit", data, "--undo", "--yes").exit_code == 0
    assert [each.success for each in episodes(data)] == [True, False, None, None, None]


def test_labels_of_today_and_of_older_stations_read_alike(data: Path) -> None:
    """A label without a task of its own is written as before."""
    raw = (data / "cube" / "episode_0.labels.json").read_bytes()
    assert msgspec.json.decode(raw).keys() == {"success", "note", "recording"}


WRONG = (
    ("--success", "--unset"), (), ("--undo", "--success"), ("--where", "episode=x", "--success"), ("--where", "rollouts=true", "--unset"),
)  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG)
def test_what_makes_no_sense_is_bad_usage(data: Path, wrong: tuple[str, ...]) -> None:
    assert station("edit", data, *wrong).exit_code == 2
