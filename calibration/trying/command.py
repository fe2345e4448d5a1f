"""`station rig try`: reads, asks, and ends in a short verdict. The `station` command loads it by the entry point `station.commands.rig`."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from station.errors import CheckFailed, StationError, UsageError
from station.rig.choice import rig_of
from station.steps.terminal import in_a_job

if TYPE_CHECKING:
    from calibration.measuring import Measuring
    from station.client import Station
    from station.files.check_results import CheckResult, Finding
    from station.rig.rig import Rig

_ORDER = ("fail", "unchecked", "warn")


@in_a_job
def try_rig(
    rig: Annotated[str, typer.Argument(help="a rig's name or file; without it the one --rig would be")] = "",
    only: Annotated[list[str] | None, typer.Option("--only", help="only these devices")] = None,
    operator: Annotated[str, typer.Option("--operator", help="goes into the result")] = "",
    json_file: Annotated[Path | None, typer.Option("--json", help="write the result here too")] = None,
) -> None:
    """First power-up without torque: move each joint by hand, cover each camera, see whether the right one is read."""
    import msgspec

    from calibration.measuring import Measuring
    from station.clock import monotonic_ns
    from station.steps.speaker import speaking

    loaded = rig_of(rig)
    with speaking() as speaker:
        speaker.tell(f"rig {loaded.name}: its drivers are opened; nothing here gives an arm torque")
        with Measuring(loaded, operator, speaker, False, monotonic_ns, attached) as measuring:
            result = tried(measuring, only or [])
            path = _kept(measuring, result, operator)
            if json_file is not None:
                json_file.write_bytes(msgspec.json.encode(result))
            for line in as_lines(result):
                measuring.tell(line)
            measuring.tell(f"rig try of {loaded.name}: {result.verdict} ({_counts(result)}); {path}")
        if result.verdict == "fail":
            raise CheckFailed(
                f"the first power-up of {loaded.name} found what must be put right before anything moves: see above"
            )


def tried(measuring: "Measuring", only: list[str]) -> "CheckResult":
    """Every device, or those named, one after the other. Raises UsageError for one that is not there; MeasurementPoor as `Arms` does."""
    from calibration.checks.verdict import overall
    from calibration.trying.arms import Arms
    from calibration.trying.cameras import Cameras

    arms, cameras = measuring.arms(), list(measuring.rig.cameras)
    strange = [name for name in only if name not in (*arms, *cameras)]
    if strange:
        raise UsageError(f"{', '.join(strange)} is no arm or camera of this rig: {', '.join((*arms, *cameras))}")
    found: list[Finding] = []
    if chosen := [node for node in arms if not only or node in only]:
        measuring.ask("arms: let each lie where it rests, and support what could fall: none of them has torque")
        by_hand = Arms(measuring)
        for node in chosen:
            by_hand.arm(node)
        found += by_hand.findings
    if chosen := [node for node in cameras if not only or node in only]:
        by_eye = Cameras(measuring)
        for node in chosen:
            by_eye.camera(node)
        found += by_eye.findings
    return overall(found)


def attached(rig: "Rig") -> "Station":
    """The rig's station, running or started for this, with whichever devices are well: what is not there is a finding."""
    from station.client import Station

    station = Station(rig)
    if not station.runs:
        station.start(child=True)
    try:
        station.wait_ready()
    except StationError:
        if not station.runs:
            station.close()
            raise
    except BaseException:
        station.close()
        raise
    return station


def as_lines(result: "CheckResult") -> list[str]:
    """What is not right, the worst first: whose, what, what to do."""
    from station.files.check_results import value_text

    loud = sorted((f for f in result.findings if f.verdict != "pass"), key=lambda f: _ORDER.index(f.verdict))
    return [f"{f.verdict}: {f.device}: {f.name}: {value_text(f)}{f'. Next: {f.next}' if f.next else ''}" for f in loud]


def _counts(result: "CheckResult") -> str:
    count = {word: sum(f.verdict == word for f in result.findings) for word in ("pass", *_ORDER)}
    said = {"pass": "right", "fail": "wrong", "unchecked": "not tried", "warn": "to look at"}
    return ", ".join(f"{number} {said[word]}" for word, number in count.items() if number)


def _kept(measuring: "Measuring", result: "CheckResult", operator: str) -> Path:
    """Beside the checks. What was found of devices that were not tried this time is kept, if it is of the same rig file."""
    from calibration.checks.verdict import overall
    from station.files import try_results
    from station.files.try_results import StoredTry
    from station.version import station_version

    rig = measuring.rig
    before = try_results.last(rig.name, rig.sha256)
    again = {finding.device for finding in result.findings}
    kept = [f for f in before.result.findings if f.device not in again] if before is not None else []
    whole = overall([*kept, *result.findings])
    return try_results.store(rig.name, StoredTry(rig.sha256, time.time(), operator, whole, station_version()))
