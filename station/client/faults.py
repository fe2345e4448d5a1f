"""What a rig's operator is told of a station that nobody asked to end: what, when, what is saved, and the one act to go on."""

import contextlib
import shlex
import time
from pathlib import Path
from typing import NamedTuple

from station.errors import UsageError
from station.rig.rig import Rig, find_rig
from station.runtime.life import last_fault
from station.runtime.sitting import Sitting, left_behind
from station.terminal.shown import ranges, shown


class Found(NamedTuple):
    """What is there of a sitting's episodes."""

    saved: tuple[int, ...]
    """Whole files, those deleted since with them."""
    in_journals: tuple[int, ...]
    """Every row that was acknowledged is there; the next sitting in the folder, or `station episodes recover`, saves them."""
    missing: tuple[int, ...]
    """They were there."""


def fault_told(rig: Rig) -> str:
    """One line about the last life of this rig's station; "" where that was ended in order, or was told already."""
    fault = last_fault(rig.name)
    if fault is None:
        return ""
    said = f"the station of rig {rig.name} ended by itself {_when(fault.at_s, time.time())}: {fault.what}"
    sitting = left_behind(rig.name, fault.life.pid, fault.life.boot)
    if sitting is None:
        return f"{said}; no sitting was open, nothing is lost. Next: go on"
    if not sitting.opened.kept:
        return f"{said}. {_unrecorded(sitting, _named(fault.life.rig_file))}"
    folder = (Path(sitting.opened.data).expanduser() if sitting.opened.data else rig.data) / sitting.opened.task
    return f"{said}. {sitting_told(sitting, find(folder, sitting), folder, _named(fault.life.rig_file))}"


def find(folder: Path, sitting: Sitting) -> Found:
    """Look for every episode that the sitting has had.

    By the names of its files, of which `station/episodes/naming.py` has the table: drivers and calibration are clients too, and do not
    stand on that room.
    """
    kept = {*sitting.saved, *sitting.building}
    names = {n: {path.name for path in folder.glob(f"episode_{n}.*")} for n in sorted({*kept, sitting.episode})}
    there = [n for n, found in names.items() if found & {f"episode_{n}.hdf5", f"episode_{n}.hdf5.deleted"}]
    left = [n for n in names if n not in there and any(name.startswith(f"episode_{n}.mcap") for name in names[n])]
    return Found(tuple(there), tuple(left), tuple(sorted(kept - {*there, *left})))


def sitting_told(sitting: Sitting, found: Found, folder: Path, rig: str) -> str:
    """How far it was, and how it goes on with that `--rig`."""
    wanted = sitting.opened.episodes
    said = f"{shown(sitting.opened.task)}: {len(found.saved)} {f'of {wanted} ' if wanted else ''}saved"
    if found.in_journals:
        said += f", episode {ranges(found.in_journals)} in its journal"
    said += f", but episode {ranges(found.missing)} is not in {folder}" if found.missing else ", nothing lost"
    return f"{said}. Next: {_act(sitting, len(found.saved) + len(found.in_journals), folder, rig)}"


def _unrecorded(sitting: Sitting, rig: str) -> str:
    words = shlex.join(["station", "run", "--rig", rig, "--policy", sitting.opened.policy_folder])
    return f"{shown(sitting.opened.task)}: nothing of it was recorded, nothing is lost. Next: `{shown(words)}` goes on"


def _act(sitting: Sitting, there: int, folder: Path, rig: str) -> str:
    opened = sitting.opened
    if (folder.parent / "trials.csv").exists():
        return f"what was judged is in {folder.parent / 'trials.csv'}; `station eval` with another --out begins again"
    if opened.episodes and there >= opened.episodes:
        return f"`station episodes recover {folder}` makes all of them whole"
    if opened.source == "vr":
        words = ["station", "vr", "--rig", rig, "--task", opened.task]
    elif opened.source == "policy":
        words = ["station", "run", "--rig", rig, "--policy", opened.policy_folder, "--record", "--task", opened.task]
    else:
        words = ["station", "record", "--rig", rig, "--task", opened.task]
    for option, value in (("--data", opened.data), ("--operator", opened.operator)):
        words += [option, value] if value else []
    if opened.source != "vr":
        words += ["--seconds", f"{sitting.seconds:g}"] if sitting.seconds is not None else []
        words += ["--episodes", str(opened.episodes - there)] if opened.episodes else []
    return f"`{shown(shlex.join(words))}` goes on"


def _named(rig_file: str) -> str:
    """As `--rig` takes it."""
    file = Path(rig_file)
    with contextlib.suppress(UsageError):
        return file.stem if find_rig(file.stem) == file else rig_file
    return rig_file


def _when(at_s: float, now_s: float) -> str:
    """`at 20:14:05, 3 minutes ago`."""
    at, ago_s = time.localtime(at_s), max(0.0, now_s - at_s)
    moment = time.strftime("%H:%M:%S" if ago_s < 12 * 3600 else "%Y-%m-%d %H:%M:%S", at)
    for unit, seconds in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if (count := int(ago_s // seconds)) > 0:
            return f"at {moment}, {count} {unit}{'s' if count > 1 else ''} ago"
    return f"at {moment}, just now"
