"""What an earlier layout wrote is read by today's code, number for number. See README.md."""

import os
import shutil
from pathlib import Path

import h5py
import msgspec
import numpy as np
import pytest
from typer.testing import CliRunner

from station.bus.messages import ArmState
from station.bus.streams import STREAMS
from station.cli.episodes import app
from station.episodes import layout, naming
from station.episodes.cadence import read_cadence
from station.episodes.catalogue import episodes, read_episode
from station.episodes.finalise import finalise
from station.episodes.journal_reader import JournalReader
from station.episodes.labels import Labels, read_labels
from station.episodes.recover import recover
from station.episodes.verify import verify
from station.files import calibration_files, check_results
from station.files.calibration_files import Calibration
from station.files.check_results import SessionCheck

FIRST = Path(__file__).parent / "layout_1"
JOURNALS = sorted(path for path in Path(__file__).parent.glob("layout_*/episode_*.mcap"))
FILES = sorted(path for path in Path(__file__).parent.glob("layout_*/episode_*.hdf5"))
RECORDED_LATER = {"station_version", "layout", "success"}
"""Attributes of the file that say by what, and into which layout, it was built; and what was said afterwards."""
TOLD_AS_JSON = {"calibration", "devices", "check_result"}
"""What later software has more to say in; what was said then must still be there."""
CALLED_TODAY = {"overload_ma": "overload"}
"""What has another name in it since."""


def holds(now: object, then: object) -> bool:
    """Is everything of `then` in `now`?"""
    if isinstance(then, dict):
        named = {CALLED_TODAY.get(key, key): value for key, value in then.items()}
        return isinstance(now, dict) and all(key in now and holds(now[key], value) for key, value in named.items())
    if isinstance(then, list):
        return isinstance(now, list) and len(now) == len(then) and all(map(holds, now, then))
    return now == then


def test_there_are_some() -> None:
    assert len(JOURNALS) >= 3
    assert len(FILES) >= 3


@pytest.mark.slow
@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_an_episode_is_whole_and_listed(path: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(path, tmp_path))  # its quality card is kept beside it
    assert verify(path, decode=True) == []
    episode = read_episode(path)
    assert episode.problem == ""
    assert episode.rows == read_cadence(path).rows == 5
    assert CliRunner().invoke(app, ["show", str(path)]).exit_code == 0


