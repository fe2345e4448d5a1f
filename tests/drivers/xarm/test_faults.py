"""What stops a UFACTORY arm, and what ends that: the vendor's SDK over loopback, with the controller's own log for a witness."""

import os
import signal
import time

import numpy as np
import pytest

from drivers.sim.xarm.stand_in import COMMANDS
from station.bus.messages import Vector
from station.clock import NS_PER_S, monotonic_ns
from station.errors import CommandRefused, DeviceMissing, DeviceSilent, DeviceWrong
from tests.drivers.driven import Driven, fastest, moved_after
from tests.drivers.metal import Metal
from tests.drivers.xarm.conftest import Made, arm

pytestmark = [
    pytest.mark.rig,
    pytest.mark.timeout(120),
]  # half a minute of real time; `make test` has one in a whole rig
SWINGS_RAD_S = 0.63
"""What `Driven.swing` asks for at most."""
SETTLES_NS = NS_PER_S // 2
"""An arm that nobody tells anything any more arrives at its last target and stays there."""
ONE_STEP_RAD = 0.02
"""What one target that was on its way when the link fell silent is worth."""


def engaged(made: Made, **keys: object) -> Driven:
    driven = made(**keys)
    driven.engage()
    driven.swing(1.0)
    return driven


def test_over_a_poor_link_the_controller_plans_its_own_way(made: Made) -> None:
    driven = engaged(made, stream="planned")
    driven.metal.press("latency_ms", 5)
    driven.metal.press("jitter_ms", 15)
    driven.swing(5.0)
    goal = driven.arm.goal()
    driven.read_for(1.0)
    assert driven.arm.condition().mode == "ready", driven.arm.condition()
    assert driven.arm.measured()[0] == pytest.approx(goal[0], abs=0.01)
    asked = np.array([entry.numbers[0] for entry in driven.log() if entry.what == "target"])
    assert np.ptp(asked) > 0.6
    assert np.abs(np.diff(asked)).max() < 0.15, "no leap between two targets"


def test_what_is_not_ready_says_why_and_what_to_do(made: Made) -> None:
    driven = engaged(made)
    driven.metal.press("stop")
    driven.mode("hold")
    assert "it follows no more" in driven.arm.condition().why
    driven.engage()
    driven.metal.press("mode", 0)
    driven.mode("hold")
    driven.engage()
    driven.metal.press("teach", 1)
    driven.mode("guiding")
    with pytest.raises(CommandRefused, match="guiding"):
        driven.arm.torque(True)
    driven.metal.press("teach", 0)
    driven.mode("hold")
    driven.metal.press("motors_off")
    driven.mode("off")
    with pytest.raises(CommandRefused, match="power_on"):
        driven.arm.torque(True)
    driven.act("power_on")
    driven.metal.press("collision_sensitivity", 0)
    driven.until(lambda: any("collision" in told for told in driven.arm.warnings()), "that it feels nothing, told")
    with pytest.raises(CommandRefused, match="collision detection is off"):
        driven.arm.torque(True)
    driven.metal.press("collision_sensitivity", 3)
    driven.engage()


def test_a_silent_link_is_missed_and_nothing_waits_in_it_for_its_return(made: Made) -> None:
    driven = engaged(made)
    driven.metal.press("silent", 1)
    silent_ns = monotonic_ns()
    with pytest.raises(DeviceSilent):
        driven.swing(5.0)
    assert monotonic_ns() - silent_ns < 2 * NS_PER_S
    driven.arm.close()
    time.sleep(0.5)  # so long the link stays silent while nobody is connected
    driven.metal.press("silent", 0)
    back_ns = monotonic_ns()
    driven.arm.open()
    driven.read_for(1.0)
    assert moved_after(driven.log(), back_ns) < ONE_STEP_RAD
    assert driven.arm.condition().mode == "hold"
    driven.engage()


def test_a_moment_of_silence_is_no_leap(made: Made) -> None:
    driven = engaged(made)
    driven.metal.press("silent", 1)
    driven.swing(0.15)
    driven.metal.press("silent", 0)
    driven.swing(1.0)
    assert fastest(driven.log()) < 4 * SWINGS_RAD_S, "what was asked meanwhile is not made up for in a leap"


def test_a_link_that_breaks_in_mid_motion_is_a_hold(made: Made) -> None:
    driven = engaged(made)
    for _ in range(2):
        driven.metal.press("hang_up")
        broken_ns = monotonic_ns()
        with pytest.raises(DeviceMissing):
            driven.swing(3.0)
        driven.arm.close()
        driven.arm.open()
        driven.read_for(1.0)
        assert moved_after(driven.log(), broken_ns + SETTLES_NS) < 1e-6
        assert driven.arm.condition().mode == "hold"
        driven.engage()
        driven.swing(0.5)


