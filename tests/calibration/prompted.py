"""A calibration of every sort by an operator who waits ten seconds at each prompt and moves the arm meanwhile.

`python -m tests.calibration.prompted [SORT …]` prints a row of docs/calibration.md for each sort, all of them without a word:
one after the other, each on a rig of its own, so that one can be done again. Real commands in a terminal, real drivers and
servo buses; boards are drawn, and what is found is held against the truth. About ten minutes; run nothing beside it.
"""

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from calibration.arms.zeros import wrap
from calibration.maths.poses import Pose, angle_deg, distance_mm, from_quaternion, from_vectors
from station.clock import NS_PER_S, monotonic_ns
from station.files import calibration_files
from station.files.calibration_files import Calibration
from tests.calibration import rendering
from tests.calibration.faulty_rig import ENVIRONMENT, station
from tests.calibration.hand_moved import (
    FOLLOWER_SERVOS,
    FOLLOWER_TURNED,
    GELLO_SERVOS,
    Eye,
    Hands,
    WristCamera,
    buses,
    jpeg,
    rig_text,
)
from tests.calibration.made_up_rig import JOINTS
from tests.calibration.rendering import BOARD, HEIGHT, LENS, WIDTH, looking_at
from tests.drivers.cameras.mjpeg_server import MjpegServer
from tests.system.operator_terminal import Terminal

WAIT_S, MOVING_S = 10.0, 8.5
"""At each prompt, and how long of it the arm (or the board) is moved about."""
MIDDLE = (BOARD.size_m[0] / 2, BOARD.size_m[1] / 2)
ON_GRIPPER = from_vectors(np.array([-1.8, 0.1, -1.5]), np.array([-0.07, 0.02, 0.06]))
OVER_THE_BOARD = np.array([0.0, -0.6, 0.8, 0.0, 0.6, 0.0, 0.0])
LATE_MS = 80.0
FPS = 10
PATIENCE_S = 120.0

Prompt = tuple[str, Callable[[], None]]


class Rig:
    """The rig that is up, its hands, and where its board is."""

    def __init__(self, folder: Path, file: Path, server: MjpegServer, follower: Hands, leader: Hands) -> None:
        self.folder, self.file, self.server, self.follower, self.leader = folder, file, server, follower, leader
        self.random = np.random.default_rng(5)
        self.camera = WristCamera(ON_GRIPPER)
        self.board: Callable[[float], Pose | None] = lambda _t_s: None
        """camera_from_board by time (s)."""

    def calibrate(self, *words: str, prompts: list[Prompt]) -> str:
        """`station calibrate …`: at each prompt move what is to be moved, wait ten seconds, press Enter. What it says."""
        terminal = Terminal(
            ["calibrate", words[0], "--rig", str(self.file), "--operator", "ada", *words[1:]], columns=300
        )
        try:
            seen = 0
            for prompt, act in prompts:
                terminal.wait(lambda: prompt in terminal.text[seen:], prompt, PATIENCE_S)  # noqa: B023
                seen = len(terminal.text)
                act()
                time.sleep(WAIT_S)
                terminal.press("\n")
            assert terminal.ended(PATIENCE_S) == 0, terminal.text
            return terminal.text
        finally:
            terminal.close()

    def stored(self, node: str) -> Calibration:
        """What was kept."""
        (found,) = (known for known in calibration_files.load_all() if known.device == node)
        return found

    def carry(self, there: np.ndarray) -> None:
        """Wave the follower about, then hold it there (joints and gripper, rad)."""
        self.follower.wander_to(there, MOVING_S, self.random)

    def lie(self, there: Pose | None) -> None:
        """Wave the board about before the camera, then hold it there (camera_from_board)."""
        until_s = monotonic_ns() / NS_PER_S + MOVING_S

        def board(t_s: float) -> Pose | None:
            if t_s >= until_s or there is None:
                return there
            swing = 0.05 * np.sin(np.array([2.0, 2.7, 1.3]) * t_s)
            return Pose(there.rotation, there.translation_m + swing)

        self.board = board


