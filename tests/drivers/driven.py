"""An arm on the network as its process drives it: read at its rate, told goals meanwhile."""

import math
import time
from collections.abc import Callable
from pathlib import Path

from station.bus.messages import ArmState
from station.clock import NS_PER_S, Grid, monotonic_ns
from station.devices.contract import ArmDriver, Place, Reading
from tests.drivers.metal import Entry, Metal

RESUME_MS = 300.0
SWING_RAD, PERIOD_S = 0.4, 4.0
STANDS_NS, STANDS_RAD = NS_PER_S // 5, 1e-4
"""A joint that went no further in that time stands still."""


PLACE = Place("follower_left", "follower", monotonic_ns, 3.14, RESUME_MS)


class Driven:
    """A driver and the controller it drives."""

    def __init__(self, metal: Metal, folder: Path, arm: ArmDriver, rate_hz: float) -> None:
        self.metal, self.arm, self._folder, self._rate_hz = metal, arm, folder, rate_hz
        self.readings: list[Reading] = []

    def __enter__(self) -> "Driven":
        self.arm.open()
        self.read_for(0.3)
        return self

    def __exit__(self, *_: object) -> None:
        self.arm.close()

    def read_for(self, seconds: float, each: Callable[[], object] = lambda: None) -> None:
        """As the host does."""
        grid, k = Grid(monotonic_ns(), self._rate_hz), 0
        while grid.time_ns(k) < grid.t0_ns + seconds * NS_PER_S:
            time.sleep(max(0, grid.time_ns(k) - monotonic_ns()) / NS_PER_S)
            self.readings += self.arm.read()
            each()
            k = max(k, grid.index_at(monotonic_ns())) + 1

    def until(self, true: Callable[[], bool], what: str, seconds: float = 20.0) -> None:
        """Read on until that is so."""
        deadline = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}; it is {self.arm.condition()}"
            self.read_for(0.02)

    def mode(self, mode: str) -> None:
        """Read on until it is."""
        self.until(lambda: self.arm.condition().mode == mode, mode)

    def engage(self) -> None:
        """Its program runs."""
        self.until(lambda: not self.arm.warnings(), "nothing wrong")
        self.arm.torque(True)
        self.mode("ready")

    def swing(self, seconds: float) -> None:
        """Its first joint swings about where it is, the gripper, if it has one, goes to and fro with it."""
        begin_ns, middle = monotonic_ns(), self.arm.goal()
        gripped = self.arm.describe().streams[0].dimensions[-1].unit == "1"

        def write() -> None:
            phase = 2 * math.pi * (monotonic_ns() - begin_ns) / NS_PER_S / PERIOD_S
            if self.arm.condition().mode == "ready":
                moved = middle[0] + SWING_RAD * math.sin(phase)
                last = 0.5 + 0.4 * math.cos(phase) if gripped else middle[-1]
                self.arm.write((moved, *middle[1:-1], last))

        self.read_for(seconds, write)

    def act(self, name: str) -> list[str]:
        """Do it as the host does; what was waited for."""
        waited, steps = [], self.arm.act(name)
        deadline = time.monotonic() + 30
        while (step := next(steps, None)) is not None:
            assert time.monotonic() < deadline, f"{name} waits for {step}"
            waited += [step] if step not in waited else []
            self.read_for(0.02)
        return waited

    def states(self) -> list[Reading]:
        """The arm's readings so far."""
        return [reading for reading in self.readings if isinstance(reading.body, ArmState)]

    def log(self) -> list[Entry]:
        """The controller's own."""
        return self.metal.log(self._folder)

    def told(self, what: str, since_ns: int, seconds: float = 20.0) -> None:
        """Wait until the controller's log has it, though the driver is closed."""
        self._logged(lambda log: any(entry.what == what and entry.at_ns >= since_ns for entry in log), what, seconds)

    def at_rest(self, since_ns: int, seconds: float = 20.0) -> None:
        """Wait until its joints stand still, by the controller's log, though the driver is closed."""

        def stands(log: list[Entry]) -> bool:
            ends_ns = log[-1].at_ns - STANDS_NS
            return ends_ns > since_ns and moved_after(log, ends_ns) < STANDS_RAD

        self._logged(stands, "rest", seconds)

    def _logged(self, true: Callable[[list[Entry]], bool], what: str, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not true(self.log()):
            assert time.monotonic() < deadline, f"not within {seconds:g} s in the controller's log: {what}"
            time.sleep(0.05)


def came(true: Callable[[], object], seconds: float = 20.0, every_s: float = 0.005) -> None:
    """What another thread is about to do has been done."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"not within {seconds:g} s"
        time.sleep(every_s)


def moved_after(log: list[Entry], at_ns: int, joint: int = 0) -> float:
    """How far that joint got from where it was then, rad."""
    after = [entry.numbers[joint] for entry in log if entry.what == "q" and entry.at_ns >= at_ns]
    return max(after) - min(after)


def fastest(log: list[Entry], window_s: float = 0.05) -> float:
    """Of any joint over such a time, rad/s, as the controller's log has it."""
    track = [entry for entry in log if entry.what == "q"]
    best, first = 0.0, 0
    for last in range(len(track)):
        while track[last].at_ns - track[first].at_ns > window_s * NS_PER_S:
            first += 1
        span_s = (track[last].at_ns - track[first].at_ns) / NS_PER_S
        if span_s > window_s / 2:
            moved = max(abs(a - b) for a, b in zip(track[last].numbers, track[first].numbers, strict=True))
            best = max(best, moved / span_s)
    return best
