"""One driver in a process of its own, to be ended by a signal: `python -m station.devices.conformance.alone MODULE:CLASS ROLE SETTINGS`."""

import signal
import sys
import threading
import time

import msgspec

from station.clock import NS_PER_S, Grid, monotonic_ns
from station.devices.conformance.subject import place
from station.devices.contract import Driver, Role
from station.rig.rig import load_class


def main(kind: str, role: Role, settings: str) -> None:
    """Open it, say so, and read at its rate until SIGTERM; then close it."""
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    made = load_class(kind)
    driver: Driver = made(msgspec.json.decode(settings, type=made.Settings), place(f"{role}_left", role))
    driver.open()
    try:
        print("open", flush=True)
        grid, k = Grid(monotonic_ns(), driver.describe().streams[0].rate_hz), 0
        while not ended.is_set():
            driver.read()
            k = max(k, grid.index_at(monotonic_ns())) + 1
            time.sleep(max(0, grid.time_ns(k) - monotonic_ns()) / NS_PER_S)
    finally:
        driver.close()


if __name__ == "__main__":
    kind, role, settings = sys.argv[1:]
    main(kind, msgspec.convert(role, Role), settings)
