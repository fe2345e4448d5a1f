"""`python -m tests.system.console_age --seconds 60`: how old a picture is when it is drawn, beside the bench rig that records.

A real browser shows the Now page with its four cameras at 10 pictures a second. Capture is the camera's own stamp, drawn the moment the
page has put the picture on its canvas (the screen's next refresh comes on top), both on the computer's one monotonic clock: the page's
clock is held against it by round trips. So what each tile says of its age is checked as well. Docs/performance.md has the figures.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from station.bench.figures import Figures
from station.cli.bench import measure
from station.client import Station
from station.rig.rig import load_rig
from tests.drivers.vr.browser import Browser
from tests.system.console_cost import told
from tests.system.console_page import Console, full_rig, paired, port_of_its_own
from tests.system.rig import booted

LISTEN = """
const {link, tiles} = app, {took} = link;
window.drawn = [];
let header = null;
link.took = (data) => { header = new DataView(data, 0, 24); took.call(link, data); };
link.picture = async (place, ageMs, blob) => {
  const captured = Number(header.getBigInt64(8, true)) / 1e6, sent = Number(header.getBigInt64(16, true)) / 1e6, came = performance.now();
  await tiles.take(place, ageMs, blob);
  const now = performance.now();
  window.drawn.push([place, captured, sent, came, now, ageMs + now - came]);
};
"""


def offset_ms(page: Browser) -> float:
    """What the page's clock shows less than the computer's monotonic one, ms: both are told against the wall's."""
    wall_ms = float(page.js("return performance.timeOrigin"))
    found = wall_ms - (time.time() - time.monotonic()) * 1000
    trips = []
    for _ in range(20):
        before_ms, page_ms, after_ms = (
            time.monotonic() * 1000,
            float(page.js("return performance.now()")),
            time.monotonic() * 1000,
        )
        trips.append((after_ms - before_ms, before_ms - page_ms, after_ms - page_ms))
    _, least, most = min(trips)
    assert least - 2 <= found <= most + 2, f"{found} is not between {least} and {most}"
    return found


def say(what: str, ms: Any) -> None:
    """One line."""
    p50, p95, p99 = np.percentile(ms, [50, 95, 99])
    print(f"{what}: p50 {p50:.0f}, p95 {p95:.0f}, p99 {p99:.0f}, max {np.max(ms):.0f} ms of {len(ms)}", flush=True)


def watched(page: Browser, station: Station, seconds: float) -> Figures:
    """Drawn pictures of so many seconds, while the rig records."""
    page.until("pictures", "return app.tiles.pictures.size === app.store.welcome.rig.cameras.length")
    offset = offset_ms(page)
    page.js(LISTEN)
    figures = measure(station, seconds, record=True)
    drawn = np.array(page.js("return window.drawn"))
    captured, sent, came, at, said = (drawn[:, column] for column in range(1, 6))
    at, came = at + offset, came + offset
    say("captured → drawn", at - captured)
    say("of it captured → sent by the console", sent - captured)
    say("of it sent → in the page", came - sent)
    say("of it in the page → decoded and drawn", at - came)
    say("what the tile says of it, less what it is", said - (at - captured))
    rate = len(drawn) / len(set(drawn[:, 0])) / ((at[-1] - at[0]) / 1000)
    print(f"{rate:.1f} pictures a second of each camera", flush=True)
    return figures


def main(seconds: float) -> None:
    """A rig, its console, a browser."""
    with tempfile.TemporaryDirectory(prefix="a", dir="/tmp") as place, port_of_its_own(Path(place) / "config"):
        os.environ.update(XDG_RUNTIME_DIR=place, XDG_STATE_HOME=f"{place}/state")
        file = full_rig(Path(place), "bench")
        with booted(file, Path(place) / "data"), Console(file) as console, paired(console.url) as page:
            print(f"the rig meanwhile: {told(watched(page, Station(load_rig(file)), seconds))}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    main(parser.parse_args().seconds)
