"""`python -m tests.system.fuzz [PART…] --out FILE`: hostile input at every border, and what came of it.

Parts: `samples` (every node that hears, in this process), `requests` (every node of a light rig that runs), `journals` and `episodes`
(mutated files through what reads them). Each step goes to FILE, and the same command goes on from there. Prints a table for
docs/reliability.md; exits 1 if anything died, hung, left a trace or lost a file.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from station.rig.rig import Rig, load_rig
from tests.system.fuzz import episodes, journals, requests, samples
from tests.system.fuzz.steps import Steps
from tests.system.rig import booted, light_rig

STEP = 5000
"""Samples or requests of one step."""
FILES = 50
VR_PORT = 18_443


def fuzzed_rig(folder: Path) -> Path:
    """A light rig with a headset, so that all kinds of nodes run."""
    return light_rig(folder, vr={"driver": "webxr", "port": VR_PORT}, name="fuzzed")


def all_samples(steps: Steps, rig: Rig, folder: Path, count: int, say: Callable[[str], None]) -> None:
    """`count` samples in all, each node its share."""
    each = -(-count // len(samples.VICTIMS))
    for name in samples.VICTIMS:
        for seed in range(-(-each // STEP)):
            if not steps.has("samples", name, seed):
                steps.add(samples.fuzz(name, rig, seed, min(STEP, each - seed * STEP), folder))
                say(f"samples {name} {seed}: {steps.done[-1].understood} of {steps.done[-1].tried}")


def all_requests(steps: Steps, path: Path, folder: Path, count: int, say: Callable[[str], None]) -> None:
    """`count` requests in all at a rig that runs, each node its share."""
    with booted(path, folder / "data") as rig:
        borders = requests.borders(rig)
        each = -(-count // len(borders))
        for seed in range(-(-each // STEP)):
            for node in borders:
                if not steps.has("requests", node, seed):
                    steps.add(requests.fuzz(rig, node, seed, min(STEP, each - seed * STEP), folder / "fuzz"))
                    say(f"requests {node} {seed}: {steps.done[-1].understood} of {steps.done[-1].tried}")
        requests.quiet(rig)


def all_files(steps: Steps, part: str, folder: Path, count: int, say: Callable[[str], None]) -> None:
    """`count` mutated journals or episodes."""
    fuzz = journals.fuzz if part == "journals" else episodes.fuzz
    for seed in range(-(-count // FILES)):
        if not steps.has(part, part, seed):
            steps.add(fuzz(folder / f"{part}-{seed}", seed, min(FILES, count - seed * FILES)))
            say(f"{part} {seed}: {steps.done[-1].understood} of {steps.done[-1].tried}")


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", default=["samples", "requests", "journals", "episodes"])
    parser.add_argument("--out", type=Path, default=Path("fuzz.jsonl"))
    parser.add_argument("--samples", type=int, default=100_000)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--journals", type=int, default=2000)
    parser.add_argument("--episodes", type=int, default=500)
    asked = parser.parse_args()
    steps = Steps(asked.out)
    with tempfile.TemporaryDirectory(prefix="fz-", dir="/tmp") as made:
        folder = Path(made)
        os.environ["XDG_RUNTIME_DIR"] = made
        for part in asked.parts:
            count = getattr(asked, part)
            if part == "samples":
                all_samples(steps, load_rig(fuzzed_rig(folder)), folder, count, _say)
            elif part == "requests":
                all_requests(steps, fuzzed_rig(folder), folder, count, _say)
            else:
                all_files(steps, part, folder, count, _say)
    print(steps.table())
    for what in steps.wrong:
        print(what)
    return 1 if steps.wrong else 0


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
