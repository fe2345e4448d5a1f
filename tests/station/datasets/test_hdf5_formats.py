"""ACT's files and robomimic's one: what is in them, that they read back, and that planted faults are found."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from station.datasets.conversion import Size
from station.errors import UsageError
from tests.consumers.truth import assert_equal, rows
from tests.station.datasets.exported import export_to, findings
from tests.station.datasets.recorded import SINGLE, Recorded, make, number_in

pytestmark = pytest.mark.slow

FORMATS = ("act", "robomimic")
LENGTHS = (12, 15, 18)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three episodes, the second of which failed, in both formats beside their sources."""
    folder = tmp_path_factory.mktemp("whole")
    for k, length in enumerate(LENGTHS):
        make(folder / "data", Recorded(length, SINGLE, episode=k, instruction=f"do {k % 2}", success=k != 1))
    for name in FORMATS:
        export_to(folder / name, folder / "data", name)
    return folder


def source_of(whole: Path, name: str, index: int) -> Path:
    record = json.loads((whole / name / "station/dataset.json").read_bytes())["plan"]
    return whole / "data" / str(record["sources"][record["episodes"][index]["source"]]["source"]["name"])


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_written_reads_back(whole: Path, name: str) -> None:
    assert findings(whole / name) == ()


def test_act_has_one_length_and_says_what_is_padded(whole: Path) -> None:
    for index in range(3):
        truth = list(rows(source_of(whole, "act", index)))
        with h5py.File(whole / "act" / f"episode_{index}.hdf5") as file:
            assert file["action"].shape == (18, 7) and not file.attrs["sim"]
            assert file["is_pad"][()].tolist() == [False] * len(truth) + [True] * (18 - len(truth))
            for row in range(18):
                expected = truth[min(row, len(truth) - 1)]
                assert_equal(file["action"][row], expected.action)
                assert_equal(file["observations/qpos"][row], expected.state)
                for camera, picture in expected.pictures.items():
                    assert_equal(file[f"observations/images/{camera}"][row], picture)
    card = (whole / "act" / "README.md").read_text()
    assert "Every episode has 18 rows" in card and "action_offset_ticks: -1" in card


def test_robomimic_has_rewards_masks_and_texts(whole: Path) -> None:
    with h5py.File(whole / "robomimic" / "demo.hdf5") as file:
        masks = {name: [one.decode() for one in file[f"mask/{name}"]] for name in ("train", "valid")}
        assert sorted(masks["train"] + masks["valid"]) == ["demo_0", "demo_1", "demo_2"]
        assert file["data"].attrs["total"] == sum(LENGTHS)
        for index in range(3):
            truth = list(rows(source_of(whole, "robomimic", index)))
            demo = file[f"data/demo_{index}"]
            assert json.loads(demo.attrs["ep_meta"]) == {"lang": truth[0].instruction}
            assert demo["rewards"][()].tolist() == [0.0] * (len(truth) - 1) + [float(len(truth) != 15)]
            for row, expected in enumerate(truth):
                assert_equal(demo["actions"][row], expected.action)
                assert number_in(demo["obs/cam_high_image"][row]) == number_in(expected.pictures["cam_high"])


def test_pictures_are_brought_to_a_size(whole: Path, tmp_path: Path) -> None:
    export_to(tmp_path / "set", whole / "data", "robomimic", size=Size(84, 84))
    with h5py.File(tmp_path / "set" / "demo.hdf5") as file:
        assert file["data/demo_0/obs/cam_high_image"].shape[1:] == (84, 84, 3)
    assert findings(tmp_path / "set") == ()


def test_act_refuses_what_it_cannot_hold(whole: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--representation absolute"):
        export_to(tmp_path / "set", whole / "data", "act", representation="step-delta")
    with pytest.raises(UsageError, match="does not hold h264"):
        export_to(tmp_path / "set", whole / "data", "act", video="h264")


def _changed(name: str, change: Callable[[h5py.File], Any]) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        with h5py.File(folder / name, "r+") as file:
            change(file)

    return apply


def _padded(change: Callable[[h5py.File], Any]) -> Callable[[Path], None]:
    """In an episode of ACT's that is shorter than the others were."""

    def apply(folder: Path) -> None:
        for path in sorted(folder.glob("*.hdf5")):
            with h5py.File(path, "r+") as file:
                if file["is_pad"][-1]:
                    change(file)
                    return
        raise AssertionError("all are of one length")

    return apply


def _set(dataset: str, place: Any, value: Any) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        file[dataset][place] = value

    return change


def _swap(one: str, other: str) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        file.move(one, "kept")
        file.move(other, one)
        file.move("kept", other)

    return change


def _rolled(dataset: str) -> Callable[[h5py.File], None]:
    return lambda file: file[dataset].write_direct(np.roll(file[dataset][()], 1, axis=0))


def _shorter(dataset: str) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        kept = file[dataset][:-1]
        del file[dataset]
        file[dataset] = kept

    return change


def _without(name: str) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        del file[name]

    return change


def _all_rewarded(file: h5py.File) -> None:
    for demo in file["data"].values():
        demo["rewards"][-1] = 1.0


def _exchanged(folder: Path) -> None:
    (folder / "episode_0.hdf5").rename(folder / "kept")
    (folder / "episode_1.hdf5").rename(folder / "episode_0.hdf5")
    (folder / "kept").rename(folder / "episode_1.hdf5")


def _cut(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:3000])  # type: ignore[return-value]


