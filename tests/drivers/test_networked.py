"""What holds for every arm on the network, beside the kit's rules: its stamps, two at once, its gripper in nobody's way, a driver that is
killed in mid-motion.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from station.bus.messages import ArmState
from station.clock import NS_PER_S, monotonic_ns
from tests.drivers.driven import Driven, moved_after
from tests.drivers.makes import EACH, MAKES, MARKS
from tests.drivers.networked_figures import ARMS, kill_driver, lag_ms, track

pytestmark = [pytest.mark.timeout(180)]
WATCHDOG_S = 0.3
"""`Driven`'s: a controller that is told nothing for so long holds."""
LAGS_S = 0.4
"""A simulated servo's way behind its target, and a machine under load."""
GRIPPER_MS = 5.0
MISSED_NS = 300_000_000
"""A tenth of a second, and a machine under load."""
Driving = Callable[..., Driven]


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A loaded machine must not look like a controller that does not answer."""
    monkeypatch.setattr("station.devices.networked.arm.STARTS_NS", 10_000_000_000)


@pytest.fixture
def driving(tmp_path: Path) -> Iterator[Driving]:
    """Opens arms of a make, each with a controller of its own, and engages them."""
    with ExitStack() as stack:

        def made(name: str, **keys: object) -> Driven:
            make = MAKES[name]
            metal = stack.enter_context(make.metal())
            driven = stack.enter_context(Driven(metal, tmp_path, make.arm(metal.address, **keys), make.rate_hz))
            driven.engage()
            return driven

        yield made


@pytest.mark.parametrize("name", EACH)
def test_stamps_are_its_own_clocks_mapped_to_ours(name: str, driving: Driving) -> None:
    driven = driving(name)
    driven.swing(1.0)
    begin_ns = monotonic_ns()
    driven.swing(6.0)
    states = [read for read in driven.states() if read.captured_at_ns >= begin_ns]
    at = np.array([read.captured_at_ns for read in states], np.float64)
    first = np.array([read.body.position[0] for read in states if isinstance(read.body, ArmState)])
    late_ms = np.abs(lag_ms((at, first), track(driven.log(), "q", begin_ns)))
    assert len(late_ms) > 30
    assert np.median(late_ms) <= 2.0
    assert driven.arm.describe().streams[0].clock == "controller"


@pytest.mark.parametrize("name", EACH)
def test_of_a_silent_controllers_joints_nothing_is_known_any_more(name: str, driving: Driving) -> None:
    driven = driving(name)
    driven.metal.hush()
    begun_ns = monotonic_ns()
    while None not in driven.arm.measured()[:-1] and monotonic_ns() - begun_ns < NS_PER_S:
        driven.read_for(0.01)
    missed_ns = monotonic_ns() - begun_ns
    driven.metal.speak()
    assert missed_ns < MISSED_NS


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("ur", "ur", marks=MARKS["ur"]),
        pytest.param("ur", "xarm", marks=MARKS["ur"]),
        pytest.param("xarm", "xarm", marks=MARKS["xarm"]),
        pytest.param("franka", "franka", marks=MARKS["franka"]),
    ],
)
def test_two_at_once_are_strangers(one: str, other: str, driving: Driving) -> None:
    stops = {"ur": "protective_stop", "xarm": "collision", "franka": "reflex"}
    first, second = driving(one), driving(other)
    first.metal.press(stops[one])
    first.mode("stopped")
    second.swing(0.5)
    assert second.arm.condition().mode == "ready"
    assert moved_after(second.log(), monotonic_ns() - NS_PER_S // 2) > 0.02


@pytest.mark.parametrize("name", EACH)
def test_a_gripper_that_is_told_something_new_each_time_delays_no_write(name: str, driving: Driving) -> None:
    took_ms = {}
    for kind, gripper in (("none", {"kind": "none"}), ("gripper", MAKES[name].gripper)):
        driven = driving(name, gripper=gripper)
        taken: list[float] = []
        write = driven.arm.write

        def timed(goal: tuple[float, ...], write: Callable[..., int] = write, taken: list[float] = taken) -> int:
            begun_ns = monotonic_ns()
            written = write(goal)
            taken.append((monotonic_ns() - begun_ns) / 1e6)
            return written

        driven.arm.write = timed  # type: ignore[method-assign]
        driven.swing(4.0)
        took_ms[kind] = float(np.percentile(taken, 95))
        driven.arm.close()
    assert took_ms["gripper"] < took_ms["none"] + GRIPPER_MS, took_ms


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("ur5e", marks=MARKS["ur"]),
        pytest.param("xarm7", marks=MARKS["xarm"]),
        pytest.param("fr3", marks=MARKS["franka"]),
    ],
)
def test_a_driver_that_is_killed_in_mid_motion_is_a_hold_within_the_watchdog(name: str, tmp_path: Path) -> None:
    arm = ARMS[name]
    with arm.metal() as metal:
        did = kill_driver(name, arm, metal, tmp_path)
    assert did["driver_killed_still_after_ms"] < 1000 * (WATCHDOG_S + LAGS_S), did
    assert did["driver_killed_fastest_rad_s"] < 3.14, did
    assert did["driver_killed_went_rad"] < 0.3, did
