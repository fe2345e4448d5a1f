"""The rules of an arm: what it says of its joints, what it refuses, what stops it, and how it is left."""

import json
import math
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
import pytest

from station.bus.messages import ArmState, Description, Dimension
from station.devices.conformance.rules import BLOCKS_S, DriverConformance
from station.devices.conformance.subject import PATIENCE_S, Subject, read_on, until
from station.devices.contract import ArmDriver
from station.errors import CommandRefused, DeviceError

EXIT_S = 2.0 + 2.0
"""SIGTERM to the end of the process, and two seconds for a machine under load."""
NEAR_RAD = 0.1
"""A goal this near to where the arm is, is where it is."""


class ArmConformance(DriverConformance):
    """An arm, leader or follower."""

    def test_its_joints_have_names_units_and_limits(self, subject: Subject) -> None:
        with opened(subject) as arm:
            about = arm.describe()
            dimensions = vector(about)
            assert len({dimension.name for dimension in dimensions}) == len(dimensions) > 0
            for dimension in dimensions:
                numbers = (dimension.velocity_limit, dimension.acceleration_limit, abs(dimension.rad_per_unit))
                assert all(number is None or 0 < number < math.inf for number in numbers), dimension
                assert dimension.lower < dimension.upper, f"{dimension.name}: its limits leave it no way"
                for pose in (dimension.sleep, dimension.start):
                    assert pose is None or dimension.lower <= pose <= dimension.upper, f"{dimension.name}: {pose}"
            joints, rest = split(dimensions)
            assert all(dimension.unit == "1" for dimension in rest), "beside joints in rad there is a gripper, 0 to 1"
            assert len(rest) <= 1 and dimensions[-len(rest) :] == rest if rest else joints == dimensions, (
                "it comes last"
            )
            assert all((dimension.lower, dimension.upper) == (0.0, 1.0) for dimension in rest)

    def test_it_says_whose_clock_and_its_chain_is_of_its_joints(self, subject: Subject) -> None:
        with opened(subject) as arm:
            about = arm.describe()
            assert about.streams[0].clock in ("request", "controller"), "say what captured_at_ns is"
            if about.chain is not None:
                joints, _ = split(vector(about))
                assert tuple(hinge.name for hinge in about.chain.hinges) == tuple(joint.name for joint in joints)
                assert all(math.hypot(*hinge.axis) > 0 for hinge in about.chain.hinges), "a hinge has no axis"

    def test_its_state_is_what_it_describes_with_effort_in_its_unit(self, subject: Subject) -> None:
        with opened(subject) as arm:
            dimensions = vector(arm.describe())
            arm.torque(True)
            until(arm, lambda: arm.condition().mode == "ready", "ready")
            state = next_state(subject, arm)
            vectors = (state.position, state.velocity, state.effort)
            assert all(len(numbers) == len(dimensions) for numbers in vectors)
            assert all(math.isfinite(number) for numbers in vectors for number in numbers)
            for dimension, effort in zip(dimensions, state.effort, strict=True):
                assert dimension.effort_unit or not effort, f"{dimension.name} has an effort of {effort}, in what unit?"

    def test_it_is_off_until_its_torque_is_on_and_then_ready(self, subject: Subject) -> None:
        with opened(subject) as arm:
            subject.read_one(arm)
            assert (arm.condition().mode == "off") == (not arm.torque_on())
            arm.torque(True)
            until(arm, lambda: arm.torque_on() and arm.condition().mode == "ready", "ready, with torque")
            if elsewhere(arm):
                return
            arm.torque(False)
            until(arm, lambda: not arm.torque_on() and arm.condition().mode == "off", "off, without torque")
            with pytest.raises(CommandRefused):
                arm.write(arm.goal())

    def test_power_that_is_taken_off_elsewhere_stays_on_and_the_refusal_says_where(self, subject: Subject) -> None:
        with opened(subject) as arm:
            if not elsewhere(arm):
                return
            arm.torque(True)
            until(arm, lambda: arm.condition().mode == "ready", "ready")
            with pytest.raises(CommandRefused, match="Next: "):
                arm.torque(False)
            assert arm.torque_on() and arm.condition().mode == "ready", "what is refused changes nothing"

    def test_it_refuses_what_is_no_goal(self, subject: Subject) -> None:
        with opened(subject) as arm:
            about = arm.describe()
            dimensions = vector(about)
            arm.torque(True)
            good = arm.goal()
            assert len(good) == len(arm.measured()) == len(arm.effort()) == len(dimensions)
            for bad in ((math.nan, *good[1:]), (*good[:-1], math.inf), good[:-1], (*good, 0.0), ()):
                with pytest.raises(CommandRefused):
                    arm.write(bad)
            try:
                arm.write(tuple(1e6 for _ in good))
            except CommandRefused:
                return
            if about.commands == "position":
                for held, joint in zip(arm.goal(), dimensions, strict=True):
                    assert joint.unit != "rad" or joint.lower - 0.01 <= held <= joint.upper + 0.01, "beyond its limits"

    def test_it_lets_go_of_what_is_compliant_and_of_nothing_else(self, subject: Subject) -> None:
        with opened(subject) as arm:
            dimensions = vector(arm.describe())
            stiff = next(dimension.name for dimension in dimensions if not dimension.compliant)
            came_with = arm.torque_on()
            with pytest.raises(CommandRefused):
                arm.torque(True, free=(stiff,))
            assert arm.torque_on() == came_with
            arm.torque(True, free=tuple(dimension.name for dimension in dimensions if dimension.compliant))
            assert arm.torque_on()
            arm.write(arm.goal())

    def test_closing_leaves_torque_as_it_says(self, subject: Subject) -> None:
        driver = made(subject)
        driver.open()
        stays = driver.describe().at_exit == "holds"
        driver.torque(True)
        driver.close()
        driver.open()
        assert driver.torque_on() == stays
        if elsewhere(driver):
            driver.close()
            return
        driver.torque(False)
        driver.close()
        driver.open()
        assert not driver.torque_on()
        driver.close()

    def test_an_act_it_does_not_describe_is_refused(self, subject: Subject) -> None:
        with opened(subject) as arm, pytest.raises(CommandRefused):
            list(arm.act("no_such_act"))

    def test_a_stop_takes_no_goal_and_ends_by_an_operators_act_alone(self, subject: Subject) -> None:
        with opened(subject) as arm:
            if not described(arm, "recover"):
                assert subject.stop is None, "what can stop by itself has an act `recover`"
                return
            assert subject.stop is not None, "it can be recovered: give Subject.stop, which stops it"
            arm.torque(True)
            until(arm, lambda: arm.condition().mode == "ready", "ready")
            subject.stop()
            until(arm, lambda: arm.condition().mode == "stopped", "stopped, seen by its driver", BLOCKS_S)
            assert arm.condition().why, "say what stopped it"
            assert arm.condition().next, "say what to do about it"
            end = time.monotonic() + 0.5
            while time.monotonic() < end:
                arm.read()
                assert arm.condition().mode == "stopped", "it has recovered by itself"
            for begun in steps(arm, "recover"):
                assert time.monotonic() - begun < BLOCKS_S, "a step of an act took a second"
            until(arm, lambda: arm.condition().mode != "stopped", "recovered")
            until(arm, lambda: None not in arm.measured(), "read again")
            joints, _ = split(vector(arm.describe()))
            for place, joint in enumerate(joints):
                measured = arm.measured()[place]
                assert measured is not None and abs(arm.goal()[place] - measured) < NEAR_RAD, f"{joint.name} would jump"

    def test_a_guided_arm_takes_no_goal_and_stays_where_it_was_let_go(self, subject: Subject) -> None:
        with opened(subject) as arm:
            if not described(arm, "guide"):
                return
            assert described(arm, "end_guide"), "what begins has an end: describe the act `end_guide`"
            assert subject.shift is not None, "it can be guided: give Subject.shift, which moves it by hand"
            arm.torque(True)
            list(steps(arm, "guide"))
            until(arm, lambda: arm.condition().mode == "guiding", "guiding")
            with pytest.raises(CommandRefused):
                arm.write(arm.goal())
            subject.shift(0.2)
            list(steps(arm, "end_guide"))
            until(arm, lambda: arm.condition().mode != "guiding", "guiding is over")
            until(arm, lambda: arm.measured()[0] is not None, "read again")
            measured = arm.measured()[0]
            assert measured is not None and abs(arm.goal()[0] - measured) < NEAR_RAD, "it would go back"

    def test_a_silent_controller_is_missed_and_nothing_moves_when_it_is_back(self, subject: Subject) -> None:
        if subject.hush is None or subject.speak is None:
            address = msgspec.to_builtins(subject.settings).get("address")
            assert not address, "an arm on a network falls silent: give Subject.hush and Subject.speak"
            return
        driver = made(subject)
        driver.open()
        subject.read_one(driver)
        came_with = driver.torque_on()
        subject.hush()
        start = time.monotonic()
        with pytest.raises(DeviceError):
            read_on(driver)
        assert time.monotonic() - start < BLOCKS_S
        subject.speak()
        driver.close()
        driver.open()
        subject.read_one(driver)
        assert driver.torque_on() == came_with, "a silence has changed its torque"
        driver.close()

    @pytest.mark.parametrize("kill", [signal.SIGTERM, signal.SIGKILL])
    def test_a_driver_that_is_ended_leaves_the_arm_free_for_the_next(
        self, subject: Subject, kill: signal.Signals
    ) -> None:
        assert subject.settings is not None, "give Subject.settings: kills are tried on a process of its own"
        process = alone(subject)
        try:
            assert process.stdout is not None
            assert process.stdout.readline().strip() == "open"
            process.send_signal(kill)
            code = process.wait(EXIT_S)
            assert code == (0 if kill == signal.SIGTERM else -kill), "SIGTERM ends it in order"
        finally:
            process.kill()
            process.communicate()
        with opened(subject) as arm:
            subject.read_one(arm)


