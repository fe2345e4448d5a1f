"""How long commands that only read take to their first line: `python -m tests.station.cli.startup [--runs N] [--against DIR]`.

Prints a Markdown table for docs/performance.md, medians of the runs: wall time to the first byte on stdout or stderr (what a person waits
for), and the processor time behind it (what a busy computer spoils less). `--against`: another checkout, in turns with this one.
"""

import argparse
import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

ROOT = Path(__file__).parents[3]
COMMANDS: tuple[tuple[str, ...], ...] = (
    ("--help",), ("--version",), ("rig", "ls"), ("rig", "check", "aloha"), ("rig", "show", "bench"), ("settings", "show"),
    ("find", "--help"),
        ("status", "--rig", "bench"), ("episodes", "ls", "--help"), ("policy", "show", "--help"),
)  # fmt: skip


class Taken(NamedTuple):
    """One run, ms."""

    wall_ms: float
    processor_ms: float


def once(root: Path, arguments: Sequence[str]) -> Taken:
    """Run a checkout's command until it has ended; its first byte ends the wall time."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun = time.perf_counter()
    popen = subprocess.Popen(
        [sys.executable, "-P", "-c", "from station.cli import main; main()", *arguments], stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=os.environ | {"PYTHONPATH": str(root)},
    )  # fmt: skip
    assert popen.stdout is not None
    popen.stdout.read(1)
    wall_s = time.perf_counter() - begun
    popen.communicate()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Taken(1000 * wall_s, 1000 * used_s)


def main() -> None:
    """The table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--against", type=Path)
    arguments = parser.parse_args()
    roots = [root for root in (arguments.against, ROOT) if root is not None]
    titles = ["before", "after"] if len(roots) > 1 else ["now"]
    print("| command | " + " | ".join(f"{title}: first line, ms | processor, ms" for title in titles) + " |")
    print("|---|" + "---|---|" * len(roots))
    for command in COMMANDS:
        taken: dict[Path, list[Taken]] = {root: [] for root in roots}
        for _ in range(arguments.runs):
            for root in roots:
                taken[root].append(once(root, command))
        cells = [f"{median(column):.0f}" for root in roots for column in zip(*taken[root], strict=True)]
        print(f"| `station {' '.join(command)}` | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
