"""The check that opens a session: run where the session says that it is due. Whether a sitting may be opened is the session's to say."""

from collections.abc import Callable
from typing import TypeVar

from station.client import Station
from station.errors import CheckDue, CheckFailed, StationError
from station.files import check_results
from station.rig.rig import Rig
from station.steps.job import Job
from station.steps.terminal import show
from station.terminal.screen import console

CHECK_S = 120.0
"""It listens for seconds; what takes this long has hung."""
T = TypeVar("T")


def check_if_due(station: Station) -> None:
    """Ask the session of a station that is up whether a check is due, run it, say how it went. Simulated rigs too: there it is told.

    Raises CheckFailed where it ends without a result.
    """
    with station.session() as session:
        due = session.fresh().check_due
    if due:
        run_check(station.rig, due)
    stored = check_results.last(station.rig.name)
    if stored is not None:
        console.print(f"check: {stored.result.verdict}")


def asked_again(rig: Rig, ask: Callable[[], T]) -> T:
    """Do it; where the session wants a check first, run that, and do it once more. Raises what the second try raises."""
    try:
        return ask()
    except CheckDue as refused:
        run_check(rig, str(refused))
        return ask()


def run_check(rig: Rig, why: str) -> None:
    """The check in a process of its own, shown here: `station` may not import `calibration`. Raises CheckFailed without a result."""
    before = check_results.last(rig.name)
    console.print(f"{why.partition('. Next')[0]}: checking now")
    said = _run(rig)
    if check_results.last(rig.name) in (None, before):
        raise CheckFailed(
            f"the check of {rig.name} ended without a result: {said or 'it said nothing'}. "
            f"Next: `station check --rig {rig.file}`"
        )


def _run(rig: Rig) -> str:
    """What it said at its end."""
    try:
        with Job(["check", "--rig", str(rig.file)], quiet=True) as job:
            show(job, seconds=CHECK_S)
        return job.end.words if job.end is not None else ""
    except StationError as error:
        return str(error)
