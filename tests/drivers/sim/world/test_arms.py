"""Plants behind real servo registers: the joint's frame must come out of Drive Mode, shadows and all."""

from pathlib import Path

import numpy as np
import pytest
from dynamixel_sdk.robotis_def import INST_SYNC_READ

from drivers.sim.servos.buses import FaultyPlant
from drivers.sim.servos.packets import BROADCAST, Instruction
from drivers.sim.servos.servo import CENTRE, RAD_PER_TICK, Servo, ServoSpec
from drivers.sim.servos.servo_bus import ServoBus
from drivers.sim.servos.shaft import aloha_arm_servos
from drivers.sim.world.arms import JOINT_OF_SERVO, FollowerPlant, LeaderPlant, leader_shafts
from drivers.sim.world.scene import GRIPPER_CLOSED_RAD, SLEEP_RAD, START_RAD, Scene

MS = 1_000_000


class Hands:
    """A clock and a hand, both moved by the test."""

    def __init__(self) -> None:
        self.now_ns = 0
        self.rad = [0.1, -0.2, 0.3, -0.4, 0.5, -0.6, 0.2]

    def clock(self) -> int:
        return self.now_ns

    def hand(self, _now_ns: int) -> list[float]:
        return self.rad


def joint_rad(bus: ServoBus, servo: int) -> float:
    """What a driver reads: the register after Drive Mode."""
    with bus.lock:
        bus.servo(servo).read(132, 4)
    return (bus.register(servo, "Present Position") - CENTRE) * RAD_PER_TICK


def joints(bus: ServoBus) -> list[float]:
    return [joint_rad(bus, servo) for servo in JOINT_OF_SERVO]


@pytest.fixture
def hands() -> Hands:
    return Hands()


def test_a_leader_reads_what_the_hand_asks(hands: Hands, tmp_path: Path) -> None:
    servos = aloha_arm_servos("wx250s", "aloha1")
    bus = ServoBus(tmp_path / "port", servos, LeaderPlant(servos, hands.hand, hands.clock), hands.clock)
    np.testing.assert_allclose(joints(bus), hands.rad, atol=RAD_PER_TICK)
    hands.rad = [x + 0.05 for x in hands.rad]
    hands.now_ns += 10 * MS
    np.testing.assert_allclose(joints(bus), hands.rad, atol=RAD_PER_TICK)


def test_a_hand_is_no_faster_than_a_hand(hands: Hands) -> None:
    servos = aloha_arm_servos("wx250s", "aloha1")
    plant = LeaderPlant(servos, hands.hand, hands.clock)
    hands.rad = [3.0] * 7
    hands.now_ns += 10 * MS
    position, velocity, _ = plant.present_rad(1)
    assert position == pytest.approx(0.1 + 0.06)
    assert velocity == pytest.approx(6.0)


def test_a_leader_with_torque_goes_to_its_goal_whatever_the_hand_does(hands: Hands) -> None:
    servos = aloha_arm_servos("wx250s", "aloha1")
    plant = LeaderPlant(servos, hands.hand, hands.clock)
    plant.drive(1, True, 0.5, None)
    plant.drive(7, True, 0.5, None)
    hands.now_ns += 1000 * MS
    assert plant.present_rad(1)[0] == pytest.approx(0.5)
    assert plant.present_rad(7)[0] == pytest.approx(0.5)
    plant.drive(1, False, None, None)
    hands.now_ns += 1000 * MS
    assert plant.present_rad(1)[0] == pytest.approx(0.1)


def test_a_follower_goes_where_its_registers_say(hands: Hands, tmp_path: Path) -> None:
    scene, servos = Scene(), aloha_arm_servos("vx300s", "aloha1")
    plant = FollowerPlant(scene, "right", servos, hands.clock, 10 * MS)
    bus = ServoBus(tmp_path / "port", servos, plant, hands.clock)
    np.testing.assert_allclose(joints(bus), [*SLEEP_RAD, GRIPPER_CLOSED_RAD], atol=0.005)
    goals = dict(zip(JOINT_OF_SERVO, (*START_RAD, 0.0), strict=True))
    with bus.lock:
        for spec in servos:
            switch_on(bus.servo(spec.id), spec, goals, hands.now_ns)
    for _ in range(300):
        hands.now_ns += 10 * MS
        with bus.lock:
            for spec in servos:
                bus.servo(spec.id).step(hands.now_ns)
        scene.step(5)
        plant.update(hands.now_ns)
    np.testing.assert_allclose(joints(bus), list(goals.values()), atol=0.02)
    assert joint_rad(bus, 3) == pytest.approx(goals[2], abs=0.02), "the shadow reads as its primary"
    assert abs(bus.register(4, "Present Current")) > 50


