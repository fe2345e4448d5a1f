"""`station calibrate …`: listen to the rig, let the cores judge, tell the operator, store.

The `station` command loads it by the entry points `station.commands`.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Annotated

import typer

from calibration.arms import calibrate as calibrate_arms
from calibration.arms.wrist import carrier
from calibration.calibrate_latency import latencies
from calibration.cameras import board as boards
from calibration.cameras import calibrate as calibrate_cameras
from calibration.checking import check as check  # a checkout that was installed before it moved looks for it here
from calibration.measuring import Measuring
from station.borders.options import RigOption, seconds_option
from station.clock import monotonic_ns
from station.errors import StationError, UsageError
from station.rig.choice import rig_of
from station.steps.speaker import speaking
from station.steps.terminal import in_a_job
from station.terminal.screen import PlainConsole

OperatorOption = Annotated[str, typer.Option("--operator", help="goes into the file")]
SidesOption = Annotated[list[str] | None, typer.Option("--only", help="only these devices")]

CHECK_S = 6.0
_NICE = 10

console = PlainConsole(width=None if sys.stdout.isatty() else 200, soft_wrap=False)
calibrate = typer.Typer(no_args_is_help=True, help="Measure the rig and keep what was measured, per device serial.")


@calibrate.command()
def board(
    path: Annotated[Path, typer.Argument(help="a .pdf, .svg or .png")] = Path("board.pdf"),
    rig: Annotated[str, typer.Option("--rig", help="may be left out: the board is then the one that fits A4")] = "",
) -> None:
    """Write the board, as the rig file describes it, as a page to print in true size; one board may serve every rig."""
    used = boards.of(rig_of(rig)) if rig else boards.Board()
    try:
        size = boards.page(used, path)
    except ValueError as error:
        raise StationError(f"{error}. Next: name another file") from error
    console.print(
        f"{path}: print on {size} at 100 %, check that the bar measures 100.0 mm, glue it onto something flat"
    )


@calibrate.command()
@in_a_job
def arms(
    rig: RigOption, operator: OperatorOption = "", only: SidesOption = None,
    placings: Annotated[int, typer.Option("--placings", min=1, max=10)] = 3,
    pose: Annotated[str, typer.Option("--pose", help="the joints' true angles there, degrees: -1.5,20,…")] = "",
    compare: Annotated[int, typer.Option("--compare", min=0, max=20, help="compare leaders with followers in so many poses")] = 0,
    yes: Annotated[bool, typer.Option("--yes", help="the arms rest where they should: do not ask")] = False,
) -> None:  # fmt: skip
    """Where each arm rests, and with --pose its zeros: torque off, the arm lying on its rest stops or in a jig, some placings."""
    angles = [float(angle) for angle in pose.split(",")] if pose else None
    with _measuring(rig, operator, yes) as measuring, measuring.together() if compare else nullcontext():
        for node in measuring.chosen(measuring.resting(), only):
            measuring.tell(calibrate_arms.zero(measuring, node, placings, angles))
        for side in measuring.rig.sides:
            if compare and side.leader and side.follower:
                for line in calibrate_arms.compare(measuring, side.leader, side.follower, compare):
                    measuring.tell(line)


@calibrate.command()
@in_a_job
def gello(rig: RigOption, operator: OperatorOption = "", only: SidesOption = None) -> None:
    """Offsets and signs of GELLO leaders, from the pose of the picture and one turn per joint."""
    with _measuring(rig, operator, False) as measuring:
        for node in measuring.chosen(measuring.gellos(), only):
            measuring.tell(calibrate_arms.gello(measuring, node))


@calibrate.command()
@in_a_job
def grippers(
    rig: RigOption, operator: OperatorOption = "", only: SidesOption = None,
    seconds: Annotated[float, seconds_option("--seconds", 2.0)] = 10.0,
    yes: Annotated[bool, typer.Option("--yes", help="they are being opened and closed: do not ask")] = False,
) -> None:  # fmt: skip
    """Measure how far grippers open and close: open and close each one to its stops while it is measured."""
    with _measuring(rig, operator, yes) as measuring:
        for node in measuring.chosen(measuring.grippers(), only):
            measuring.tell(calibrate_arms.gripper(measuring, node, seconds))


@calibrate.command()
@in_a_job
def cameras(
    rig: RigOption, operator: OperatorOption = "", only: SidesOption = None,
    with_board: Annotated[bool, typer.Option("--board", help="measure lens and place with the board too")] = False,
    on: Annotated[str, typer.Option("--on", help="the arm that carries these cameras, where their names do not say it")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="the scene is as it should be: do not ask")] = False,
) -> None:  # fmt: skip
    """Keep each camera's reference picture; with --board also its lens and where it stands."""
    if with_board and yes:
        raise UsageError(
            "--board needs somebody who holds the board in another place for each view, and --yes would ask nobody. "
            "Next: leave out --yes; without --board it keeps the reference pictures"
        )
    with _measuring(rig, operator, yes) as measuring:
        for node in measuring.chosen(list(measuring.rig.cameras), only):
            with measuring.together():
                if with_board:
                    _with_board(measuring, node, on)
                measuring.tell(calibrate_cameras.reference(measuring, node))


def _with_board(measuring: Measuring, node: str, on: str) -> None:
    used, arm = boards.of(measuring.rig), on or carrier(measuring.rig, node)
    measuring.tell(calibrate_cameras.lens(measuring, node, used))
    if arm:
        measuring.chosen(measuring.arms(), [arm])
        measuring.tell(calibrate_cameras.wrist(measuring, node, arm, used))
    else:
        measuring.tell(calibrate_cameras.place(measuring, node, used))


@calibrate.command()
@in_a_job
def latency(
    rig: RigOption, operator: OperatorOption = "", only: SidesOption = None,
    seconds: Annotated[float, seconds_option("--seconds", 5.0)] = 12.0,
    yes: Annotated[bool, typer.Option("--yes", help="the arms are being moved: do not ask")] = False,
) -> None:  # fmt: skip
    """Measure how late cameras are against the arms, and followers behind leaders, while somebody moves the arms."""
    with _measuring(rig, operator, yes) as measuring:
        for line in latencies(measuring, measuring.chosen(list(measuring.rig.cameras), only), seconds):
            measuring.tell(line)


@contextmanager
def _measuring(rig: str, operator: str, yes: bool) -> Iterator[Measuring]:
    with (
        speaking() as speaker,
        Measuring(
            rig_of(rig), operator, speaker, yes, monotonic_ns, looker=speaker if speaker.looks else None
        ) as measuring,
    ):
        yield measuring