def made(subject: Subject) -> ArmDriver:
    """A driver of the subject's, which has to be an arm's."""
    driver = subject.make()
    missing = [name for name in dir(ArmDriver) if not name.startswith("_") and not hasattr(driver, name)]
    assert not missing, f"an arm's driver lacks {', '.join(missing)}"
    assert isinstance(driver, ArmDriver)
    return driver


@contextmanager
def opened(subject: Subject) -> Iterator[ArmDriver]:
    """It, open, and in the end closed without torque, where that is taken off from here."""
    driver = made(subject)
    driver.open()
    try:
        yield driver
        if driver.torque_on() and driver.condition().mode not in ("stopped", "guiding") and not elsewhere(driver):
            driver.torque(False)
    finally:
        driver.close()


def vector(about: Description) -> tuple[Dimension, ...]:
    """The dimensions of an arm."""
    return next(stream.dimensions for stream in about.streams if stream.kind == "arm_state")


def elsewhere(arm: ArmDriver) -> bool:
    """Is its torque taken off on its maker's own page, say?"""
    return arm.describe().power == "elsewhere"


def split(dimensions: tuple[Dimension, ...]) -> tuple[tuple[Dimension, ...], tuple[Dimension, ...]]:
    """Joints, and what is none."""
    joints = tuple(dimension for dimension in dimensions if dimension.unit == "rad")
    return joints, tuple(dimension for dimension in dimensions if dimension.unit != "rad")


def next_state(subject: Subject, arm: ArmDriver) -> ArmState:
    """The next reading of it."""
    body = subject.read_one(arm).body
    assert isinstance(body, ArmState)
    return body


def described(arm: ArmDriver, act: str) -> bool:
    """Does it know that act?"""
    return act in {one.name for one in arm.describe().acts}


def steps(arm: ArmDriver, act: str) -> Iterator[float]:
    """Do it as the host does, one step after each reading; gives when each began."""
    under_way = arm.act(act)
    deadline = time.monotonic() + PATIENCE_S
    while True:
        assert time.monotonic() < deadline, f"{act} has no end"
        begun = time.monotonic()
        try:
            next(under_way)
        except StopIteration:
            return
        yield begun
        arm.read()


def alone(subject: Subject) -> "subprocess.Popen[str]":
    """A process that opens the device with the subject's settings and reads it until it is told to end."""
    driver = subject.make()
    kind = f"{type(driver).__module__}:{type(driver).__qualname__}"
    told = json.dumps(msgspec.to_builtins(subject.settings))
    command = [sys.executable, "-m", "station.devices.conformance.alone", kind, subject.role, told]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
