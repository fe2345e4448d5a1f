"""A fixed camera of the simulated rig, calibrated with a board as an operator does it, then moved with the board in view.

`python -m tests.calibration.board_in_view` prints the table of docs/calibration.md. It boots a rig: run nothing beside it.
"""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from calibration.cameras import board as boards
from calibration.maths.poses import Pose, from_vectors
from drivers.sim.world.requests import SetCameraFault, ShowBoard
from drivers.sim.world.scene import Scene
from station.client import Station
from station.files import calibration_files
from station.files.calibration_files import Calibration
from station.files.check_results import Finding, value_text
from station.rig.rig import Rig
from tests.calibration.faulty_rig import SETTLE_S, bad, calibrated_rig, findings, station
from tests.calibration.rendering import looking_at
from tests.system.operator_terminal import Terminal

MOVES = (("move", 3.0), ("move", 5.0), ("move", 20.0), ("turn", 0.5), ("turn", 2.0))
MM, DEG = "place, by the board", "direction, by the board"
OFF_MM, OFF_DEG = 1.0, 0.1
"""What is promised."""
ON_THE_TABLE = from_vectors(np.radians([200.0, 0, 0]), np.array([0.0, 0.85, 0.1])) @ from_vectors(
    np.radians([0.0, 25.0, 0]), np.zeros(3)
)
"""Where its middle lies: propped up so that no camera sees it face on."""
_OPENCV = np.diag([1.0, -1.0, -1.0])
"""MuJoCo's cameras look against their z, with y up."""
_LATE_S = 0.3
"""A few pictures."""
LISTEN_S = 0.8


def shown(middle: Pose, board: boards.Board) -> ShowBoard:
    """The request that puts the board's middle there (scene_from_board)."""
    width_m, height_m = board.size_m
    corner = middle.translation_m - middle.rotation @ np.array([width_m / 2, height_m / 2, 0.0])
    return ShowBoard(tuple(map(float, corner)), middle.quaternion_wxyz(), board.square_m)  # type: ignore[arg-type]


def held(rig: Rig, camera: str, count: int) -> Iterator[Pose]:
    """Where somebody holds the board for views of a lens: all over the picture, tilted to all sides."""
    scene, random = Scene(), np.random.default_rng(1)
    number = scene.model.camera(rig.device(camera).settings.view).id
    place = Pose(scene.data.cam_xmat[number].reshape(3, 3) @ _OPENCV, scene.data.cam_xpos[number].copy())
    for view in range(count):
        corner = np.array([-1 if view % 2 else 1, -1 if view // 2 % 2 else 1]) * (0.0 if view % 5 == 4 else 1.0)
        centre = corner * (0.45, 0.35) + random.uniform(-0.05, 0.05, 2)
        tilt, roll = random.uniform(-35, 35, 2), random.uniform(-30, 30)
        yield place @ looking_at((0, 0), random.uniform(0.35, 0.45), tuple(tilt), roll, tuple(centre))


def calibrate(rig: Rig, camera: str) -> str:
    """`station calibrate cameras --board` for one camera, somebody holding the board and pressing Enter; what it says."""
    board = boards.of(rig)
    words = ["calibrate", "cameras", "--rig", str(rig.file), "--board", "--only", camera, "--operator", "ada"]
    terminal = Terminal(words)
    try:
        for number, where in enumerate((*held(rig, camera, 16), ON_THE_TABLE)):
            prompt = f"({number + 1} of 16)" if number < 16 else "marked place"
            terminal.wait(lambda: prompt in terminal.text, prompt)  # noqa: B023
            Station(rig).ask("world", shown(where, board), 5000)
            time.sleep(_LATE_S)
            terminal.press("\n")
        terminal.wait(lambda: "table as it always is" in terminal.text, "the reference picture")
        terminal.press("\n")
        assert terminal.ended() == 0, terminal.text
        return terminal.text
    finally:
        terminal.close()


@contextmanager
def with_board(rig: Rig, camera: str, *others: str) -> Iterator[Calibration]:
    """The board lies on its mark, and the camera knows its lens and its place; afterwards all is as before.

    `others` have their reference pictures taken anew, for the board makes theirs brighter.
    """
    before = {known.device: known for known in calibration_files.load_all() if known.device in rig.cameras}
    try:
        calibrate(rig, camera)
        if others:
            only = [word for other in others for word in ("--only", other)]
            station("calibrate", "cameras", "--rig", str(rig.file), "--yes", *only)
        found = calibration_files.load(before[camera].serial)
        assert found is not None
        yield found
    finally:
        Station(rig).ask("world", ShowBoard(), 5000)
        for known in before.values():
            calibration_files.save(known)


def moved(rig: Rig, camera: str, what: str, value: float) -> list[Finding]:
    """What the check says of arms and cameras while the camera stands elsewhere."""
    world = Station(rig)
    world.ask("world", SetCameraFault(camera, what, value), 5000)  # type: ignore[arg-type]
    try:
        time.sleep(SETTLE_S)
        return findings(rig, seconds=LISTEN_S)
    finally:
        world.ask("world", SetCameraFault(camera, "none"), 5000)


def by_board(camera: str, found: list[Finding]) -> tuple[Finding, Finding]:
    """How far it has moved, and turned. Raises StopIteration where the board was not measured with."""
    mm, deg = (next(f for f in found if (f.device, f.name) == (camera, name)) for name in (MM, DEG))
    return mm, deg


def main(cameras: list[str]) -> None:
    """Print the table."""
    print("| camera | moved | found | anything else |\n|---|---|---|---|")
    with calibrated_rig(light=True) as rig:
        for camera in cameras or ["cam_high", "cam_low"]:
            with with_board(rig, camera, *(other for other in rig.cameras if other != camera)) as known:
                assert known.intrinsics is not None
                print(
                    f"{camera}: focal length {known.intrinsics.fx:.2f}, {known.intrinsics.fy:.2f} px", file=sys.stderr
                )
                for what, value in (("none", 0.0), *MOVES):
                    found = moved(rig, camera, what, value)
                    told = ", ".join(value_text(finding) for finding in by_board(camera, found))
                    others = set(bad(found)) - {(camera, MM), (camera, DEG)}
                    print(f"| {camera} | {what} {value:g} | {told} | {others or '–'} |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
