import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from drivers.dynamixel.arm import DynamixelArm
from drivers.dynamixel.settings import DynamixelSettings
from drivers.sim.servos.servo_bus import ServoBus, ServoSpec
from drivers.sim.servos.shaft import ShaftPlant, aloha_arm_servos
from station.bus.messages import ArmState
from station.clock import monotonic_ns
from station.devices.contract import Place


class Still:
    """A plant that is where the test says, whatever is asked of it."""

    def __init__(self) -> None:
        self.shafts: dict[int, tuple[float, float, float]] = {}
        self.lock = threading.Lock()

    def present_rad(self, servo_id: int, at_ns: int | None = None) -> tuple[float, float, float]:
        return self.shafts.get(servo_id, (0.0, 0.0, 0.0))

    def drive(self, servo_id: int, torque: bool, goal_rad: float | None, current_limit_ma: float | None) -> None:
        """Nothing moves."""


class Rigged(NamedTuple):
    bus: ServoBus
    plant: Any
    arm: DynamixelArm

    def state(self) -> ArmState:
        """The next complete reading."""
        return next_state(self.arm)


def next_state(arm: DynamixelArm, within_s: float = 10.0) -> ArmState:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        for reading in arm.read():
            assert isinstance(reading.body, ArmState)
            return reading.body
    raise AssertionError(f"no reading in {within_s} s; {arm.warnings()}")


def recover(arm: DynamixelArm) -> None:
    """As its host does it: step by step, to the end."""
    for _ in arm.act("recover"):
        pass


def until(true: Callable[[], bool], within_s: float = 10.0) -> bool:
    """Poll until it is so."""
    deadline = time.monotonic() + within_s
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True


MakeArm = Callable[..., Rigged]


@pytest.fixture
def make_arm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MakeArm]:
    """An emulated arm and its driver, not opened yet. Time-outs are wide: a loaded machine is no fault."""
    monkeypatch.setattr("drivers.dynamixel.bus.REPLY_SLACK_MS", 60.0)
    monkeypatch.setattr("drivers.dynamixel.bus.SETUP_SLACK_MS", 100.0)
    monkeypatch.setattr("drivers.dynamixel.bus._SCAN_MS", 100.0)
    made: list[Rigged] = []

    def make(
        role: str = "follower",
        model: str = "vx300s",
        generation: Any = "aloha1",
        servos: list[ServoSpec] | None = None,
        plant: Any = None,
        resume_ms: float = 100.0,
        baud: int = 1_000_000,
        **settings: Any,
    ) -> Rigged:
        plant = plant or ShaftPlant()
        specs = servos if servos is not None else aloha_arm_servos(model, generation)  # type: ignore[arg-type]
        bus = ServoBus(tmp_path / f"port{len(made)}", specs, plant, baud=baud)
        bus.start()
        keys = {"generation": generation, "rate_hz": 50.0, **settings}
        own = msgspec.convert({"model": model, "port": str(bus.link), **keys}, DynamixelSettings)
        place = Place(f"{role}_left", role, monotonic_ns, 3.14, resume_ms)  # type: ignore[arg-type]
        made.append(Rigged(bus, plant, DynamixelArm(own, place)))
        return made[-1]

    yield make
    for rigged in made:
        rigged.arm.close()
        rigged.bus.stop()
