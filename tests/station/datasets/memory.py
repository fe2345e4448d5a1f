"""How much memory a worker of an export takes, by format: its peak, whatever the episode's length.

Run: python -m tests.station.datasets.memory WORK EPISODE [EPISODE …] [--formats NAME …] [--video as-shot]

Each episode by itself into each format, in a process of its own and one worker; the figure is the largest resident size that any of
them had, shared libraries included. Take episodes of very different lengths: the figures should not follow them.
"""

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

_PEAK = (
    "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL); "
    "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)"
)


def peak_mb(episode: Path, format_name: str, video: str, out: Path) -> float:
    """Of the command and of its worker, whichever is larger."""
    export = ["dataset", "export", format_name, out, "--from", episode, "--video", video, "--workers", "1", "--json"]
    command = [sys.executable, "-c", _PEAK, sys.executable, "-m", "station.cli", *map(str, export)]
    return float(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path)
    parser.add_argument("episodes", type=Path, nargs="+")
    parser.add_argument("--formats", nargs="*", default=["lerobot-v3", "rlds"])
    parser.add_argument("--video", default="as-shot")
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    for format_name in given.formats:
        found = []
        for episode in given.episodes:
            out = given.work / format_name
            found.append(
                f"{peak_mb(episode, format_name, given.video, out):.0f} MB ({episode.stat().st_size / 1e6:.0f} MB)"
            )
            shutil.rmtree(out)
        print(f"{format_name}: {', '.join(found)}", flush=True)


if __name__ == "__main__":
    main()
