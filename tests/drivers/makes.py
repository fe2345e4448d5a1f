"""The makes of arms on the network that are driven, each with its simulated controller: what holds for all is tried on all."""

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from station.devices.contract import ArmDriver
from tests.drivers.franka import conftest as franka
from tests.drivers.franka.robot import FrankySim
from tests.drivers.metal import Metal
from tests.drivers.ur import conftest as ur
from tests.drivers.xarm import conftest as xarm


class Make(NamedTuple):
    """One make of arms."""

    metal: Callable[[], Metal]
    """Its clock runs 80 ppm fast."""
    arm: Callable[..., ArmDriver]
    """For an address, with keys of the rig file: one that is not open."""
    target: str
    """What its controller's log calls a target that came; "" where targets do not travel: the library makes torques of them."""
    rate_hz: float
    gripper: dict[str, Any]


MAKES = {
    "ur": Make(lambda: Metal("ur", unlock_s=1.0, skew_ppm=80), ur.arm, "servoj", 125.0, {"kind": "robotiq_2f85"}),
    "xarm": Make(lambda: Metal("xarm", skew_ppm=80), xarm.arm, "target", 100.0, {"kind": "xarm"}),
    "franka": Make(lambda: FrankySim(skew_ppm=80), franka.arm, "", 100.0, {"kind": "franka"}),
}
MARKS = {"ur": pytest.mark.rig, "xarm": pytest.mark.rig, "franka": pytest.mark.long}
"""Real time: `make test` has the kit and a rig. franky-sim has an environment of its own."""
EACH = [pytest.param(name, marks=MARKS[name]) for name in MAKES]
