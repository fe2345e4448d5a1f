"""Another maker's arms in a whole rig: engaged, recorded, stopped, recovered. Nothing in `station/` knows them."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import h5py
import msgspec
import numpy as np
import pytest

from station.bus.requests import Align, OperatorAct, Recover, Stop
from station.errors import RequestRefused
from station.kinematics.arm import Kinematics
from station.kinematics.chains import FRAME
from station.kinematics.models import recorded_model
from station.rig.geometry import ArmGeometry
from tests.other_maker.conftest import PACKAGE, Metal
from tests.system.rig import TASK, Booted, booted

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]
RIG = """
name: acme
data: {data}
arms:
  left:
    base: {{xyz_m: [0.1, 0.2, 0.3], rpy_rad: [0, 0, 1.5]}}
    leader:   {{driver: acme, address: {leader}}}
    follower: {{driver: acme, address: {follower}}}
safety: {{stale_ms: 250, resume_ms: 450}}
"""


@pytest.fixture(autouse=True)
def no_leaks() -> None:
    """Instead of the suite's own: the rig outlives its tests."""


@pytest.fixture(scope="module")
def metal() -> Iterator[dict[str, Metal]]:
    with Metal(-60) as leader, Metal(90) as follower:
        yield {"leader": leader, "follower": follower}


@pytest.fixture(scope="module")
def rig(metal: dict[str, Metal]) -> Iterator[Booted]:
    runtime, folder = tempfile.mkdtemp(prefix="st-", dir="/tmp"), Path(tempfile.mkdtemp(prefix="acme-"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", runtime)
        patch.setenv("XDG_STATE_HOME", f"{runtime}/state")
        try:
            path = folder / "acme.yaml"
            path.write_text(RIG.format(data=folder / "data", **{role: arm.address for role, arm in metal.items()}))
            with booted(path, folder / "data", {"PYTHONPATH": str(PACKAGE)}) as running:
                yield running
        finally:
            shutil.rmtree(runtime)
            shutil.rmtree(folder)


def test_its_episode_says_all_of_it(rig: Booted, metal: dict[str, Metal]) -> None:
    assert rig.rig.moves_real_arms
    number = rig.record()
    metal["leader"].press("push", rad=0.1)
    rig.until("rows", lambda: s if (s := rig.session()) and s.recorded_ticks > 60 else None)
    rig.ask("session", Stop())
    rig.saved(number)
    with h5py.File(rig.data / TASK / f"episode_{number}.hdf5") as file:
        names = [f"left_axis_{n}" for n in range(1, 8)]
        assert list(file.attrs["dim_names"]) == [*names, "left_gripper"]
        assert list(file.attrs["units"]) == ["rad"] * 7 + ["1"]
        assert list(file.attrs["effort_units"]) == ["N·m"] * 7 + [""]
        assert file["/observations/effort"][5, :7] == pytest.approx([5.0 + n / 10 for n in range(7)])
        assert file["/observations/qpos"].shape[1] == file["/action"].shape[1] == 8
        assert file["/observations/qpos"][-1, 0] == pytest.approx(0.1, abs=0.02), "it went where its leader was pushed"
        joints = file["/observations/qpos"][-1, :7]
        geometry = msgspec.json.decode(file.attrs["kinematics"], type=dict[str, ArmGeometry])["follower_left"]
        ages_ns = file["/sync/age/follower_left"][:]
    assert geometry.joints == tuple(names)
    pose = Kinematics(recorded_model(geometry), FRAME).forward(joints)
    assert np.linalg.norm(pose.position_m - np.array(by_hand(joints, geometry))) < 1e-6, "the file alone suffices"
    assert 0 <= np.median(ages_ns) < 250e6, "its own clock, mapped; a machine that does other things is late"


def by_hand(joints: np.ndarray, geometry: ArmGeometry) -> tuple[float, ...]:
    """Its tip, with nothing but turns about z and y."""
    at, turned = np.array(geometry.base.xyz_m), rotation(2, geometry.base.rpy_rad[2])
    for angle, hinge in zip(joints, geometry.chain.hinges, strict=True):
        at = at + turned @ np.array(hinge.xyz_m)
        turned = turned @ rotation(int(np.argmax(hinge.axis)), angle)
    return tuple(at + turned @ np.array(geometry.chain.tip_xyz_m))


def rotation(axis: int, angle: float) -> np.ndarray:
    i, j = [(1, 2), (2, 0), (0, 1)][axis]
    turn = np.eye(3)
    turn[i, i] = turn[j, j] = np.cos(angle)
    turn[i, j], turn[j, i] = -np.sin(angle), np.sin(angle)
    return turn


def test_its_stop_ends_the_episode_and_an_operators_act_alone_ends_the_stop(
    rig: Booted, metal: dict[str, Metal]
) -> None:
    number = rig.record()
    metal["follower"].press("stop")
    ended = rig.ended(number)
    assert "protective stop" in ended.why
    with pytest.raises(
        RequestRefused, match=r"follower_left is stopped: protective stop.*station recover follower_left"
    ):
        rig.ask("session", Align())
    metal["follower"].press("clear")  # somebody clears it at the pendant: nobody here was asked yet
    rig.until("that it is over", lambda: (p := rig.pilot()) and "itself says that this is over" in p.arms[0].why)
    with pytest.raises(RequestRefused, match="is stopped: protective stop"):
        rig.ask("session", Align())
    rig.ask("pilot", Recover("follower_left"))
    assert rig.until("hold", lambda: p if (p := rig.pilot()) and p.arms[0].mode == "hold" else None).state == "hold"
    rig.align()
    assert rig.until("engaged", lambda: p if (p := rig.pilot()) and p.state == "engaged" else None)


def test_a_hand_that_guides_it_is_waited_for(rig: Booted, metal: dict[str, Metal]) -> None:
    rig.align()
    metal["follower"].press("guide")
    held = rig.until("hold", lambda: p if (p := rig.pilot()) and p.state == "hold" else None)
    assert "a hand guides it" in held.why  # by the arm's own hold or by its mode, whichever came first
    with pytest.raises(RequestRefused, match="is guiding"):
        rig.ask("session", Align())
    metal["follower"].press("push", rad=0.3)
    rig.ask("pilot", OperatorAct("follower_left", "end_guide"))
    rig.until("hold of the arm", lambda: p if (p := rig.pilot()) and p.arms[0].mode == "hold" else None)
    assert rig.pilot().state == "hold"  # type: ignore[union-attr]
