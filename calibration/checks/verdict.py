"""From measured values and limits to findings, and from findings to go or no-go. Pure."""

import math
from collections.abc import Iterable, Sequence

from station.files.check_results import CheckResult, Finding, Verdict

Limits = tuple[float, float]


def above(device: str, name: str, value: float, unit: str, limits: Limits, do: str) -> Finding:
    """Bad when above: beyond the first limit it warns, beyond the second it fails."""
    return _judged(device, name, value, unit, limits, do, [value > limit for limit in limits])


def below(device: str, name: str, value: float, unit: str, limits: Limits, do: str) -> Finding:
    """Bad when below: beyond the first limit it warns, beyond the second it fails."""
    return _judged(device, name, value, unit, limits, do, [value < limit for limit in limits])


def same(device: str, name: str, value: str, expected: str, do: str, otherwise: Verdict = "fail") -> Finding:
    """Good when equal."""
    good = value == expected
    return Finding(device, name, "pass" if good else otherwise, value, "", expected, "" if good else do)


def told(device: str, name: str, verdict: Verdict, value: str, do: str) -> Finding:
    """Something a device says about itself."""
    return Finding(device, name, verdict, value, "", None, do)


def sharing(device: str, others: Sequence[str]) -> list[Finding]:
    """A serial number that other devices of the rig have too: one calibration file for all of them."""
    if not others:
        return []
    do = "correct the rig file, if both lead to one device; else restart the station: twins go by their USB socket"
    return [told(device, "serial number", "fail", f"{', '.join(others)} has the same", do)]


def unchecked(device: str, name: str, why: str, do: str) -> Finding:
    """It could not be looked at: shown, and never a pass."""
    return Finding(device, name, "unchecked", why, "", None, do)


def overall(findings: Iterable[Finding]) -> CheckResult:
    """Fail if anything fails; warn if anything warns or was not checked, or if nothing was looked at."""
    kept = tuple(findings)
    verdicts = {finding.verdict for finding in kept}
    if "fail" in verdicts:
        return CheckResult("fail", kept)
    return CheckResult("pass" if verdicts == {"pass"} else "warn", kept)


def _judged(device: str, name: str, value: float, unit: str, limits: Limits, do: str, broken: list[bool]) -> Finding:
    if not math.isfinite(value):
        return unchecked(device, name, "no number was measured", do)
    if broken[1]:
        return Finding(device, name, "fail", value, unit, limits[1], do)
    return Finding(device, name, "warn" if broken[0] else "pass", value, unit, limits[0], do if broken[0] else "")
