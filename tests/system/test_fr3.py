"""A GELLO leader and an FR3 with its hand on a bench, franky-sim for the robot: recorded, played again, parked, run by a policy."""

from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest

from station.bus.messages import ArmState
from station.bus.requests import OpenSession, Park
from station.cli.headless import record_headless
from station.cli.motion import replay
from station.client import Station
from tests.drivers.driven import came
from tests.system import mixed_bench
from tests.system.rig_of_its_own import rig_of_its_own

pytestmark = [pytest.mark.system, pytest.mark.long, pytest.mark.timeout(300)]  # an environment of its own
ARM = "follower_right"
START_RAD = (0.0, 0.0, 0.0, -1.5708, 0.0, 1.5708, 0.0)


@pytest.fixture(scope="module")
def station() -> Iterator[Station]:
    with rig_of_its_own(lambda folder: mixed_bench.write(folder, {"right": "fr3"})) as station:
        yield station


def where(station: Station) -> tuple[float, ...]:
    """The arm's joints and hand, now."""
    for sample in station.listen([("arm_state", ARM)], 10.0):
        if isinstance(sample.body, ArmState):
            return sample.body.position
    raise AssertionError(f"{ARM} says nothing")


def test_an_episode_is_recorded_played_again_and_the_arm_parked(station: Station, tmp_path: Path) -> None:
    assert record_headless(station, OpenSession("sway", str(tmp_path)), 1, 5.0) == 0
    (episode,) = tmp_path.rglob("episode_*.hdf5")
    with h5py.File(episode) as file:
        action, qpos = np.asarray(file["/action"]), np.asarray(file["/observations/qpos"])
        assert list(file.attrs["dim_names"]) == [f"right_joint_{n}" for n in range(1, 8)] + ["right_gripper"]
        assert set(file.attrs["effort_units"]) == {"N·m", ""}
    assert (np.ptp(action[:, :7], axis=0) > 0.05).all()
    assert (np.ptp(qpos[:, :7], axis=0) > 0.02).all(), "it did not go with its leader"
    replay(episode, str(station.rig.file))
    assert where(station)[:7] == pytest.approx(action[-1, :7], abs=0.1), "it is where the episode ended"
    station.ask("pilot", Park())
    # its way is over then; an arm that is held by springs still comes to rest
    came(lambda: where(station)[:7] == pytest.approx(START_RAD, abs=0.05))
