import random
from itertools import pairwise
from typing import Any

import msgspec
import numpy as np
import pytest

from drivers.cameras.realsense import RealSenseCamera
from drivers.cameras.realsense_stamps import COUNTER_NS
from station.clock import NS_PER_MS, NS_PER_S
from station.devices.contract import Place, Reading
from station.errors import DeviceBusy, DeviceMissing, DeviceSilent, DeviceWrong
from tests.drivers.cameras.fake_realsense import D405, D435, FakeBus, FakeCamera
from tests.pictures import bgr

PERIOD_NS = NS_PER_S // 60


class Host:
    """The host's clock, and a camera opened on it."""

    def __init__(self, bus: FakeBus, reset: bool = False, **settings: Any) -> None:
        self.now_ns = 1000 * NS_PER_S
        self.bus = bus
        chosen = RealSenseCamera.Settings(
            D405.serial, settings.pop("width", 640), 480, settings.pop("fps", 60), reset=reset, **settings
        )
        self.driver = RealSenseCamera(chosen, Place("cam_left_wrist", "camera", lambda: self.now_ns, 3.14, 100), bus)

    def colour(self, index: int) -> list[Reading]:
        """One more period, one more colour picture."""
        self.now_ns += PERIOD_NS
        self.camera.shoot(index * PERIOD_NS, index)
        return self.driver.read()

    @property
    def camera(self) -> FakeCamera:
        return self.bus.opened[-1]


@pytest.mark.slow
def test_colour_is_encoded_once_and_stamped_by_the_camera_s_clock() -> None:
    host = Host(FakeBus(D405))
    host.driver.open()
    rng = random.Random(1)
    least_ns, taken = 8 * NS_PER_MS, []
    for index in range(300):
        true_ns = 2000 * NS_PER_S + index * PERIOD_NS
        host.now_ns = true_ns + least_ns + rng.randrange(20 * NS_PER_MS)
        host.camera.shoot(77 * NS_PER_S + index * PERIOD_NS, index)
        (reading,) = host.driver.read()
        taken.append((true_ns, reading))
    errors = [abs(reading.captured_at_ns - true_ns - least_ns) for true_ns, reading in taken[60:]]
    assert max(errors) < 2 * NS_PER_MS
    frame: Any = taken[-1][1].body
    assert (frame.encoding, frame.stamp, frame.device_sequence) == ("jpeg", "device", 299)
    decoded = bgr(taken[150][1].payload[0])
    assert decoded.shape == (480, 640, 3)
    assert abs(int(decoded[0, 0, 0]) - 150) <= 2


def test_depth_is_lossless_millimetres() -> None:
    host = Host(FakeBus(D405), depth=True)
    host.driver.open()
    assert host.camera.options["depth_units"] == 0.001
    assert [stream.kind for stream in host.driver.describe().streams] == ["frame", "depth"]
    host.camera.shoot(NS_PER_S, 1)
    host.camera.shoot(NS_PER_S, 1, "depth")
    (colour,), (depth,) = host.driver.read(), host.driver.read()
    assert (colour.kind, depth.kind) == ("frame", "depth")
    body: Any = depth.body
    assert body.encoding == "z16"
    assert np.array_equal(np.frombuffer(depth.payload[0], "<u2").reshape(480, 640), np.full((480, 640), 1, np.uint16))


def test_exposure_gain_and_white_balance_are_fixed_and_global_time_is_off() -> None:
    host = Host(FakeBus(D405), exposure=8000, gain=20, white_balance=4200)
    host.driver.open()
    options = host.camera.options
    assert (options["enable_auto_exposure"], options["exposure"], options["gain"]) == (0, 8000, 20)
    assert (options["enable_auto_white_balance"], options["white_balance"]) == (0, 4200)
    assert options["global_time_enabled"] == 0
    assert host.driver.describe().notes == ("USB 3.2",)


def test_what_did_not_take_or_was_left_automatic_is_said() -> None:
    bus = FakeBus(D405)
    bus.lacks = {"white_balance"}
    host = Host(bus, exposure=900_000, white_balance=4200)
    host.driver.open()
    notes = " / ".join(host.driver.describe().notes)
    assert "exposure did not take 900000: it reads 165000" in notes
    assert "white_balance did not take 4200: this camera has no such option" in notes
    host = Host(FakeBus(D405))
    host.driver.open()
    assert "exposure is automatic" in host.driver.describe().notes


def test_a_start_up_reset_is_waited_for_without_blocking() -> None:
    host = Host(FakeBus(D405, D435), reset=True)
    with pytest.raises(DeviceMissing, match="just been restarted"):
        host.driver.open()
    host.now_ns += NS_PER_S // 2
    with pytest.raises(DeviceMissing, match="it is restarting"):
        host.driver.open()
    host.now_ns += 4 * NS_PER_S
    host.bus.present.append(D405)
    host.driver.open()
    assert host.bus.resets == 1
    host.driver.close()
    host.driver.open()  # once a start, not each time it is opened
    assert host.bus.resets == 1


