"""What stops a Franka arm, and what ends that: the vendor's library over loopback, with franky-sim's own joints for a witness."""

import os
import signal
import time

import pytest

from drivers.franka.line import OneProcess
from station.clock import NS_PER_S, monotonic_ns
from station.errors import CommandRefused, DeviceError, DeviceMissing, DeviceSilent
from tests.drivers.driven import Driven, fastest, moved_after
from tests.drivers.franka.conftest import Made, arm
from tests.drivers.franka.robot import FrankySim

pytestmark = [pytest.mark.long, pytest.mark.timeout(180)]  # a minute of real time, and an environment of its own
SWINGS_RAD_S = 0.63
"""What `Driven.swing` asks for at most; an arm on springs overshoots what it is asked for."""
SETTLES_NS = NS_PER_S
"""An arm that follows no more comes to rest by damping alone."""


def engaged(made: Made, **keys: object) -> Driven:
    driven = made(**keys)
    driven.engage()
    driven.swing(1.0)
    return driven


def test_what_is_not_ready_says_why_and_what_to_do(made: Made) -> None:
    driven = engaged(made)
    driven.metal.press("guide")
    driven.mode("guiding")
    with pytest.raises(CommandRefused, match="guiding"):
        driven.arm.torque(True)
    driven.metal.press("release")
    driven.mode("hold")
    driven.metal.press("lock")
    driven.mode("off")
    with pytest.raises(CommandRefused, match="Desk"):
        driven.arm.torque(True)
    driven.metal.press("release")
    driven.mode("hold")
    driven.engage()
    with pytest.raises(CommandRefused, match="lock them in Desk"):
        driven.arm.torque(False)
    assert driven.arm.condition().mode == "ready"


def test_a_silent_link_is_missed_and_nothing_moves_when_it_is_back(made: Made) -> None:
    driven = engaged(made)
    driven.metal.hush()
    silent_ns = monotonic_ns()
    with pytest.raises(DeviceSilent):
        driven.swing(5.0)
    assert monotonic_ns() - silent_ns < 2 * NS_PER_S
    driven.arm.close()
    spoke_ns = monotonic_ns()
    driven.metal.speak()
    driven.told("left", spoke_ns)
    back_ns = monotonic_ns()
    driven.arm.open()
    driven.read_for(1.0)
    assert moved_after(driven.log(), back_ns) < 0.02
    assert driven.arm.condition().mode == "hold"
    driven.engage()


def test_a_moment_of_silence_is_no_leap(made: Made) -> None:
    driven = engaged(made)
    driven.metal.hush()
    driven.swing(0.15)
    driven.metal.speak()
    driven.swing(1.0)
    assert fastest(driven.log()) < 4 * SWINGS_RAD_S, "what was asked meanwhile is not made up for in a leap"


def test_a_link_that_breaks_in_mid_motion_is_a_hold(made: Made) -> None:
    driven = engaged(made)
    for _ in range(2):
        driven.metal.press("hang_up")
        broken_ns = monotonic_ns()
        with pytest.raises(DeviceError):
            driven.swing(3.0)
        driven.arm.close()
        driven.arm.open()
        driven.read_for(1.0)
        assert moved_after(driven.log(), broken_ns + SETTLES_NS) < 1e-3
        assert driven.arm.condition().mode == "hold"
        driven.engage()
        driven.swing(0.5)


def test_a_process_that_dies_is_a_hold_and_another_one_is_ready(made: Made) -> None:
    driven = engaged(made)
    os.kill(driven.arm._program.pid, signal.SIGKILL)  # type: ignore[attr-defined]
    died_ns = monotonic_ns()
    with pytest.raises(DeviceError):
        driven.swing(3.0)
    assert monotonic_ns() - died_ns < NS_PER_S
    driven.arm.close()
    driven.arm.open()
    driven.read_for(1.0)
    assert driven.arm.condition().mode == "hold"
    assert moved_after(driven.log(), died_ns + SETTLES_NS) < 1e-3
    driven.engage()


def test_an_arm_that_is_let_go_of_in_order_comes_to_rest_gently(made: Made) -> None:
    driven = engaged(made)
    begun = time.monotonic()
    closed_ns = monotonic_ns()
    driven.arm.close()
    assert time.monotonic() - begun < OneProcess.ends_s + 1.5
    driven.at_rest(closed_ns)
    assert fastest([entry for entry in driven.log() if entry.at_ns > closed_ns]) < 2 * SWINGS_RAD_S
    assert moved_after(driven.log(), closed_ns) < 0.3, "it glides on, as far as half a second of its swing takes it"
    driven.arm.open()


def test_nobody_there_says_what_to_do() -> None:
    driver = arm("127.0.77.77")
    with pytest.raises(DeviceMissing, match="activate FCI in Desk"):
        driver.open()


def test_the_hand_goes_where_it_is_told_and_is_homed_by_an_act(made: Made) -> None:
    driven = made()
    driven.engage()
    for opening in (0.2, 0.9):
        driven.arm.write((*driven.arm.goal()[:-1], opening))
        driven.until(lambda opening=opening: abs(driven.arm.measured()[-1] - opening) < 0.06, f"fingers at {opening}")  # type: ignore[misc]
    driven.act("activate_gripper")
    driven.mode("hold")


def test_another_client_leaves_the_robot_free_for_the_next() -> None:
    with FrankySim() as robot:
        first = arm(robot.address)
        first.open()
        first.close()
        second = arm(robot.address)
        second.open()
        second.close()
