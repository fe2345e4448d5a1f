"""`python -m tests.system.console_cost --seconds 60 --rounds 3`: what the console costs beside the bench rig, in turns with no console.

With it two pages look at four cameras at 10 pictures a second, and a third is stopped (SIGSTOP): processor and memory of the console, and
the rig's late ticks and times of ticks and goals in both. Docs/performance.md has the figures. Pages are plain clients in processes of
their own: what a browser takes is the viewer's.
"""

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp
import psutil

from station.bench.figures import Figures
from station.cli.bench import measure
from station.client import Station
from station.rig.rig import load_rig
from tests.system.console_journey import Console, full_rig, port_of_its_own
from tests.system.rig import booted

LOOKING, STOPPED = 2, 1


async def look(url: str, tab: str) -> None:
    """A page that takes whatever comes, until it is ended."""
    base, code = url.rstrip("/").split("/#")
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
        async with browser.get(f"{base}/pair", headers={"X-Code": code}) as answer:
            assert answer.status == 200, await answer.text()
        async with browser.ws_connect(f"{base}/link", headers={"Origin": base}) as link:
            await link.send_str(json.dumps({"type": "hello", "tab": tab}))
            pictures = 0
            async for message in link:
                if message.type is aiohttp.WSMsgType.TEXT and (told := json.loads(message.data))["kind"] == "welcome":
                    watch = {"type": "watch", "cameras": told["rig"]["cameras"], "fps": 10}
                    await link.send_str(json.dumps(watch))
                    await link.send_str(json.dumps({"type": "alive", "seen": True}))
                pictures += message.type is aiohttp.WSMsgType.BINARY
                if pictures == 1:
                    print("looks", flush=True)
                    pictures += 1


@contextmanager
def looked_at(file: Path) -> Iterator[psutil.Process]:
    """A console with its viewers, one of them stopped."""
    console = Console(file)
    viewers: list[subprocess.Popen[str]] = []
    try:
        for n in range(LOOKING + STOPPED):
            words = [sys.executable, "-m", "station.cli", "console", "link", "--role", "viewer", "--json"]
            url = json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout)["url"]
            words = [sys.executable, "-m", "tests.system.console_cost", "--look", url, "--tab", f"{n:016}"]
            viewers.append(subprocess.Popen(words, stdout=subprocess.PIPE, text=True))
            assert viewers[-1].stdout is not None and viewers[-1].stdout.readline() == "looks\n"
        viewers[-1].send_signal(signal.SIGSTOP)
        yield psutil.Process(console.process.pid)
    finally:
        for viewer in viewers:
            viewer.kill()
            viewer.wait()
            assert viewer.stdout is not None
            viewer.stdout.close()
        console.end(signal.SIGINT)


def told(what: str, figures: Figures) -> None:
    """One line."""
    tick, goal = figures.tick_emission_ms, figures.setpoint_to_written_ms
    computer = f"{figures.stolen_percent:.1f} % stolen, load {os.getloadavg()[0]:.1f}"
    late = f"{figures.ticks} ticks, {figures.late_ticks} late, p99 {tick.p99:.1f} ms"
    print(
        f"{what}: {late}; goal p50 {goal.p50:.1f}, p99 {goal.p99:.1f} ms; {len(figures.stalls)} stalls; {computer}",
        flush=True,
    )


def main(seconds: float, rounds: int) -> None:
    """Rounds of both, in turns."""
    with tempfile.TemporaryDirectory(prefix="c", dir="/tmp") as place, port_of_its_own(Path(place) / "config"):
        os.environ.update(XDG_RUNTIME_DIR=place, XDG_STATE_HOME=f"{place}/state")
        file = full_rig(Path(place), "bench")
        with booted(file, Path(place) / "data"):
            station = Station(load_rig(file))
            for _ in range(rounds):
                told("without", measure(station, seconds, record=True))
                with looked_at(file) as console:
                    before = console.cpu_times()
                    began = time.monotonic()
                    told("with   ", measure(station, seconds, record=True))
                    after, took = console.cpu_times(), time.monotonic() - began
                    used = after.user + after.system - before.user - before.system
                    print(
                        f"console: {100 * used / took:.1f} % of a core, {console.memory_info().rss / 1e6:.0f} MB",
                        flush=True,
                    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--look", default="", help="be one viewer of this link")
    parser.add_argument("--tab", default="0" * 16)
    arguments = parser.parse_args()
    if arguments.look:
        asyncio.run(look(arguments.look, arguments.tab))
    else:
        main(arguments.seconds, arguments.rounds)
