"""A task's folder is one rig's: what an episode is made of, and what differs."""

from pathlib import Path
from typing import Any

import h5py
import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.cli.episodes.listing import makes_of
from station.cli.episodes.showing import _controls
from station.episodes import naming
from station.episodes.catalogue import forms_in, read_episode, view
from station.episodes.finalise import finalise
from station.episodes.form import Form, another_rigs, differences, drift, drifted, form_of_rig, mixed
from station.errors import UsageError
from station.rig.rig import find_rig, load_rig
from tests.station.episodes.recording import ARMS, Recording, arm_description, camera_description, header, jpeg, write

FORM = Form(
    "aloha", False, 50.0, ("left_waist rad", "left_gripper 1"), "jpeg", ("cam_high",), (), {"cam_high": (640, 480)},
    {"follower_left": "vx300s"},
)  # fmt: skip
CHANGES: dict[str, dict[str, Any]] = {
    "rate: 50 Hz / 25 Hz": {"tick_hz": 25.0},
    "world: real / simulated": {"simulated": True},
    "vector: 2 numbers / 1 numbers": {"dims": ("left_waist rad",)},
    "vector, number 0: left_waist rad / left_hip rad": {"dims": ("left_hip rad", "left_gripper 1")},
    "vector, number 1: left_gripper 1 / left_gripper m": {"dims": ("left_waist rad", "left_gripper m")},
    "cameras: cam_high / cam_high, cam_low": {"cameras": ("cam_high", "cam_low")},
    "pictures: jpeg / raw": {"images": "raw"},
    "depth of: none / cam_high": {"depths": ("cam_high",)},
    "cam_high: 640×480 / 1280×720": {"sizes": {"cam_high": (1280, 720)}},
    "follower_left: vx300s / wx250s": {"arms": {"follower_left": "wx250s"}},
}


@pytest.mark.parametrize("sentence", CHANGES)
def test_each_difference_is_named(sentence: str) -> None:
    other = msgspec.structs.replace(FORM, **CHANGES[sentence])
    assert differences(FORM, other) == [sentence]
    assert differences(other, other) == []


@given(st.sets(st.sampled_from(sorted(CHANGES))), st.sets(st.sampled_from(sorted(CHANGES))))
def test_alike_either_way_round_and_with_itself(some: set[str], others: set[str]) -> None:
    one, other = FORM, FORM
    for sentence in sorted(some):
        one = msgspec.structs.replace(one, **CHANGES[sentence])
    for sentence in sorted(others):
        other = msgspec.structs.replace(other, **CHANGES[sentence])
    assert bool(differences(one, other)) == bool(differences(other, one)) == (one != other)
    groups = mixed([("a", one), ("b", other), ("c", one)])
    assert [names for names, _ in groups] == ([["a", "b", "c"]] if one == other else [["a", "c"], ["b"]])


def test_names_of_rigs_and_what_is_not_known_yet_do_not_differ() -> None:
    unknown = msgspec.structs.replace(FORM, rig="other", dims=(), depths=None, sizes={}, arms={})
    assert differences(FORM, unknown) == [] == differences(unknown, FORM)


def test_refusal_names_episodes_differences_and_the_ways_on() -> None:
    other = msgspec.structs.replace(FORM, tick_hz=25.0)
    why = another_rigs(Path("/data/cube"), FORM, [(0, FORM), (1, other), (2, other), (3, other)])
    for words in ("/data/cube", "3 of 4 (1–3)", "rate: 50 Hz / 25 Hz", "Next: name another task or data folder"):
        assert words in why
    assert another_rigs(Path("/data/cube"), FORM, [(0, FORM)]) == "" == another_rigs(Path("/data/cube"), FORM, [])


def record(folder: Path, number: int, cameras: tuple[str, ...] = ("cam_high",), exposure: int = 157) -> Path:
    folder.mkdir(exist_ok=True)
    part = naming.journal_path(folder, number)
    first = header(cameras=cameras, episode=number)
    units = tuple("1" if name.endswith("gripper") else "rad" for name in first.dim_names)
    described = {
        node: msgspec.structs.replace(about, settings={"exposure_auto": 0, "exposure": exposure}) if node in cameras else about
        for node, about in first.descriptions.items()
    }  # fmt: skip
    write(
        part,
        Recording(3, [jpeg()], cameras=cameras),
        msgspec.structs.replace(first, units=units, descriptions=described),
    )
    return finalise(part)


