"""`station episodes …` on real files, exit codes and all."""

import os
import time
from pathlib import Path

import cv2
import h5py
import numpy as np
import pytest

from station.cli.episodes import told
from station.episodes import naming
from station.episodes.finalise import finalise
from station.episodes.journal import JournalWriter
from station.episodes.verify import verify
from tests.pictures import bgr
from tests.station.cli.recorded import record, station
from tests.station.episodes.recording import Recording, header, jpeg, write


def test_ls_cuts_no_name_and_no_remark_in_80_columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(told.console, "width", 80)
    note = "the cube slipped out of the right gripper once, and was picked up again before the hand-over"
    assert station("label", record(tmp_path, 0), "--success", "--note", note).exit_code == 0
    listed = station("ls", tmp_path).output
    assert f"cube 0: {note}\n" in listed
    title = next(line for line in listed.splitlines() if line.startswith("n "))
    assert title.split() == ["n", "rows", "seconds", "success", "late", "lost", "stale", "MB", "operator"]


def test_ls_lists_by_number_and_says_what_waits(tmp_path: Path) -> None:
    for number in (10, 2, 0):
        record(tmp_path, number)
    writer = JournalWriter(naming.journal_path(tmp_path / "cube", 11), header())
    got = station("ls", tmp_path)
    writer.close(0)
    assert got.exit_code == 0
    numbers = [line.split()[0] for line in got.output.splitlines() if " – " in line]
    assert numbers == ["0", "2", "10"]
    assert "cube: aloha · 50 Hz · 14 numbers · vx300s, vx300s · 1 cameras 640×480, jpeg\n" in got.output
    assert got.output.splitlines()[-1].startswith("3 episodes, ")
    assert got.output.endswith("3 unlabelled, 1 journals not saved yet\n")


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
    for word in (
        "instruction  hand the cube over",
        "by ann",
        "50 Hz · 14 numbers",
        "14: left waist, ",
        "check        none",
    ):
        assert word in got.output
    assert "{" not in got.output
    sheet = bgr((tmp_path / "png" / "episode_0_cameras.png").read_bytes())
    assert sheet.shape[1] == 8 * (240 + 2)
    assert np.abs(sheet[90, 120].astype(int) - (30, 120, 200)).max() < 12  # the colour the camera saw
    assert cv2.imread(str(tmp_path / "png" / "episode_0_joints.png")) is not None
    assert station("show", tmp_path / "episode_9.hdf5").exit_code == 2
    (tmp_path / "episode_9.hdf5").write_bytes(b"no")
    assert station("show", tmp_path / "episode_9.hdf5").exit_code == 1


def test_show_of_an_attribute_without_end_is_cut(tmp_path: Path) -> None:
    path = record(tmp_path, 0)
    with h5py.File(path, "r+") as file:
        file.attrs["instruction"] = "x" * 20_000_000
        file.attrs["units"] = ["y" * 10_000] * 1000
        file.attrs["z" * 50_000] = 1
    began_s = time.process_time()
    got = station("show", path)
    assert time.process_time() - began_s < 5
    assert got.exception is None or isinstance(got.exception, SystemExit)
    assert "(cut here" in got.output
    assert len(got.output) < 200_000


def test_pictures_that_cannot_be_written_are_one_sentence(tmp_path: Path) -> None:
    path = record(tmp_path, 0)
    (tmp_path / "taken").touch()
    (tmp_path / "full" / "episode_0_joints.png").mkdir(parents=True)
    for folder in ("taken", "taken/below", "full"):
        got = station("show", path, "--pictures", tmp_path / folder)
        assert isinstance(got.exception, SystemExit), got.exception
        assert str(tmp_path / folder) in got.stderr.replace("\n", "") and "Next: " in got.stderr


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


def test_verify_decodes_every_picture(tmp_path: Path) -> None:
    whole = cv2.imencode(".jpg", np.random.default_rng(1).integers(0, 255, (96, 128, 3), np.uint8))[1].tobytes()
    middle = len(whole) // 2
    folder = tmp_path / "cube"
    folder.mkdir()
    part = naming.journal_path(folder, 0)
    torn = whole[:middle] + whole[middle + 700 :]
    write(part, Recording(12, [whole, whole, whole, torn], cameras=("cam_high",)), header(cameras=("cam_high",)))
    path = finalise(part)
    assert verify(path) == []
    got = station("verify", path)
    assert got.exit_code == 1
    assert "/observations/images/cam_high: " in got.output
    assert "of 12 pictures are not all there, the first in row " in got.output


def test_one_stray_file_blinds_nobody(tmp_path: Path) -> None:
    good = [record(tmp_path, number) for number in (0, 1)]
    (good[0].parent / "episode_0 (copy).hdf5").write_bytes(good[0].read_bytes())
    (good[0].parent / "episode_7.hdf5").symlink_to("nowhere")
    os.mkfifo(good[0].parent / "episode_8.hdf5")
    with h5py.File(record(tmp_path, 2), "r+") as file:
        file.attrs["success"] = "abc"
    listed = station("ls", tmp_path)
    assert listed.exit_code == 1
    assert "6 episodes" in listed.output
    for words in ("episode_0 (copy).hdf5", "episode_7.hdf5", "a FIFO", "attribute success is str, not int8"):
        assert words in listed.output
    checked = station("verify", tmp_path)
    assert checked.exit_code == 1
    assert checked.output.count(": whole") == 2
    assert "4 of 6 are not whole" in checked.stderr
    viewed = station("view", tmp_path / "out", "--data", tmp_path / "cube", "--include", "all")
    assert viewed.exit_code == 1
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["episode_0.hdf5", "episode_1.hdf5"]
    assert viewed.stderr.count("left out: ") == 4
    for name in ("episode_7.hdf5", "episode_8.hdf5", "episode_2.hdf5"):
        for command in (("show",), ("label", "--success")):
            assert station(command[0], good[0].parent / name, *command[1:]).exit_code == 1
    for name in ("episode_7.hdf5", "episode_8.hdf5"):  # a folder that is full of them can be put in order
        assert station("delete", good[0].parent / name).exit_code == 0
