"""An export whole: the same bytes from everywhere, after any death, and nothing under the name before it is read back."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import h5py
import numpy as np
import pytest

from station.bus.messages import SourceName
from station.datasets import parts
from station.datasets.conversion import Size
from station.datasets.formats.contract import Made, Part
from station.datasets.plan import Plan
from station.datasets.record import read_record
from station.datasets.selection import Kept, Selection, Trim
from station.errors import EpisodeError, UsageError
from tests.station.datasets.exported import export_to, findings
from tests.station.datasets.recorded import SINGLE, Recorded, make


def files(folder: Path) -> dict[str, bytes]:
    """Everything but the sidecar that says when and where."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "run.json"
    }


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    for k in range(3):
        make(folder, Recorded(24 + 3 * k, SINGLE, ("cam_high",), episode=k))
    return folder


@pytest.mark.slow
def test_a_killed_export_goes_on_in_two_processes_and_makes_the_bytes_that_one_makes(
    data: Path, tmp_path: Path
) -> None:
    selection = Selection(folders=(str(data),))
    export_to(tmp_path / "one" / "set", data, selection=selection)
    command = [
        sys.executable,
        "-m",
        "station.cli",
        "dataset",
        "export",
        "lerobot-v3",
        str(tmp_path / "cli" / "set"),
        "--from",
        str(data),
    ]
    first = subprocess.Popen([*command, "--workers", "0"], stdout=-3, stderr=-3, start_new_session=True)
    building = tmp_path / "cli" / ".set.building"
    while first.poll() is None and not list(building.glob("*/scratch/numbers-*.json")):
        time.sleep(0.01)
    os.killpg(first.pid, signal.SIGKILL)
    assert first.wait() == -signal.SIGKILL
    assert not (tmp_path / "cli" / "set").exists()
    done = {path: path.stat().st_ino for path in building.glob("*/scratch/*.json")}
    assert done
    again = subprocess.run([*command, "--workers", "2"], capture_output=True, text=True, timeout=110)
    assert again.returncode == 0, again.stderr
    assert "read back whole" in again.stdout
    assert files(tmp_path / "cli" / "set") == files(tmp_path / "one" / "set")
    assert not building.exists()