@pytest.mark.parametrize("path", JOURNALS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_journal_becomes_the_episode_it_became_then(path: Path, tmp_path: Path) -> None:
    part = naming.journal_path(tmp_path, naming.number_of(path))
    shutil.copy(path, part)
    built = finalise(part)
    assert verify(built) == []
    with h5py.File(path.with_suffix(".hdf5")) as then, h5py.File(built) as now:
        names: list[str] = []
        then.visit(names.append)
        for name in ["/", *names]:
            for key, value in then[name].attrs.items():
                if key in TOLD_AS_JSON and value:
                    told = msgspec.json.decode(now[name].attrs[key])
                    assert holds(told, msgspec.json.decode(value)), f"{key}: {told}"
                elif key not in RECORDED_LATER:
                    np.testing.assert_array_equal(now[name].attrs[key], value, f"{name} {key}")
            if isinstance(then[name], h5py.Dataset):
                np.testing.assert_array_equal(now[name][()], then[name][()], name, strict=True)
        assert now.attrs["layout"] == layout.VERSION
        assert now.attrs["station_version"] == then.attrs["station_version"]


def test_an_old_current_is_an_effort_in_milliamperes(tmp_path: Path) -> None:
    with JournalReader(FIRST / "episode_0.mcap") as reader:
        header = reader.header
        assert header is not None
        assert header.effort_units == ("mA",) * len(header.dim_names)
        streams = [stream for about in header.descriptions.values() for stream in about.streams]
        dimensions = [d for stream in streams if stream.kind == "arm_state" for d in stream.dimensions]
        assert {dimension.effort_unit for dimension in dimensions} == {"mA"}
        states = [sample.body for sample in reader.samples({"arm_state"})]
    assert states
    assert all(isinstance(body, ArmState) and body.mode == ("ready" if body.torque else "off") for body in states)
    part = naming.journal_path(tmp_path, 0)
    shutil.copy(FIRST / "episode_0.mcap", part)
    with h5py.File(finalise(part)) as file:
        assert set(file.attrs["effort_units"]) == {"mA"}
        assert msgspec.json.decode(file.attrs["kinematics"]) == {}, "no chain was described then"


@pytest.mark.parametrize("path", JOURNALS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_message_of_a_journal_can_be_read(path: Path) -> None:
    with JournalReader(path) as reader:
        assert reader.header is not None
        kinds: set[str] = set()
        for sample in reader.samples():
            assert isinstance(sample.body, STREAMS[sample.kind].body), "as it is called today"
            kinds.add(sample.kind)
        assert reader.ending is not None
        assert reader.ending.how == "closed"
    told = {"command", "applied", "description", "health"} if path.parent == FIRST else {"command"}
    assert kinds >= {"arm_state", "frame", "tick", "row"} | told


def test_a_journal_that_was_cut_off_is_recovered(tmp_path: Path) -> None:
    content = (FIRST / "episode_0.mcap").read_bytes()
    naming.journal_path(tmp_path, 0).write_bytes(content[:-700])
    (found,) = recover(tmp_path)
    assert (found.outcome, found.rows) == ("saved", 4)


def test_labels_are_believed_and_can_be_changed(tmp_path: Path) -> None:
    for path in FIRST.glob("episode_*"):
        shutil.copy(path, tmp_path)
    assert read_labels(tmp_path / "episode_0.hdf5") == Labels(True, "slipped once")
    assert read_labels(tmp_path / "episode_1.hdf5") == Labels(False, "zweite Zeile: ü")
    assert [episode.success for episode in episodes(tmp_path)] == [True, False, None]
    assert CliRunner().invoke(app, ["label", str(tmp_path / "episode_0.hdf5"), "--failure"]).exit_code == 0
    assert [episode.success for episode in episodes(tmp_path)] == [False, False, None]
    assert episodes(tmp_path)[0].note == "slipped once"


def test_calibrations_and_checks_are_believed(runtime: str) -> None:
    folder = calibration_files.folder()
    folder.mkdir(parents=True)
    shutil.copy(FIRST / "calibration_follower.json", calibration_files.path_of("FT0"))
    shutil.copy(FIRST / "calibration_camera.json", calibration_files.path_of("C0"))
    follower, camera = calibration_files.load("FT0"), calibration_files.load("C0")
    assert follower is not None and follower.arm is not None and follower.arm.gripper is not None
    assert camera is not None and camera.intrinsics is not None and camera.latency is not None
    assert (follower.revision, follower.arm.signs, follower.arm.gripper.open_m) == (1, (1, -1, 1, 1, -1, 1), 0.057)
    assert (camera.revision, camera.intrinsics.fx, camera.latency.latency_ms) == (2, 30.0, 41.5)
    check = check_results.path_of("aloha")
    check.parent.mkdir(parents=True)
    shutil.copy(FIRST / "check.json", check)
    stored = check_results.last("aloha")
    assert stored is not None
    assert [finding.name for finding in stored.result.findings] == ["sharpness", "zero"]
    with h5py.File(FIRST / "episode_1.hdf5") as file:
        assert msgspec.json.decode(file.attrs["check_result"], type=SessionCheck).verdict == "warn"
        kept = msgspec.json.decode(file.attrs["calibration"], type=dict[str, Calibration])
        assert kept.keys() == {"follower_left", "cam_high"}


def test_they_stay_small() -> None:
    size = sum(path.stat().st_size for path in FIRST.iterdir())
    assert size < 330_000
    assert not os.path.lexists(FIRST / ".highest_episode")
