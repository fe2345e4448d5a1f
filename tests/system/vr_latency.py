"""`python -m tests.system.vr_latency --seconds 30`: from the hands' pose at the page to the followers' goals, in ms.

Boots the simulated rig with a headless browser as the headset on the same computer, moves both hands in circles, and ends
with a table for docs/performance-vr.md: the latency, beside it the browser's own frame time and everybody's CPU.
"""

import argparse
import tempfile
import threading
from math import cos, pi, sin
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from station.cli.vr import Latency, latency
from station.client import Station
from tests.drivers.vr.browser import browser
from tests.drivers.vr.conftest import free_port
from tests.system.vr_operator import Operator, sitting
from tests.system.vr_rig import FRAME_S, SIDES, VrRig, hands, short_folders, vr_rig

RADIUS_M, TURN_S = 0.04, 2.0


def circles(rig: VrRig, seconds: float, triggers: dict[str, float] | None = None) -> list[dict[str, Any]]:
    """Both hands go round from where they are, one entry a frame; triggers as the grippers are, unless given."""
    (here,) = hands(rig.rig, {side: [tuple(rig.goal(side))] for side in SIDES})
    for side, trigger in (triggers or {}).items():
        here[side]["trigger"] = trigger
    frames = []
    for t in np.arange(0, seconds, FRAME_S):
        angle = 2 * pi * t / TURN_S
        by = np.array([RADIUS_M * sin(angle), RADIUS_M * (1 - cos(angle)), 0])
        frames.append({side: {**here[side], "p": (np.array(here[side]["p"]) + by).tolist()} for side in SIDES})
    return frames


def cpu_s(parent: int) -> float:
    """Seconds of CPU that a process and its descendants have used."""
    family = psutil.Process(parent)
    used = 0.0
    for process in (family, *family.children(recursive=True)):
        times = process.cpu_times()
        used += times.user + times.system
    return used


def measure(operator: Operator, rig: VrRig, seconds: float) -> list[str]:
    """Rows of the table."""
    operator.start_pose()
    browser_pid = operator.page.driver.service.process.pid
    operator.page.js("operator.play(arguments[0])", circles(rig, 3 * seconds))
    operator.page.js("operator.gaps()")
    before = cpu_s(browser_pid), cpu_s(rig.supervisor)
    found: list[Latency] = []
    listening = threading.Thread(target=lambda: found.append(latency(Station(rig.rig), seconds)))
    listening.start()
    listening.join()
    [measured] = found
    after = cpu_s(browser_pid), cpu_s(rig.supervisor)
    gaps = operator.page.js("return operator.gaps()")
    if operator.page.js("return operator.played") is not None:
        raise SystemExit(f"the arms stopped following: {rig.pilot()} {rig.teleop()}")
    clock = rig.heard("health", "vr").readings
    theirs, ours = ((b - a) / seconds * 100 for a, b in zip(before, after, strict=True))
    return [
        "| | measured |", "|---|---|",
        f"| pose at the page → goal written | p50 {measured.p50_ms:.1f}, p99 {measured.p99_ms:.1f}, "
        f"max {measured.max_ms:.1f} ms ({measured.goals} goals in {seconds:.0f} s) |",
        f"| of which unknown: half the shortest round trip | {clock['clock_uncertainty_ms']:.2f} ms |",
        f"| browser's frame | p50 {np.percentile(gaps, 50):.1f}, p99 {np.percentile(gaps, 99):.1f} ms |",
        f"| browser's CPU, one core = 100 % | {theirs:.0f} % |",
        f"| station's CPU, with world and cameras | {ours:.0f} % |",
        f"| cores | {psutil.cpu_count()} |",
    ]  # fmt: skip


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--fps", type=int, default=5, help="of the simulated cameras")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="vr-") as name:
        folder = Path(name)
        with short_folders(folder), vr_rig(free_port(), folder, arguments.fps) as rig, browser() as page:
            operator = Operator(rig, page)
            operator.put_on()
            with sitting(rig, folder / "data"):
                print("\n".join(measure(operator, rig, arguments.seconds)))


if __name__ == "__main__":
    main()
