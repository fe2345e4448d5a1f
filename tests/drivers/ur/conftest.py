from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec
import pytest

from drivers.ur.arm import URArm
from tests.drivers.driven import PLACE, Driven
from tests.drivers.metal import Metal

Made = Callable[..., Driven]


def arm(address: str, **keys: Any) -> URArm:
    """A driver that is not open."""
    settings = {"model": "ur5e", "address": address, "gripper": {"kind": "robotiq_2f85"}} | keys
    return URArm(msgspec.convert(settings, URArm.Settings), PLACE)


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A loaded machine must not look like a program that does not start."""
    monkeypatch.setattr("station.devices.networked.arm.STARTS_NS", 10_000_000_000)


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Made]:
    """A controller, its driver open and read; both end with the test."""
    with ExitStack() as stack:

        def make(**keys: Any) -> Driven:
            metal = stack.enter_context(
                Metal("ur", skew_ppm=float(keys.pop("skew_ppm", 0.0)), unlock_s=float(keys.pop("unlock_s", 1.0)))
            )
            return stack.enter_context(Driven(metal, tmp_path, arm(metal.address, **keys), 125.0))

        yield make
