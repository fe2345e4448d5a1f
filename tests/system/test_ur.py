"""A GELLO leader and a UR5e in a whole rig, the vendor's library over loopback: engaged, recorded, stopped, recovered, killed."""

import json
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import h5py
import pytest
import yaml

from drivers.sim.world.requests import PressPendant
from station.bus.requests import Align, PrepareScene, Recover, Stop
from station.errors import RequestRefused
from station.rig.rig import find_rig
from tests.system.rig import TASK, Booted, booted

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]
MORE = pytest.mark.rig
"""Of a fault that another one shows as well; `make test-rig`."""
ARM = "follower_right"


@pytest.fixture(autouse=True)
def no_leaks() -> None:
    """Instead of the suite's own: the rig outlives its tests."""


@pytest.fixture(scope="module")
def rig() -> Iterator[Booted]:
    """The shipped twin without its cameras, and with the patience of a machine that tests share."""
    runtime, folder = tempfile.mkdtemp(prefix="st-", dir="/tmp"), Path(tempfile.mkdtemp(prefix="ur-"))
    described = yaml.safe_load(find_rig("sim-gello-ur5e").read_text())
    described |= {"cameras": {}, "data": str(folder / "data"), "safety": {"stale_ms": 250, "resume_ms": 450}}
    path = folder / "rig.yaml"
    path.write_text(yaml.safe_dump(described, sort_keys=False))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", runtime)
        patch.setenv("XDG_STATE_HOME", f"{runtime}/state")
        try:
            with booted(path, folder / "data") as running:
                yield running
        finally:
            shutil.rmtree(runtime)
            shutil.rmtree(folder)


def press(rig: Booted, what: str, value: float = 0.0) -> None:
    rig.ask("world", PressPendant(ARM, what, value))


def held(rig: Booted) -> bool:
    pilot = rig.pilot()
    return pilot is not None and pilot.state == "hold" and pilot.arms[0].mode == "hold"


def test_its_episode_has_the_arm_the_gripper_and_what_it_holds(rig: Booted) -> None:
    assert not rig.rig.moves_real_arms
    rig.open_session()
    rig.ask("world", PrepareScene(0))
    number = rig.record()
    rig.until("rows", lambda: s if (s := rig.session()) and s.recorded_ticks > 150 else None)
    rig.ask("session", Stop())
    rig.saved(number)
    with h5py.File(rig.data / TASK / f"episode_{number}.hdf5") as file:
        assert list(file.attrs["dim_names"]) == [f"right_{name}" for name in (
            "shoulder_pan", "shoulder_lift", "elbow", "wrist_1", "wrist_2", "wrist_3", "gripper"
        )]  # fmt: skip
        assert list(file.attrs["effort_units"]) == ["A"] * 6 + [""]
        assert file["/observations/qpos"].shape[1] == file["/action"].shape[1] == 7
        moved = file["/observations/qpos"][:, 0]
        assert abs(moved.max() - moved.min()) > 0.05, "it did not go with its leader"
        assert "follower_right" in json.loads(file.attrs["kinematics"])
        assert file["/observations/extra/follower_right_vector"].shape[1] == 1


def test_a_protective_stop_ends_the_episode_and_an_operators_act_alone_ends_it(rig: Booted) -> None:
    number = rig.record()
    press(rig, "protective_stop")
    ended = rig.ended(number)
    assert "protective stop" in ended.why
    with pytest.raises(RequestRefused, match=rf"{ARM} is stopped: protective stop.*station recover {ARM}"):
        rig.ask("session", Align())
    rig.ask("pilot", Recover(ARM))
    rig.until("hold", lambda: held(rig))
    rig.align()
    rig.until("engaged", lambda: (p := rig.pilot()) is not None and p.state == "engaged")


@MORE
def test_an_emergency_stop_is_not_ended_while_its_button_is_down(rig: Booted) -> None:
    number = rig.record()
    press(rig, "emergency_stop")
    assert "emergency stop" in rig.ended(number).why
    with pytest.raises(RequestRefused, match="still"):
        rig.ask("pilot", Recover(ARM))
    press(rig, "release")
    rig.ask("pilot", Recover(ARM))
    rig.until("hold", lambda: held(rig))
    rig.align()


@pytest.mark.parametrize("fault", ["hang_up", pytest.param("program_stop", marks=MORE)])
def test_what_comes_back_by_itself_holds_until_somebody_engages(rig: Booted, fault: str) -> None:
    number = rig.record()
    press(rig, fault)
    rig.ended(number)
    rig.until("the arm well, in hold", lambda: rig.well(ARM) and held(rig))
    rig.align()


@MORE
def test_its_driver_killed_is_a_hold_and_it_is_back_by_itself(rig: Booted) -> None:
    number, life = rig.record(), rig.life(ARM)
    rig.signal(ARM, signal.SIGKILL)
    rig.ended(number)
    rig.until("another life", lambda: rig.life_began_ns(ARM, life))
    rig.until("hold", lambda: held(rig))
    rig.align()
    rig.close_session()
