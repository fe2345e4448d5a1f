"""`station check`: go or no-go. The `station` command loads it by the entry points `station.commands`.

What shows a check needs little; what listens and judges (OpenCV, numpy) is imported in the job alone, which the terminal starts at once.
"""

import sys
from pathlib import Path
from typing import Annotated

import typer

from station.borders.options import RigOption, seconds_option
from station.errors import CheckFailed
from station.files import check_results
from station.rig.choice import rig_of
from station.steps.job import Job
from station.steps.speaker import is_job, speaking
from station.steps.terminal import show
from station.terminal.screen import PlainConsole
from station.terminal.told import STDOUT, tell

CHECK_S = 3.0
"""How long it listens: ninety pictures of a camera at 30 fps, six words of each device's health."""


def check(
    rig: RigOption,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="write the result here; - is stdout, and nothing else there")
    ] = None,
    html_file: Annotated[Path | None, typer.Option("--html", help="write one page with pictures here")] = None,
    seconds: Annotated[float, seconds_option("--seconds", 2.0, "how long to listen")] = CHECK_S,
    swing_s: Annotated[
        float, seconds_option("--swing", 0.0, "then watch the arms being swung for so long: latency")
    ] = 0.0,
    everything: Annotated[bool, typer.Option("--all", help="list what passes too")] = False,
    operator: Annotated[str, typer.Option("--operator", help="who checks; on the page of --html")] = "",
) -> None:
    """Go or no-go: what moved, by how much, what to do. Warn exits 0, fail 1."""
    if is_job():
        from calibration.checks.measured import measure

        with speaking() as speaker:
            measure(rig_of(rig), seconds, swing_s, json_file, html_file, operator, speaker)
        return
    loaded = rig_of(rig)
    with Job(sys.argv[1:]) as job:
        code = show(job, PlainConsole(stderr=json_file == STDOUT))
    stored = check_results.last(loaded.name) if code == 0 else None
    if stored is None:
        raise typer.Exit(code or 1)
    if json_file == STDOUT:
        tell(stored.result)
    else:
        from calibration.checks import report

        console = PlainConsole(width=None if sys.stdout.isatty() else 200, soft_wrap=False)
        console.print(report.table(stored.result, everything))
    if stored.result.verdict == "fail":
        raise CheckFailed(f"the check of {loaded.name} failed: {check_results.failures(stored.result)}")
