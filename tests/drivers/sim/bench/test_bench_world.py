"""The bench world: its hands and truth as pure functions, and as a process."""

import math
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.sim.bench.bench_world import Sway
from drivers.sim.world.controllers import MAKES, Controllers, FreeBodies
from drivers.sim.world.jpeg_stamp import read_stamp
from drivers.sim.world.requests import PressPendant, SetCameraFault
from station.bus.messages import PilotState
from station.bus.requests import Done, PrepareScene, Refused, SaveTruth
from station.bus.sockets import Publisher, RequestClient
from station.clock import NS_PER_S, monotonic_ns
from station.devices.contract import Place
from station.errors import RequestRefused
from station.rig.rig import Rig, load_class
from tests.drivers.sim.worlds import until, world
from tests.station import mixed_arms
from tests.system import mixed_bench


@given(st.integers(0, 60_000), st.integers(1, 20))
def test_hands_are_smooth_and_within_limits(at_ms: int, step_ms: int) -> None:
    sway = Sway()
    still = sway.at(at_ms * 10**6)
    assert still == sway.at(0)
    sway.go(True, 0)
    before, after = sway.at(at_ms * 10**6), sway.at((at_ms + step_ms) * 10**6)
    for a, b in zip(before[:6], after[:6], strict=True):
        assert abs(a - b) < 1.5 * step_ms / 1000
    assert 0 <= before[6] <= 1
    assert -1.8 < before[1] < 1.2


def test_hands_that_stop_are_back_in_the_middle() -> None:
    sway = Sway()
    middle = sway.at(0)
    sway.go(True, 0)
    assert sway.at(5 * NS_PER_S) != middle
    sway.go(False, 5 * NS_PER_S)
    assert sway.at(6 * NS_PER_S) == middle


@pytest.mark.parametrize("start_rad", [(0.0, -1.57, 1.57, -1.57, -1.57, 0.0), (0.0,) * 3 + (1.1, 0.0, 1.1, 0.0), ()])
def test_hands_move_every_joint_of_an_arm_of_any_width_around_where_it_stands(start_rad: tuple[float, ...]) -> None:
    sway = Sway()
    assert sway.at(0, start_rad)[:-1] == list(start_rad)
    sway.go(True, 0)
    path = np.array([sway.at(round(t_s * NS_PER_S), start_rad) for t_s in np.arange(2, 12, 0.05)])
    assert path.shape[1] == len(start_rad) + 1
    assert (np.ptp(path[:, :-1], axis=0) > 0.2).all()
    assert (np.abs(path[:, :-1] - start_rad) < 0.8).all(), "further than an arm would be aligned from"


@pytest.fixture
def bench(runtime: str) -> Iterator[Rig]:
    with world("bench") as (rig, _):
        yield rig


def place(rig: Rig, node: str) -> Place:
    return Place(node, rig.device(node).role, monotonic_ns, 3.14, 100.0)


