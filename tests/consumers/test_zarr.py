"""zarr's and imagecodecs' own readers give back every frame and every action of Diffusion Policy's and UMI's replay buffers."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import msgspec
import numpy as np
import pytest

from station.datasets.end_effectors import of_end_effectors
from station.rig.geometry import ArmGeometry
from tests.consumers.environments import read_by
from tests.consumers.exported_sets import SIDES, Set, exported
from tests.consumers.truth import Row, assert_equal, check_picture, rows

pytestmark = [pytest.mark.consumers, pytest.mark.timeout(600)]
CASES = [
    ("dp-zarr", "h264"),
    ("dp-zarr", "as-shot"),
    ("umi-zarr", "as-shot"),
    ("umi-zarr", "jpeg"),
    ("umi-zarr", "raw"),
]


@pytest.mark.parametrize("sides", SIDES, ids="-".join)
def test_every_frame_and_action(
    sides: Sequence[str], recorded: dict[Sequence[str], list[Path]], tmp_path: Path
) -> None:
    sets = [
        exported(tmp_path / f"set-{place}", recorded[sides], name, video=video)
        for place, (name, video) in enumerate(CASES)
    ]
    read = read_by("zarr", "read_zarr.py", [one.out for one in sets], tmp_path)
    for one, given, (name, video) in zip(sets, read, CASES, strict=True):
        assert given["meta episode_ends"].tolist() == np.cumsum([e.length for e in one.plan.episodes]).tolist()
        first = 0
        for index, episode in enumerate(one.episodes):
            truth = list(rows(episode))
            check_numbers(name, given, first, truth, episode, one)
            assert str(given["meta instruction"][index]) == truth[0].instruction
            for row, expected in enumerate(truth):
                check_pictures(given, first + row, expected, video)
            first += len(truth)


def check_numbers(name: str, given: dict[str, Any], first: int, truth: list[Row], episode: Path, one: Set) -> None:
    state, action = np.stack([row.state for row in truth]), np.stack([row.action for row in truth])
    span = slice(first, first + len(truth))
    if name == "dp-zarr":
        assert_equal(given["data robot_joint"][span], state)
        assert_equal(given["data action"][span], action)
        np.testing.assert_array_equal(given["data timestamp"][span], np.arange(len(truth)) / 50)
        return
    with h5py.File(episode, "r", locking=False) as file:
        geometry = msgspec.json.decode(file.attrs["kinematics"], type=dict[str, ArmGeometry])
        names = [str(dim) for dim in file.attrs["dim_names"]]
    state, action = of_end_effectors(state, action, names, geometry, "ee", "absolute")
    assert_equal(given["data action"][span], action)
    for arm in range(len(one.plan.dim_names) // 7):
        at = 7 * arm
        assert_equal(given[f"data robot{arm}_eef_pos"][span], state[:, at : at + 3])
        assert_equal(given[f"data robot{arm}_eef_rot_axis_angle"][span], state[:, at + 3 : at + 6])
        assert_equal(given[f"data robot{arm}_gripper_width"][span], state[:, at + 6 : at + 7])
        for pose, row in (("start", 0), ("end", -1)):
            expected = np.tile(state[row, at : at + 6], (len(truth), 1))
            assert_equal(given[f"data robot{arm}_demo_{pose}_pose"][span], expected)


def check_pictures(given: dict[str, Any], at: int, expected: Row, video: str) -> None:
    for key, camera in given.items():
        if not key.startswith("name "):
            continue
        found, picture = given[f"data {key.removeprefix('name ')}_rgb"][at], expected.pictures[str(camera)]
        if video == "raw":
            assert_equal(found, picture)
        else:
            check_picture(found, picture)
