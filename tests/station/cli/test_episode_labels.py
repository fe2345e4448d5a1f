"""`station episodes label | note | delete | view`: what is said of an episode, and what becomes of its file."""

import fcntl
import os
import subprocess
import sys
import threading
from pathlib import Path

import msgspec
import pytest

from station.episodes import labels, naming
from station.episodes.journal import JournalWriter
from station.episodes.labels import add_note
from station.episodes.verify import verify
from station.errors import EpisodeError
from tests.station.cli.recorded import record, station, success_of
from tests.station.episodes.recording import T0_NS, header


def test_label_writes_both_places_and_the_file_beside_it_wins(tmp_path: Path) -> None:
    path = record(tmp_path, 0)
    assert success_of(path) == -1
    before = path.stat().st_size
    assert station("label", path, "--success", "--note", "slipped once").exit_code == 0
    assert success_of(path) == 1
    assert path.stat().st_size == before  # in place
    beside = tmp_path / "cube" / "episode_0.labels.json"
    said = msgspec.json.decode(beside.read_bytes())
    assert said.pop("recording") == {"start_ns": T0_NS, "start_wall_ns": header().start_wall_ns, "episode": 0}
    assert said == {"success": True, "note": "slipped once"}
    assert station("label", path, "--failure").exit_code == 0
    assert "slipped once" in station("show", path).output
    beside.write_text('{"success": true}')
    assert " yes " in station("ls", tmp_path).output
    assert station("label", path, "--unset").exit_code == 0
    assert success_of(path) == -1
    assert " – " in station("ls", tmp_path).output
    assert verify(path) == []
    assert station("label", path).exit_code == 2
    assert station("label", path, "--success", "--unset").exit_code == 2
    assert station("label", tmp_path / "episode_7.hdf5", "--success").exit_code == 2
    beside.write_text("{")
    assert "not a labels file" in station("label", path, "--unset").stderr


@pytest.mark.slow
def test_a_label_is_kept_while_a_trainer_reads(tmp_path: Path) -> None:
    path = record(tmp_path, 0)
    script = "import h5py, sys; file = h5py.File(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", script, str(path)], stdin=-1, stdout=-1) as reader:
        assert reader.stdout is not None
        reader.stdout.readline()
        got = station("label", path, "--success")
    assert got.exit_code == 1
    assert "in use" in got.stderr
    assert " yes " in station("ls", tmp_path).output


def test_delete_is_a_rename_that_can_be_undone(tmp_path: Path) -> None:
    path = record(tmp_path, 4)
    assert station("delete", path).exit_code == 0
    assert not list(tmp_path.rglob("*.hdf5"))
    assert naming.next_number(tmp_path / "cube") == 5
    assert station("delete", path).exit_code == 1
    assert station("delete", path, "--undo").exit_code == 0
    assert verify(path) == []
    assert station("delete", path, "--undo").exit_code == 1


def test_numbers_are_never_used_twice(tmp_path: Path) -> None:
    assert naming.next_number(tmp_path / "cube") == 0
    path = record(tmp_path, 0)
    assert naming.next_number(path.parent) == 1
    path.rename(tmp_path / "elsewhere.hdf5")
    assert naming.next_number(path.parent) == 1
    (path.parent / "episode_7.labels.json").write_text("{}")
    assert naming.next_number(path.parent) == 8
    (path.parent / ".highest_episode").write_text("garbage")
    assert naming.next_number(path.parent) == 8


def test_view_is_numbered_hard_links_of_what_fits(tmp_path: Path) -> None:
    data = tmp_path / "data"
    paths = [record(data, number, rows) for number, rows in ((0, 5), (3, 5), (11, 5), (12, 6))]
    record(data, 0, task="other")
    for path in (paths[1], paths[2], paths[3]):
        station("label", path, "--success")
    got = station("view", tmp_path / "out", "--data", data, "--task", "cube", "--success", "--length", 5)
    assert got.exit_code == 0, got.output
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["episode_0.hdf5", "episode_1.hdf5"]
    assert (tmp_path / "out" / "episode_0.hdf5").samefile(paths[1])
    assert (tmp_path / "out" / "episode_1.hdf5").samefile(paths[2])
    assert station("view", tmp_path / "out", "--data", data, "--include", "all").exit_code == 2  # not empty
    assert station("view", tmp_path / "none", "--data", data, "--failure").exit_code == 2  # nothing fits


def identical(number: int) -> dict[str, int]:
    return {"start_ns": T0_NS, "start_wall_ns": header().start_wall_ns, "episode": number}


@pytest.mark.slow
def test_view_takes_what_another_program_has_open(tmp_path: Path) -> None:
    path = record(tmp_path, 0)
    script = "import h5py, sys; file = h5py.File(sys.argv[1], 'r+'); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", script, str(path)], stdin=-1, stdout=-1) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        for command in (
            ("ls", tmp_path),
            ("show", path),
            ("verify", path),
            ("view", tmp_path / "out", "--data", tmp_path, "--include", "all"),
        ):
            assert station(*command).exit_code == 0
    assert (tmp_path / "out" / "episode_0.hdf5").samefile(path)


LABELLER = """
import sys
from typer.testing import CliRunner
from station.cli.episodes import app
for turn in range(6):
    said = ["--note", f"note {turn}"] if sys.argv[2] == "note" else ["--success" if turn % 2 else "--failure"]
    assert CliRunner().invoke(app, ["label", sys.argv[1], *said]).exit_code in (0, 1)
"""