def test_a_rig_finds_itself_in_what_it_recorded(tmp_path: Path) -> None:
    """The rig file and the devices' descriptions on one side, the built file on the other."""
    record(tmp_path / "cube", 0, ("cam_high", "cam_low", "cam_left_wrist", "cam_right_wrist"))
    [(number, form)] = forms_in(tmp_path / "cube")
    rig = load_rig(find_rig("aloha"))
    devices = {arm: arm_description() for arm in ARMS} | {camera: camera_description() for camera in rig.cameras}
    assert number == 0
    assert differences(form_of_rig(rig, devices), form) == []
    assert differences(form_of_rig(rig, {}), form) == []
    with_depth = devices | {"cam_high": camera_description(depth=True)}
    assert differences(form_of_rig(rig, with_depth), form) == ["depth of: cam_high / none"]
    for words in ("aloha", "50 Hz", "14 numbers", "vx300s, vx300s", "4 cameras 640×480, jpeg"):
        assert words in form.in_words()


def test_view_of_a_mixture_is_refused_and_makes_nothing(tmp_path: Path) -> None:
    paths = [record(tmp_path / "cube", 0), record(tmp_path / "cube", 1), record(tmp_path / "cube", 2, ("cam_low",))]
    found = [read_episode(path) for path in paths]
    with pytest.raises(UsageError, match=r"cube 0, 1 against .*cube 2 \(cameras: cam_high / cam_low"):
        view(tmp_path / "out", found)
    assert not (tmp_path / "out").exists()
    assert len(view(tmp_path / "out", found[:2])) == 2


def test_what_a_hostile_file_says_is_bounded(tmp_path: Path) -> None:
    path = record(tmp_path / "cube", 0)
    with h5py.File(path, "r+") as file:
        file.attrs["devices"] = "[" * 100_000
        file.attrs["rig"] = "r" * 100_000
        file.attrs["camera_names"] = np.array(["c" * 1000] * 1000, dtype=h5py.string_dtype())
    form = read_episode(path).form
    assert form is not None and form.arms == {} and len(form.in_words()) < 200
    assert len(form.cameras) <= 256 and max(map(len, form.cameras)) <= 60


def seen(**controls: int) -> Form:
    return msgspec.structs.replace(FORM, controls={"cam_high": controls})


@pytest.mark.parametrize(
    ("before", "now", "moved"),
    [
        ({"exposure": 157, "gain": 0}, {"exposure": 120, "gain": 0}, ["cam_high: exposure is 120, was 157"]),
        ({"focus": 5, "white_balance": 4000}, {"focus": 9, "white_balance": 5200},
         ["cam_high: focus is 9, was 5, white_balance is 5200, was 4000"]),
        ({"exposure_auto": 1, "exposure": 157, "gain": 3}, {"exposure_auto": 1, "exposure": 90, "gain": 9}, []),
        ({"exposure_auto": 0, "exposure": 157}, {"exposure_auto": 1, "exposure": 90},
         ["cam_high: exposure is 90, was 157, exposure_auto is 1, was 0"]),
        ({"exposure": 157}, {"exposure": 157}, []),
        ({"exposure": 157}, {"gain": 3}, []),
    ],
)  # fmt: skip
def test_a_control_that_was_changed_is_told_and_what_the_camera_sets_itself_is_not(
    before: dict[str, int], now: dict[str, int], moved: list[str]
) -> None:
    assert drift(seen(**before), seen(**now)) == moved
    assert differences(seen(**before), seen(**now)) == [], "it makes no mixture"
    told = drifted(12, seen(**before), seen(**now))
    assert bool(told) == bool(moved)
    if moved:
        assert told.startswith("camera controls are others than in episode 12: cam_high: ") and "Next: " in told


def test_drift_between_episodes_stands_in_the_list_and_in_the_episode_itself(tmp_path: Path) -> None:
    for number, exposure in enumerate((157, 157, 120)):
        record(tmp_path / "cube", number, exposure=exposure)
    found = [read_episode(tmp_path / "cube" / f"episode_{number}.hdf5") for number in range(3)]
    assert makes_of(tmp_path / "cube", found).drifts == (
        "from episode 2 on (before: 1): cam_high: exposure is 120, was 157",
    )
    told = [_controls(episode) for episode in found]
    assert told[0].endswith("no episode before to compare with")
    assert told[1:] == ["as in episode 0", "cam_high: exposure is 120, was 157 (in episode 1)"]
