"""The rules that every driver keeps (`station.devices.contract`), one test each."""

import importlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from station.borders.stamps import Stamps
from station.bus.streams import STREAMS, stream_names
from station.clock import NS_PER_S, monotonic_ns
from station.devices.conformance.subject import Subject, paced, read_on
from station.errors import DeviceError

BLOCKS_S = 3.0
"""No call takes 1 s; and two for a machine under load."""
ATTEMPTS = 10
_LIGHT = {"msgspec", "numpy", "yaml", "zmq", "pytest"}
"""What the station itself has imported anyway."""


class _Rules:
    """What holds for every device."""

    def device(self, folder: Path) -> AbstractContextManager[Subject]:
        """Set the device up and take it down, with a folder of its own. A subclass says how."""
        raise NotImplementedError(
            "say how your device is set up: def device(self, folder), a context manager of a Subject"
        )

    @pytest.fixture
    def subject(self, tmp_path: Path) -> Iterator[Subject]:
        """The device of one test."""
        with self.device(tmp_path) as made:
            yield made

    def test_opens_twice_cleanly(self, subject: Subject) -> None:
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

    def test_what_open_imports_is_named_for_the_host(self, subject: Subject) -> None:
        for module in subject.make().opens_with():
            importlib.import_module(module)

    def test_capture_times_rise_and_can_be_true(self, subject: Subject) -> None:
        driver = subject.make()
        driver.open()
        last: dict[str, int] = {}
        stamps = Stamps()
        for _ in range(20):
            for reading in driver.read():
                assert last.get(reading.kind, 0) < reading.captured_at_ns <= monotonic_ns(), (
                    "captured_at_ns has to rise"
                )
                assert not stamps.refuse(reading.kind, monotonic_ns(), reading.captured_at_ns), "no stamp of our clock"
                last[reading.kind] = reading.captured_at_ns
        described = {stream.kind for stream in driver.describe().streams}
        driver.close()
        assert set(last) == described

    def test_flows_what_is_described(self, subject: Subject) -> None:
        driver = subject.make()
        driver.open()
        described = {stream.kind: stream for stream in driver.describe().streams}
        assert set(described) <= set(STREAMS)
        seen = set()
        for _ in range(30):
            for reading in driver.read():
                assert reading.kind in described, "describe() does not name it"
                assert isinstance(reading.body, STREAMS[reading.kind].body)
                seen.add(reading.kind)
        driver.close()
        assert seen == set(described)

    def test_keeps_the_declared_rate(self, subject: Subject) -> None:
        """± 5 %, in the best of some attempts: another program on this machine is not the driver's fault."""
        driver = subject.make()
        driver.open()
        streams = driver.describe().streams
        assert stream_names("device", (stream.kind for stream in streams)).keys() == {stream.kind for stream in streams}
        wrong: list[dict[str, float]] = []
        for _ in range(ATTEMPTS):
            times = paced(driver, 1.0, streams[0].rate_hz)
            rates = {
                kind: (len(seen) - 1) * NS_PER_S / (seen[-1] - seen[0]) for kind, seen in times.items() if len(seen) > 1
            }
            if all(abs(rates.get(stream.kind, 0.0) / stream.rate_hz - 1) <= 0.05 for stream in streams):
                break
            wrong.append(rates)
        driver.close()
        assert len(wrong) < ATTEMPTS, wrong

    def test_fifty_times_leave_nothing(self, subject: Subject) -> None:
        driver = subject.make()
        driver.open()
        driver.close()
        threads, descriptors = threading.active_count(), len(os.listdir("/proc/self/fd"))
        for _ in range(50):
            driver.open()
            driver.close()
        assert threading.active_count() == threads, "a thread is left behind"
        assert len(os.listdir("/proc/self/fd")) == descriptors, "a descriptor is left behind"

    def test_settings_are_read_without_what_open_needs(self, subject: Subject) -> None:
        """The rig loader imports every driver's module, on computers that lack its vendor's library too."""
        driver = subject.make()
        module = type(driver).__module__
        late = {name.partition(".")[0] for name in driver.opens_with()} - {module.partition(".")[0], "station"}
        vendors = late | {
            "dynamixel_sdk",
            "serial",
            "cv2",
            "pyrealsense2",
            "mujoco",
            "evdev",
            "aiohttp",
            "cryptography",
        }
        code = f"import sys, {module}; sys.exit(', '.join({vendors - _LIGHT!r} & set(sys.modules)) or 0)"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"imported before open(): {done.stderr}"


class DriverConformance(_Rules):
    """A device with a cable: a camera, say. Arms have `ArmConformance`."""

    def test_unplugged_is_an_error_that_names_the_device_and_it_comes_back(self, subject: Subject) -> None:
        driver = subject.make()
        driver.open()
        subject.read_one(driver)
        subject.unplug()
        with pytest.raises(DeviceError) as lost:
            read_on(driver)
        assert lost.value.device
        assert lost.value.do, "say what to do next"
        driver.close()
        with pytest.raises(DeviceError):
            driver.open()
        subject.replug()
        driver.open()
        subject.read_one(driver)
        driver.close()

    def test_no_call_blocks_for_a_second_when_unplugged(self, subject: Subject) -> None:
        driver = subject.make()
        driver.open()
        subject.read_one(driver)
        subject.unplug()
        start = time.monotonic()
        with pytest.raises(DeviceError):
            read_on(driver)
        took_s = time.monotonic() - start
        driver.close()
        assert took_s < BLOCKS_S


class WornConformance(_Rules):
    """What people take off and put on again (a headset): that is nothing wrong, it says nothing meanwhile."""

    def test_what_is_taken_off_says_nothing_and_speaks_again_by_itself(self, subject: Subject) -> None:
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
            assert time.monotonic() - begin < BLOCKS_S
        subject.replug()
        assert subject.read_one(driver).captured_at_ns > max(last_ns, off_ns)
        driver.close()