@contextmanager
def rig(server: MjpegServer, by: type[Rig] = Rig) -> Iterator[Rig]:
    """Up, on a folder of its own. `by`: how its operator goes through a wizard."""
    folder = Path(tempfile.mkdtemp(prefix="st-", dir="/tmp"))
    before = {name: os.environ.get(name) for name in ENVIRONMENT}
    follower, leader = Hands(FOLLOWER_SERVOS, FOLLOWER_TURNED), Hands(GELLO_SERVOS)
    with ExitStack() as stack:
        for name in ENVIRONMENT:
            os.environ[name] = str(folder / name[4:7].lower())
            Path(os.environ[name]).mkdir(mode=0o700)
        stack.callback(shutil.rmtree, folder)
        stack.callback(
            lambda: [os.environ.pop(n) if v is None else os.environ.update({n: v}) for n, v in before.items()]
        )
        for bus in buses(folder, follower, leader):
            stack.enter_context(bus)
        stack.enter_context(server)
        file = folder / "handmoved.yaml"
        file.write_text(rig_text(folder, server.url, int(server.fps)))
        stack.callback(station, "stop", "--rig", str(file))
        station("up", "--rig", str(file))
        yield by(folder, file, server, follower, leader)


@contextmanager
def seen_rig(by: type[Rig] = Rig) -> Iterator[Rig]:
    """One whose camera sees its board."""
    server = MjpegServer([jpeg(np.full((HEIGHT, WIDTH), 110, np.uint8))], FPS)
    with rig(server, by) as up:
        eye = Eye(server, lambda t_s: up.board(t_s))
        try:
            yield up
        finally:
            eye.close()


