"""The check that opens a session: run if the last one no longer counts, and told in every episode."""

import time

from station.errors import CheckFailed, StationError
from station.files import check_results
from station.files.check_results import StoredCheck
from station.rig.rig import Rig
from station.steps.job import Job
from station.steps.terminal import show
from station.terminal.screen import console

CHECK_S = 120.0
"""It listens for seconds; what takes this long has hung."""


def session_check(rig: Rig, override: str, refuses: bool = True) -> str:
    """Run the check of a rig whose station is up if it is due. Returns what every episode of the session says about it.

    `refuses`: raise CheckFailed on fail, unless `override` says why to record all the same. `station` may not import
    `calibration`, so the check is the command, in a process of its own.
    """
    stored = check_results.last(rig.name)
    why = check_results.due(rig.name, rig.sha256, time.time(), rig.safety.session_hours)
    if why:
        console.print(f"{why}: checking now")
        stored = _run(rig, stored)
    if stored is None:
        raise StationError(f"there is no check of {rig.name}. Next: `station check --rig {rig.file}`")
    if stored.result.verdict == "fail" and refuses and not override:
        raise CheckFailed(
            f"the check of {rig.name} failed, so nothing is recorded: {check_results.failures(stored.result)}. "
            'To record all the same, and have the reason in every episode: --override "reason"'
        )
    told = f", overridden: {override}" if override and stored.result.verdict == "fail" else ""
    console.print(f"check: {stored.result.verdict}{told}")
    return check_results.for_episode(stored, override)


def last_check(rig: Rig) -> str:
    """What episodes say where nobody runs a check: the last one of this rig file, "" without."""
    stored = check_results.last(rig.name)
    return check_results.for_episode(stored, "") if stored is not None and stored.rig_sha256 == rig.sha256 else ""


def _run(rig: Rig, before: StoredCheck | None) -> StoredCheck:
    try:
        with Job(["check", "--rig", str(rig.file)], quiet=True) as job:
            show(job, seconds=CHECK_S)
        said = job.end.words if job.end is not None else ""
    except StationError as error:
        said = str(error)
    stored = check_results.last(rig.name)
    if stored is None or stored == before:
        raise CheckFailed(
            f"the check of {rig.name} ended without a result: {said or 'it said nothing'}. "
            f"Next: `station check --rig {rig.file}`"
        )
    return stored