@pytest.mark.slow
def test_a_verdict_and_a_note_said_at_once_are_both_kept(tmp_path: Path) -> None:
    path = record(tmp_path, 0)
    both = [subprocess.Popen([sys.executable, "-c", LABELLER, str(path), what]) for what in ("note", "verdict")]
    assert [one.wait() for one in both] == [0, 0]
    said = msgspec.json.decode(path.with_name("episode_0.labels.json").read_bytes())
    assert (said["success"], said["note"]) == (True, "note 5")
    assert station("label", path, "--success").exit_code == 0
    assert success_of(path) == 1


@pytest.mark.slow
def test_notes_of_many_at_once_are_all_kept(tmp_path: Path) -> None:
    path = record(tmp_path, 0)
    threads = [threading.Thread(target=add_note, args=(path, f"line {n}")) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    said = msgspec.json.decode(path.with_name("episode_0.labels.json").read_bytes())
    assert sorted(said["note"].splitlines()) == sorted(f"line {n}" for n in range(12))


def test_a_folder_whose_labels_somebody_holds_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = record(tmp_path, 0)
    monkeypatch.setattr(labels, "_PATIENCE_S", 0.05)
    fd = os.open(path.parent, os.O_RDONLY)
    fcntl.flock(fd, fcntl.LOCK_EX)
    got = station("label", path, "--success")
    os.close(fd)
    assert got.exit_code == 1
    assert "another program holds its labels" in got.stderr
    assert station("label", path, "--success").exit_code == 0


def test_a_renamed_episode_does_not_take_the_others_verdict(tmp_path: Path) -> None:
    two, three = record(tmp_path, 2), record(tmp_path, 3)
    assert station("label", two, "--success").exit_code == 0
    assert station("label", three, "--failure").exit_code == 0
    three.replace(two)
    listed = station("ls", tmp_path)
    assert listed.exit_code == 1
    assert "labels are of another recording" in listed.output
    assert " yes " not in listed.output
    checked = station("verify", two)
    assert checked.exit_code == 1
    assert "labels are of another recording" in checked.output
    viewed = station("view", tmp_path / "out", "--data", tmp_path / "cube", "--success")
    assert viewed.exit_code != 0
    assert "labels are of another recording" in viewed.stderr
    assert not (tmp_path / "out").exists()
    before = two.with_name("episode_2.labels.json").read_bytes()
    assert station("label", two, "--success").exit_code == 1
    with pytest.raises(EpisodeError, match="another recording"):
        labels.set_success(two, True)
    assert two.with_name("episode_2.labels.json").read_bytes() == before
    two.rename(three)
    assert station("verify", three).exit_code == 0


def test_a_copy_under_a_wrong_number_is_told(tmp_path: Path) -> None:
    path = record(tmp_path, 3)
    copy = path.with_name("episode_9.hdf5")
    copy.write_bytes(path.read_bytes())
    viewed = ("view", tmp_path / "out", "--data", tmp_path / "cube", "--include", "all")
    for command in (("ls", tmp_path), ("verify", tmp_path), viewed):
        got = station(*command)
        assert got.exit_code == 1
        assert "recorded as episode 3, its name says 9" in got.output + got.stderr
    assert [one.name for one in (tmp_path / "out").iterdir()] == ["episode_0.hdf5"]
    assert station("verify", tmp_path / "out").exit_code == 0  # in a view, numbers are the view's own
    copy.unlink()
    assert station("ls", tmp_path / "cube").exit_code == 0


BROKEN_LABELS = {
    "a byte-order mark": b'\xef\xbb\xbf{"success": true, "note": ""}',
    "a key too many": b'{"success": true, "note": "", "mood": "good"}',
    "no JSON": b"{",
    "a wrong type": b'{"success": "yes"}',
    "not UTF-8": b'{"note": "\xff"}',
    "nested": b"[" * 100_000,
    "two megabytes": b'{"note": "' + b"x" * 2_000_000 + b'"}',
}


@pytest.mark.parametrize("what", BROKEN_LABELS)
def test_broken_labels_are_judged_alike_by_every_command(tmp_path: Path, what: str) -> None:
    path = record(tmp_path, 0)
    beside = path.with_name("episode_0.labels.json")
    beside.write_bytes(BROKEN_LABELS[what])
    for command in (
        ("ls", tmp_path), ("show", path), ("verify", path), ("label", path, "--success"),
        ("view", tmp_path / "out", "--data", tmp_path, "--include", "all"),
    ):  # fmt: skip
        got = station(*command)
        assert got.exit_code != 0, command
        assert "not a labels file" in got.output + got.stderr, command
    assert beside.read_bytes() == BROKEN_LABELS[what]


def test_labels_of_the_first_layout_are_believed(tmp_path: Path) -> None:
    path = record(tmp_path, 0)
    path.with_name("episode_0.labels.json").write_text('{"success":true,"note":"old"}')
    assert " yes " in station("ls", tmp_path).output
    assert station("label", path, "--note", "new").exit_code == 0
    said = msgspec.json.decode(path.with_name("episode_0.labels.json").read_bytes())
    assert said == {"success": True, "note": "new", "recording": identical(0)}


def test_a_note_while_recording_knows_its_recording(tmp_path: Path) -> None:
    folder = tmp_path / "cube"
    folder.mkdir()
    writer = JournalWriter(naming.journal_path(folder, 5), header(episode=5))
    add_note(naming.episode_path(folder, 5), "early")
    writer.close(0)
    assert msgspec.json.decode((folder / "episode_5.labels.json").read_bytes())["recording"] == identical(5)


def test_what_delete_cannot_do_is_told_and_the_rest_done(tmp_path: Path) -> None:
    first, last = record(tmp_path, 0), record(tmp_path, 2)
    got = station("delete", first, first.with_name("episode_1.hdf5"), last)
    assert got.exit_code == 1
    assert "episode_1.hdf5: no such episode" in got.stderr
    assert not list(tmp_path.rglob("*.hdf5"))
