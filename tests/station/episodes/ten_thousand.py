"""How long `ls` and `stats` take over ten thousand episodes: hard links of real ones, in an index of their own.

Run: python -m tests.station.episodes.ten_thousand FOLDER WORK [--count 10000] [--read-all]

FOLDER has some real episodes; WORK, on the same disk, gets links `many/cube/episode_<n>.hdf5` and the index. To fill the index, each real
episode is read once, and its links are taken to say the same (they do: it is one file); --read-all reads every link. Each command then
runs as a process of its own, five times; the time is the whole process, Python's start included, with compiled modules as an
installation has them. On a computer that does other things too the least of the five says most.
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

import msgspec

from station.episodes import index, naming
from station.episodes.catalogue import Episode, episodes, read_episode
from station.episodes.quality.card import Card
from station.episodes.quality.store import card


def linked(sources: list[Path], folder: Path, count: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        link = naming.episode_path(folder, number)
        if not link.exists():
            os.link(sources[number % len(sources)], link)


def fill(sources: list[Path], data: Path) -> None:
    """The index, from one reading of each real episode."""
    known = {path.stat().st_ino: (read_episode(path), card(path)) for path in sources}

    def read(path: Path) -> Episode:
        return msgspec.structs.replace(known[path.stat().st_ino][0], path=path, number=naming.number_of(path))

    def measured(path: Path) -> Card:
        return known[path.stat().st_ino][1]

    setattr(index, "read_episode", read)  # noqa: B010 (a name that it imports)
    for _ in index.measured(episodes(data), measured):
        pass


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--read-all", action="store_true")
    given = parser.parse_args()
    os.environ["XDG_CACHE_HOME"] = str(given.work / "cache")
    sources = sorted(given.folder.glob("episode_*.hdf5"))
    data = given.work / "many"
    linked(sources, data / "cube", given.count)
    began, busy = time.perf_counter(), time.process_time()
    if given.read_all:
        episodes(data)
    else:
        fill(sources, data)
    print(
        f"index of {given.count}: {time.perf_counter() - began:.1f} s ({time.process_time() - busy:.1f} s of processor)"
    )
    print(f"index: {sum(path.stat().st_size for path in index.path_of().parent.iterdir()) / 1e6:.1f} MB")
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    selection = given.work / "selection.yaml"
    for command in (
        ("episodes", "ls"), ("episodes", "ls", "--json"), ("dataset", "stats", "--no-measure"),
        ("dataset", "select", str(selection), "--json", "--from"),
    ):  # fmt: skip
        for _ in range(5):
            selection.unlink(missing_ok=True)
            began, before = time.perf_counter(), os.times()
            subprocess.run(
                [sys.executable, "-m", "station.cli", *command, str(data)], check=True, stdout=subprocess.DEVNULL
            )
            after = os.times()
            used = after.children_user + after.children_system - before.children_user - before.children_system
            print(f"station {' '.join(command)}: {time.perf_counter() - began:.2f} s, {used:.2f} s of processor")


if __name__ == "__main__":
    main()