def switch_on(servo: Servo, spec: ServoSpec, goals: dict[int, float], now_ns: int) -> None:
    assert servo.write(64, b"\1", now_ns) == 0
    primary = spec.registers["Secondary(Shadow) ID"]
    goal = goals[spec.id if primary == 255 else primary]
    assert servo.write(116, round(CENTRE + goal / RAD_PER_TICK).to_bytes(4, "little"), now_ns) == 0


def test_a_reading_between_two_physics_steps_is_carried_on_by_its_velocity(hands: Hands) -> None:
    scene, servos = Scene(), aloha_arm_servos("vx300s", "aloha1")
    plant = FollowerPlant(scene, "left", servos, hands.clock, 10 * MS)
    plant.drive(1, True, 1.0, None)
    scene.step(30)
    plant.update(hands.now_ns)
    position, velocity, _ = plant.present_rad(1)
    assert velocity > 0.5
    hands.now_ns += 5 * MS
    assert plant.present_rad(1)[0] == pytest.approx(position + velocity * 0.005)
    hands.now_ns += 500 * MS
    assert plant.present_rad(1)[0] == pytest.approx(position + velocity * 0.010), "no further than one batch"


def test_a_reading_is_of_the_moment_it_was_asked_for_however_late_it_is_answered(hands: Hands) -> None:
    scene, servos = Scene(), aloha_arm_servos("vx300s", "aloha1")
    plant = FollowerPlant(scene, "left", servos, hands.clock, 10 * MS)
    plant.drive(1, True, 1.0, None)
    scene.step(30)
    plant.update(hands.now_ns)
    asked_ns = hands.now_ns + 4 * MS
    in_time = plant.present_rad(1, asked_ns)
    scene.step(5)
    hands.now_ns += 13 * MS
    plant.update(10 * MS)
    assert plant.present_rad(1, asked_ns) == in_time
    assert plant.present_rad(1)[0] > in_time[0] + 0.002


def test_a_hand_is_where_it_was_when_it_was_asked_for(hands: Hands) -> None:
    servos = aloha_arm_servos("wx250s", "aloha1")
    plant = LeaderPlant(servos, lambda now_ns: [now_ns / 1e9] * 7, hands.clock)
    hands.now_ns = 20 * MS
    assert plant.present_rad(1, 12 * MS)[0] == pytest.approx(0.012)


def test_a_bus_that_comes_late_to_a_request_answers_with_what_was_true_when_it_arrived(
    hands: Hands, tmp_path: Path
) -> None:
    servos = aloha_arm_servos("wx250s", "aloha1")
    asked: list[int | None] = []

    class Watched(LeaderPlant):
        def present_rad(self, servo_id: int, at_ns: int | None = None) -> tuple[float, float, float]:
            asked.append(at_ns)
            return super().present_rad(servo_id, at_ns)

    bus = ServoBus(tmp_path / "port", servos, Watched(servos, hands.hand, hands.clock), hands.clock)
    read = Instruction(BROADCAST, INST_SYNC_READ, bytes((126, 0, 10, 0, 1, 2)), 20)
    bus._requests.append((3 * MS, read))
    asked.clear()
    bus._advance(9 * MS)
    assert asked
    assert set(asked) == {3 * MS}


def test_a_shaft_that_is_stopped_goes_no_further_by_hand_or_by_torque(hands: Hands) -> None:
    scene, servos = Scene(), aloha_arm_servos("vx300s", "aloha1")
    follower = FaultyPlant(FollowerPlant(scene, "left", servos, hands.clock, 10 * MS))
    leader = FaultyPlant(LeaderPlant(aloha_arm_servos("wx250s", "aloha1"), hands.hand, hands.clock))
    follower.stop_rad[9], leader.stop_rad[9] = 0.5, 0.15
    follower.drive(9, True, 1.4, None)
    scene.step(500)
    assert scene.joints("left").position_rad[6] == pytest.approx(0.5, abs=0.02)
    assert leader.present_rad(9)[0] == 0.15
    hands.rad = [0.1] * 7
    hands.now_ns += 100 * MS
    assert leader.present_rad(9)[0] == pytest.approx(0.1)


def test_leader_grippers_per_generation() -> None:
    assert leader_shafts([0.0] * 6 + [0.0], "aloha1")[6] == -0.6842
    assert leader_shafts([0.0] * 6 + [1.0], "aloha2")[6] == 0.8298
    assert leader_shafts([0.0] * 6 + [0.5], "mobile")[6] == pytest.approx(-1.225)
