"""Goals, torque, the servos' watchdog, servos that shut down."""

import math
import time

import pytest

from drivers.dynamixel.arm import DynamixelArm
from drivers.dynamixel.joints import RAD_PER_TICK
from station.clock import monotonic_ns
from station.errors import CommandRefused, DeviceWrong
from tests.drivers.dynamixel.conftest import MakeArm, Rigged, next_state, recover, until

TRIPPED = 255
IDS = (1, 2, 4, 6, 7, 8, 9)


def tripped(rigged: Rigged) -> bool:
    """Does it say, this once, that its servos' watchdog ran out?"""
    return "watchdog ran out" in rigged.arm.condition().why


def torques(rigged: Rigged) -> set[int]:
    return {rigged.bus.register(servo_id, "Torque Enable") for servo_id in rigged.bus.ids}


def engaged(make_arm: MakeArm, **keys: object) -> Rigged:
    rigged = make_arm(**keys)
    rigged.arm.open()
    rigged.arm.torque(True)
    return rigged


def test_torque_on_takes_the_present_position_as_goal(make_arm: MakeArm) -> None:
    rigged = make_arm()
    for servo_id in IDS:
        rigged.plant.move_hand(servo_id, 0.2)
    rigged.arm.open()
    rigged.arm.torque(True)
    assert torques(rigged) == {1}
    assert rigged.arm.torque_on()
    assert rigged.arm.goal() == pytest.approx(rigged.state().position, abs=2 * RAD_PER_TICK)
    assert rigged.plant.present_rad(6)[0] == pytest.approx(0.2, abs=2 * RAD_PER_TICK)


def test_goals_arrive_and_shadows_follow(make_arm: MakeArm) -> None:
    rigged = engaged(make_arm)
    goal = (0.1, -0.2, 0.15, 0.1, -0.1, 0.05, 0.6)

    def there() -> bool:
        rigged.arm.write(goal)
        state = next_state(rigged.arm)
        return all(abs(a - b) < 0.005 for a, b in zip(state.position, goal, strict=True))

    assert until(there)
    assert rigged.bus.register(3, "Goal Position") == rigged.bus.register(2, "Goal Position")
    assert {entry[1] for entry in rigged.bus.goal_log if entry[0] > 0} >= set(IDS)
    assert rigged.arm.goal() == pytest.approx(goal, abs=0.001)
    assert rigged.bus.register(9, "Goal Current") == 200


@pytest.mark.slow
def test_the_servo_itself_keeps_the_velocity_limit(make_arm: MakeArm) -> None:
    rigged = engaged(make_arm)
    start_ns = monotonic_ns()
    rigged.arm.write((1.5, *rigged.arm.goal()[1:]))
    assert until(lambda: abs((next_state(rigged.arm)).position[0] - 1.5) < 0.01)
    assert monotonic_ns() - start_ns > 1.49 / 3.14 * 1e9


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("place", [0, 6])
def test_what_is_no_number_is_refused(make_arm: MakeArm, bad: float, place: int) -> None:
    rigged = engaged(make_arm)
    goal = list(rigged.arm.goal())
    goal[place] = bad
    logged = len(rigged.bus.goal_log)
    with pytest.raises(CommandRefused, match="finite"):
        rigged.arm.write(tuple(goal))
    with pytest.raises(CommandRefused):
        rigged.arm.write(rigged.arm.goal()[:-1])
    assert len(rigged.bus.goal_log) == logged


def test_a_goal_beyond_a_position_limit_stops_at_it(make_arm: MakeArm) -> None:
    rigged = engaged(make_arm)
    rigged.arm.write((0.0, 5.0, -9.0, 0.0, 0.0, 0.0, 0.5))
    assert until(lambda: rigged.bus.register(2, "Goal Position") == 2867)
    assert rigged.bus.register(4, "Goal Position") == 898


def test_no_goal_without_torque(make_arm: MakeArm) -> None:
    rigged = make_arm()
    rigged.arm.open()
    with pytest.raises(CommandRefused, match="torque is off"):
        rigged.arm.write(rigged.arm.goal())


