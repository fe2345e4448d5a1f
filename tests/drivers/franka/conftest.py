from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec
import pytest

from drivers.franka.arm import FrankaArm
from tests.drivers.driven import PLACE, Driven
from tests.drivers.franka.robot import FrankySim

Made = Callable[..., Driven]


def arm(address: str, **keys: Any) -> FrankaArm:
    """A driver that is not open."""
    settings = {"model": "fr3", "address": address, "gripper": {"kind": "franka"}} | keys
    return FrankaArm(msgspec.convert(settings, FrankaArm.Settings), PLACE)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A loaded machine must not look like a robot that does not answer."""
    monkeypatch.setattr("station.devices.networked.arm.STARTS_NS", 10_000_000_000)


@pytest.fixture
def made(tmp_path: Path, patient: None) -> Iterator[Made]:
    """A robot, its driver open and read; both end with the test."""
    with ExitStack() as stack:

        def make(metal: dict[str, float] | None = None, **keys: Any) -> Driven:
            robot = stack.enter_context(FrankySim(**(metal or {})))
            driven = Driven(robot, tmp_path, arm(robot.address, **keys), keys.get("rate_hz", 100.0))
            return stack.enter_context(driven)

        yield make
