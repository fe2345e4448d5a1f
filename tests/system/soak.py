"""`python -m tests.system.soak --minutes 30`: recording, stopping and discarding with random faults, and nothing leaks.

Ends with a table for docs/reliability.md: what was recorded and lost, and processes, threads, descriptors, memory and
files at the beginning and at the end.
"""

import argparse
import random
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import psutil

from station.bus.requests import Discard, Stop
from station.clock import NS_PER_S, monotonic_ns
from station.errors import RequestRefused
from station.rig.rig import find_rig
from tests.system.kills import victims
from tests.system.rig import TASK, Booted, Saved, booted, light_rig

MEMORY_MB = 30.0
"""How much all nodes together may grow: allocators keep some."""
QUIET_S = 180.0
"""HDF5 files are built one after the other, at what everybody else leaves of the processor."""


class Use(NamedTuple):
    """What the whole station holds."""

    processes: int
    threads: int
    descriptors: int
    memory_mb: float
    leftovers: tuple[str, ...]
    """Files of the data folder that belong to nothing once everything is quiet."""


class Soaked(NamedTuple):
    """What a soak did."""

    saved: int
    discarded: int
    ended_early: int
    faults: int
    before: Use
    after: Use

    @property
    def leaks(self) -> list[str]:
        """What grew."""
        grew = []
        for name in ("processes", "threads", "descriptors"):
            before, after = getattr(self.before, name), getattr(self.after, name)
            if after > before:
                grew.append(f"{name}: {before} before, {after} after")
        if self.after.leftovers:
            grew.append(f"left behind: {', '.join(self.after.leftovers)}")
        if self.after.memory_mb > self.before.memory_mb + MEMORY_MB:
            grew.append(f"memory: {self.before.memory_mb:.0f} MB before, {self.after.memory_mb:.0f} after")
        return grew


def use(rig: Booted) -> Use:
    """Count, once everything is quiet."""
    since_ns = monotonic_ns()
    rig.until("quiet", lambda: True if (s := rig.session(since_ns)) and not s.finalising else None, QUIET_S)
    family = psutil.Process(rig.supervisor.pid)
    nodes = [family, *family.children(recursive=True)]
    left = [p.name for p in rig.data.rglob("*") if p.name.endswith((".tmp", ".new", ".part")) or ".part." in p.name]
    return Use(
        len(nodes), sum(p.num_threads() for p in nodes), sum(p.num_fds() for p in nodes),
        sum(p.memory_info().rss for p in nodes) / 1e6, tuple(left),
    )  # fmt: skip


def harm(rig: Booted, chance: random.Random) -> None:
    """One fault that passes; it is over, and whom it struck is well again, when this returns."""
    arm, camera = chance.choice((*rig.rig.leaders, *rig.rig.followers)), chance.choice(rig.rig.cameras)
    kind = chance.choice(("kill", "noise", "unplug", "silence", "drop", "freeze"))
    since_ns = monotonic_ns()
    if kind == "kill":
        node = chance.choice(victims(rig))
        life = rig.life(node)
        rig.signal(node, signal.SIGKILL)
        rig.until(f"next life of {node}", lambda: rig.life_began_ns(node, life))
        return
    node = camera if kind in ("drop", "freeze") else arm
    if node == camera:
        rig.camera_fault(camera, kind)  # type: ignore[arg-type]
        rig.until("word of it", lambda: rig.health(camera, since_ns + NS_PER_S))
        rig.camera_fault(camera, "none")
    else:
        mend = {"noise": "noise", "unplug": "replug", "silence": "speak"}[kind]
        rig.servo_fault(arm, kind, value=0.05)  # type: ignore[arg-type]
        rig.until("word of it", lambda: rig.health(arm, since_ns + NS_PER_S))
        rig.servo_fault(arm, mend, value=0.0)  # type: ignore[arg-type]
    mended_ns = monotonic_ns()
    rig.until(f"{node} well again", lambda: rig.well(node, mended_ns))


def soak(rig: Booted, seconds: float, chance: random.Random) -> Soaked:
    """Episodes with and without faults until the time is over; every file is whole."""
    rig.record(rows=10)
    rig.ask("session", Stop())
    before = use(rig)
    counts = {"saved": 0, "discarded": 0, "ended_early": 0, "faults": 0}
    until_ns = monotonic_ns() + int(seconds * NS_PER_S)
    while monotonic_ns() < until_ns:
        number = rig.record(rows=chance.randrange(5, 100))
        if chance.random() < 0.5:
            counts["faults"] += 1
            harm(rig, chance)
        discard = chance.random() < 0.3
        rig.ready()
        try:
            rig.ask("session", Discard() if discard else Stop())
            rig.ended(number)
            counts["discarded" if discard else "saved"] += 1
        except RequestRefused:
            rig.ended(number)
            counts["ended_early"] += 1
    rig.align()
    after = use(rig)
    for path in (rig.data / TASK).glob("episode_*.hdf5*"):
        Saved(path)
    return Soaked(**counts, before=before, after=after)


def table(found: Soaked) -> str:
    """Markdown."""
    lines = [
        f"{found.saved} saved, {found.discarded} discarded, {found.ended_early} ended early, {found.faults} faults", "",
        "| | before | after |", "|---|---|---|",
    ]  # fmt: skip
    for name in Use._fields:
        before, after = getattr(found.before, name), getattr(found.after, name)
        counts = (len(before), len(after)) if name == "leftovers" else (before, after)
        lines.append(f"| {name} | {counts[0]:.0f} | {counts[1]:.0f} |")
    return "\n".join(lines)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rig", default="bench", help="bench, or light: half the load")
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="soak-"))
    path = light_rig(folder) if arguments.rig == "light" else find_rig(arguments.rig)
    with booted(path, folder / "data") as rig:
        found = soak(rig, arguments.minutes * 60, random.Random(arguments.seed))
        rig.close_session()
    print(table(found))
    shutil.rmtree(folder)
    sys.exit("\n".join(found.leaks) if found.leaks else 0)


if __name__ == "__main__":
    main()