def lens_views(up: Rig) -> list[Prompt]:
    """Sixteen prompts, at each the board somewhere else."""
    found: list[Prompt] = []
    for number in range(16):
        corner = np.array([-1 if number % 2 else 1, -1 if number // 2 % 2 else 1]) * (0.0 if number % 5 == 4 else 1.0)
        centre = corner * (0.3, 0.22) + up.random.uniform(-0.05, 0.05, 2)
        tilt, roll = up.random.uniform(-35, 35, 2), up.random.uniform(-30, 30)
        place = looking_at(MIDDLE, up.random.uniform(0.33, 0.45), tuple(tilt), roll, tuple(centre))
        found.append((f"({number + 1} of 16)", partial(up.lie, place)))
    return found


def cameras() -> str:
    """Lens, hand–eye and reference picture of the wrist camera, in one command."""
    with seen_rig() as up:
        base_from_board = up.camera.base_from_camera(OVER_THE_BOARD[:6]) @ looking_at(MIDDLE, 0.4, (20, 0))

        def on_the_table(t_s: float) -> Pose:
            return up.camera.base_from_camera(up.follower.path(t_s)[:6]).inverse() @ base_from_board

        def put_down() -> None:
            up.carry(OVER_THE_BOARD)
            up.board = on_the_table

        stops: list[Prompt] = []
        while len(stops) < 12:
            joints = OVER_THE_BOARD + np.append(up.random.uniform(-0.35, 0.35, 6), 0.0)
            seen = up.camera.base_from_camera(joints[:6]).inverse() @ base_from_board
            pixels = LENS.project(BOARD.corners_m @ seen.rotation.T + seen.translation_m)
            if pixels.min() > 15 and np.all(pixels.max(axis=0) < (WIDTH - 15, HEIGHT - 15)):
                stops.append((f"({len(stops) + 1} of 12)", partial(up.carry, joints)))
        prompts = [
            *lens_views(up), ("lay the board flat", put_down), *stops,
            ("table as it always is", lambda: up.carry(OVER_THE_BOARD)),
        ]  # fmt: skip
        told = up.calibrate("cameras", "--board", prompts=prompts)
        known = up.stored("cam_left_wrist")
    assert known.intrinsics is not None
    assert known.extrinsics is not None
    assert known.reference is not None
    found = np.array([known.intrinsics.fx, known.intrinsics.fy, known.intrinsics.cx, known.intrinsics.cy])
    percent = 100 * float(np.max(np.abs(found - LENS.numbers) / LENS.numbers[[0, 1, 0, 1]]))
    place = from_quaternion(known.extrinsics.quaternion_wxyz, known.extrinsics.xyz_m)
    mm, deg = distance_mm(place, ON_GRIPPER), angle_deg(place, ON_GRIPPER)
    said = known.extrinsics.made.residuals
    print(told[-900:], file=sys.stderr)
    assert percent <= 0.5
    assert mm <= 2.0
    assert deg <= 0.2
    told_too = f"told: {said['held_out_mm']:.2f} mm, {said['held_out_deg']:.3f}°"
    return (
        f"| `cameras --board`: lens, 16 views | {percent:.2f} % | 0.5 % |\n"
        f"| `cameras --board`: hand–eye, 12 stops | {mm:.2f} mm, {deg:.3f}° ({told_too}) | 2 mm, 0.2° |"
    )


def arms(by: type[Rig] = Rig) -> str:
    """A follower in a jig: its zeros, whose horns are off by some degrees."""
    with seen_rig(by) as up:
        pose = np.array([0.0, -0.9, 1.1, 0.05, -0.4, 0.0])
        off = up.random.uniform(-0.1, 0.1, 6)

        def laid_down() -> None:
            up.carry(np.append(pose + off + up.random.normal(0, np.radians(0.02), 6), 0.0))

        told = up.calibrate(
            "arms", "--only", "follower_left", "--pose", ",".join(str(angle) for angle in np.degrees(pose)),
            prompts=[(f"({number + 1} of 3)", laid_down) for number in range(3)],
        )  # fmt: skip
        known = up.stored("follower_left").arm
    assert known is not None
    worst = float(np.degrees(np.max(np.abs(wrap(np.array(known.offsets_rad) - off)))))
    print(told[-600:], file=sys.stderr)
    assert worst <= 0.1
    return f"| `arms --pose`, three placings: the worst joint's zero | {worst:.3f}° | 0.1° |"


def gello(by: type[Rig] = Rig) -> str:
    """A GELLO whose horns sit on quarter turns, some of its servos turning the other way; held up to 3° off the pose."""
    with seen_rig(by) as up:
        signs, quarters = np.array([1, -1, 1, 1, -1, 1]), np.array([0, 1, -1, 2, 0, 1])
        offsets = quarters * np.pi / 2
        held = up.random.uniform(-1, 1, 6) * np.radians(3)

        def servos(joints: np.ndarray) -> np.ndarray:
            return np.append(
                signs * joints + offsets - np.pi, 0.0
            )  # a GELLO's zero is tick 0, half a turn from the middle

        def turn(number: int) -> Callable[[], None]:
            def act() -> None:
                begun_s = monotonic_ns() / NS_PER_S

                def path(t_s: float) -> np.ndarray:
                    joints = 0.2 * np.sin(3 * t_s + np.arange(6)) * (t_s < begun_s + MOVING_S)
                    joints[number] += 0.2 * max(0.0, t_s - begun_s - MOVING_S)
                    return servos(joints)

                up.leader.path = path

            return act

        prompts = [(f"turn {joint} once", turn(n)) for n, joint in enumerate(JOINTS)]
        prompts.append(("start pose of the picture", lambda: up.leader.wander_to(servos(held), MOVING_S, up.random)))
        told = up.calibrate("gello", prompts=prompts)
        known = up.stored("leader_left").arm
    assert known is not None
    print(told[-600:], file=sys.stderr)
    worst = float(np.degrees(np.max(np.abs(wrap(np.array(known.offsets_rad) - offsets)))))
    assert known.signs == tuple(signs)
    assert worst <= 0.1
    return f"| `gello`: signs, and the worst joint's offset, held up to 3° off the pose | all six right, {worst:.3f}° | 0.1° |"


def grippers(by: type[Rig] = Rig) -> str:
    """A gripper between its stops, opened and closed by hand from Enter on and before."""
    with seen_rig(by) as up:
        opened, closed = 1.40, -0.55

        def sweep() -> None:
            def path(t_s: float) -> np.ndarray:
                return np.append(np.zeros(6), closed + (opened - closed) * (0.5 - 0.5 * np.cos(2 * np.pi * t_s / 3)))

            up.follower.path = path

        told = up.calibrate("grippers", "--only", "follower_left", prompts=[("open and close its gripper", sweep)])
        known = up.stored("follower_left").arm
    assert known is not None
    assert known.gripper is not None
    print(told[-600:], file=sys.stderr)
    worst = float(np.degrees(max(abs(known.gripper.open_rad - opened), abs(known.gripper.close_rad - closed))))
    assert worst <= 1.0
    return f"| `grippers`: the stops | {worst:.2f}° of {np.degrees(opened - closed):.0f}° | 1° |"


class Late(MjpegServer):
    """Pictures of a table, each of `LATE_MS` before it is sent."""

    see: Callable[[float], np.ndarray] = staticmethod(lambda _t_s: np.full((HEIGHT, WIDTH), 110, np.uint8))

    def _stream(self, handler: object) -> None:
        start_s, index = monotonic_ns() / NS_PER_S + 0.2, 0
        while not self._closing.is_set():
            index += 1
            at_s = start_s + index / self.fps
            picture = jpeg(self.see(at_s))  # drawn ahead of its time: the hands' path is known
            self._closing.wait(max(0.0, at_s + LATE_MS / 1000 - monotonic_ns() / NS_PER_S))
            head = b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(picture)
            try:
                handler.wfile.write(head + picture + b"\r\n")  # type: ignore[attr-defined]
            except OSError:
                return


def latency(by: type[Rig] = Rig) -> str:
    """A wrist camera that is 80 ms late, the arm swung by hand over a table."""
    server = Late([b""], 15)
    table = np.asarray(rendering.table_texture(), np.uint8)
    scale = table.shape[0] / 2.0
    texture_from_m = np.array([[scale, 0, scale], [0, scale, scale], [0, 0, 1.0]])
    with rig(server, by) as up:
        base_from_table = up.camera.base_from_camera(OVER_THE_BOARD[:6]) @ looking_at((0.0, 0.0), 0.5, (20, 0))

        def see(t_s: float) -> np.ndarray:
            seen = up.camera.base_from_camera(up.follower.path(t_s)[:6]).inverse() @ base_from_table
            plane = LENS.matrix @ np.column_stack([seen.rotation[:, :2], seen.translation_m])
            picture_from_texture = plane @ np.linalg.inv(texture_from_m)
            return np.asarray(cv2.warpPerspective(table, picture_from_texture, (WIDTH, HEIGHT), flags=cv2.INTER_AREA))

        server.see = see

        def swing() -> None:
            begun_s = monotonic_ns() / NS_PER_S

            def path(t_s: float) -> np.ndarray:
                # at changing speed, each joint in a rhythm of its own
                rhythm = 2 * np.pi * np.array([0.25, 0.41, 0.33, 0.52, 0.29, 0.37, 0])
                phase = rhythm * (t_s - begun_s) + np.sin(0.9 * (t_s - begun_s)) + np.arange(7)
                return np.asarray(OVER_THE_BOARD + np.array([0.12, 0.03, 0.05, 0.05, 0.05, 0.1, 0]) * np.sin(phase))

            up.follower.path = path

        told = up.calibrate("latency", prompts=[("get ready to swing the arms", swing)])
        known = up.stored("cam_left_wrist").latency
    assert known is not None
    print(told[-600:], file=sys.stderr)
    off = known.latency_ms - LATE_MS
    assert abs(off) <= 3.0
    return f"| `latency`: a camera that is {LATE_MS:g} ms late | {off:+.1f} ms (told: ± {known.uncertainty_ms:.1f} ms) | 3 ms |"


SORTS = {sort.__name__: sort for sort in (arms, gello, grippers, latency, cameras)}


def main(words: list[str]) -> None:
    """Print the table."""
    print("| what is calibrated | off by | wanted |\n|---|---|---|", flush=True)
    for name in words or SORTS:
        print(SORTS[name](), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
