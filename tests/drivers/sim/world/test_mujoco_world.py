"""The simulated world as a process: reached through real drivers, its bus and its requests only."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TypeVar

import numpy as np
import pytest

from drivers.sim.operator.script import cube_start
from drivers.sim.world.mujoco_world import TRUTH
from drivers.sim.world.requests import SetCameraFault, SetServoFault
from drivers.sim.world.scene import GRIPPER_CLOSED_RAD, GRIPPER_OPEN_RAD, SLEEP_RAD
from station.bus.messages import ArmState, Phase, PilotState, SessionState, Vector
from station.bus.requests import PrepareScene, SaveTruth, ScoreScene
from station.bus.sockets import Publisher, RequestClient, Subscriber
from station.clock import NS_PER_S, Grid, monotonic_ns
from station.devices.contract import ArmDriver, Driver, Place
from station.errors import DeviceError, DeviceMissing, DeviceSilent, RequestRefused
from station.rig.rig import Rig, load_class
from tests.drivers.sim.worlds import until, world

SIDES = ("left", "right")
T = TypeVar("T")
ATTEMPTS = 3
"""Hands that drop the cube because the computer stopped for a moment try again in the next episode."""
READY_TICKS, EPISODE_TICKS = 250, 900


@pytest.fixture
def sim(runtime: str) -> Iterator[Rig]:
    with world("sim") as (rig, _):
        yield rig


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def driver(rig: Rig, node: str) -> Driver:
    device = rig.device(node)
    made: Driver = load_class(device.driver)(device.settings, Place(node, device.role, monotonic_ns, 3.14, 100.0))
    return made


def arm_driver(rig: Rig, node: str) -> ArmDriver:
    made = driver(rig, node)
    assert isinstance(made, ArmDriver)
    return made


def reads_on(device: Driver) -> None:
    """Until it raises."""

    def never() -> bool:
        device.read()
        return False

    until(never)


def position(device: ArmDriver) -> tuple[float, ...]:
    """One complete reading. An arm that says nothing at all raises before this gives up."""
    end_ns = monotonic_ns() + 2 * NS_PER_S
    while monotonic_ns() < end_ns:
        for reading in device.read():
            if isinstance(reading.body, ArmState):
                return reading.body.position
    raise AssertionError("no complete reading")


def test_all_four_arms_answer_the_real_driver(sim: Rig) -> None:
    for side in SIDES:
        for node in (f"leader_{side}", f"follower_{side}"):
            device = arm_driver(sim, node)
            device.open()
            np.testing.assert_allclose(position(device), [*SLEEP_RAD, 0.0], atol=0.02)
            assert not device.torque_on()
            device.close()


def test_the_truth_is_told_and_an_episodes_scene_prepared(sim: Rig) -> None:
    heard = Subscriber(sim.name, [("vector", "world")])
    with RequestClient(sim.name, "world") as client:
        client.ask(PrepareScene(4), 30_000)
        place = cube_start(0, 4)
        begin = monotonic_ns()
        sample = None
        while sample is None or sample.header.captured_at_ns < begin:
            sample = heard.receive(1000)
        assert isinstance(sample.body, Vector)
        truth = dict(zip(TRUTH, sample.body.values, strict=True))
        assert (truth["cube.x"], truth["cube.y"]) == pytest.approx((place.x_m, place.y_m), abs=1e-3)
        assert (truth["on_table"], truth["done"]) == (1.0, 0.0)
        assert client.ask(ScoreScene()).detail == "not done"
        with pytest.raises(RequestRefused, match="bench"):
            client.ask(SaveTruth("/tmp/never"))
    heard.close()


def test_faults_of_servos_and_cameras(sim: Rig) -> None:
    arm, camera = arm_driver(sim, "leader_left"), driver(sim, "cam_high")
    arm.open()
    camera.open()
    with RequestClient(sim.name, "world") as client:
        with pytest.raises(RequestRefused, match="no arm leader_middle; there are leader_left"):
            client.ask(SetServoFault("leader_middle", "silence"))
        with pytest.raises(RequestRefused, match="no servo 12"):
            client.ask(SetServoFault("leader_left", "silence", 12))
        with pytest.raises(RequestRefused, match="no camera"):
            client.ask(SetCameraFault("cam_nose", "freeze"))
        client.ask(SetServoFault("leader_left", "silence", 6))
        until(lambda: not arm.read() and any("ID 6" in warning for warning in arm.warnings()))
        client.ask(SetServoFault("leader_left", "speak", 6))
        until(arm.read)
        client.ask(SetServoFault("leader_left", "unplug"))
        client.ask(SetCameraFault("cam_high", "freeze"))
        for device in (arm, camera):
            with pytest.raises(DeviceError):
                reads_on(device)
            device.close()
        client.ask(SetCameraFault("cam_high", "refuse"))
        with pytest.raises(DeviceMissing):
            camera.open()
        client.ask(SetServoFault("leader_left", "replug"))
        client.ask(SetCameraFault("cam_high", "none"))
        for device in (arm, camera):
            device.open()
            until(device.read)
            device.close()


def patiently(device: ArmDriver, act: Callable[[ArmDriver], T]) -> T:
    """Do it with an arm that is opened again when a loaded machine let the world stand still for half a second."""
    for _ in range(10):
        try:
            return act(device)
        except DeviceSilent:
            until(lambda: opens(device))
    raise AssertionError("silent ten times running")


def opens(device: Driver) -> bool:
    try:
        device.open()
    except DeviceError:
        return False
    return True


def writing(goal: tuple[float, ...]) -> Callable[[ArmDriver], int]:
    return lambda arm: arm.write(goal)


def wait_until_ns(due_ns: int) -> None:
    until(lambda: monotonic_ns() >= due_ns)


@pytest.mark.system
def test_what_the_hands_do_reaches_the_cube_through_drivers_and_physics(sim: Rig, stack: ExitStack) -> None:
    """The test is pilot and session: leader readings become follower goals, 50 a second, in real time."""
    heard = Subscriber(sim.name, [("vector", "world")])
    pilot, session = (Publisher(sim.name, node, 1, monotonic_ns) for node in ("pilot", "session"))
    leaders = {side: arm_driver(sim, f"leader_{side}") for side in SIDES}
    followers = {side: arm_driver(sim, f"follower_{side}") for side in SIDES}
    for socket in (heard, pilot, session):
        stack.callback(socket.close)
    for device in (*leaders.values(), *followers.values()):
        stack.callback(device.close)
    for arm in (*leaders.values(), *followers.values()):
        arm.open()
    for arm in followers.values():
        arm.torque(True)
    grid = Grid(monotonic_ns(), 50.0)
    tick = -1
    handed_over = False
    ask = {side: np.array([*SLEEP_RAD, 0.0]) for side in SIDES}
    while not handed_over and tick < ATTEMPTS * EPISODE_TICKS - 1:
        tick = max(tick + 1, grid.index_at(monotonic_ns()))
        wait_until_ns(grid.time_ns(tick))
        episode, row = divmod(tick, EPISODE_TICKS)
        phase: Phase = "ready" if row < READY_TICKS else "recording"
        session.publish("session", SessionState(phase, "t", "", episode, 0, 0, 0, 0, ()))
        pilot.publish("pilot", PilotState("engaged", "leader", "", ()))
        for side in SIDES:
            wanted = np.array(patiently(leaders[side], position))
            ask[side] += np.clip(wanted - ask[side], -0.06, 0.06)
            patiently(followers[side], writing(tuple(ask[side].tolist())))
        for sample in heard.newest().values():
            assert isinstance(sample.body, Vector)
            handed_over |= bool(sample.body.values[TRUTH.index("done")])
    assert handed_over
    left = patiently(followers["left"], position)
    assert 0.3 < left[6] < 0.8, f"the gripper is closed on the cube, {GRIPPER_CLOSED_RAD}…{GRIPPER_OPEN_RAD} rad"
