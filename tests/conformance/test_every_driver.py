"""The driver contract (station/devices/contract.py), on every driver. What needs a process is tested with the host."""

import importlib
import math
import os
import subprocess
import sys
import threading
import time

import pytest

from station.bus.messages import ArmState
from station.bus.streams import STREAMS, stream_names
from station.clock import NS_PER_S, Grid, monotonic_ns
from station.devices.contract import ArmDriver, Driver
from station.errors import CommandRefused, DeviceError
from tests.conformance.subject import Subject


def paced(driver: Driver, seconds: float, rate_hz: float) -> dict[str, list[int]]:
    """Each stream's capture times while it is read as the host does: arms at their rate, others as they push."""
    times: dict[str, list[int]] = {}
    grid = Grid(monotonic_ns(), rate_hz)
    k, end_ns = 0, grid.t0_ns + round(seconds * NS_PER_S)
    while grid.time_ns(k) < end_ns and monotonic_ns() < end_ns:
        if driver.paced:
            time.sleep(max(0, grid.time_ns(k) - monotonic_ns()) / NS_PER_S)
            k = max(k, grid.index_at(monotonic_ns())) + 1
        for reading in driver.read():
            times.setdefault(reading.kind, []).append(reading.captured_at_ns)
    return times


def read_on(driver: Driver, seconds: float = 60.0) -> None:
    """Read until it raises; what was on its way when the cable was pulled comes first."""
    end_ns = monotonic_ns() + round(seconds * NS_PER_S)
    while monotonic_ns() < end_ns:
        driver.read()


def test_opens_twice_cleanly(subject: Subject) -> None:
    driver = subject.make()
    for _ in range(2):
        driver.open()
        subject.read_one(driver)
        driver.close()
    driver.close()
    other = subject.make()
    other.open()
    subject.read_one(other)
    other.close()


def test_what_open_imports_is_named_for_the_host(subject: Subject) -> None:
    modules = subject.make().opens_with()
    assert modules
    for module in modules:
        importlib.import_module(module)


def test_capture_times_rise_and_lie_between_request_and_answer(subject: Subject) -> None:
    driver = subject.make()
    driver.open()
    last: dict[str, int] = {}
    for _ in range(20):
        for reading in driver.read():
            assert last.get(reading.kind, 0) < reading.captured_at_ns <= monotonic_ns()
            last[reading.kind] = reading.captured_at_ns
    described = {stream.kind for stream in driver.describe().streams}
    driver.close()
    assert set(last) == described


def test_flows_what_is_described(subject: Subject) -> None:
    driver = subject.make()
    driver.open()
    described = {stream.kind: stream for stream in driver.describe().streams}
    assert set(described) <= set(STREAMS)
    seen = set()
    for _ in range(30):
        for reading in driver.read():
            stream = described[reading.kind]
            assert isinstance(reading.body, STREAMS[reading.kind].body)
            seen.add(reading.kind)
            if isinstance(reading.body, ArmState):
                count = len(stream.dimensions)
                vectors = (reading.body.position, reading.body.velocity, reading.body.current_ma)
                assert all(len(vector) == count for vector in vectors)
                assert all(math.isfinite(value) for vector in vectors for value in vector)
    driver.close()
    assert seen == set(described)


def test_keeps_the_declared_rate(subject: Subject) -> None:
    """± 5 %, in the best of some attempts: another program on this machine is not the driver's fault."""
    driver = subject.make()
    driver.open()
    streams = driver.describe().streams
    assert stream_names("device", (stream.kind for stream in streams)).keys() == {stream.kind for stream in streams}
    wrong: list[dict[str, float]] = []
    for _ in range(10):
        times = paced(driver, 1.0, streams[0].rate_hz)
        rates = {
            kind: (len(seen) - 1) * NS_PER_S / (seen[-1] - seen[0]) for kind, seen in times.items() if len(seen) > 1
        }
        if all(abs(rates.get(stream.kind, 0.0) / stream.rate_hz - 1) <= 0.05 for stream in streams):
            break
        wrong.append(rates)
    driver.close()
    assert len(wrong) < 10, wrong


