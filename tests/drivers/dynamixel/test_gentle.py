"""A leader that is driven gently: every servo that has torque is limited, no position fence is touched, and one hand stops it."""

import math
from typing import Any

import pytest

from drivers.dynamixel import gentle
from drivers.sim.servos.shaft import ShaftPlant
from station.devices.contract import GentleArm
from tests.drivers.dynamixel.conftest import MakeArm, Rigged, next_state, until

LED = (1, 2, 3, 4, 5, 6, 7, 8)
GRIPPER = 9
FULL = 885
HAND_MA = 1800.0
"""What a joint's motor would have to draw to push a hand away: less than it can, more than it may."""


class Held(ShaftPlant):
    """Shafts that a hand holds: they turn only for a motor that may push harder than the hand."""

    def __init__(self) -> None:
        super().__init__()
        self.held: set[int] = set()

    def drive(self, servo_id: int, torque: bool, goal_rad: float | None, current_limit_ma: float | None) -> None:
        stops = servo_id in self.held and current_limit_ma is not None and current_limit_ma < HAND_MA
        here = self.present_rad(servo_id)[0]
        super().drive(servo_id, torque, here if stops and goal_rad is not None else goal_rad, current_limit_ma)


@pytest.fixture
def leader(make_arm: MakeArm) -> Rigged:
    rigged = make_arm("leader", "wx250s", plant=Held())
    rigged.arm.open()
    next_state(rigged.arm)
    return rigged


def pwm(rigged: Rigged) -> dict[int, int]:
    return {servo: rigged.bus.register(servo, "Goal PWM") for servo in (*LED, GRIPPER)}


def test_every_servo_that_has_torque_is_limited_and_what_is_written_in_its_eeprom_stays(leader: Rigged) -> None:
    assert isinstance(leader.arm, GentleArm)
    kept = ("Operating Mode", "Min Position Limit", "Max Position Limit", "Current Limit", "PWM Limit")
    before = {(servo, name): leader.bus.register(servo, name) for servo in (1, 2, 4) for name in kept}
    leader.arm.torque_gently(("gripper",))
    limited = math.floor(gentle.GENTLE_SHARE * FULL)
    assert pwm(leader) == dict.fromkeys(LED, limited) | {GRIPPER: FULL}
    assert all(leader.bus.register(servo, "Torque Enable") for servo in LED)
    assert not leader.bus.register(GRIPPER, "Torque Enable")
    assert {(servo, name): leader.bus.register(servo, name) for servo, name in before} == before


def test_full_force_is_back_with_the_next_ordinary_torque_though_it_never_went_off(leader: Rigged) -> None:
    leader.arm.torque_gently(("gripper",))
    leader.arm.torque(True, ("gripper",))
    assert pwm(leader) == dict.fromkeys((*LED, GRIPPER), FULL)
    leader.arm.torque_gently(("gripper",))
    assert pwm(leader)[1] < FULL


@pytest.mark.parametrize("gently", [True, False])
def test_one_hand_stops_it_when_it_is_driven_gently(leader: Rigged, gently: bool) -> None:
    plant: Any = leader.plant
    plant.held = {1}
    here = leader.state().position
    if gently:
        leader.arm.torque_gently(("gripper",))
    else:
        leader.arm.torque(True, ("gripper",))
    leader.arm.write((here[0] + 0.2, here[1] + 0.2, *here[2:]))
    assert until(lambda: abs(next_state(leader.arm).position[1] - here[1] - 0.2) < 0.01), "nobody holds the shoulder"
    assert (abs(next_state(leader.arm).position[0] - here[0]) < 0.01) == gently


def test_it_says_what_limits_it_and_a_follower_or_one_that_is_only_read_has_no_such_way(
    leader: Rigged, make_arm: MakeArm
) -> None:
    said = leader.arm.describe().gentle
    assert said == "Goal PWM at 45 %: where a hand stops it, at most 0.6 A of XL430-W250, 1.0 A of XM430-W350"
    follower = make_arm("follower", "vx300s")
    follower.arm.open()
    assert follower.arm.describe().gentle == ""
