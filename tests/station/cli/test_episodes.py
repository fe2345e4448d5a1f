"""`station episodes …` on real files, exit codes and all."""

import subprocess
import sys
from pathlib import Path

import cv2
import h5py
import msgspec
import numpy as np
import pytest
from typer.testing import CliRunner, Result

from station.cli.episodes import app
from station.episodes import naming
from station.episodes.finalise import finalise
from station.episodes.journal import JournalWriter
from station.episodes.verify import verify
from tests.station.episodes.recording import T0_NS, Recording, header, jpeg, write


def station(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def record(data: Path, number: int, rows: int = 5, task: str = "cube") -> Path:
    folder = data / task
    folder.mkdir(parents=True, exist_ok=True)
    part = naming.journal_path(folder, number)
    write(part, Recording(rows, [jpeg()], cameras=("cam_high",)), header(cameras=("cam_high",), episode=number))
    return finalise(part)


def success_of(path: Path) -> int:
    with h5py.File(path) as file:
        assert file.attrs["success"].dtype == np.int8
        return int(file.attrs["success"])


def test_ls_lists_by_number_and_says_what_waits(tmp_path: Path) -> None:
    for number in (10, 2, 0):
        record(tmp_path, number)
    writer = JournalWriter(naming.journal_path(tmp_path / "cube", 11), header())
    got = station("ls", tmp_path)
    writer.close(0)
    assert got.exit_code == 0
    numbers = [line.split("│")[2].strip() for line in got.output.splitlines() if "│ cube" in line]
    assert numbers == ["0", "2", "10"]
    assert "3 episodes, 1 journals not saved yet" in got.output


def test_ls_names_what_cannot_be_read(tmp_path: Path) -> None:
    record(tmp_path, 0)
    (tmp_path / "cube" / "episode_1.hdf5").write_bytes(b"no")
    got = station("ls", tmp_path)
    assert got.exit_code == 1
    assert "cannot be read" in got.stderr
    assert station("ls", tmp_path / "nowhere").exit_code == 2


def test_show_says_everything_and_draws(tmp_path: Path) -> None:
    path = record(tmp_path, 0, rows=30)
    got = station("show", path, "--pictures", tmp_path / "png")
    assert got.exit_code == 0, got.output
    for word in ("instruction", "hand the cube over", "/observations/images/cam_high", "(30, 14)"):
        assert word in got.output
    sheet = cv2.imread(str(tmp_path / "png" / "episode_0_cameras.png"))
    assert sheet.shape[1] == 8 * (240 + 2)
    assert np.abs(sheet[90, 120].astype(int) - (30, 120, 200)).max() < 12  # the colour the camera saw
    assert cv2.imread(str(tmp_path / "png" / "episode_0_joints.png")) is not None
    assert station("show", tmp_path / "episode_9.hdf5").exit_code == 2
    (tmp_path / "episode_9.hdf5").write_bytes(b"no")
    assert station("show", tmp_path / "episode_9.hdf5").exit_code == 1


def test_verify_whole_and_not(tmp_path: Path) -> None:
    path = record(tmp_path, 0)
    assert station("verify", tmp_path).exit_code == 0
    with h5py.File(path, "r+") as file:
        file["/observations/qpos"][2, 3] = np.nan
    got = station("verify", path)
    assert got.exit_code == 1
    assert "/observations/qpos: row 2 is not a number" in got.output


SPOILERS = {
    "attribute task is missing": lambda file: file.attrs.__delitem__("task"),
    "success is 7": lambda file: file.attrs.modify("success", np.int8(7)),
    "/action_sent is missing": lambda file: file.__delitem__("/action_sent"),
    "/sync/age/cam_high is missing": lambda file: file.__delitem__("/sync/age/cam_high"),
    "is not in the layout": lambda file: file.create_dataset("/stray", (1,), "f4"),
    "dim_names": lambda file: file.attrs.__setitem__("dim_names", ["a"]),
    "does not rise": lambda file: file["/timestamps/tick"].__setitem__(2, file["/timestamps/tick"][1]),
    "leaves the grid": lambda file: file["/timestamps/tick"].__setitem__(2, file["/timestamps/tick"][2] + 1000),
    "later than its tick": lambda file: file["/timestamps/cam_high"].__setitem__(1, file["/timestamps/tick"][1] + 1),
    "minus the sample's": lambda file: file["/sync/age/cam_high"].__setitem__(1, 5),
    "another time than the row before": lambda file: file["/sync/is_new/follower_left"].__setitem__(slice(None), False),
    "without a name": lambda file: file["/control/source"].__setitem__(0, 99),
    "runs of rows marked stalled": lambda file: file["/control/stalled"].__setitem__(0, True),
    "late_ticks": lambda file: file["/control/late"].__setitem__(0, True),
    "is no JPEG": lambda file: file["/observations/images/cam_high"].__setitem__((3, 0), 0),
    "bytes long": lambda file: file["/compress_len"].__setitem__((0, 1), 1e7),
}


@pytest.mark.parametrize("finding", SPOILERS)
def test_verify_finds(tmp_path: Path, finding: str) -> None:
    path = record(tmp_path, 0)
    assert verify(path) == []
    with h5py.File(path, "r+") as file:
        SPOILERS[finding](file)
    assert any(finding in found for found in verify(path)), verify(path)


def test_verify_of_a_torn_file(tmp_path: Path) -> None:
    path = record(tmp_path, 0)
    path.write_bytes(path.read_bytes()[:-100])
    assert "not a whole HDF5 file" in verify(path)[0]


def test_recover_saves_what_was_left_and_leaves_what_is_live(tmp_path: Path) -> None:
    folder = tmp_path / "cube"
    folder.mkdir()
    cut = naming.journal_path(folder, 0)
    write(cut, Recording(20, [jpeg()], cameras=("cam_high",)), header(cameras=("cam_high",)))
    cut.write_bytes(cut.read_bytes()[:-900])
    JournalWriter(naming.journal_path(folder, 1), header()).close(0)
    live = JournalWriter(naming.journal_path(folder, 2), header())
    (folder / ".episode_3.mcap.part.77").write_bytes(b"half a header")
    foreign = naming.journal_path(folder, 4)
    write(foreign, Recording(2, [jpeg()]))
    (folder / "episode_4.hdf5").write_bytes(b"something else")
    got = station("recover", tmp_path)
    assert got.exit_code == 1
    lines = [line.split(": ", 1) for line in got.output.splitlines() if ".mcap.part: " in line]
    assert {Path(part).name: outcome.split()[0] for part, outcome in lines} == {
        "episode_0.mcap.part": "saved",
        "episode_1.mcap.part": "empty",
        "episode_2.mcap.part": "live",
        "episode_4.mcap.part": "failed",
    }
    with h5py.File(folder / "episode_0.hdf5") as file:
        assert file.attrs["recovered"]
        assert len(file["/action"]) == 19
    live.close(0)
    assert foreign.exists()
    assert not (folder / ".episode_3.mcap.part.77").exists()
    foreign.unlink()
    assert station("recover", tmp_path).exit_code == 0
    assert station("recover", tmp_path / "nowhere").exit_code == 2


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
    assert "│ yes" in station("ls", tmp_path).output
    assert station("label", path, "--unset").exit_code == 0
    assert success_of(path) == -1
    assert "│ –" in station("ls", tmp_path).output
    assert verify(path) == []
    assert station("label", path).exit_code == 2
    assert station("label", path, "--success", "--unset").exit_code == 2
    assert station("label", tmp_path / "episode_7.hdf5", "--success").exit_code == 2
    beside.write_text("{")
    assert "not a labels file" in station("label", path, "--unset").stderr


def test_a_label_is_kept_while_a_trainer_reads(tmp_path: Path) -> None:
    path = record(tmp_path, 0)
    script = "import h5py, sys; file = h5py.File(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", script, str(path)], stdin=-1, stdout=-1) as reader:
        assert reader.stdout is not None
        reader.stdout.readline()
        got = station("label", path, "--success")
    assert got.exit_code == 1
    assert "in use" in got.stderr
    assert "│ yes" in station("ls", tmp_path).output


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
    assert station("view", tmp_path / "out", "--data", data).exit_code == 2  # not empty
    assert station("view", tmp_path / "none", "--data", data, "--failure").exit_code == 2  # nothing fits
