"""What stops an arm on the network, whatever its make, and what ends that; the vendors' libraries over loopback, the controllers' own logs
for a witness.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from station.clock import NS_PER_S, monotonic_ns
from station.devices.contract import ArmDriver
from station.errors import CommandRefused
from tests.drivers.driven import Driven, fastest, moved_after
from tests.drivers.franka import conftest as franka
from tests.drivers.franka.robot import FrankySim
from tests.drivers.metal import Metal
from tests.drivers.ur import conftest as ur
from tests.drivers.xarm import conftest as xarm

pytestmark = [pytest.mark.timeout(180)]
SWINGS_RAD_S = 0.63
"""What `Driven.swing` asks for at most; an arm on springs overshoots what it is asked for."""


class Make(NamedTuple):
    """One make of arms."""

    metal: Callable[[], Metal]
    arm: Callable[[str], ArmDriver]
    target: str
    """What its controller's log calls a target that came; "" where targets do not travel."""
    rate_hz: float


UR = Make(lambda: Metal("ur", unlock_s=1.0), ur.arm, "servoj", 125.0)
XARM = Make(lambda: Metal("xarm"), xarm.arm, "target", 100.0)
FRANKA = Make(FrankySim, franka.arm, "", 100.0)
RECOVERS = "station recover follower_left"


class Stop(NamedTuple):
    """One of what stops it."""

    make: Make
    pressed: str
    value: float
    says: str
    told: str
    button: bool = False
    """Is it one that somebody has to release?"""


STOPS = {
    "ur": (
        Stop(UR, "protective_stop", 0, "protective stop", RECOVERS),
        Stop(UR, "emergency_stop", 0, "emergency stop", "release the button", True),
        Stop(UR, "safeguard", 0, "a safeguard is open", "close and reset it", True),
        Stop(UR, "fault", 0, "fault or violation", "read it on the pendant"),
    ),
    "xarm": (
        Stop(XARM, "collision", 0, "it ran into something (C31)", "clear it"),
        Stop(XARM, "emergency_stop", 0, "emergency stop on its control box is pressed (C1)", "release the button", True),
        Stop(XARM, "error", 22, "it would run into itself (C22)", "move it away"),
        Stop(XARM, "error", 12, "servo 2 reports an error (C12)", "UFACTORY Studio"),
        Stop(XARM, "error", 60, "fingertips were asked to be too fast (C60)", "tip_m_s"),
    ),
    "franka": (
        Stop(FRANKA, "reflex", 6, "(joint_reflex)", "clear it"),
        Stop(FRANKA, "reflex", 25, "(communication_constraints_violation)", "real-time kernel"),
        Stop(FRANKA, "user_stop", 0, "its stop is pressed", "release it", True),
    ),
}  # fmt: skip
MARKS = {"ur": pytest.mark.rig, "xarm": pytest.mark.rig, "franka": pytest.mark.long}
"""Half a minute of real time each; `make test` has the kit and a rig. franky-sim has an environment of its own."""
CASES = [
    pytest.param(stop, marks=MARKS[name], id=f"{name}-{stop.pressed}-{stop.value:g}")
    for name, stops in STOPS.items()
    for stop in stops
]


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A loaded machine must not look like a controller that does not answer."""
    monkeypatch.setattr("station.devices.networked.arm.STARTS_NS", 10_000_000_000)


@pytest.mark.parametrize("stop", CASES)
def test_a_stop_is_named_takes_no_goal_and_ends_in_a_hold_where_the_arm_is(stop: Stop, tmp_path: Path) -> None:
    make = stop.make
    with make.metal() as metal, Driven(metal, tmp_path, make.arm(metal.address), make.rate_hz) as driven:
        driven.engage()
        driven.swing(1.0)
        metal.press(stop.pressed, stop.value)
        stopped_ns = monotonic_ns()
        driven.mode("stopped")
        condition = driven.arm.condition()
        assert stop.says in condition.why
        assert stop.told in condition.next
        assert RECOVERS in condition.next
        with pytest.raises(CommandRefused, match="takes no goal: it is stopped"):
            driven.arm.write(driven.arm.goal())
        with pytest.raises(CommandRefused):
            driven.arm.torque(True)
        if stop.button:
            with pytest.raises(CommandRefused, match="still"):
                driven.act("recover")
            metal.press("release")
        recovered(driven)
        driven.read_for(0.5)
        assert driven.arm.condition().mode == "hold", "it goes on by itself"
        measured = driven.arm.measured()
        assert driven.arm.goal() == pytest.approx(measured, abs=1e-6)
        assert moved_after(driven.log(), stopped_ns + NS_PER_S // 5) < 0.02
        driven.engage()
        driven.swing(0.5)
        later = [entry for entry in driven.log() if entry.at_ns > stopped_ns]
        assert fastest(later) < 3 * SWINGS_RAD_S
        first = next((entry for entry in later if entry.what == make.target), None)
        if first is not None:
            assert first.numbers[0] == pytest.approx(measured[0], abs=0.05), (
                "the first target after a stop is where it is"
            )


def recovered(driven: Driven) -> None:
    """An operator's act has ended the stop. A robot may take a moment to see that its button is up."""
    driven.read_for(0.3)
    driven.act("recover")
    driven.mode("hold")
