"""Arms of other widths, mixed: names, units and efforts of the vector all the way from the recording to a trainer's set."""

import json
from pathlib import Path

import h5py
import msgspec
import numpy as np
import pytest

from station.bus.messages import Description
from station.datasets.parts import format_named
from station.episodes.catalogue import Episode, episodes, view
from station.episodes.verify import verify
from tests.station.datasets.exported import export_to, findings
from tests.station.datasets.recorded import Recorded, make
from tests.station.mixed_arms import RIGS, WIDTHS

pytestmark = pytest.mark.slow


def arms_only(about: Description) -> Description:
    """Whether a gripper holds something is a stream of its own, which these recordings have not."""
    return msgspec.structs.replace(about, streams=about.streams[:1])


@pytest.fixture(scope="module", params=sorted(RIGS))
def recorded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Recorded, Path]:
    arms = {side: arms_only(about) for side, about in RIGS[request.param].items()}
    folder = tmp_path_factory.mktemp("data")
    made = [Recorded(30, tuple(arms), ("cam_high",), episode=number, arms=arms) for number in range(2)]
    for one in made:
        make(folder, one)
    return request.param, made[0], folder


def all_of(folder: Path) -> list[Episode]:
    return list(episodes(folder))


def test_the_episode_names_each_number_its_unit_and_that_of_its_effort(recorded: tuple[str, Recorded, Path]) -> None:
    rig, made, folder = recorded
    for episode in all_of(folder):
        assert verify(episode.path) == []
        with h5py.File(episode.path) as file:
            names, units, efforts = (list(file.attrs[name]) for name in ("dim_names", "units", "effort_units"))
            assert len(names) == WIDTHS[rig] == file["/action"].shape[1] == file["/observations/effort"].shape[1]
            assert list(zip(names, units, efforts, strict=True)) == [
                (name, one.unit, one.effort_unit) for name, one in made.dimensions
            ]
            known = json.loads(file.attrs["kinematics"])
            assert {f"follower_{side}" for side in made.sides} == set(known)
            for node, arm in known.items():
                assert set(arm["joints"]) <= set(names), node


def test_a_view_of_them_is_the_same_files(recorded: tuple[str, Recorded, Path], tmp_path: Path) -> None:
    rig, _, folder = recorded
    links = view(tmp_path / "view", all_of(folder))
    assert len(links) == 2
    with h5py.File(links[0]) as file:
        assert len(file.attrs["dim_names"]) == WIDTHS[rig]


FURTHER = [
    pytest.param(name, marks=pytest.mark.rig) for name in ("act", "rlds", "dp-zarr")
]  # `make test-rig`: each takes seconds


@pytest.mark.parametrize("name", ["plain", "lerobot-v3", *FURTHER])
def test_a_set_has_every_number_under_its_name(name: str, recorded: tuple[str, Recorded, Path], tmp_path: Path) -> None:
    rig, made, folder = recorded
    plan = export_to(tmp_path / "set", folder, name, rate_hz=25.0).plan
    assert plan.dim_names == tuple(name for name, _ in made.dimensions)
    assert plan.units == tuple(one.unit for _, one in made.dimensions)
    assert findings(tmp_path / "set") == ()
    read = format_named(name).open(tmp_path / "set")
    for field in ("state", "action"):
        numbers = np.asarray(read.numbers(plan.episodes[0].index)[field])
        assert numbers.shape[1] == WIDTHS[rig]
        assert np.isfinite(numbers).all()
