"""`python -m tests.drivers.networked_figures ARM`: what a network arm's driver does with goals, by the simulated controller's own log.

The first joint swings for some seconds, told a goal a hundred times a second, as a leader's would come. Then the library's process, and
after that a driver in a process of its own, are killed in mid-motion. `ARM` is one of `ARMS`; `ur5e_125hz` streams at the rate of goals
with a lookahead of two of them, instead of straight lines at the controller's rate. `--json` writes the figures, one line. Half a minute.
"""

import argparse
import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np
import psutil
from numpy.typing import NDArray

from drivers.sim.franka.environment import SERVED
from drivers.ur.models import MODELS
from station.bus.messages import ArmState
from station.clock import NS_PER_S, monotonic_ns
from station.devices.contract import ArmDriver
from station.errors import CommandRefused, DeviceError
from tests.drivers.driven import Driven, came, fastest
from tests.drivers.franka.robot import FrankySim
from tests.drivers.metal import Entry, Metal

MOVING_RAD_S = 0.25
NEAR_NS = 150_000_000
STILL_RAD, NOISE_RAD = 1e-4, 1e-5
RESTS_NS, WENT_RAD = NS_PER_S // 2, 0.1
"""An arm that has stood for so long stands; one that has gone so far swings."""
LOOK_S = 0.1
JERK_S = 0.008
"""Between the points of the track whose third differences are told."""
STAND_INS = {"drivers.sim.network.alone", str(SERVED)}
Track = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Times, ns, and the first joint then, rad."""


class Arm(NamedTuple):
    """One make."""

    module: str
    """Whose `arm` makes a driver for an address."""
    target: str
    """What the controller's log calls a target that came; "" where targets do not travel: the library makes torques of them."""
    rate_hz: float
    metal: Callable[..., Metal]
    keys: dict[str, object] = {}
    """Of the rig file."""
    at_125hz: bool = False
    """Have an e-Series UR streamed to as a CB3 is."""

    def driver(self, address: str) -> ArmDriver:
        """One that is not open."""
        if self.at_125hz:
            MODELS["ur5e"] = MODELS["ur5e"]._replace(e_series=False)
        found: ArmDriver = importlib.import_module(self.module).arm(address, **self.keys)
        return found


ARMS = {
    "ur5e": Arm("tests.drivers.ur.conftest", "servoj", 125.0, lambda: Metal("ur", skew_ppm=80)),
    "ur5e_125hz": Arm(
        "tests.drivers.ur.conftest",
        "servoj",
        125.0,
        lambda: Metal("ur", skew_ppm=80),
        {"lookahead_s": 0.1},
        at_125hz=True,
    ),
    "xarm7": Arm("tests.drivers.xarm.conftest", "target", 100.0, lambda: Metal("xarm", skew_ppm=80)),
    "fr3": Arm("tests.drivers.franka.conftest", "", 100.0, lambda: FrankySim(skew_ppm=80)),
}


def track(log: list[Entry], what: str, since_ns: int) -> Track:
    """Of a log."""
    found = [(entry.at_ns, entry.numbers[0]) for entry in log if entry.what == what and entry.at_ns >= since_ns]
    at, first = np.array(found, np.float64).reshape(-1, 2).T
    return at, first


def lag_ms(behind: Track, ahead: Track) -> NDArray[np.float64]:
    """How much later `behind` is where `ahead` was, where that went one way all around. (N,)"""
    at, here = behind
    found = []
    for time_ns, value in zip(at, here, strict=True):
        near = slice(*np.searchsorted(ahead[0], (time_ns - NEAR_NS, time_ns + NEAR_NS)))
        times, values = ahead[0][near], ahead[1][near]
        if len(times) < 3 or times[-1] - times[0] < NEAR_NS:
            continue
        way = values[-1] - values[0]
        one_way = np.all(np.diff(values) * np.sign(way) >= -NOISE_RAD)
        if one_way and abs(way) * NS_PER_S > MOVING_RAD_S * (times[-1] - times[0]):
            rising = np.maximum.accumulate(values * np.sign(way))
            found.append((time_ns - np.interp(value * np.sign(way), rising, times)) / 1e6)
    return np.array(found)


def jerk(here: Track) -> float:
    """Of the joint, root mean square, rad/s³."""
    at_s = (here[0] - here[0][0]) / NS_PER_S
    even = np.interp(np.arange(0, at_s[-1], JERK_S), at_s, here[1])
    return round(float(np.sqrt(np.mean((np.diff(even, 3) / JERK_S**3) ** 2))), 1)


def spread(name: str, numbers: NDArray[np.float64]) -> dict[str, float]:
    """Median and 99th percentile."""
    return {
        f"{name}_p50": round(float(np.median(numbers)), 2),
        f"{name}_p99": round(float(np.percentile(numbers, 99)), 2),
    }


def engage(driven: Driven) -> None:
    """Its program runs; a machine under load takes its time."""
    until_s = time.monotonic() + 30
    while True:
        try:
            driven.engage()
        except CommandRefused:
            if time.monotonic() > until_s:
                raise
            driven.read_for(0.1)
        else:
            return


def processor_s() -> float:
    """What this process and those it started have used."""
    me = psutil.Process()
    times = [one.cpu_times() for one in (me, *me.children(recursive=True)) if not STAND_INS & set(one.cmdline())]
    return sum(time.user + time.system for time in times)