def test_unplugged_is_an_error_that_names_the_device_and_it_comes_back(subject: Subject) -> None:
    if subject.falls_silent:
        return
    driver = subject.make()
    driver.open()
    subject.read_one(driver)
    subject.unplug()
    with pytest.raises(DeviceError) as lost:
        read_on(driver)
    assert lost.value.device
    assert lost.value.do
    driver.close()
    with pytest.raises(DeviceError):
        driver.open()
    subject.replug()
    driver.open()
    subject.read_one(driver)
    driver.close()


def test_what_is_taken_off_says_nothing_and_speaks_again_by_itself(subject: Subject) -> None:
    if not subject.falls_silent:
        return
    driver = subject.make()
    driver.open()
    last_ns = subject.read_one(driver).captured_at_ns
    subject.unplug()
    off_ns = monotonic_ns() + NS_PER_S
    while monotonic_ns() < off_ns:
        driver.read()
    for _ in range(3):
        begin = time.monotonic()
        assert driver.read() == []
        assert time.monotonic() - begin < 3.0  # 1 s, and two for a machine under load
    subject.replug()
    assert subject.read_one(driver).captured_at_ns > max(last_ns, off_ns)
    driver.close()


def test_no_call_blocks_for_a_second_when_unplugged(subject: Subject) -> None:
    if subject.falls_silent:
        return
    driver = subject.make()
    driver.open()
    subject.read_one(driver)
    subject.unplug()
    start = time.monotonic()
    with pytest.raises(DeviceError):
        read_on(driver)
    took_s = time.monotonic() - start
    driver.close()
    assert took_s < 3.0  # 1 s, and two for a machine under load


def test_fifty_times_leave_nothing(subject: Subject) -> None:
    driver = subject.make()
    driver.open()
    driver.close()
    threads, descriptors = threading.active_count(), len(os.listdir("/proc/self/fd"))
    for _ in range(50):
        driver.open()
        driver.close()
    assert threading.active_count() == threads
    assert len(os.listdir("/proc/self/fd")) == descriptors


def test_settings_are_read_without_the_vendors_sdk(subject: Subject) -> None:
    module = type(subject.make()).__module__
    code = (
        f"import sys, {module}; "
        "bad = {'dynamixel_sdk', 'serial', 'cv2', 'pyrealsense2', 'mujoco', 'evdev', 'aiohttp', 'cryptography'} & set(sys.modules); "
        "sys.exit(', '.join(bad) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_an_arm_refuses_what_is_no_goal(subject: Subject) -> None:
    driver = subject.make()
    if not isinstance(driver, ArmDriver):
        return
    driver.open()
    dimensions = driver.describe().streams[0].dimensions
    was_on = driver.torque_on()
    driver.torque(True)
    good = driver.goal()
    assert len(good) == len(driver.measured()) == len(dimensions)
    for bad in ((math.nan, *good[1:]), (*good[:-1], math.inf), good[:-1], (*good, 0.0), ()):
        with pytest.raises(CommandRefused):
            driver.write(bad)
    far = tuple(1e6 for _ in good)
    driver.write(far)
    if all(math.isfinite(d.upper) for d in dimensions) and driver.describe().commands == "position":
        for held, dimension in zip(driver.goal()[:-1], dimensions[:-1], strict=True):
            assert dimension.lower - 0.01 <= held <= dimension.upper + 0.01
    driver.torque(was_on)
    driver.close()


def test_an_arm_lets_go_of_what_is_compliant_and_of_nothing_else(subject: Subject) -> None:
    driver = subject.make()
    if not isinstance(driver, ArmDriver):
        return
    driver.open()
    dimensions = driver.describe().streams[0].dimensions
    free = tuple(d.name for d in dimensions if d.compliant)
    with pytest.raises(CommandRefused):
        driver.torque(True, free=(dimensions[0].name,))
    assert not driver.torque_on()
    driver.torque(True, free=free)
    assert driver.torque_on()
    driver.write(driver.goal())
    driver.torque(False)
    assert not driver.torque_on()
    driver.close()


def test_closing_leaves_torque_as_it_is(subject: Subject) -> None:
    driver = subject.make()
    if not isinstance(driver, ArmDriver):
        return
    driver.open()
    driver.torque(True)
    driver.close()
    driver.open()
    assert driver.torque_on()
    driver.torque(False)
    driver.close()
    driver.open()
    assert not driver.torque_on()
    driver.close()
