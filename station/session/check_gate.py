"""The check's gate: no sitting is opened on real arms while a check is due, or has failed and nobody answers for that. Pure.

Whoever asks: the terminal, a page, a script. A rig with arms of its own world is only told (`SessionState.check_due`).
"""

from typing import NamedTuple

from station.bus.requests import OpenSession, Refused, Who
from station.files import check_results
from station.files.check_results import FAILED, StoredCheck
from station.rig.rig import Rig


class CheckStanding(NamedTuple):
    """How a rig's check stands at one moment."""

    due: str
    """Why one is due, or that the last one failed; "" while it counts."""
    last: StoredCheck | None
    """The last one of this rig file."""


def refusal(standing: CheckStanding, asked: OpenSession, who: Who, rig: Rig) -> Refused | None:
    """Why that sitting is not opened; None if it is."""
    if not rig.moves_real_arms or not standing.due:
        return None
    if standing.due != FAILED or standing.last is None:
        why = (
            f"{standing.due}, so no sitting is opened on real arms. Next: `station check --rig {rig.file}`, or the console's "
            "Check page; `station record` and `station run` check by themselves"
        )
        return Refused(why, needs="check")
    if not asked.override.strip():
        why = (
            f"the check of {rig.name} failed, so nothing is recorded: {check_results.failures(standing.last.result)}. "
            'To record all the same, say why (--override "reason", or in the page\'s form): every episode keeps it, and who said so'
        )
        return Refused(why, needs="check")
    if not _by(asked, who):
        return Refused("an override is somebody's. Next: say who records (--operator NAME, or in the page's form)")
    return None


def told(standing: CheckStanding, asked: OpenSession, who: Who) -> str:
    """What every episode of the sitting says about the check that opened it; "" if this rig file was never checked."""
    if standing.last is None:
        return ""
    return check_results.for_episode(standing.last, asked.override, _by(asked, who))


def _by(asked: OpenSession, who: Who) -> str:
    return asked.operator or who.person
