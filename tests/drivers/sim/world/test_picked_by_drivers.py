"""A shipped twin without its supervisor: a hand on GELLO servo bytes, the world's controller, the arm's own driver pick the cube."""

import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from drivers.sim.operator.script import Plan
from drivers.sim.servos.buses import Arm, arms, running
from drivers.sim.world import stages
from drivers.sim.world.arms import LeaderPlant, gello_shafts
from drivers.sim.world.controllers import Controllers, SceneBodies
from drivers.sim.world.mujoco_world import BATCH_NS, STEPS
from station.bus.messages import ArmState
from station.clock import NS_PER_S, monotonic_ns
from station.devices.contract import ArmDriver, Place
from station.errors import CommandRefused
from station.rig.rig import Rig, find_rig, load_class, load_rig

pytestmark = pytest.mark.timeout(180)  # ten seconds of real time each
READY_S = 60.0
DONE_TRUTHS = 20


class Hand:
    """It holds the leader as the plan has it, from `begin_ns` on."""

    def __init__(self, plan: Plan) -> None:
        self._plan, self.begin_ns = plan, 0

    def at(self, now_ns: int) -> list[float]:
        setpoint: list[float] = self._plan.at((now_ns - self.begin_ns) / NS_PER_S if self.begin_ns else 0.0)[
            "right"
        ].tolist()
        return setpoint


@contextmanager
def world(rig: Rig, scene: Any, hand: Hand) -> Iterator[None]:
    """Its physics in real time, its servo buses, its controllers."""
    bodies = SceneBodies(rig, scene, monotonic_ns, BATCH_NS)
    controllers = Controllers(rig, bodies, monotonic_ns)

    def plant(arm: Arm) -> LeaderPlant:
        s, ids = arm.device.settings, [servo.id for servo in arm.servos]
        trigger = s.gripper.close_rad, s.gripper.open_rad
        places = {servo_id: place for place, servo_id in enumerate(ids)}
        return LeaderPlant(
            arm.servos,
            lambda now_ns: gello_shafts(hand.at(now_ns), s.offsets_rad, s.signs, trigger),
            monotonic_ns,
            places,
        )

    finish = threading.Event()

    def physics() -> None:
        due_ns = monotonic_ns()
        while not finish.wait(max(0, due_ns - monotonic_ns()) / NS_PER_S):
            scene.step(STEPS)
            for arm in bodies.arms:
                arm.update(due_ns)
            due_ns += BATCH_NS

    with running(arms(rig), plant, monotonic_ns), controllers.running():
        thread = threading.Thread(target=physics)
        thread.start()
        try:
            yield
        finally:
            finish.set()
            thread.join()


def driver(rig: Rig, node: str) -> Any:
    device = next(device for device in rig.devices if device.node == node)
    return load_class(device.driver)(device.settings, Place(node, device.role, monotonic_ns, 3.14, 300.0))


def engaged(arm: ArmDriver) -> None:
    """It follows; a machine under load takes its time."""
    until_s = time.monotonic() + READY_S
    while True:
        arm.read()
        try:
            assert not arm.warnings() or time.monotonic() < until_s, arm.warnings()
            if not arm.warnings():
                arm.torque(True)
                return
        except CommandRefused:
            if time.monotonic() > until_s:
                raise
        time.sleep(0.01)


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A folder of its own, with a short name."""
    folder = tempfile.mkdtemp(prefix="st-", dir="/tmp")
    monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("sim_gello_ur5e", marks=pytest.mark.rig),
        pytest.param("sim_gello_ur5e_bimanual", marks=pytest.mark.rig),
        pytest.param("sim_gello_xarm7", marks=pytest.mark.rig),
        pytest.param("sim_gello_fr3_bimanual", marks=pytest.mark.long),  # an environment of its own
    ],
)
def test_a_gellos_bytes_move_the_arm_through_a_pick(name: str, runtime: str) -> None:
    rig = load_rig(find_rig(name))
    assert rig.world is not None
    scene_name = str(rig.world.settings["scene"])
    script, scene = stages.script(scene_name), stages.physics(scene_name)
    cube = script.cube_start(0, 0)
    hand = Hand(script.plan(cube))
    scene.place_cube(*cube)
    done = 0
    with world(rig, scene, hand):
        leader, arm = driver(rig, "leader_right"), driver(rig, "follower_right")
        leader.open()
        arm.open()
        try:
            engaged(arm)
            hand.begin_ns = monotonic_ns()
            end_ns = hand.begin_ns + round((hand._plan.seconds + 1.0) * NS_PER_S)
            while monotonic_ns() < end_ns:
                arm.read()
                for reading in leader.read()[-1:]:
                    if isinstance(reading.body, ArmState) and arm.condition().mode == "ready":
                        arm.write(reading.body.position)
                done += scene.truth().done
                time.sleep(0.005)
        finally:
            arm.close()
            leader.close()
    assert done > DONE_TRUTHS, "it was not held above the table"
    assert scene.truth().on_table
