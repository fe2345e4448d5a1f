"""A calibration file changes a device when it is next opened: latency off every stamp, the file in the description."""

import logging
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from station.bus.messages import Frame, Health
from station.clock import NS_PER_MS
from station.devices import serving as serve
from station.devices.calibrated import calibrated, latency_ns
from station.devices.contract import Description, Place, Reading, StreamDescription
from station.errors import DeviceWrong
from station.files import calibration_files
from station.files.calibration_files import Calibration, CheckReference, Latency, Made
from station.rig.file import Safety
from station.rig.rig import Device

MADE = Made("2026-01-02T03:04:05+00:00", "ada", "motion", 120)
ABOUT = Description("webcam", "C1", "", (StreamDescription("frame", 30.0, width=64, height=48),), notes=("MJPG",))


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))


def known(**parts: Any) -> Calibration:
    return Calibration("C1", "cam_high", "webcam", latency=Latency(MADE, 41.5, 1.0), **parts)


def test_without_a_file_nothing_changes() -> None:
    assert calibrated("cam_high", "/dev/CAM_HIGH", ABOUT) == ABOUT
    assert latency_ns(ABOUT) == 0


def test_the_description_carries_the_file_without_its_picture() -> None:
    calibration_files.save(known(reference=CheckReference(MADE, "aGVsbG8=", 100.0, 0.1)))
    told = calibrated("cam_high", "/dev/CAM_HIGH", ABOUT)
    kept = told.calibration
    assert kept is not None and kept.reference is not None
    assert (kept.reference.picture_jpeg, kept.revision) == ("", 1)
    assert told.notes == ("MJPG", "41.5 ms latency taken off, measured 2026-01-02")
    assert latency_ns(told) == 41_500_000
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(told), type=Description) == told


def test_a_torn_file_is_refused_with_the_device_its_port_and_the_reason() -> None:
    path = calibration_files.save(known())
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(DeviceWrong, match=r"cam_high on /dev/CAM_HIGH: .*C1\.json.*torn.*calibrate this device again"):
        calibrated("cam_high", "/dev/CAM_HIGH", ABOUT)


class Webcam:
    """Pushes three pictures a millisecond apart, then its node is told to finish."""

    def __init__(self, settings: Any, place: Place) -> None:
        self.node = settings.node
        self.at_ns = 10**9

    def open(self) -> None:
        """It is there."""

    def describe(self) -> Description:
        return ABOUT

    def read(self) -> list[Reading]:
        self.at_ns += NS_PER_MS
        if self.at_ns == 10**9 + 3 * NS_PER_MS:
            self.node.finish.set()
        return [Reading("frame", self.at_ns, Frame("jpeg", 64, 48, "driver"), (b"",))]

    def health(self) -> dict[str, float]:
        return {}

    def warnings(self) -> tuple[str, ...]:
        return ()

    def close(self) -> None:
        """Nothing to let go of."""


class FakeNode(SimpleNamespace):
    """What `serve` needs of a node; keeps what is published."""

    def __init__(self) -> None:
        settings = SimpleNamespace(node=self, source="/dev/CAM_HIGH")
        device = Device("cam_high", "camera", f"{__name__}:Webcam", settings)
        super().__init__(
            rig=SimpleNamespace(device=lambda _: device, safety=Safety(), name="r"), name="cam_high", clock=lambda: 2 * 10**9,
            finish=threading.Event(), error="", log=logging.getLogger("test"), published=[], health=[],
        )  # fmt: skip
        self.publisher = SimpleNamespace(publish=lambda kind, body, at=0, payload=(): self.published.append((kind, at)))

    def health_due(self, _now_ns: int) -> bool:
        return False

    def publish_health(self, health: Health) -> None:
        self.health.append(health)
        if health.state == "fault":
            self.finish.set()


def test_the_process_of_a_device_takes_its_latency_off_every_stamp(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "load_class", lambda _: Webcam)
    calibration_files.save(known())
    node = FakeNode()
    serve.main(node)  # type: ignore[arg-type]
    stamps = [at for kind, at in node.published if kind == "frame"]
    assert stamps == [10**9 + n * NS_PER_MS - 41_500_000 for n in (1, 2, 3)]


def test_a_device_whose_file_is_torn_stays_closed_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "load_class", lambda _: Webcam)
    path = calibration_files.save(known())
    path.write_text("{")
    node = FakeNode()
    serve.main(node)  # type: ignore[arg-type]
    assert node.published == []
    assert "calibrate this device again" in node.error