def follow(arm: Arm, metal: Metal, folder: Path, seconds: float) -> dict[str, float]:
    """What it does while it swings, and when its library's process dies."""
    with Driven(metal, folder, arm.driver(metal.address), arm.rate_hz) as driven:
        engage(driven)
        goals: list[tuple[int, float]] = []
        write = driven.arm.write

        def noted(goal: tuple[float, ...]) -> int:
            goals.append((monotonic_ns(), goal[0]))
            return write(goal)

        driven.arm.write = noted  # type: ignore[method-assign]
        begin_ns, used_s = monotonic_ns(), processor_s()
        driven.swing(seconds)
        used, states = (processor_s() - used_s) / seconds, driven.states()
        log = driven.log()
        goal_at, goal = np.array(goals, np.float64).T
        truth = track(log, "q", begin_ns)
        stamped = [
            (state.captured_at_ns, state.body.position[0]) for state in states if isinstance(state.body, ArmState)
        ]
        read_at, read = np.array([one for one in stamped if one[0] >= begin_ns], np.float64).T
        figures = {
            **spread("goal_to_joint_ms", lag_ms(truth, (goal_at, goal))),
            **on_the_wire(log, arm.target, begin_ns, (goal_at, goal), seconds),
            **spread("stamp_error_ms", np.abs(lag_ms((read_at, read), truth))),
            "jerk_rms_rad_s3": jerk(truth),
            "processor_share": round(used, 3),
        }
        engage(driven)
        driven.swing(0.8)
        os.kill(driven.arm._program.pid, signal.SIGKILL)  # type: ignore[attr-defined]
        return figures | after(driven, arm, monotonic_ns(), "library_killed")


def on_the_wire(log: list[Entry], what: str, begin_ns: int, goals: Track, seconds: float) -> dict[str, float]:
    """Between goals and joints: the targets, where there are any to be seen."""
    if not what:
        return {}
    targets = track(log, what, begin_ns)
    return {
        **spread("goal_to_wire_ms", lag_ms(targets, goals)),
        **spread("wire_to_joint_ms", lag_ms(track(log, "q", begin_ns), targets)),
        "targets_per_s": round(len(targets[0]) / seconds, 1),
    }


def after(driven: Driven, arm: Arm, killed_ns: int, name: str) -> dict[str, float]:
    """What the arm did after that."""
    with suppress(DeviceError):  # where readings come from the same process
        driven.read_for(RESTS_NS / NS_PER_S)
    came(lambda: stands(driven.log(), killed_ns), every_s=LOOK_S)
    return rested(driven.log(), killed_ns, name)


def stands(log: list[Entry], since_ns: int) -> bool:
    """Has it stood still lately?"""
    at, first = track(log, "q", since_ns)
    if not len(at) or at[-1] - since_ns < RESTS_NS:
        return False
    return bool(np.ptp(first[at > at[-1] - RESTS_NS]) < STILL_RAD)


def swings(log: list[Entry], since_ns: int) -> bool:
    """Has it gone some way?"""
    first = track(log, "q", since_ns)[1]
    return bool(len(first) and np.ptp(first) > WENT_RAD)


def rested(log: list[Entry], killed_ns: int, name: str) -> dict[str, float]:
    """When it stood still, how far it went until then, how fast it was at most."""
    at, first = track(log, "q", killed_ns)
    moves = np.flatnonzero(np.abs(first - first[-1]) > STILL_RAD)
    still_ns = at[moves[-1]] if len(moves) else at[0]
    ran = [entry for entry in log if entry.at_ns >= killed_ns]
    return {
        f"{name}_still_after_ms": round((still_ns - killed_ns) / 1e6, 1),
        f"{name}_went_rad": round(float(np.ptp(first)), 4),
        f"{name}_fastest_rad_s": round(fastest(ran), 3),
    }


def kill_driver(name: str, arm: Arm, metal: Metal, folder: Path) -> dict[str, float]:
    """A driver in a process of its own is killed while it swings the arm."""
    command = [sys.executable, "-m", "tests.drivers.networked_figures", name, "--swing", metal.address]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout is not None and child.stdout.readline() == "swings\n"
        begun_ns = monotonic_ns()
        came(lambda: swings(metal.log(folder), begun_ns), every_s=LOOK_S)
    finally:
        child.kill()
        killed_ns = monotonic_ns()
        child.communicate()
    came(lambda: stands(metal.log(folder), killed_ns), every_s=LOOK_S)
    return rested(metal.log(folder), killed_ns, "driver_killed")


def swing(arm: Arm, address: str, folder: Path) -> None:
    """Until it is killed."""
    metal = arm.metal()
    metal.address = address
    with Driven(metal, folder, arm.driver(address), arm.rate_hz) as driven:
        engage(driven)
        print("swings", flush=True)
        driven.swing(60)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("arm", choices=sorted(ARMS))
    parser.add_argument("--seconds", type=float, default=12.0)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--swing", metavar="ADDRESS", help="only swing the arm at that address, until killed")
    asked = parser.parse_args()
    arm = ARMS[asked.arm]
    with tempfile.TemporaryDirectory(prefix="figures-") as named:
        folder = Path(named)
        if asked.swing:
            swing(arm, asked.swing, folder)
            return
        with arm.metal() as metal:
            figures = follow(arm, metal, folder, asked.seconds)
            figures |= kill_driver(asked.arm, arm, metal, folder)
    figures["load"] = round(os.getloadavg()[0], 1)
    for figure, value in figures.items():
        print(f"{figure:30} {value}")
    if asked.json:
        asked.json.write_text(json.dumps({"arm": asked.arm} | figures) + "\n")


if __name__ == "__main__":
    main()
