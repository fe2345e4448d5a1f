"""What stops an arm on the network, whatever its make, and what ends that; the vendors' libraries over loopback, the controllers' own logs
for a witness.
"""

from pathlib import Path
from typing import NamedTuple

import pytest

from station.clock import NS_PER_S, monotonic_ns
from station.errors import CommandRefused
from tests.drivers.driven import Driven, fastest, moved_after
from tests.drivers.makes import MAKES, MARKS

pytestmark = [pytest.mark.timeout(180)]
SWINGS_RAD_S = 0.63
"""What `Driven.swing` asks for at most; an arm on springs overshoots what it is asked for."""


RECOVERS = "station recover follower_left"


class Stop(NamedTuple):
    """One of what stops it."""

    pressed: str
    value: float
    says: str
    told: str
    button: bool = False
    """Is it one that somebody has to release?"""


STOPS: dict[str, tuple[Stop, ...]] = {
    "ur": (
        Stop("protective_stop", 0, "protective stop", RECOVERS),
        Stop("emergency_stop", 0, "emergency stop", "release the button", True),
        Stop("safeguard", 0, "a safeguard is open", "close and reset it", True),
        Stop("fault", 0, "fault or violation", "read it on the pendant"),
    ),
    "xarm": (
        Stop("collision", 0, "it ran into something (C31)", "clear it"),
        Stop("emergency_stop", 0, "emergency stop on its control box is pressed (C1)", "release the button", True),
        Stop("error", 22, "it would run into itself (C22)", "move it away"),
        Stop("error", 12, "servo 2 reports an error (C12)", "UFACTORY Studio"),
        Stop("error", 60, "fingertips were asked to be too fast (C60)", "tip_m_s"),
    ),
    "franka": (
        Stop("reflex", 6, "(joint_reflex)", "clear it"),
        Stop("reflex", 25, "(communication_constraints_violation)", "real-time kernel"),
        Stop("user_stop", 0, "its stop is pressed", "release it", True),
    ),
}  # fmt: skip
CASES = [
    pytest.param(name, stop, marks=MARKS[name], id=f"{name}-{stop.pressed}-{stop.value:g}")
    for name, stops in STOPS.items()
    for stop in stops
]


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A loaded machine must not look like a controller that does not answer."""
    monkeypatch.setattr("station.devices.networked.arm.STARTS_NS", 10_000_000_000)


@pytest.mark.parametrize(("name", "stop"), CASES)
def test_a_stop_is_named_takes_no_goal_and_ends_in_a_hold_where_the_arm_is(
    name: str, stop: Stop, tmp_path: Path
) -> None:
    make = MAKES[name]
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