def test_what_was_finished_is_not_done_again(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, made, full = parts._make, list[str](), True

    def make_one(plan: Plan, part: Part, building: Path) -> Made:
        made.append(part.name)
        if full and part.kind == "pictures":
            raise OSError("the disk is full")
        return real(plan, part, building)

    monkeypatch.setattr(parts, "_make", make_one)
    with pytest.raises(OSError, match="full"):
        export_to(tmp_path / "set", data)
    full = False
    export_to(tmp_path / "set", data)
    assert made == ["numbers-00000", "pictures-00000-cam_high", "pictures-00000-cam_high"]


@pytest.mark.slow
def test_a_corrupt_episode_is_in_the_report_and_not_in_the_dataset(tmp_path: Path) -> None:
    episodes = [make(tmp_path / "data", Recorded(20, SINGLE, ("cam_high",), episode=k)) for k in range(3)]
    with h5py.File(episodes[1], "r+") as file:
        rows = file["/observations/images/cam_high"]
        length = int(file["/compress_len"][0, 8])
        hurt = rows[8]
        hurt[length // 3 : length - 2] = np.random.default_rng(0).integers(0, 250, length - 2 - length // 3)
        rows[8] = hurt
    done = export_to(tmp_path / "set", tmp_path / "data")
    assert len(done.plan.episodes) == 2
    (left,) = done.left
    assert left.source.path == str(episodes[1]) and "row 8" in left.detail
    assert [one.episode for one in read_record(tmp_path / "set").left_out] == ["cube/episode_1.hdf5"]
    assert findings(tmp_path / "set") == ()


def test_nothing_has_the_name_before_it_is_read_back(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import station.datasets.export as exporting

    monkeypatch.setattr(exporting, "read_back", lambda *given: ("episode 0: wrong",))
    with pytest.raises(EpisodeError, match="does not read back as its sources are: episode 0: wrong"):
        export_to(tmp_path / "set", data)
    assert not (tmp_path / "set").exists()


def test_a_place_that_is_taken_is_refused(data: Path, tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    with pytest.raises(UsageError, match="there already, and is no dataset"):
        export_to(tmp_path / "set", data)
    assert not list((tmp_path / "set").iterdir())


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (Recorded(20, SINGLE, ("cam_low",), episode=1), "cameras: cam_high in 1 .*cam_low in 1"),
        (Recorded(20, ("left",), ("cam_high",), episode=1), "names of the vector"),
        (Recorded(20, SINGLE, ("cam_high",), episode=1, size=(176, 144)), "160 × 128 in 1 .*176 × 144 in 1.*--size"),
        (Recorded(20, SINGLE, ("cam_high",), episode=1, tick_hz=25.0), "50 Hz in 1 .*25 Hz in 1 .*--rate"),
    ],
)
def test_a_mixture_is_refused_with_what_differs(other: Recorded, told: str, tmp_path: Path) -> None:
    make(tmp_path / "data", Recorded(20, SINGLE, ("cam_high",), episode=0))
    make(tmp_path / "data", other)
    with pytest.raises(UsageError, match=told):
        export_to(tmp_path / "set", tmp_path / "data")


@pytest.mark.slow
def test_rates_that_differ_are_brought_to_one(tmp_path: Path) -> None:
    make(tmp_path / "data", Recorded(40, SINGLE, ("cam_high",), episode=0, size=(320, 240)))
    make(tmp_path / "data", Recorded(20, SINGLE, ("cam_high",), episode=1, size=(320, 240), tick_hz=25.0))
    plan = export_to(tmp_path / "set", tmp_path / "data", rate_hz=5.0, size=Size(160, 120)).plan
    assert sorted(episode.length for episode in plan.episodes) == [4, 4]
    assert findings(tmp_path / "set") == ()


def test_gaps_make_episodes_and_everything_else_is_converted(tmp_path: Path) -> None:
    """A hold in the middle, a stall that stays, a range by hand, step deltas, the sent goals, the other gripper."""
    sources: list[SourceName] = ["hold" if 20 <= row < 25 else "leader" for row in range(50)]
    episode = make(tmp_path / "data", Recorded(50, SINGLE, ("cam_high",), sources=sources, stalled=range(4, 8)))
    keep = (Kept("cube/episode_0.hdf5", 0.1, 0.8),)
    selection = Selection(folders=(str(tmp_path / "data"),), trim=Trim(keep=keep))
    plan = export_to(
        tmp_path / "set", tmp_path / "data", selection=selection, rate_hz=25.0, action="sent",
        representation="step-delta", gripper="closed-1",
    ).plan  # fmt: skip
    assert [(one.first, one.end, one.length) for one in plan.episodes] == [(5, 20, 6), (25, 41, 7)]
    read = parts.format_named("lerobot-v3").open(tmp_path / "set").numbers(1)
    with h5py.File(episode) as file:
        sent, qpos = file["/action_sent"][()], file["/observations/qpos"][()]
    np.testing.assert_array_equal(read["row"], range(25, 39, 2))
    np.testing.assert_array_equal(read["action"][:, :6], np.diff(sent[26:42:2], axis=0)[:7, :6])
    np.testing.assert_array_equal(read["action"][:, 6], 1 - sent[26:40:2, 6])
    np.testing.assert_array_equal(read["state"][:, 6], 1 - qpos[25:39:2, 6])
    stalled = parts.format_named("lerobot-v3").open(tmp_path / "set").numbers(0)["stalled"]
    assert stalled.tolist() == [True, True, False, False, False, False]
    assert (tmp_path / "set" / "README.md").read_text().count("5 hold") == 1


@pytest.mark.slow
def test_raw_pictures_are_encoded_and_have_nothing_to_take_as_shot(tmp_path: Path) -> None:
    make(tmp_path / "data", Recorded(12, SINGLE, ("cam_high",), images="raw"))
    export_to(tmp_path / "set", tmp_path / "data")
    assert findings(tmp_path / "set") == ()
    with pytest.raises(UsageError, match="raw, not all JPEG"):
        export_to(tmp_path / "other", tmp_path / "data", video="as-shot")


@pytest.mark.slow
def test_names_of_operators_are_theirs(data: Path, tmp_path: Path) -> None:
    selection = Selection(folders=(str(data),), where={"operator": "ann"})
    export_to(tmp_path / "without", data, selection=selection)
    for name in ("README.md", "station/dataset.json", "station/selection.yaml"):
        assert "ann" not in (tmp_path / "without" / name).read_text()
    assert "operator 1 (3)" in (tmp_path / "without" / "README.md").read_text()
    export_to(tmp_path / "with", data, operators=True)
    assert "ann (3)" in (tmp_path / "with" / "README.md").read_text()


def test_an_executor_whose_worker_dies_is_had_again() -> None:
    """In a process of its own: Python keeps a tracker of resources as long as the process that had a pool."""
    command = [sys.executable, "-m", "tests.station.datasets.dying_worker"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["0", "1", "4", "9", "16", "WorkerDied", "36", "49"]
