"""What the kit needs to know of a device: how to make its driver, and how to pull its cable."""

import time
from collections.abc import Callable
from typing import Any, NamedTuple

from station.clock import NS_PER_S, Grid, monotonic_ns
from station.devices.contract import Driver, Place, Reading, Role

PATIENCE_S = 10.0
"""How long the kit waits for what comes at once where a computer does nothing else."""


class Subject(NamedTuple):
    """One device with its driver."""

    make: Callable[[], Driver]
    """A driver that is not open; every call a new one on the same device."""
    unplug: Callable[[], None]
    """Its cable is pulled, its controller is gone, it is taken off."""
    replug: Callable[[], None]
    settings: Any = None
    """Those that `make` uses, where a process of its own can open the device too (kills are tried on one). Needed for arms."""
    stop: Callable[[], None] | None = None
    """An arm stops by itself: protective stop, reflex, a servo that shuts down. Needed where `describe()` names the act `recover`."""
    hush: Callable[[], None] | None = None
    """The controller falls silent without closing anything (SIGSTOP, a cable pulled at the far end). Needed for arms with an address."""
    speak: Callable[[], None] | None = None
    """It goes on where it was."""
    shift: Callable[[float], None] | None = None
    """Something pushes the arm's first joint by so many radians: it is moved by hand. Needed where `describe()` names the act `guide`."""
    role: Role = "follower"
    """The one that `make` gives it, for a process of its own to open it as that too."""

    def read_one(self, driver: Driver, within_s: float = PATIENCE_S) -> Reading:
        """The next reading."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            if readings := driver.read():
                return readings[0]
        raise AssertionError(f"no reading within {within_s:g} s")


def place(node: str, role: Role) -> Place:
    """Where the kit's drivers find themselves: the station's clock, the default limits, an impatient watchdog."""
    return Place(node, role, monotonic_ns, 3.14, 100.0)


def paced(driver: Driver, seconds: float, rate_hz: float) -> dict[str, list[int]]:
    """Each stream's capture times while it is read as the host does: arms at their rate, others as they push."""
    times: dict[str, list[int]] = {}
    grid = Grid(monotonic_ns(), rate_hz)
    k, end_ns = 0, grid.t0_ns + round(seconds * NS_PER_S)
    while grid.time_ns(k) < end_ns and monotonic_ns() < end_ns:
        if driver.paced:
            time.sleep(max(0, grid.time_ns(k) - monotonic_ns()) / NS_PER_S)
            k = max(k, grid.index_at(monotonic_ns())) + 1
        for reading in driver.read():
            times.setdefault(reading.kind, []).append(reading.captured_at_ns)
    return times


def read_on(driver: Driver, seconds: float = 60.0) -> None:
    """Read until it raises; what was on its way when the cable was pulled comes first."""
    end_ns = monotonic_ns() + round(seconds * NS_PER_S)
    while monotonic_ns() < end_ns:
        driver.read()


def until(driver: Driver, true: Callable[[], bool], what: str, within_s: float = PATIENCE_S) -> None:
    """Read on until that is so."""
    deadline = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline, f"not within {within_s:g} s: {what}"
        driver.read()