def test_a_reset_too_quick_to_be_seen_is_over_after_a_while() -> None:
    host = Host(FakeBus(D405), reset=True)
    with pytest.raises(DeviceMissing):
        host.driver.open()
    host.bus.present.append(D405)
    with pytest.raises(DeviceMissing):
        host.driver.open()
    host.now_ns += 5 * NS_PER_S
    host.driver.open()


def test_frozen_is_silent_within_a_second_and_the_next_opening_restarts_it() -> None:
    host = Host(FakeBus(D405), reset=True)
    host.driver._reset_due = False
    host.driver.open()
    host.now_ns += 2 * NS_PER_S
    assert host.driver.read() == []  # it may take a while to start
    host.camera.shoot(1, 1)
    assert len(host.driver.read()) == 1
    host.now_ns += 650 * NS_PER_MS
    assert host.driver.read() == []
    host.now_ns += 100 * NS_PER_MS
    with pytest.raises(DeviceSilent, match="no color for"):
        host.driver.read()
    host.driver.close()
    with pytest.raises(DeviceMissing, match="restarted"):
        host.driver.open()


def test_one_of_two_streams_frozen_is_silent_too() -> None:
    host = Host(FakeBus(D405), depth=True)
    host.driver.open()
    colour_alone = (host.colour(index) for index in range(300))
    with pytest.raises(DeviceSilent, match="no depth"):
        list(colour_alone)


def test_unplugged_is_named_and_it_comes_back_with_a_new_clock() -> None:
    host = Host(FakeBus(D405))
    host.driver.open()
    host.camera.shoot(9000 * NS_PER_S, 500)
    (before,) = host.driver.read()
    host.bus.present.clear()
    with pytest.raises(DeviceSilent, match="No such device"):
        host.driver.read()
    host.driver.close()
    with pytest.raises(DeviceMissing, match="no RealSense"):
        host.driver.open()
    host.driver.close()
    host.bus.present.append(D405)
    host.now_ns += 10 * NS_PER_S
    host.driver.open()
    host.camera.shoot(1 * NS_PER_S, 1)
    (after,) = host.driver.read()
    assert after.captured_at_ns == before.captured_at_ns + 10 * NS_PER_S
    assert host.driver.health()["lost_frames"] == 0


def test_the_counter_s_new_beginning_is_not_a_jump() -> None:
    host = Host(FakeBus(D405))
    host.driver.open()
    stamps = []
    for index in range(20):
        host.now_ns += PERIOD_NS
        host.camera.shoot((COUNTER_NS - 10 * PERIOD_NS + index * PERIOD_NS) % COUNTER_NS, index)
        stamps += [reading.captured_at_ns for reading in host.driver.read()]
    assert len(stamps) == 20
    assert all(abs(b - a - PERIOD_NS) < NS_PER_MS for a, b in pairwise(stamps))


def test_no_hardware_clock_means_arrival_and_says_so() -> None:
    host = Host(FakeBus(D405))
    host.driver.open()
    host.camera.shoot(123, 1, domain="system_time")
    (reading,) = host.driver.read()
    frame: Any = reading.body
    assert (frame.stamp, reading.captured_at_ns) == ("arrival", host.now_ns)
    assert "stamped on arrival" in host.driver.warnings()[0]


def test_a_senseless_stamp_is_a_missing_sample_and_losses_are_counted() -> None:
    host = Host(FakeBus(D405))
    host.driver.open()
    for index in range(10):
        host.now_ns += PERIOD_NS
        host.camera.shoot(index * PERIOD_NS, index)
        assert len(host.driver.read()) == 1
    host.now_ns += PERIOD_NS
    host.camera.shoot(500 * NS_PER_S, 13)
    assert host.driver.read() == []
    health = host.driver.health()
    assert (health["bad_stamps"], health["lost_frames"]) == (1, 3)


def test_refusals_say_what_to_do() -> None:
    bus = FakeBus(D435)
    with pytest.raises(DeviceMissing, match=f"only {D435.serial}"):
        Host(bus).driver.open()
    bus.present.append(D405)
    with pytest.raises(DeviceWrong, match="1280×720@30"):
        Host(bus, fps=15).driver.open()
    bus.busy = True
    with pytest.raises(DeviceBusy, match="realsense-viewer"):
        Host(bus).driver.open()
    bus.installed = False
    with pytest.raises(DeviceMissing, match="extra `realsense`"):
        Host(bus).driver.open()


def test_pictures_of_another_size_are_refused() -> None:
    host = Host(FakeBus(D405))
    host.driver.open()
    host.camera.shoot(1, 1, width=424, height=240)
    with pytest.raises(DeviceWrong, match="424×240"):
        host.driver.read()


def test_settings_refuse_what_is_no_camera() -> None:
    for wrong in ({"serial": ""}, {"fps": 0}, {"serial": 128422271347}, {"colour": 1}):
        keys = {"serial": "1", "width": 640, "height": 480, "fps": 60} | wrong
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(keys, RealSenseCamera.Settings)
