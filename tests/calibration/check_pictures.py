"""The pictures of docs/guide/calibration.md: `python -m tests.calibration.check_pictures`.

The simulated rig, calibrated; then one camera is moved and one servo's horn slips, and the check's findings are drawn: the table
as the terminal shows it, and the moved camera's two pictures as the page shows them. Also keeps the page itself, if told
where: `--html FILE`. It boots a rig: run nothing beside it.
"""

import argparse
import datetime
import io
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console

from calibration.cameras import board as boards
from calibration.checks import arms as checks_arms
from calibration.checks import cameras as checks_cameras
from calibration.checks import computer as checks_host
from calibration.checks import report, verdict
from calibration.checks.cameras import Picture
from calibration.checks.survey import survey
from drivers.sim.world.requests import SetCameraFault, SetServoFault
from station.client import Station
from station.clock import monotonic_ns
from station.files import calibration_files
from station.files.check_results import CheckResult
from station.rig.rig import Rig
from tests.calibration.faulty_rig import LISTEN_S, ask, calibrated_rig
from tests.pictures import bgr

GUIDE = Path(__file__).parents[2] / "docs" / "guide"
CAMERA, MOVED_MM = "cam_high", 10.0
ARM, SERVO, SLIPPED_DEG = "follower_left", 7, 3.0
SIDE_PX = 420


def checked(rig: Rig) -> tuple[CheckResult, list[Picture]]:
    """The check with both faults."""
    ask(rig, SetCameraFault(CAMERA, "move", MOVED_MM), SetServoFault(ARM, "slip", SERVO, SLIPPED_DEG))
    known = {calibration.serial: calibration for calibration in calibration_files.load_all()}
    seen = survey(Station(rig), LISTEN_S, monotonic_ns)
    today = datetime.datetime.now(datetime.UTC).date()
    cameras, pictures = checks_cameras.check(rig, seen, known, boards.of(rig), {}, today)
    findings = [*checks_arms.check(rig, seen, known, today), *cameras, *checks_host.check(rig, seen, monotonic_ns)]
    return verdict.overall(findings), pictures


def table_svg(result: CheckResult) -> str:
    """The table as the terminal shows it."""
    console = Console(record=True, width=150, file=io.StringIO(), force_terminal=True)
    console.print(report.table(result, everything=False))
    return console.export_svg(title="station check --rig sim", unique_id="check")


def pair_png(picture: Picture) -> bytes:
    """The reference beside now."""
    both = [bgr(data) for data in (picture.reference_jpeg, report.drawn(picture))]
    height = SIDE_PX * both[0].shape[0] // both[0].shape[1]
    small = [cv2.resize(one, (SIDE_PX, height), interpolation=cv2.INTER_AREA) for one in both]
    gap = np.full((height, 8, 3), 255, np.uint8)
    return bytes(
        cv2.imencode(".png", np.concatenate([small[0], gap, small[1]], axis=1), (cv2.IMWRITE_PNG_COMPRESSION, 9))[1]
    )


def main() -> None:
    """Make them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--html", type=Path)
    asked = parser.parse_args()
    with calibrated_rig(light=True) as rig:
        result, pictures = checked(rig)
    (GUIDE / "check-table.svg").write_text(table_svg(result))
    (GUIDE / "check-moved.png").write_bytes(pair_png(next(p for p in pictures if p.camera == CAMERA)))
    if asked.html is not None:
        asked.html.write_text(
            report.page(result, pictures, report.Header(rig.name, rig.sha256, datetime.datetime.now().astimezone()))
        )


if __name__ == "__main__":
    main()
