"""Others' recordings become whole episodes; nothing is made up for what they do not say."""

from pathlib import Path

import cv2
import h5py
import msgspec
import numpy as np
import pytest
from typer.testing import CliRunner

from station.cli.episodes import app as episodes_app
from station.cli.tells import told_by
from station.datasets.importing import aloha
from station.datasets.importing.foreign import Said, units_of
from station.datasets.importing.lerobot import Dataset
from station.datasets.importing.writing import write
from station.episodes import naming
from station.episodes.catalogue import Episode, episodes, read_episode
from station.episodes.verify import verify
from station.errors import EpisodeError, PolicyError, UsageError
from station.policy.claims import refuse_anywhere
from station.policy.recorded import read_recorded
from station.steps.protocol import DOCUMENT, End, Step
from tests.station.datasets.exported import export_to, findings
from tests.station.datasets.recorded import BIMANUAL, Recorded, make, picture
from tests.station.steps.inside import as_a_job

ROWS, D = 12, 14


def numbers(seed: int) -> np.ndarray:
    return np.cumsum(np.random.default_rng(seed).normal(0, 0.01, (ROWS, D)), axis=0).astype(np.float32)


def alohas(path: Path, jpeg: bool = True, lengths: bool = True, width: int = D) -> Path:
    """As ACT's and ACT++'s recorders write them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shots = {name: [picture(name, row) for row in range(ROWS)] for name in ("cam_high", "cam_low")}
    with h5py.File(path, "w") as file:
        file.attrs["sim"] = False
        file.attrs["compress"] = jpeg
        file.attrs["made"] = path.name
        for place, name in enumerate(("observations/qpos", "observations/qvel", "observations/effort", "action")):
            file[name] = numbers(place)[:, :width]
        all_lengths = []
        for name, each in shots.items():
            if jpeg:
                coded = [cv2.imencode(".jpg", shot)[1].tobytes() for shot in each]
                longest = max(map(len, coded))
                file[f"observations/images/{name}"] = np.stack(
                    [np.frombuffer(one.ljust(longest, b"\0"), np.uint8) for one in coded]
                )
                all_lengths.append([len(one) for one in coded])
            else:
                file[f"observations/images/{name}"] = np.stack([shot[:, :, ::-1] for shot in each])
        if jpeg and lengths:
            file["compress_len"] = np.array(all_lengths, np.float32)
    return path


@pytest.mark.parametrize(("jpeg", "lengths"), [(True, True), (True, False), (False, False)])
def test_an_aloha_episode_is_whole_here(jpeg: bool, lengths: bool, tmp_path: Path) -> None:
    source = alohas(tmp_path / "old" / "episode_7.hdf5", jpeg, lengths)
    path = write(aloha.read(source, Said()), tmp_path / "data" / "cube", "cube", "")
    assert path.name == "episode_0.hdf5"
    assert verify(path, decode=True) == []
    with h5py.File(path) as file, h5py.File(source) as old:
        for name in ("observations/qpos", "observations/qvel", "observations/effort", "action"):
            np.testing.assert_array_equal(file[name], old[name])
        for place, camera in enumerate(file.attrs["camera_names"]):
            here, there = file[f"observations/images/{camera}"], old[f"observations/images/{camera}"]
            for row in range(ROWS):
                kept = here[row].tobytes()
                kept = kept[: int(file["compress_len"][place, row])] if jpeg else kept
                assert there[row].tobytes().rstrip(b"\0") == kept.rstrip(b"\0")
        assert np.isnan(file["action_sent"]).all()
        assert "sync" not in file or not len(file["sync/age"])  # no age is made up
        assert list(file["timestamps"]) == ["tick"]
        assert file.attrs["start_wall_ns"] == 0
    episode = read_episode(path)
    assert (episode.problem, episode.recorded_ns) == ("", 0)


def test_what_is_no_aloha_episode_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--names"):
        aloha.read(alohas(tmp_path / "episode_0.hdf5", width=7), Said())
    named = aloha.read(tmp_path / "episode_0.hdf5", Said(tuple("abcdefg")))
    assert named.dim_names == tuple("abcdefg")
    with pytest.raises(EpisodeError, match="recorded by a station"):
        aloha.read(make(tmp_path / "own", Recorded(4, BIMANUAL, ())), Said())
    with pytest.raises(UsageError, match=r"no episode_<n>.hdf5"):
        aloha.found(tmp_path / "nowhere")


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("own")
    for k in range(2):
        make(data, Recorded(14 + k, BIMANUAL, ("cam_high",), episode=k, instruction=f"do it {k}"))
    return data


@pytest.mark.slow
@pytest.mark.parametrize(
    ("version", "video"),
    [("lerobot-v3", "as-shot"), ("lerobot-v3", "h264"), ("lerobot-v2.1", "as-shot"), ("lerobot-v2.1", "h264")],
)
def test_a_lerobot_dataset_comes_back(version: str, video: str, own: Path, tmp_path: Path) -> None:
    export_to(tmp_path / "set", own, version, video=video)
    dataset = Dataset(tmp_path / "set")
    paths = [
        write(dataset.read(place, Said(units=("rad",))), tmp_path / "data" / "cube", "cube", "ann")
        for place in dataset.places
    ]
    assert [verify(path, decode=True) for path in paths] == [[], []]
    by_text = {episode.instruction: episode for episode in episodes(own)}
    for path in paths:
        back = read_episode(path)
        source = by_text[back.instruction]
        with h5py.File(path) as file, h5py.File(source.path) as old:
            np.testing.assert_array_equal(file["observations/qpos"], old["observations/qpos"])
            np.testing.assert_array_equal(file["action"], old["action"])
            assert np.isnan(file["observations/qvel"]).all() and np.isnan(file["observations/effort"]).all()
            for row in range(len(file["action"])):
                if video == "as-shot":
                    length = int(old["compress_len"][0, row])
                    kept = file["observations/images/cam_high"][row].tobytes()
                    assert kept[:length] == old["observations/images/cam_high"][row].tobytes()[:length]
                else:
                    shots = [
                        np.asarray(cv2.imdecode(each["observations/images/cam_high"][row], 1), int)
                        for each in (file, old)
                    ]
                    assert np.abs(shots[0] - shots[1]).mean() < 8
    assert export_to(tmp_path / "again", tmp_path / "data", "plain").plan.frames == sum(map(rows, paths))
    assert findings(tmp_path / "again") == ()


def rows(path: Path) -> int:
    return read_episode(path).rows


@pytest.mark.slow
def test_units_that_nobody_said_are_not_replayed(own: Path, tmp_path: Path) -> None:
    export_to(tmp_path / "set", own)
    dataset = Dataset(tmp_path / "set")
    unknown = write(dataset.read(dataset.places[0], Said()), tmp_path / "data" / "cube", "cube", "")
    with pytest.raises(PolicyError, match="units"):
        refuse_anywhere(read_recorded(unknown).claim)
    degrees = dataset.read(dataset.places[0], Said(units=("deg",)))
    radians = dataset.read(dataset.places[0], Said(units=("rad",)))
    grippers = [name.endswith("gripper") for name in radians.dim_names]
    np.testing.assert_allclose(
        degrees.action[:, ~np.array(grippers)], np.deg2rad(radians.action)[:, ~np.array(grippers)], rtol=1e-6
    )
    np.testing.assert_array_equal(degrees.action[:, grippers], radians.action[:, grippers])
    assert set(degrees.units) == {"rad", "1"}
    with pytest.raises(UsageError, match="rad or deg"):
        units_of(("a",), Said(units=("turns",)), "")


def test_the_command_and_what_is_shown(tmp_path: Path) -> None:
    from station.cli.dataset import app

    for k in range(3):
        alohas(tmp_path / "old" / f"episode_{k}.hdf5")
    (tmp_path / "old" / "episode_1.hdf5").write_bytes(b"no file")
    command = ["import", "aloha", str(tmp_path / "old"), "--task", "cube", "--data", str(tmp_path / "data")]
    first = as_a_job(app, *command)
    assert first.exit_code == 1
    assert "left out: " in first.output and "2 imported, 0 were here, 1 left out" in first.output
    progress = [line.progress for line in first.lines if isinstance(line, Step) and line.progress is not None]
    assert progress == [0, 1 / 3, 2 / 3, 1]
    assert isinstance(first.lines[-1], End) and first.lines[-1].words.startswith("1 left out: ")
    again = as_a_job(app, *command, "--json")
    (document,) = [line.values[DOCUMENT] for line in again.lines if isinstance(line, Step)]
    told = msgspec.json.decode(str(document), type=told_by("dataset import"), dec_hook=lambda kind, text: kind(text))
    assert (len(told.imported), told.were_here, len(told.failed)) == (0, 2, 1)
    found: list[Episode] = episodes(tmp_path / "data")
    assert [episode.number for episode in found] == [0, 1]
    shown = CliRunner().invoke(episodes_app, ["show", str(naming.episode_path(tmp_path / "data/cube", 1))])
    assert shown.exit_code == 0, shown.output
    assert "imported from aloha episode_2.hdf5" in shown.output
    as_json = CliRunner().invoke(episodes_app, ["show", str(found[0].path), "--json"])
    assert msgspec.json.decode(as_json.output)["quality"] is not None