def test_closing_disarms_and_leaves_torque(make_arm: MakeArm) -> None:
    rigged = engaged(make_arm)
    assert until(lambda: rigged.bus.register(1, "Bus Watchdog") in (5, TRIPPED))
    rigged.arm.close()
    assert until(lambda: rigged.bus.register(1, "Bus Watchdog") == 0)
    assert torques(rigged) == {1}


def test_torque_off_is_limp(make_arm: MakeArm) -> None:
    rigged = engaged(make_arm)
    rigged.arm.torque(False)
    assert torques(rigged) == {0}
    assert not rigged.arm.torque_on()


@pytest.mark.slow
def test_reading_feeds_the_watchdog(make_arm: MakeArm) -> None:
    rigged = engaged(make_arm, resume_ms=400.0)
    until_ns = monotonic_ns() + 1_200_000_000
    while monotonic_ns() < until_ns:
        rigged.arm.read()
        time.sleep(0.01)
    if not tripped(rigged):  # a machine that stood still for 0.4 s has every right to trip it
        assert rigged.bus.register(1, "Bus Watchdog") == 20


def test_a_trip_ends_in_the_goal_that_was_held_and_is_told(make_arm: MakeArm) -> None:
    rigged = engaged(make_arm)
    held = (0.1, *rigged.arm.goal()[1:])
    rigged.arm.write(held)
    assert until(lambda: rigged.bus.register(1, "Bus Watchdog") == TRIPPED)
    # the servos stopped where they were, and take no goal
    other = (0.4, *held[1:])
    rigged.arm.write(other)
    assert until(lambda: rigged.bus.register(1, "Bus Watchdog") != TRIPPED)
    assert rigged.bus.register(1, "Goal Position") == round(2048 + 0.1 / RAD_PER_TICK)
    assert any("watchdog ran out" in warning for warning in rigged.arm.warnings())
    assert torques(rigged) == {1}
    rigged.arm.write(other)
    assert rigged.arm.goal()[0] == pytest.approx(0.1, abs=RAD_PER_TICK)
    assert tripped(rigged)
    assert not tripped(rigged)
    assert rigged.arm.health()["watchdog_trips"] >= 1


def test_goals_pass_again_after_the_trip_was_told(make_arm: MakeArm) -> None:
    rigged = engaged(make_arm)
    assert until(lambda: rigged.bus.register(1, "Bus Watchdog") == TRIPPED)
    rigged.arm.read()
    assert tripped(rigged)

    def passes() -> bool:
        rigged.arm.write((0.3, *rigged.arm.goal()[1:]))
        tripped(rigged)
        return rigged.bus.register(1, "Goal Position") == round(2048 + 0.3 / RAD_PER_TICK)

    assert until(passes)


@pytest.mark.slow
def test_a_trip_that_only_the_register_shows_is_seen(make_arm: MakeArm) -> None:
    rigged = engaged(make_arm, resume_ms=2000.0)
    assert until(lambda: rigged.bus.register(8, "Bus Watchdog") == 100)
    rigged.bus.set_register(8, "Bus Watchdog", TRIPPED)

    def told() -> bool:
        rigged.arm.read()
        return tripped(rigged)

    assert until(told)
    assert until(lambda: rigged.bus.register(8, "Bus Watchdog") == 100)


def test_a_driver_takes_over_from_one_that_was_killed(make_arm: MakeArm) -> None:
    rigged = engaged(make_arm)
    rigged.arm.write((0.2, *rigged.arm.goal()[1:]))
    control = rigged.arm._control
    assert control is not None
    control.bus.close()  # as SIGKILL does: the port goes, nothing is disarmed
    rigged.arm._control = None
    assert until(lambda: rigged.bus.register(1, "Bus Watchdog") == TRIPPED)
    heir = DynamixelArm(rigged.arm._settings, rigged.arm._place)
    heir.open()
    try:
        assert rigged.bus.register(1, "Bus Watchdog") == 0
        assert heir.goal()[0] == pytest.approx(0.2, abs=RAD_PER_TICK)
        assert heir.torque_on()
        assert any("watchdog" in note for note in heir.describe().notes)
        assert until(lambda: abs(next_state(heir).position[0] - 0.2) < 0.01)
        heir.write((0.25, *heir.goal()[1:]))
        assert until(lambda: rigged.bus.register(1, "Bus Watchdog") == 5)
    finally:
        heir.close()


