"""What ten thousand episodes come to in a `lerobot-v3` dataset: core-hours, bytes, tasks.

Run: python -m tests.station.datasets.fleet WORK FOLDER … [--count 10000] [--videos as-shot h264]

FOLDERs have real episodes. They are exported by the whole command with two workers, and its processor time and bytes are taken times
what is missing to --count: start, hashing, statistics and reading back included, so that a large set costs rather less an episode. The
plan is made of --count of them for true, in this process: what a survey says of each real one, again and again as another recording.
"""

import argparse
import hashlib
import os
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple, get_args

import msgspec

from station.datasets.conversion import Video
from station.datasets.parts import format_named
from station.datasets.plan import Plan, make_plan
from station.datasets.record import read_record
from station.datasets.survey import Surveyed
from station.datasets.verifying import pieces

FORMAT = "lerobot-v3"
WORKERS = 2


class Real(NamedTuple):
    """An export of real episodes."""

    plan: Plan
    core_s: float
    size_bytes: int
    files: int


class Planned(NamedTuple):
    """A plan of many."""

    plan: Plan
    seconds: float
    size_bytes: int
    peak_mb: float


def real(folders: list[Path], out: Path, video: Video) -> Real:
    """Export them all."""
    shutil.rmtree(out, ignore_errors=True)
    given = [word for folder in folders for word in ("--from", str(folder))]
    command = [sys.executable, "-m", "station.cli", "dataset", "export", FORMAT, str(out), *given, "--video", video]
    before = os.times()
    subprocess.run([*command, "--workers", str(WORKERS), "--json"], stdout=subprocess.DEVNULL, check=True)
    after = os.times()
    files = [path for path in out.rglob("*") if path.is_file()]
    return Real(
        read_record(out).plan,
        after.children_user + after.children_system - before.children_user - before.children_system,
        sum(path.stat().st_size for path in files),
        len(files),
    )


def planned(plan: Plan, count: int) -> Planned:
    """The plan of `count` episodes like those of `plan`."""
    many = [another(plan.sources[place % len(plan.sources)], place) for place in range(count)]
    began = time.process_time()
    made = make_plan(FORMAT, plan.selection, plan.conversion, many)
    seconds = time.process_time() - began
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Planned(made, seconds, len(msgspec.json.encode(made)), peak_mb)


def another(one: Surveyed, place: int) -> Surveyed:
    """As if it were another recording."""
    digest = hashlib.sha256(f"{place}".encode()).hexdigest()
    name = f"cube/episode_{place}.hdf5"
    source = msgspec.structs.replace(one.source, path=name, name=name, identity=digest)
    return msgspec.structs.replace(one, source=source, sha256=digest)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--videos", nargs="*", choices=get_args(Video), default=["as-shot", "h264"])
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # with compiled modules, as an installation has them
    print("| | real episodes | core-seconds | MB | episodes | core-hours | GB | tasks | files of pictures | plan |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for video in given.videos:
        found = real(given.folders, given.work / "set", video)
        many, share = planned(found.plan, given.count), given.count / len(found.plan.sources)
        parts = format_named(FORMAT).parts(many.plan)
        tasks = given.count + len(parts) + len(pieces(given.work, many.plan, WORKERS))
        shown = sum(part.kind == "pictures" for part in parts)
        print(
            f"| {video} | {len(found.plan.sources)} | {found.core_s:.1f} | {found.size_bytes / 1e6:.0f} | {given.count} "
            f"| {found.core_s * share / 3600:.1f} | {found.size_bytes * share / 1e9:.0f} | {tasks} | {shown} "
            f"| {many.seconds:.1f} s, {many.size_bytes / 1e6:.0f} MB, {many.peak_mb:.0f} MB of memory |",
            flush=True,
        )
        shutil.rmtree(given.work / "set")


if __name__ == "__main__":
    main()