def test_cameras_arms_and_truth_as_the_station_finds_them(bench: Rig, tmp_path: Path) -> None:
    link = Path(bench.device("cam_low").settings.source)
    capture = cv2.VideoCapture(
        str(link.readlink()).replace("http:/", "http://", 1), cv2.CAP_FFMPEG, [cv2.CAP_PROP_FORMAT, -1]
    )
    ok, raw = capture.read()
    assert ok
    assert read_stamp(raw.tobytes()) is not None
    capture.release()

    pilot = Publisher(bench.name, "pilot", 1, monotonic_ns)
    leader, follower = (
        load_class(bench.device(n).driver)(bench.device(n).settings, place(bench, n))
        for n in ("leader_left", "follower_left")
    )
    leader.open()
    follower.open()
    np.testing.assert_allclose(follower.goal(), leader.goal(), atol=0.06, err_msg="alignment is short")
    follower.torque(True)
    still = leader.goal()
    moved: list[tuple[float, ...]] = []

    def follow() -> bool:
        pilot.publish("pilot", PilotState("engaged", "leader", "", ()))
        follower.read()  # feeds the servos' watchdog
        for reading in leader.read():
            if math.dist(reading.body.position, still) > 0.05:
                moved.append(reading.body.position)
                follower.write(reading.body.position)
        return len(moved) >= 100

    until(follow)
    with RequestClient(bench.name, "world") as client:
        path = tmp_path / "truth.npz"
        assert client.ask(SaveTruth(str(path), 20.0)).detail == str(path)
        with pytest.raises(RequestRefused, match="cannot be written"):
            client.ask(SaveTruth(str(tmp_path / "none" / "truth.npz")))
        client.ask(PrepareScene(3))
        with pytest.raises(RequestRefused, match="slow needs a value"):
            client.ask(SetCameraFault("cam_high", "slow"))
    leader.close()
    follower.close()
    pilot.close()
    truth = np.load(path)
    goals, hand = truth["follower_left_rad"], truth["leader_left_rad"]
    assert goals.shape[1] == hand.shape[1] == 7
    assert len(goals) >= 100
    assert np.all(np.diff(truth["follower_left_t_ns"]) > 0)
    np.testing.assert_allclose(goals[-1][:6], moved[-1][:6], atol=0.002)
    assert delay_s(truth) < 1.0


def delay_s(truth: "np.lib.npyio.NpzFile") -> float:
    """How `station bench` takes it: for each goal, how long ago the hand was there (waist, the last goals)."""
    times, waist = truth["leader_left_t_ns"], truth["leader_left_rad"][:, 0]
    written, goals = truth["follower_left_t_ns"][-20:], truth["follower_left_rad"][-20:, 0]
    delays = []
    for t, goal in zip(written, goals, strict=True):
        recent = (times <= t) & (times > t - NS_PER_S)
        nearest = np.argmin(np.abs(waist[recent] - goal))
        delays.append((t - times[recent][nearest]) / NS_PER_S)
    return float(np.median(delays))


@pytest.mark.slow
@pytest.mark.usefixtures("runtime")
def test_arms_on_the_network_stand_on_a_bench_beside_servos(tmp_path: Path) -> None:
    rig = mixed_arms.rig_of("a UR beside a ViperX", tmp_path)
    controllers = Controllers(rig, FreeBodies(), monotonic_ns)
    begun_ns = monotonic_ns()
    with controllers.running():
        until(lambda: len(controllers.truth(begun_ns)["follower_left_t_ns"]) > 10)
        assert controllers.press(PressPendant("follower_left", "protective_stop", 0.0)) == Done()
        until(lambda: len(controllers.truth(begun_ns)["follower_left_event"]))
        truth = controllers.truth(begun_ns)
        assert isinstance(controllers.press(PressPendant("follower_right", "reflex", 0.0)), Refused)
    assert sorted(truth) == [f"follower_left_{what}" for what in ("event", "event_ns", "rad", "t_ns")]
    np.testing.assert_allclose(truth["follower_left_rad"], [MAKES["ur5e"].start_rad] * len(truth["follower_left_rad"]))


@pytest.mark.slow
@pytest.mark.usefixtures("runtime")
@pytest.mark.parametrize("name", ["a UR beside a ViperX", pytest.param("two of seven joints", marks=pytest.mark.rig)])
def test_every_leader_stands_where_the_arm_is_that_it_leads(name: str, tmp_path: Path) -> None:
    path = mixed_bench.write(tmp_path, mixed_arms.SIDES[name])
    with world("bench", path) as (rig, _), ExitStack() as opened:
        for side in rig.sides:
            stood = []
            for node in (str(side.leader), str(side.follower)):
                driver = load_class(rig.device(node).driver)(rig.device(node).settings, place(rig, node))
                driver.open()
                opened.callback(driver.close)
                stood.append(driver.goal())
            leader, follower = stood
            assert len(leader) == len(follower)
            np.testing.assert_allclose(
                leader[:-1], follower[:-1], atol=0.06, err_msg=f"{side.name}: alignment is short"
            )
