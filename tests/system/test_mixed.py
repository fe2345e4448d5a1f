"""Rigs of other widths as a whole: two arms of seven joints, a UR beside a ViperX. Recorded, exported, run by a policy, tried out."""

import csv
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest

from station.bus.requests import OpenSession
from station.cli.headless import record_headless
from station.client import Station
from station.episodes.verify import verify
from station.rig.entries import installed
from tests.station.datasets.exported import export_to, findings
from tests.station.mixed_arms import SIDES
from tests.system import mixed_bench, tempers
from tests.system.rig_of_its_own import rig_of_its_own

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]
RIGS = {"two of seven joints": 16, "a UR beside a ViperX": 14}
TRIED = [
    pytest.param("two of seven joints", marks=pytest.mark.rig),
    pytest.param("a UR beside a ViperX", marks=pytest.mark.long),
]
EFFORTS = {"two of seven joints": {"N·m"}, "a UR beside a ViperX": {"A", "mA"}}


@pytest.fixture(scope="module", params=TRIED)
def station(request: pytest.FixtureRequest) -> Iterator[tuple[str, Station]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(tempers.PLUGIN)  # the world that judges is installed for this process, too
        installed.cache_clear()
        judged = {"driver": "judged"}
        try:
            with rig_of_its_own(
                lambda folder: mixed_bench.write(folder, SIDES[request.param], world=judged), tempers.install()
            ) as station:
                yield request.param, station
        finally:
            installed.cache_clear()


def command(*words: object) -> "subprocess.CompletedProcess[str]":
    program = Path(sys.executable).with_name("station")
    return subprocess.run([str(program), *map(str, words)], capture_output=True, text=True, check=False, timeout=240)


def done(ran: "subprocess.CompletedProcess[str]") -> None:
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_it_goes_all_the_way_from_a_recording_to_a_policys_trials(station: tuple[str, Station], tmp_path: Path) -> None:
    name, running = station
    rig = running.rig.file
    assert record_headless(running, OpenSession("cube", str(tmp_path / "data")), 1, 4.0) == 0
    (episode,) = (tmp_path / "data" / "cube").glob("episode_*.hdf5")
    assert verify(episode) == []
    with h5py.File(episode) as file:
        names, units = tuple(file.attrs["dim_names"]), tuple(file.attrs["units"])
        efforts = set(file.attrs["effort_units"]) - {""}
        qpos, action = np.asarray(file["/observations/qpos"]), np.asarray(file["/action"])
    assert len(names) == qpos.shape[1] == action.shape[1] == RIGS[name]
    assert efforts >= EFFORTS[name]
    joints = [place for place, unit in enumerate(units) if unit == "rad"]
    assert (np.ptp(action[:, joints], axis=0) > 0.02).all(), "every joint was led"
    assert (np.ptp(qpos[:, joints], axis=0) > 0.01).all(), "and followed"
    # a bench's pictures are noise that no video holds: as they were shot
    for kind, video in (("lerobot-v3", "as-shot"), ("act", "raw"), ("plain", "as-shot")):
        assert export_to(tmp_path / kind, tmp_path / "data", kind, rate_hz=25.0, video=video).plan.dim_names == names
        assert findings(tmp_path / kind) == ()

    still = mixed_bench.policy(tmp_path / "still", names, units, qpos[-1].tolist())
    done(command("policy", "show", still, "--rig", rig))
    ways = ["--headless", "--seconds", 2, "--rig", rig, "--policy"]
    done(command("run", *ways, still, "--shadow"))
    done(command("run", *ways, still, "--record", "--task", "rollouts", "--data", tmp_path / "ran"))
    (rollout,) = (tmp_path / "ran").rglob("episode_*.hdf5")
    with h5py.File(rollout) as file:
        asked = np.asarray(file["/policy_action"])
        assert asked.shape[1] == RIGS[name]
        np.testing.assert_allclose(asked[np.isfinite(asked).all(axis=1)][-1], qpos[-1], atol=1e-3)
    other = mixed_bench.policy(tmp_path / "other", names[1:], units[1:], qpos[-1, 1:].tolist())
    refused = command("run", *ways, other)
    assert refused.returncode == 1
    arm, _, joint = names[1].partition("_")
    assert f"it wants {arm} {joint}, " in " ".join(refused.stderr.split())
    out = tmp_path / "eval"
    done(command("eval", "--headless", "--rig", rig, "--policy", still, "--trials", 2, "--seconds", 5, "--out", out))
    with (out / "trials.csv").open() as file:
        assert [row["success"] for row in csv.DictReader(file)] == ["1", "0"], "as the judge of even scenes has it"
