from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec
import pytest

from drivers.sim.xarm.stand_in import COMMANDS
from drivers.xarm.arm import XArm
from tests.drivers.driven import PLACE, Driven
from tests.drivers.metal import Metal

Made = Callable[..., Driven]


def arm(address: str, **keys: Any) -> XArm:
    """A driver that is not open."""
    settings = {"model": "xarm7", "address": address, "command_port": COMMANDS, "gripper": {"kind": "xarm"}} | keys
    return XArm(msgspec.convert(settings, XArm.Settings), PLACE)


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A loaded machine must not look like a controller that does not answer."""
    monkeypatch.setattr("station.devices.networked.arm.STARTS_NS", 10_000_000_000)


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Made]:
    """A controller, its driver open and read; both end with the test."""
    with ExitStack() as stack:

        def make(metal: dict[str, float] | None = None, **keys: Any) -> Driven:
            controller = stack.enter_context(Metal("xarm", **(metal or {})))
            driven = Driven(controller, tmp_path, arm(controller.address, **keys), keys.get("rate_hz", 100.0))
            return stack.enter_context(driven)

        yield make
