"""`python -m tests.system.console_cost --seconds 60 --rounds 3`: what the console costs beside the bench rig, in turns with no console.
Rounds may be run one by one (`--rounds 1 --kept FILE` adds its lines to a file), or with the console alone (`--only with`).

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
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import aiohttp
import psutil

from station.bench.figures import Figures
from station.cli.bench import measure
from station.client import Station
from station.rig.rig import load_rig
from tests.system.console_page import Console, full_rig, port_of_its_own
from tests.system.rig import booted

LOOKING, STOPPED = 2, 1
MEMORY_S = 30.0


async def look(url: str, tab: str) -> None:
    """A page that takes whatever comes, until it is ended."""
    base, code = url.rstrip("/").split("/#")
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
        async with browser.get(f"{base}/pair", headers={"X-Code": code}) as answer:
            assert answer.status == 200, await answer.text()
        async with browser.ws_connect(f"{base}/link", headers={"Origin": base}) as link:
            await link.send_str(json.dumps({"type": "hello", "tab": tab}))
            pictures, told_s = 0, 0.0
            async for message in link:
                if message.type is aiohttp.WSMsgType.TEXT and (told := json.loads(message.data))["kind"] == "welcome":
                    watch = {"type": "watch", "cameras": told["rig"]["cameras"], "fps": 10}
                    await link.send_str(json.dumps(watch))
                    await link.send_str(json.dumps({"type": "alive", "seen": True}))
                pictures += message.type is aiohttp.WSMsgType.BINARY
                if pictures == 1 and not told_s:
                    print("looks", flush=True)
                if pictures and time.monotonic() - told_s > 0.1:  # as a page does
                    told_s = time.monotonic()
                    await link.send_str(json.dumps({"type": "drawn", "pictures": pictures}))


@contextmanager
def looked_at(file: Path) -> Iterator[psutil.Process]:
    """A console with its viewers, one of them stopped."""
    viewers: list[subprocess.Popen[str]] = []
    with Console(file) as console:
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


def told(figures: Figures) -> str:
    """One line."""
    tick, goal = figures.tick_emission_ms, figures.setpoint_to_written_ms
    computer = f"{figures.stolen_percent:.1f} % stolen, load {os.getloadavg()[0]:.1f}"
    late = f"{figures.ticks} ticks, {figures.late_ticks} late, p99 {tick.p99:.1f} ms"
    held = sum(stall.outcome == "held" for stall in figures.stalls)
    return (
        f"{late}; goal p50 {goal.p50:.1f}, p99 {goal.p99:.1f} ms; {len(figures.stalls)} stalls, {held} holds; "
        f"station {figures.own_cpu_percent:.0f} % of a core; {computer}"
    )


class Cost:
    """What a console takes from here on; its memory is told every half minute."""

    def __init__(self, process: psutil.Process, tell: Callable[[str], None]) -> None:
        self._process, self._tell, self._ended = process, tell, threading.Event()
        self._began_s, self._before = time.monotonic(), process.cpu_times()
        self._watching = threading.Thread(target=self._watch)
        self._watching.start()

    def _watch(self) -> None:
        self._tell(self._so_far())
        while not self._ended.wait(MEMORY_S):
            self._tell(self._so_far())

    def _so_far(self) -> str:
        took_s, after, memory = (
            time.monotonic() - self._began_s,
            self._process.cpu_times(),
            self._process.memory_full_info(),
        )
        used_s = after.user + after.system - self._before.user - self._before.system
        # PSS: shared pages counted once among all who share them
        return f"{took_s:.0f} s: {100 * used_s / took_s:.1f} % of a core, {memory.rss / 1e6:.0f} MB (PSS {memory.pss / 1e6:.0f})"

    def end(self) -> None:
        """Nothing more is told."""
        self._ended.set()
        self._watching.join()


def main(seconds: float, rounds: int, only: str, kept: Path | None) -> None:
    """Rounds of both, in turns."""

    def tell(what: str, line: str) -> None:
        print(f"{what}: {line}", flush=True)
        if kept is not None:
            with kept.open("a") as file:
                file.write(f"{what}: {line}\n")

    with tempfile.TemporaryDirectory(prefix="c", dir="/tmp") as place, port_of_its_own(Path(place) / "config"):
        os.environ.update(XDG_RUNTIME_DIR=place, XDG_STATE_HOME=f"{place}/state")
        file = full_rig(Path(place), "bench")
        with booted(file, Path(place) / "data"):
            station = Station(load_rig(file))
            for _ in range(rounds):
                if only in ("", "without"):
                    tell("without", told(measure(station, seconds, record=True)))
                if only in ("", "with"):
                    with looked_at(file) as console:
                        cost = Cost(console, partial(tell, "console"))
                        try:
                            tell("with   ", told(measure(station, seconds, record=True)))
                        finally:
                            cost.end()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=("", "with", "without"), default="")
    parser.add_argument("--kept", type=Path, default=None, help="a file that the lines are added to")
    parser.add_argument("--look", default="", help="be one viewer of this link")
    parser.add_argument("--tab", default="0" * 16)
    arguments = parser.parse_args()
    if arguments.look:
        asyncio.run(look(arguments.look, arguments.tab))
    else:
        main(arguments.seconds, arguments.rounds, arguments.only, arguments.kept)
