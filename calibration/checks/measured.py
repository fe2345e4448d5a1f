"""The job of `station check`: listen to the rig for a few seconds, judge, keep the result."""

import datetime
import os
import time
from collections import Counter
from functools import partial
from pathlib import Path

import msgspec

from calibration.arms.motion import Lags, swing
from calibration.cameras import board as boards
from calibration.checks import arms as checks_arms
from calibration.checks import cameras as checks_cameras
from calibration.checks import computer as checks_host
from calibration.checks import report, verdict
from calibration.checks.survey import survey
from station.client import connect
from station.clock import monotonic_ns
from station.errors import StationError
from station.files import calibration_files, check_results, try_results
from station.rig.rig import Rig
from station.steps.speaker import Speaker
from station.terminal.told import STDOUT, tell_to
from station.version import station_version

_NICE = 10


def measure(
    rig: Rig, seconds: float, swing_s: float, json_file: Path | None, html_file: Path | None, operator: str, speaker: Speaker
) -> None:  # fmt: skip
    """Listen, judge, keep the result; write it where it is wanted."""
    result, pictures = _checked(rig, seconds, swing_s, speaker)
    check_results.store(rig.name, check_results.StoredCheck(rig.sha256, time.time(), result, station_version()))
    if json_file is not None and json_file != STDOUT:
        tell_to(json_file, result)
    if html_file is not None:
        now = datetime.datetime.now().astimezone()
        header = report.Header(rig.name, rig.sha256, now, operator, station_version())
        html_file.write_text(report.page(result, pictures, header))
    told: dict[str, float | str] = {"verdict": result.verdict}
    told |= {f"findings_{word}": float(count) for word, count in Counter(f.verdict for f in result.findings).items()}
    speaker.tell(f"check of {rig.name}: {result.verdict}", progress=1.0, values=told)


def _checked(
    rig: Rig, seconds: float, swing_s: float, speaker: Speaker
) -> tuple[check_results.CheckResult, list[checks_cameras.Picture]]:
    broken: list[check_results.Finding] = []
    known = {}
    lags: Lags = {}
    os.nice(_NICE)  # who looks must not slow what it looks at
    try:
        known = {calibration.serial: calibration for calibration in calibration_files.load_all()}
    except StationError as error:
        broken.append(verdict.told("calibration", "files", "fail", str(error), "move the file away, calibrate again"))
    try:
        with connect(rig) as station:
            seen = survey(station, seconds, monotonic_ns, partial(_listening, speaker, rig.name))
            if swing_s:
                speaker.tell(f"swing the arms before the cameras now, at changing speed, for {swing_s:g} s")
                lags = swing(station, swing_s, monotonic_ns)
    except StationError as error:
        finding = verdict.told("station", "start", "fail", str(error), "do what it says, then check again")
        return verdict.overall([*broken, finding]), []
    today = datetime.datetime.now(datetime.UTC).date()
    cameras, pictures = checks_cameras.check(rig, seen, known, boards.of(rig), lags, today)
    arms = checks_arms.check(rig, seen, known, today)
    host = checks_host.check(rig, seen, monotonic_ns)
    return verdict.overall([*broken, *_tried(rig), *arms, *cameras, *host]), pictures


def _tried(rig: Rig) -> list[check_results.Finding]:
    """What `station rig try` found wrong with this rig file, until it is tried again."""
    last = try_results.last(rig.name, rig.sha256)
    bad = [finding for finding in last.result.findings if finding.verdict == "fail"] if last is not None else []
    return [msgspec.structs.replace(finding, name=f"rig try: {finding.name}") for finding in bad]


def _listening(speaker: Speaker, rig: str, share: float) -> None:
    speaker.tell(f"listening to {rig}", progress=share)
