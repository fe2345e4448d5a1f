"""From a typed command to a rig that is ready, and what it waits for: `python -m tests.system.start_times [--rig bench] [--runs N]`.

`station record` in a pseudo-terminal with no station running before, then five seconds of recording in which memory is counted, then
`station check` on a rig that is up and on one that is not. Prints Markdown for docs/performance.md: medians of the runs.
"""

import argparse
import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import psutil

from station.bench.computer import pss_mb
from station.files import check_results
from station.files.log_reading import merged, nodes
from station.files.logs import logs_folder
from station.rig.rig import Rig, find_rig, load_rig
from station.runtime.processes import processes
from tests.system.operator_terminal import Terminal, recording

RECORDS_S = 5.0
MINUTE = 60.0


def record(rig: Rig, data: Path) -> tuple[dict[str, float], dict[str, float]]:
    """Seconds since it was typed, by what had happened; PSS in MB while it records, by process."""
    began_s = time.monotonic()
    terminal = recording(rig.file, data, "--no-opening")
    try:
        seen: dict[str, float] = {}

        def until(what: str, there: Callable[[], bool]) -> None:
            terminal.wait(there, what, MINUTE)
            seen[what] = time.monotonic() - began_s

        until("first line", lambda: bool(terminal.text.strip()))
        until("every process is well: the panel", lambda: "R E" in terminal.panel or "O P" in terminal.panel)
        until("ready: aligned", lambda: "R E A D Y" in terminal.panel)
        begins = begun(rig, began_s)
        terminal.press(" ")
        terminal.until("R E C O R D I N G", MINUTE)
        terminal.wait(lambda: time.monotonic() > began_s + seen["ready: aligned"] + RECORDS_S, "a few seconds", MINUTE)
        memory = memory_mb(rig, terminal.process.pid)
        terminal.press(" ")
        terminal.until("R E S E T", MINUTE)
        terminal.press("q")
        terminal.ended(MINUTE)
    finally:
        terminal.close()
    return dict(sorted((seen | begins).items(), key=lambda item: item[1])), memory


def begun(rig: Rig, began_s: float) -> dict[str, float]:
    """When the supervisor's and the nodes' own code ran: imports and rig file are behind them then."""
    folder = logs_folder(rig.name)
    found: dict[str, float] = {}
    for line in merged(folder, nodes(folder)):
        stamp, _, said = line.text.partition(" ")[2].partition(" ")
        if ": begins: " in said:
            found[line.node] = float(stamp) - began_s
    own = {node: at_s for node, at_s in found.items() if node != "supervisor"}
    return {
        "supervisor begins": found["supervisor"],
        f"first node begins ({min(own, key=own.__getitem__)})": min(own.values()),
        f"last node begins ({max(own, key=own.__getitem__)})": max(own.values()),
    }


def memory_mb(rig: Rig, command: int) -> dict[str, float]:
    """Of whatever the command has started, by its name; simulated hardware left out."""
    simulated = {row.node for row in processes(rig) if row.simulated}
    found: dict[str, float] = {}
    for process in psutil.Process(command).children(recursive=True):
        words = process.cmdline()
        name = next((word.partition(":")[2] for word in words if word.startswith("station:")), "HDF5 builder")
        if name not in simulated:
            found[name] = found.get(name, 0.0) + pss_mb(process.pid)
    return found


def check(rig: Rig) -> dict[str, float]:
    """Seconds from typed to its verdict: on a rig that is up, and alone; and until its own station is stopped."""
    up = ["up", "--rig", str(rig.file)]
    with contextlib.ExitStack() as stack:
        for words in (up, ["stop", "--rig", str(rig.file)]):
            terminal = Terminal(words)
            stack.callback(terminal.close)
            assert terminal.ended(MINUTE) == 0, terminal.text
            if words == up:
                beside, _ = verdict(rig)
    alone, ended = verdict(rig)
    return {
        "`station check`: its verdict, on a rig that is up": beside,
        "`station check`: its verdict, with no station running": alone,
        "and its station stopped again": ended,
    }


def verdict(rig: Rig) -> tuple[float, float]:
    """Seconds from typed to the verdict, and to the command's end."""
    began_s = time.monotonic()
    terminal = Terminal(["check", "--rig", str(rig.file)])
    try:
        terminal.wait(lambda: "check: " in terminal.text, "a verdict", MINUTE)
        told_s = time.monotonic() - began_s
        terminal.ended(MINUTE)
    finally:
        terminal.close()
    assert check_results.last(rig.name) is not None, terminal.text
    return told_s, time.monotonic() - began_s


def main() -> None:
    """The tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rig", default="bench")
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="st-", dir="/tmp"))
    marks: dict[str, list[float]] = {}
    memory: dict[str, list[float]] = {}
    try:
        for run in range(arguments.runs):
            for name in ("RUNTIME_DIR", "STATE_HOME", "CONFIG_HOME"):
                os.environ[f"XDG_{name}"] = str(folder / f"{name[:3].lower()}{run}")
                Path(os.environ[f"XDG_{name}"]).mkdir(mode=0o700)
            rig = load_rig(find_rig(arguments.rig))
            seen, held = record(rig, folder / f"data{run}")
            for what, value in seen.items():
                marks.setdefault(what.partition(" (")[0], []).append(value)
            for what, value in held.items():
                memory.setdefault(what, []).append(value)
            for what, value in check(rig).items():
                marks.setdefault(what, []).append(value)
    finally:
        shutil.rmtree(folder)
    typed = f"`station record --rig {arguments.rig} --no-opening`, s after it was typed"
    print(f"| {typed} | median of {arguments.runs} | each |\n|---|---|---|")
    for what, values in marks.items():
        print(f"| {what} | {median(values):.2f} | {', '.join(f'{value:.2f}' for value in values)} |")
    print("\n| PSS while recording | MB |\n|---|---|")
    for what, values in sorted(memory.items()):
        print(f"| {what} | {median(values):.0f} |")
    print(f"| together, the world left out | {sum(median(values) for values in memory.values()):.0f} |")


if __name__ == "__main__":
    main()