def test_a_servo_that_shuts_down_is_named_and_the_others_hold(make_arm: MakeArm) -> None:
    rigged = engaged(make_arm)
    rigged.bus.faults.overload(9)

    def told() -> bool:
        rigged.arm.read()
        return rigged.arm.condition().why == "gripper has shut down (overload)"

    assert until(told)
    assert rigged.arm.torque_on()
    assert {rigged.bus.register(servo_id, "Torque Enable") for servo_id in range(1, 9)} == {1}
    with pytest.raises(DeviceWrong, match=r"gripper \(overload\)"):
        rigged.arm.torque(True)
    recover(rigged.arm)
    assert rigged.bus.register(9, "Torque Enable") == 0
    assert rigged.arm.condition().mode == "hold"
    assert rigged.arm.condition().said == "gripper has no torque while others have: support the arm, then engage"
    rigged.arm.torque(True)
    assert torques(rigged) == {1}
    assert rigged.bus.register(9, "Goal Current") == 200


@pytest.mark.parametrize("ill", [2, 3])
def test_recovering_takes_a_joints_other_servo_along(make_arm: MakeArm, ill: int) -> None:
    rigged = engaged(make_arm)
    rigged.bus.faults.overload(ill)
    assert until(lambda: bool(rigged.arm.read()) and rigged.arm.condition().mode == "stopped")
    recover(rigged.arm)
    assert [rigged.bus.register(servo_id, "Torque Enable") for servo_id in (1, 2, 3, 4)] == [1, 0, 0, 1]
    with pytest.raises(CommandRefused, match="knows no act 'dance'"):
        list(rigged.arm.act("dance"))


@pytest.mark.slow
def test_torque_lost_with_the_power_stays_lost(make_arm: MakeArm) -> None:
    rigged = engaged(make_arm)
    rigged.bus.faults.power_loss()
    assert until(lambda: [rigged.arm.read()] != [] and not rigged.arm.torque_on())
    rigged.arm.open()
    assert torques(rigged) == {0}
    rigged.plant.move_hand(6, 0.3)
    assert rigged.arm.goal()[3] == pytest.approx(0.0, abs=0.31)
    rigged.arm.torque(True)
    assert rigged.bus.register(1, "Profile Velocity") == 130
    assert rigged.arm.goal()[3] == pytest.approx(0.3, abs=0.01)


def test_a_leaders_gripper_is_let_go_of_while_its_joints_are_driven(make_arm: MakeArm) -> None:
    rigged = make_arm(role="leader", model="wx250s")
    rigged.arm.open()
    rigged.arm.torque(True)
    assert torques(rigged) == {1}
    rigged.arm.torque(True, free=("gripper",))
    assert rigged.bus.register(9, "Torque Enable") == 0
    assert rigged.bus.register(1, "Torque Enable") == 1
    assert rigged.bus.register(1, "Profile Velocity") > 0, "a driven leader keeps the velocity limit too"
    assert rigged.arm.torque_on()
    next_state(rigged.arm)
    assert not [told for told in rigged.arm.warnings() if "torque" in told]
    rigged.plant.move_hand(9, -0.3)
    here = next_state(rigged.arm).position
    rigged.arm.write((0.1, *here[1:6], 1.0))
    assert until(lambda: abs(next_state(rigged.arm).position[0] - 0.1) < 0.01)
    assert next_state(rigged.arm).position[6] == pytest.approx(here[6], abs=0.01)
    rigged.arm.torque(False)
    assert torques(rigged) == {0}


def test_no_joint_is_let_go_of(make_arm: MakeArm) -> None:
    rigged = engaged(make_arm)
    with pytest.raises(CommandRefused, match="only gripper may be let go of"):
        rigged.arm.torque(True, free=("elbow",))
    assert torques(rigged) == {1}
