"""From hands to setpoints: the clutch, the axes, the gripper, and what starts where."""

from math import pi

import numpy as np
import pytest

from drivers.dynamixel.models import VX300S_CHAIN
from station.bus.messages import Applied, Hand, HandPose
from station.control.vr_arms import ArmHand, VrArms
from station.kinematics.chains import FRAME
from station.kinematics.models import chain_model
from station.kinematics.reach import Reach, Workspace
from tests.station.control.vr_operator import BENT, DIMENSIONS, FRAME_NS, LEVEL, LOWER, UPPER, Operator, yawed


def test_while_nobody_engages_it_asks_for_where_the_arms_are() -> None:
    operator = Operator()
    operator.pilot("idle", "none")
    operator.squeeze()
    operator.move((0.1, 0, 0))
    assert operator.setpoint.goal == (*BENT, *BENT)
    assert operator.core.state().state == "idle"


def test_it_asks_for_the_goal_the_arm_holds_not_for_its_sag() -> None:
    operator = Operator(("left",))
    held = (0.0, -0.52, *BENT[2:])
    operator.arms["left"].heard_applied(Applied("follower_left", "hold", -1, -1, 0, held))
    assert operator.send().goal == held
    old = (1.0, -0.52, *BENT[2:])
    operator.arms["left"].heard_applied(Applied("follower_left", "hold", -1, -1, 0, old))
    assert operator.send().goal == BENT


@pytest.mark.parametrize("goal", [(), BENT[:3]])
def test_a_driver_that_stands_at_no_whole_goal_yet_is_asked_for_where_the_arm_is(goal: tuple[float, ...]) -> None:
    """It has just opened, or a servo is silent."""
    operator = Operator(("left",))
    operator.pilot("hold")
    operator.arms["left"].heard_applied(Applied("follower_left", "none", -1, -1, 0, goal))
    assert operator.send().goal == BENT


def test_an_arm_that_was_not_heard_makes_no_setpoint() -> None:
    reach = Reach(chain_model(VX300S_CHAIN, LOWER, UPPER), FRAME, [3.14] * 6, Workspace((-2, -2, -2), (2, 2, 2)))
    core = VrArms([ArmHand("follower_left", "left", DIMENSIONS, reach, 3.14)], 1.0)
    assert core.sample(HandPose(Hand((0, 0, 1), LEVEL), None, 0.0), 5, 5) is None
    assert VrArms([], 1.0).sample(HandPose(Hand((0, 0, 1), LEVEL), None, 0.0), 5, 5) is None, "none is described yet"


def test_the_arm_moves_only_while_the_grip_is_squeezed() -> None:
    operator = Operator().engaged()
    operator.move((0.05, 0, 0))
    assert operator.setpoint.goal == (*BENT, *BENT)
    operator.squeeze()
    before = operator.gripper().position_m
    operator.move((0.05, -0.03, 0.04))
    assert operator.gripper().position_m - before == pytest.approx((0.05, -0.03, 0.04), abs=1e-3)
    assert operator.setpoint.goal[7:] == BENT
    operator.set(grip=0.0)
    operator.move((-0.2, 0, 0))
    assert operator.gripper().position_m - before == pytest.approx((0.05, -0.03, 0.04), abs=1e-3)
    assert operator.core.state().state == "engaged"


def test_every_squeeze_starts_from_where_hand_and_arm_are() -> None:
    operator = Operator().engaged()
    operator.squeeze()
    operator.move((0.06, 0, 0))
    operator.set(grip=0.0)
    operator.move((-0.06, 0, 0))
    before = operator.gripper().position_m
    operator.squeeze()
    operator.send(5)
    assert operator.gripper().position_m == pytest.approx(before, abs=5e-4)
    operator.move((0.04, 0, 0))
    assert operator.gripper().position_m - before == pytest.approx((0.04, 0, 0), abs=1e-3)


def test_a_hand_held_askew_does_not_tilt_the_axes() -> None:
    operator = Operator().engaged()
    operator.set(quaternion_wxyz=(0.8, 0.36, 0.48, 0.0))
    operator.send(20)
    operator.squeeze()
    before = operator.gripper()
    operator.move((0, 0, 0.05))
    assert operator.gripper().position_m - before.position_m == pytest.approx((0, 0, 0.05), abs=1e-3)
    assert abs(operator.gripper().quaternion_wxyz @ before.quaternion_wxyz) == pytest.approx(1, abs=1e-4)


def test_a_turn_of_the_hand_is_the_same_turn_of_the_gripper() -> None:
    operator = Operator().engaged()
    operator.squeeze()
    before = operator.gripper()
    for yaw in np.linspace(0, 0.4, 20):
        operator.set(quaternion_wxyz=yawed(yaw))
        operator.send()
    operator.send(10)
    w = float(operator.gripper().quaternion_wxyz @ before.quaternion_wxyz)
    assert 2 * np.arccos(min(1, abs(w))) == pytest.approx(0.4, abs=0.02)
    assert operator.gripper().position_m == pytest.approx(before.position_m, abs=2e-3)


def test_forward_is_where_the_operator_faces_at_first() -> None:
    operator = Operator()
    operator.yaw = pi / 2  # facing the room's +y: that is the rig's +x
    operator.engaged()
    operator.squeeze()
    before = operator.gripper().position_m
    operator.move((0, 0.05, 0))
    assert operator.gripper().position_m - before == pytest.approx((0.05, 0, 0), abs=1e-3)


def test_a_thumbstick_press_aims_forward_anew_without_a_jump() -> None:
    operator = Operator().engaged()
    operator.squeeze()
    operator.move((0.03, 0, 0))
    before = operator.gripper().position_m
    operator.yaw = pi / 2
    operator.send(5)
    operator.set("right", stick_pressed=True)
    operator.send(3)
    operator.yaw = 0.3  # turning the head while the stick stays pressed changes nothing
    operator.send(3)
    operator.set("right", stick_pressed=False)
    operator.send()
    assert operator.gripper().position_m == pytest.approx(before, abs=1e-3)
    operator.move((0, 0.05, 0))
    assert operator.gripper().position_m - before == pytest.approx((0.05, 0, 0), abs=1e-3)
    assert operator.core.state().forward_rad == pytest.approx(pi / 2)


def test_scale_multiplies_the_way_not_the_turn() -> None:
    operator = Operator(scale=0.5).engaged()
    operator.squeeze()
    before = operator.gripper().position_m
    operator.move((0.1, 0, 0))
    assert operator.gripper().position_m - before == pytest.approx((0.05, 0, 0), abs=1e-3)


def test_the_trigger_closes_the_gripper_no_faster_than_it_may() -> None:
    operator = Operator().engaged()
    operator.squeeze()
    operator.send()
    operator.set(trigger=1.0)
    before = operator.setpoint.goal[6]
    operator.send()
    assert 0 < before - operator.setpoint.goal[6] <= 3.14 / 2.11 * FRAME_NS / 1e9 + 1e-9
    operator.send(60)
    assert operator.setpoint.goal[6] == pytest.approx(0.0)


def test_squeezing_the_grip_never_drops_what_the_gripper_holds() -> None:
    operator = Operator(start=(*BENT[:6], 0.0)).engaged()
    operator.set(trigger=0.0)
    operator.squeeze()
    operator.send(30)
    assert operator.setpoint.goal[6] == 0.0
    operator.set(trigger=1.0)
    operator.send()
    operator.set(trigger=0.2)
    operator.send(60)
    assert operator.setpoint.goal[6] == pytest.approx(0.8)