def test_a_process_that_dies_is_a_hold_and_another_one_is_ready(made: Made) -> None:
    driven = engaged(made)
    driven.swing(1.0)
    os.kill(driven.arm._program.pid, signal.SIGKILL)  # type: ignore[attr-defined]
    died_ns = monotonic_ns()
    driven.mode("hold")
    assert "process has ended" in driven.arm.condition().why
    driven.read_for(1.0)
    assert moved_after(driven.log(), died_ns + SETTLES_NS) < 1e-3
    driven.engage()


def test_the_gripper_says_what_is_wrong_and_what_it_holds(made: Made) -> None:
    driven = made()
    driven.until(lambda: not driven.arm.warnings(), "a gripper that is well")
    driven.metal.press("gripper_error", 11)
    driven.until(lambda: any("error 11" in told for told in driven.arm.warnings()), "its error told")
    with pytest.raises(CommandRefused, match="activate_gripper"):
        driven.arm.torque(True)
    driven.act("activate_gripper")
    driven.metal.press("object", 0.4)
    driven.engage()
    goal = driven.arm.goal()
    driven.arm.write((*goal[:-1], 0.0))
    driven.until(lambda: driven.arm.measured()[-1] == pytest.approx(0.4, abs=0.02), "the fingers on the object")
    driven.until(
        lambda: any(isinstance(read.body, Vector) and read.body.values == (1.0,) for read in driven.readings[-30:]),
        "the object told",
    )


def test_another_baud_rate_at_the_flange_is_told_and_changed_by_an_act_alone(made: Made) -> None:
    with Metal("xarm") as metal:
        metal.press("gripper_baud", 5)
        driver = arm(metal.address)
        driver.open()
        end = time.monotonic() + 10
        while not any("115200 baud" in told for told in driver.warnings()):
            assert time.monotonic() < end, driver.warnings()
            driver.read()
        steps = driver.act("activate_gripper")
        while next(steps, None) is not None:
            assert time.monotonic() < end + 10
            driver.read()
            time.sleep(0.01)
        assert driver.warnings() == ()
        driver.close()


def test_a_robotiq_on_the_flange_is_activated_by_its_act_and_says_what_it_holds(made: Made) -> None:
    driven = made(metal={"robotiq": 1}, gripper={"kind": "robotiq_2f85"})
    driven.metal.press("gripper_off")
    driven.until(lambda: any("not activated" in told for told in driven.arm.warnings()), "that, told")
    with pytest.raises(CommandRefused, match="activate_gripper"):
        driven.arm.torque(True)
    driven.act("activate_gripper")
    driven.metal.press("object", 0.4)
    driven.engage()
    driven.arm.write((*driven.arm.goal()[:-1], 0.0))
    driven.until(lambda: driven.arm.measured()[-1] == pytest.approx(0.4, abs=0.02), "the fingers on the object")
    driven.until(
        lambda: any(isinstance(read.body, Vector) and read.body.values == (1.0,) for read in driven.readings[-30:]),
        "the object told",
    )


def test_a_gripper_does_not_keep_the_arm_waiting(made: Made) -> None:
    """As many targets with a gripper that is told something new every time as without one; a loaded machine slows both."""
    between_ms = {}
    for kind in ("none", "xarm"):
        driven = made(gripper={"kind": kind})
        driven.engage()
        driven.swing(4.0)
        at = np.array([entry.at_ns for entry in driven.log() if entry.what == "target"])
        between_ms[kind] = np.median(np.diff(at)) / 1e6
        driven.arm.close()
    assert between_ms["xarm"] < 1.5 * between_ms["none"] + 2.0


def test_an_older_firmware_is_read_without_its_clock_and_says_so(made: Made) -> None:
    driven = made(metal={"old": 1})
    driven.until(lambda: len(driven.states()) > 80, "readings")
    about = driven.arm.describe()
    assert about.streams[0].clock == "request"
    assert any(item.name == "clock" and item.verdict == "warn" for item in about.checks)
    driven.engage()


def test_another_arm_than_the_rig_files_is_refused() -> None:
    with Metal("xarm", joints=6, kind=6) as metal:
        driver = arm(metal.address)
        with pytest.raises(DeviceWrong, match="6 joints, make 6"):
            driver.open()
        six = arm(metal.address, model="xarm6", gripper={"kind": "none"}, command_port=COMMANDS)
        six.open()
        assert len(six.describe().streams[0].dimensions) == 6
        six.close()
