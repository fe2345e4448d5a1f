"""`python -m tests.system.console_playback --seconds 20`: an episode played in a real browser, straight from its HDF5.

Four cameras at 30 Hz with pictures of some 74 kB, a row each 20 ms; the real command serves them. Told: when the first picture is
drawn, how long a jump to another row takes until all cameras show it, and whether playing at 1× draws every picture, in time.
Docs/performance.md has the figures. No rig runs; the page is what it is on one.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import psutil

from station.episodes.finalise import finalise
from station.episodes.naming import episode_path
from tests.drivers.vr.browser import Browser
from tests.station.episodes.quality.cost import pictures
from tests.station.episodes.recording import Recording, write
from tests.system.console_page import Console, full_rig, paired, port_of_its_own

TASK = "cube"
OPENED, JUMPS = 12, 40
DRAWN = """
const cameras = () => [...(app.player?.cameras.values() ?? [])];
const shows = (row) => ({rows, drawn, on, canvas}) => canvas && on === canvas && drawn === rows.filter((one) => one <= row).at(-1);
const ready = (row) => cameras().length > 0 && cameras().every(shows(row));
const when = (what) => new Promise((done) => {
  const look = () => (what() ? done(performance.now()) : requestAnimationFrame(look));
  look();
});
"""
OPEN = f"""{DRAWN}
const [of, done] = arguments, began = performance.now();
location.hash = `#/episodes/${{of}}`;
when(() => app.player?.of === of && ready(0)).then((now) => done(now - began));
"""
RELOADED = f"{DRAWN} const [done] = arguments; when(() => app.player && ready(app.player.row)).then(done);"
JUMP = f"""{DRAWN}
const [row, done] = arguments, began = performance.now();
app.player.seek(row);
when(() => ready(row)).then((now) => done(now - began));
"""
PLAY = f"""{DRAWN}
const [done] = arguments, {{player}} = app;
for (const camera of player.cameras.values()) camera.shown = 1;
let longest = 0, waited = 0, last = performance.now();
const began = last;
player.toggle();
when(() => {{
  const now = performance.now();
  longest = Math.max(longest, now - last);
  waited += player.waits;
  last = now;
  return !player.playing && ready(player.row);
}}).then((now) => done({{
  seconds: (now - began) / 1000, longest, waited,
  missed: [...player.cameras.values()].reduce((sum, {{rows, shown}}) => sum + rows.length - shown, 0),
  pictures: [...player.cameras.values()].reduce((sum, {{rows}}) => sum + rows.length, 0),
}}));
"""


def record(data: Path, seconds: int) -> None:
    """One episode, and it again in other folders: for the console each is one that it has not opened yet."""
    folder = data / f"{TASK}_0"
    folder.mkdir(parents=True)
    part = folder / "episode_0.mcap.part"
    write(part, Recording(seconds * 50, pictures(64)))
    episode = finalise(part)
    assert episode is not None
    for number in range(1, OPENED):
        (data / f"{TASK}_{number}").mkdir()
        os.link(episode, data / f"{TASK}_{number}" / episode.name)


def uncached(data: Path) -> None:
    """As after a night: nothing of it is in memory."""
    with episode_path(data / f"{TASK}_0", 0).open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def told(what: str, ms: Sequence[float]) -> None:
    """One line."""
    p50, p95 = np.percentile(ms, [50, 95])
    print(f"{what}: p50 {p50:.0f}, p95 {p95:.0f}, max {max(ms):.0f} ms of {len(ms)}", flush=True)


def jumps(page: Browser, rows: int, apart_s: float) -> list[float]:
    """Milliseconds of each."""
    found = []
    for row in np.random.default_rng(1).integers(0, rows, JUMPS):
        time.sleep(apart_s)
        found.append(float(page.driver.execute_async_script(JUMP, int(row))))
    return found


def used(process: psutil.Process) -> float:
    """Processor time of it and what it started, s."""
    return float(sum(sum(one.cpu_times()[:2]) for one in (process, *process.children(recursive=True))))


def measured(page: Browser, console: Console, data: Path, seconds: int) -> None:
    """All of it, in turn."""
    rows, server, chromium = seconds * 50, psutil.Process(console.process.pid), psutil.Process().children()[-1]
    opened: dict[str, list[float]] = {"in memory": [], "from the disk": []}
    for number in range(OPENED):
        page.js("location.hash = '#/trash'")
        page.until("another page", "return !app.player")
        if number % 2:
            uncached(data)
        ms = page.driver.execute_async_script(OPEN, f"{TASK}_{number}/0")
        opened["from the disk" if number % 2 else "in memory"].append(float(ms))
    for where, ms in opened.items():
        told(f"first pictures of an episode that was not open, {where}", ms)
    reloaded = []
    for _ in range(3):
        page.driver.refresh()
        reloaded.append(float(page.driver.execute_async_script(RELOADED)))
    told("the same, the whole page loaded anew", reloaded)
    for apart_s in (1.0, 0.25, 0.0):
        told(f"jump to another row, {apart_s:g} s after the last was drawn", jumps(page, rows, apart_s))
    page.driver.execute_async_script(JUMP, 0)
    before, at_s = (used(server), used(chromium)), time.monotonic()
    played = page.driver.execute_async_script(PLAY)
    took_s = time.monotonic() - at_s
    parts = [
        100 * (after - earlier) / took_s for after, earlier in zip((used(server), used(chromium)), before, strict=True)
    ]
    heap_mb = page.js("return performance.memory.usedJSHeapSize / 1e6")
    print(
        f"played at 1×: {played['missed']} of {played['pictures']} pictures missed, {played['seconds']:.2f} s for "
        f"{(rows - 1) / 50:.2f} s, waited in {played['waited']} frames, the longest of them {played['longest']:.0f} ms"
    )
    print(
        f"console {parts[0]:.1f} % of a core, {server.memory_info().rss / 1e6:.0f} MB; browser {parts[1]:.0f} %, heap {heap_mb:.0f} MB",
        flush=True,
    )


def main(seconds: int) -> None:
    """Record, serve, look."""
    with tempfile.TemporaryDirectory(prefix="p", dir="/tmp") as place, port_of_its_own(Path(place) / "config"):
        os.environ.update(XDG_RUNTIME_DIR=place, XDG_STATE_HOME=f"{place}/state")
        data = Path(place) / "data"
        record(data, seconds)
        file = full_rig(Path(place), "bench")
        with Console(file) as console, paired(console.url) as page:
            page.driver.set_script_timeout(10 * seconds + 60)
            page.until("the page", "return document.querySelector('.page')")
            measured(page, console, data, seconds)
    print(f"load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=20)
    main(parser.parse_args().seconds)
