"""What stops a UR, and what ends that: the vendor's library over loopback, with the controller's own log for a witness."""

import os
import signal
import time
from pathlib import Path

import pytest

from station.bus.messages import Vector
from station.clock import NS_PER_S, monotonic_ns
from station.errors import CommandRefused, DeviceError, DeviceMissing, DeviceSilent
from tests.drivers.driven import RESUME_MS, Driven, fastest, moved_after
from tests.drivers.ur.conftest import Made, arm

pytestmark = [pytest.mark.rig, pytest.mark.timeout(120)]  # a minute of real time; `make test` has the kit and the rig
SWINGS_RAD_S = 0.63
"""What `Driven.swing` asks for at most."""
STOPS_NS = round((RESUME_MS / 1000 + 0.4) * NS_PER_S)
"""The watchdog's time, the lag of the servo behind its target, and a machine under load."""


def engaged(made: Made, **keys: object) -> Driven:
    driven = made(**keys)
    driven.engage()
    driven.swing(1.0)
    return driven


def test_a_protective_stop_is_not_unlocked_before_the_robot_allows(made: Made) -> None:
    driven = engaged(made, unlock_s=3.0)
    driven.metal.press("protective_stop")
    stopped_ns = monotonic_ns()
    driven.mode("stopped")
    assert "the seconds that the robot asks for after a stop" in driven.act("recover")
    normal = next(entry for entry in driven.log() if entry.what == "is normal")
    assert normal.at_ns - stopped_ns >= 2.9 * NS_PER_S


def test_what_is_not_ready_says_why_and_what_to_do(made: Made) -> None:
    driven = engaged(made)
    driven.metal.press("slider", 0.5)
    driven.until(lambda: "50 %" in driven.arm.condition().why, "the slider seen")
    assert driven.arm.condition().mode == "ready"
    driven.metal.press("slider", 1.0)
    driven.metal.press("program_stop")
    driven.mode("hold")
    assert "its program has ended" in driven.arm.condition().why
    driven.metal.press("remote", 0)
    driven.until(lambda: "local control" in driven.arm.condition().why, "local control seen")
    with pytest.raises(CommandRefused, match="local control"):
        driven.arm.torque(True)
    with pytest.raises(CommandRefused, match="local control"):
        driven.act("power_on")
    driven.metal.press("remote", 1)
    driven.until(lambda: "local control" not in driven.arm.condition().why, "remote control seen")
    driven.engage()
    driven.metal.press("teach", 1)
    driven.mode("guiding")
    driven.metal.press("teach", 0)
    driven.mode("hold")
    driven.metal.press("power_off")
    driven.mode("off")
    with pytest.raises(CommandRefused, match="power_on"):
        driven.arm.torque(True)
    driven.act("power_on")
    driven.engage()


def test_a_program_that_does_not_start_says_so(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    driven = made()
    driven.metal.press("registers_in_use", 1)
    with pytest.raises(CommandRefused, match=r"in use.*upper_registers"):
        driven.arm.torque(True)
    driven.metal.press("registers_in_use", 0)
    driven.metal.press("foreign_program", 1)
    driven.until(lambda: "somebody else" in driven.arm.condition().why, "the program seen")
    with pytest.raises(CommandRefused, match="somebody else"):
        driven.arm.torque(True)
    driven.metal.press("foreign_program", 0)
    driven.until(lambda: "somebody else" not in driven.arm.condition().why, "its end seen")
    monkeypatch.setattr("station.devices.networked.arm.STARTS_NS", NS_PER_S // 2)
    driven.metal.press("starts", 0)
    with pytest.raises(CommandRefused, match="does not run yet"):
        driven.arm.torque(True)
    driven.until(lambda: driven.arm.condition().mode == "hold", "still in hold")
    assert not [entry for entry in driven.log() if entry.what == "program starts"]


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
    assert moved_after(driven.log(), back_ns) < 1e-6
    assert driven.arm.condition().mode == "hold"
    driven.engage()


def test_a_moment_of_silence_queues_nothing(made: Made) -> None:
    driven = engaged(made)
    driven.metal.press("silent", 1)
    driven.swing(0.25)
    driven.metal.press("silent", 0)
    driven.swing(0.5)
    assert fastest(driven.log()) < 4 * SWINGS_RAD_S, "what was asked meanwhile is not made up for in a leap"


def test_a_link_that_breaks_in_mid_motion_moves_nothing_and_ends_no_process(made: Made) -> None:
    driven = engaged(made)
    for _ in range(3):
        driven.metal.press("hang_up")
        broken_ns = monotonic_ns()
        with pytest.raises(DeviceMissing):
            driven.swing(3.0)
        driven.arm.close()
        driven.arm.open()
        driven.read_for(1.0)
        assert moved_after(driven.log(), broken_ns + STOPS_NS) < 1e-6
        assert driven.arm.condition().mode == "hold"
        driven.engage()
        driven.swing(0.5)


def test_a_library_that_dies_is_a_hold_and_another_one_is_ready(made: Made) -> None:
    driven = engaged(made)
    os.kill(driven.arm._program.pid, signal.SIGSEGV)  # type: ignore[attr-defined]
    died_ns = monotonic_ns()
    driven.mode("hold")
    assert "process has ended" in driven.arm.condition().why
    driven.read_for(1.0)
    measured, log = driven.arm.measured()[0], driven.log()
    assert moved_after(log, died_ns + STOPS_NS) < 1e-6
    assert any(entry.what == "program ends: watchdog" for entry in log)
    driven.engage()
    driven.swing(0.5)
    first = next(entry for entry in driven.log() if entry.what == "servoj" and entry.at_ns > died_ns + NS_PER_S)
    assert measured is not None
    assert first.numbers[0] == pytest.approx(measured, abs=0.05), (
        "registers still hold the old target: it is not followed"
    )


def test_the_gripper_is_activated_by_an_operators_act_alone_and_says_what_it_holds(made: Made) -> None:
    driven = made()
    driven.metal.press("gripper_off")
    driven.until(
        lambda: "not activated" in driven.arm.warnings()[0] if driven.arm.warnings() else False, "the gripper seen"
    )
    with pytest.raises(CommandRefused, match="activate_gripper"):
        driven.arm.torque(True)
    driven.act("activate_gripper")
    driven.metal.press("object", 0.4)
    driven.engage()
    goal = driven.arm.goal()
    driven.arm.write((*goal[:-1], 0.0))
    driven.until(lambda: driven.arm.measured()[-1] == pytest.approx(0.4, abs=0.02), "the fingers on the object")
    seen = [reading for reading in driven.readings if reading.kind == "vector"]
    driven.until(
        lambda: isinstance(body := driven.readings[-1].body, Vector) and body.values == (1.0,), "the object told"
    )
    assert seen


def test_without_a_dashboard_it_is_read_and_says_what_is_missing(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drivers.ur.dashboard.PORT", 29998)
    driven = made()
    driven.read_for(0.5)
    assert driven.states()
    assert any("dashboard" in warning for warning in driven.arm.warnings())
    with pytest.raises(CommandRefused, match="dashboard server does not answer"):
        driven.act("power_on")


def test_another_controller_of_the_same_arm_is_refused(made: Made, tmp_path: Path) -> None:
    driven = engaged(made)
    other = Driven(driven.metal, tmp_path, arm(driven.metal.address), 125.0)
    with other, pytest.raises((CommandRefused, DeviceError)):
        other.arm.torque(True)
    assert driven.arm.condition().mode == "ready"