E, D = "episode_1.hdf5", "demo.hdf5"
IMAGE = "observations/images/cam_high"
FAULTS: dict[str, tuple[str, Callable[[Path], None], str]] = {
    "act: an action changed": ("act", _changed(E, _set("action", 3, 0.5)), "action is not its source's in 1 of"),
    "act: a state of NaN": ("act", _changed(E, _set("observations/qpos", 3, np.nan)), "state is not its source's"),
    "act: pictures shifted by one": ("act", _changed(E, _rolled(IMAGE)), "not its row's"),
    "act: cameras swapped": ("act", _changed(E, _swap(IMAGE, "observations/images/cam_left_wrist")), "not its row's"),
    "act: red and blue swapped": ("act", _changed(E, lambda f: f[IMAGE].write_direct(f[IMAGE][()][..., ::-1].copy())), "not its row's"),
    "act: another text": ("act", _changed(E, lambda f: f.attrs.update(instruction="do it")), "the task's text is 'do it'"),
    "act: taken for a simulation": ("act", _changed(E, lambda f: f.attrs.update(sim=True)), "attribute sim"),
    "act: a row missing": ("act", _changed(E, _shorter("action")), "action has 17 rows"),
    "act: padded with something else": ("act", _padded(_set("action", -1, 0.0)), "is not padded with its last frame"),
    "act: padding not said": ("act", _padded(_set("is_pad", np.s_[:], False)), "frames, by the record"),
    "act: a camera missing": ("act", _changed(E, _without(IMAGE)), "is missing"),
    "act: an episode left over": ("act", lambda f: shutil.copy(f / E, f / "episode_9.hdf5"), "is missing"),  # type: ignore[dict-item]
    "act: an episode away": ("act", lambda f: (f / "episode_2.hdf5").unlink(), "by the record"),
    "act: episodes exchanged": ("act", _exchanged, "by the record"),
    "act: a file cut off": ("act", _cut(E), "cannot be read"),
    "robomimic: an action changed": ("robomimic", _changed(D, _set("data/demo_1/actions", 3, 0.5)), "action is not its source's in 1 of"),
    "robomimic: pictures shifted by one": ("robomimic", _changed(D, _rolled("data/demo_1/obs/cam_high_image")), "not its row's"),
    "robomimic: demonstrations swapped": ("robomimic", _changed(D, _swap("data/demo_0", "data/demo_1")), "by the record"),
    "robomimic: a demonstration missing": ("robomimic", _changed(D, _without("data/demo_1")), "do not count"),
    "robomimic: another total": ("robomimic", _changed(D, lambda f: f["data"].attrs.update(total=9)), "total is 9"),
    "robomimic: another num_samples": ("robomimic", _changed(D, lambda f: f["data/demo_1"].attrs.update(num_samples=9)), "has 9 frames"),
    "robomimic: no env_args": ("robomimic", _changed(D, lambda f: f["data"].attrs.pop("env_args")), "env_args"),
    "robomimic: masks swapped": ("robomimic", _changed(D, _swap("mask/train", "mask/valid")), "validation is"),
    "robomimic: a mask short": ("robomimic", _changed(D, _shorter("mask/train")), "do not share out"),
    "robomimic: another text": ("robomimic", _changed(D, lambda f: f["data/demo_1"].attrs.update(ep_meta='{"lang": "do it"}')), "'do it'"),
    "robomimic: not done at the end": ("robomimic", _changed(D, _set("data/demo_1/dones", -1, 0)), "dones is not 1"),
    "robomimic: a failure rewarded": ("robomimic", _changed(D, _all_rewarded), "success is True"),
    "robomimic: observations short": ("robomimic", _changed(D, _shorter("data/demo_1/obs/state")), "obs/state has"),
    "robomimic: observations missing": ("robomimic", _changed(D, _without("data/demo_1/obs/state")), "lacks obs/state"),
    "robomimic: a file cut off": ("robomimic", _cut(D), "cannot be read"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(whole: Path, tmp_path: Path, fault: str) -> None:
    name, plant, told = FAULTS[fault]
    shutil.copytree(whole / name, tmp_path / "set")
    plant(tmp_path / "set")
    found = findings(tmp_path / "set")
    assert any(told in finding for finding in found), found
