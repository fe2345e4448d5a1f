"""What the last check of a rig said: written by `station check`, read by whoever opens a session, stored in every episode.

`$XDG_STATE_HOME/station/checks/<rig>.json` (`~/.local/state/…` without that variable).
"""

from pathlib import Path
from typing import Literal

import msgspec

from station.borders.bounds import absurd
from station.borders.decoding import Decoder, Undecodable
from station.files import durable
from station.files.state_folder import state_root

_SMALLEST = 0.005
"""What is smaller is told as 0: no unit used here needs more."""

FAILED = "the last check failed"
"""Why a check is due although there is a young one."""

Verdict = Literal["pass", "warn", "fail", "unchecked"]


class Finding(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One thing that was looked at."""

    device: str
    name: str
    verdict: Verdict
    value: float | str | None
    unit: str
    limit: float | str | None
    """What the value was held against: the limit it broke, or the first it would break."""
    next: str
    """What to do; "" where nothing is to be done."""


class CheckResult(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A go or no-go. What was not checked is no pass: the whole is then a warning at best."""

    verdict: Literal["pass", "warn", "fail"]
    findings: tuple[Finding, ...]


class StoredCheck(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A result, of which rig file, and when (wall time, s: it must outlive a restart of the computer)."""

    rig_sha256: str
    at_s: float
    result: CheckResult
    station_version: str = ""
    """Of the software that checked, "" in results from before it was said."""


_stored: Decoder[StoredCheck] = Decoder("json", StoredCheck)


class SessionCheck(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an episode says about the check that opened its session (attribute `check_result`, as JSON)."""

    verdict: Literal["pass", "warn", "fail"]
    at_s: float
    override: str
    """Why it was recorded although the check failed; "" otherwise."""
    findings: tuple[Finding, ...]
    override_by: str = ""
    """Who said so; "" in episodes from before it was kept."""


def value_text(finding: Finding) -> str:
    """The value with its unit."""
    return _text(finding.value, finding.unit)


def limit_text(finding: Finding) -> str:
    """The limit with its unit."""
    return _text(finding.limit, finding.unit)


def failures(result: CheckResult) -> str:
    """Every finding that fails, in one line: what, how much, what to do."""
    bad = [finding for finding in result.findings if finding.verdict == "fail"]
    return "; ".join(f"{f.device}: {f.name} {value_text(f)}. Next: {f.next}" for f in bad)


def for_episode(check: StoredCheck, override: str, by: str) -> str:
    """The JSON of a `SessionCheck`. A reason, and who gave it, are only kept where there was something to override."""
    kept = override if check.result.verdict == "fail" else ""
    told = SessionCheck(check.result.verdict, check.at_s, kept, check.result.findings, by if kept else "")
    return msgspec.json.encode(told).decode()


def path_of(rig: str) -> Path:
    """Where a rig's last result is."""
    return state_root() / "checks" / f"{rig}.json"


def store(rig: str, check: StoredCheck) -> None:
    """Replace the rig's last result."""
    path = path_of(rig)
    path.parent.mkdir(parents=True, exist_ok=True)
    durable.replace(path, msgspec.json.encode(check))


def last(rig: str) -> StoredCheck | None:
    """The rig's last result; None if there is none that can be read: it must then be checked."""
    try:
        stored = _stored.decode(path_of(rig).read_bytes())
    except (OSError, Undecodable):
        return None
    return None if absurd(stored) else stored


def due(rig: str, rig_sha256: str, now_s: float, session_hours: float) -> str:
    """Why a check is due: "" if the last one is young enough, of this rig file, and did not fail."""
    found = last(rig)
    if found is None:
        return "this rig has not been checked"
    if found.rig_sha256 != rig_sha256:
        return "the rig file has changed since the last check"
    hours = (now_s - found.at_s) / 3600
    if not 0 <= hours <= session_hours:
        return f"the last check is {hours:.1f} h old, {session_hours:g} h is the limit"
    return FAILED if found.result.verdict == "fail" else ""


def _text(value: float | str | None, unit: str) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    number = f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}" if abs(value) >= _SMALLEST else "0"
    return f"{number} {unit}".strip()
