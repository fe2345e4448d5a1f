"""What an operator at a made-up rig does, well or wrong: the same calls as the commands', what cameras see drawn by a known lens."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple
from unittest import mock

import cv2
import numpy as np

from calibration import calibrate_latency, measuring
from calibration.arms import calibrate as calibrate_arms
from calibration.arms.motion import Motion
from calibration.cameras import calibrate as calibrate_cameras
from calibration.cameras import sighting
from calibration.cameras.board import View
from calibration.maths.lens import Lens
from calibration.maths.poses import Pose, from_vectors
from calibration.measuring import Measuring
from station.client import Station
from station.clock import NS_PER_MS, NS_PER_S
from station.files import calibration_files
from station.files.calibration_files import Calibration, Intrinsics
from station.rig.rig import find_rig, load_rig
from tests.calibration import rendering
from tests.calibration.made_up_rig import GRAY, MADE, REST, World
from tests.calibration.rendering import BOARD, HEIGHT, LENS, WIDTH, Picture, looking_at

MIDDLE = (BOARD.size_m[0] / 2, BOARD.size_m[1] / 2)
CAMERA, ARM = "cam_left_wrist", "follower_left"
NARROW = Lens(np.array([[1066.0, 0, 322.5], [0, 1062.0, 236.5], [0, 0, 1]]), np.zeros(5))
SQUEEZED = Lens(np.array([[400.0, 0, 322.5], [0, 533.0, 236.5], [0, 0, 1]]), np.zeros(5))
NOISE_PX = 0.05
FLAT = BOARD.corners_m
VIEWS, STOPS = calibrate_cameras.VIEWS, calibrate_cameras.STOPS


class Bench(NamedTuple):
    """What a case works with."""

    world: World
    measuring: Measuring
    random: np.random.Generator

    def does(self, *acts: Callable[[], object]) -> None:
        """What the operator does at the next prompts."""
        self.world.acts.extend(acts)


@contextmanager
def bench() -> Iterator[Bench]:
    """A rig of which nothing is stored but a known lens of the right wrist's camera."""
    rig = load_rig(find_rig("sim"))
    world = World(rig)
    with (
        tempfile.TemporaryDirectory() as folder,
        mock.patch.dict("os.environ", {"XDG_CONFIG_HOME": folder}),
        mock.patch.object(measuring, "Listener", return_value=world),
        Measuring(rig, "ada", world, False, lambda: world.now_ns, Station) as ready,
    ):
        yield Bench(world, ready, np.random.default_rng(1))


def view(
    place: Pose, random: np.random.Generator, lens: Lens = LENS, board: np.ndarray = FLAT, noise_px: float = NOISE_PX
) -> View | None:
    """The corners that a camera sees of a board of this shape (K, 3); None where they are few."""
    pixels = lens.project(board @ place.rotation.T + place.translation_m)
    inside = np.all((pixels > 2) & (pixels < (WIDTH - 3, HEIGHT - 3)), axis=1)
    if inside.sum() < 8:
        return None
    pixels = pixels + random.normal(0, noise_px, pixels.shape)
    return View(pixels[inside], np.flatnonzero(inside), WIDTH, HEIGHT)


def held(
    random: np.random.Generator, tilt: Callable[[], tuple[float, float]], roll: float = 30.0, near: float = 1.0
) -> Iterator[Pose]:
    """Somebody holds the board all over the picture; `tilt` about x and y, degrees."""
    for number in range(10 * VIEWS):
        corner = np.array([-1 if number % 2 else 1, -1 if number // 2 % 2 else 1]) * (0.0 if number % 5 == 4 else 1.0)
        centre = (corner * (0.35, 0.25) + random.uniform(-0.05, 0.05, 2)) / near
        distance = near * random.uniform(0.32, 0.48)
        yield looking_at(MIDDLE, distance, tilt(), random.uniform(-roll, roll), tuple(centre))


def all_sides(random: np.random.Generator) -> Callable[[], tuple[float, float]]:
    """As it should be."""
    return lambda: (random.uniform(-35, 35), random.uniform(-35, 35))


@contextmanager
def seen(views: Iterator[View | None]) -> Iterator[None]:
    """What is found in the next pictures, whatever they show."""
    with mock.patch.object(sighting, "find", side_effect=lambda _gray, _board: next(views)):
        yield


def lens(
    made: Bench, tilt: Callable[[], tuple[float, float]] | None = None, roll: float = 30.0, near: float = 1.0,
    lens: Lens = LENS, board: np.ndarray = FLAT, noise_px: float = NOISE_PX,
) -> str:  # fmt: skip
    """`calibrate cameras --board` up to the lens, with views drawn so."""
    places = held(made.random, tilt or all_sides(made.random), roll, near)
    found = (one for place in places if (one := view(place, made.random, lens, board, noise_px)) is not None)
    with seen(found), made.measuring.together():
        return calibrate_cameras.lens(made.measuring, CAMERA, BOARD)


def shaped(wide_mm: float = 0.0, short_mm: float = 0.0, twist_mm: float = 0.0, stretched: float = 1.0) -> np.ndarray:
    """A board's corners, bent, twisted, or printed longer on one side. (K, 3)"""
    u, v = 2 * FLAT[:, 0] / BOARD.size_m[0] - 1, 2 * FLAT[:, 1] / BOARD.size_m[1] - 1
    out = (wide_mm * (1 - u**2) + short_mm * (1 - v**2) + twist_mm * u * v) / 1000
    return FLAT * (1, stretched, 1) + np.stack([0 * u, 0 * u, out], axis=1)


def one_view(made: Bench) -> str:
    """Sixteen times the board where it is."""
    place = looking_at(MIDDLE, 0.4, (20, 15), 10)
    with seen(view(place, made.random) for _ in range(VIEWS)):
        return calibrate_cameras.lens(made.measuring, CAMERA, BOARD)


def few_views(made: Bench) -> str:
    """Five of sixteen show it."""
    places = held(made.random, all_sides(made.random))
    with seen(view(place, made.random) if number < 5 else None for number, place in enumerate(places)):
        return calibrate_cameras.lens(made.measuring, CAMERA, BOARD)


def printed(made: Bench, pattern: np.ndarray) -> str:
    """A print of another board is held before the camera: rendered pictures, the real detector."""
    made.world.picture = pattern
    return calibrate_cameras.lens(made.measuring, CAMERA, BOARD)


_PX = 120


def print_of(
    across: int = 9, along: int = 6, ratio: float = 0.75, dictionary: str = "DICT_5X5_100", legacy: bool = False
) -> np.ndarray:
    """A picture of a ChArUco board of other measures. (HEIGHT, WIDTH)"""
    known = cv2.aruco.getPredefinedDictionary(getattr(cv2.aruco, dictionary))
    board = cv2.aruco.CharucoBoard((across, along), BOARD.square_m, BOARD.square_m * ratio, known)
    board.setLegacyPattern(legacy)
    return drawn(board.generateImage((across * _PX, along * _PX), marginSize=0))


def chessboard() -> np.ndarray:
    """Squares only."""
    row, column = np.indices((6 * _PX, 9 * _PX)) // _PX
    return drawn(np.where((row + column) % 2 == 0, 0, 255).astype(np.uint8))


def drawn(texture: np.ndarray) -> np.ndarray:
    """A print before the camera."""
    white = np.asarray(cv2.copyMakeBorder(texture, _PX, _PX, _PX, _PX, cv2.BORDER_CONSTANT, value=(235,)), np.float32)
    middle = tuple(side / _PX * BOARD.square_m / 2 for side in texture.shape[::-1])
    fine = rendering.seen(white, rendering.printed(_PX), looking_at(middle, 0.48, (20, 10), 15), 110)
    return rendering.exposed(fine, 0, 1.5, 0.85)


def know_lens(known: Lens = LENS) -> None:
    """The wrist camera's lens was measured before."""
    fx, fy, cx, cy = (float(number) for number in known.numbers)
    stored = Intrinsics(MADE, WIDTH, HEIGHT, fx, fy, cx, cy, tuple(known.distortion.tolist()))
    calibration_files.save(Calibration(f"serial {CAMERA}", CAMERA, "webcam", intrinsics=stored))


def place(made: Bench, views: Iterator[View | None]) -> str:
    """`calibrate cameras --board` of a fixed camera whose lens is known."""
    with seen(views):
        return calibrate_cameras.place(made.measuring, CAMERA, BOARD)


ON_GRIPPER = from_vectors(np.array([-1.8, 0.1, -1.5]), np.array([-0.07, 0.02, 0.06]))
STILL = Pose(np.eye(3), np.zeros(3))


def wrist(
    made: Bench, pushed: Pose = STILL, at: int = STOPS, scale: float = 1.0, on: str = ARM, axes: object = 1.0, restless: int = 0,
    wobble_rad: float = 0.0008,
) -> None:  # fmt: skip
    """`calibrate cameras --board` of a wrist camera: a good lens first, then stops of the arm, then the reference picture.

    `pushed` at stop `at`: how the board was moved; `scale`: how large it is; `on`: the arm named; `axes`: how far each joint
    turns, 1 for all; `restless`: stops at which the arm does not hold still; `wobble_rad`: how far its joints are off.
    """
    gripper_at = calibrate_cameras.GripperPose(made.measuring, ARM)
    middle, spread = np.array([0.0, -0.6, 0.8, 0.0, 0.6, 0.0]), 0.35 * np.broadcast_to(np.asarray(axes, float), 6)
    board = gripper_at(middle) @ ON_GRIPPER @ looking_at(MIDDLE, 0.4, (20, 0))
    places = held(made.random, all_sides(made.random))
    stops: list[View] = []
    made.does(*[lambda: None] * (VIEWS + 1))
    while len(stops) < STOPS:
        joints = middle + spread * made.random.uniform(-1, 1, 6)
        there = pushed @ board if len(stops) >= at else board
        camera_from_board = (gripper_at(joints) @ ON_GRIPPER).inverse() @ there
        found = view(camera_from_board, made.random, board=scale * FLAT)
        if found is None:
            continue
        moves = len(stops) < restless
        made.does(partial(_hold, made, joints, moves, wobble_rad))
        if moves:
            made.does(lambda: None)  # it is told so, and Enter pressed
        stops.append(found)
    views = iter([*(one for place in places if (one := view(place, made.random)) is not None)][:VIEWS] + stops)
    with seen(views), made.measuring.together():
        calibrate_cameras.lens(made.measuring, CAMERA, BOARD)
        calibrate_cameras.wrist(made.measuring, CAMERA, on, BOARD)
        calibrate_cameras.reference(made.measuring, CAMERA)


def _hold(made: Bench, joints: np.ndarray, restless: bool, wobble_rad: float) -> None:
    held_rad = joints + made.random.normal(0, wobble_rad, 6)
    made.world.joints[ARM] = (lambda t_s: held_rad + 0.05 * np.sin(7 * t_s)) if restless else held_rad


def rest(made: Bench, *poses: object, pose: list[float] | None = None, placings: int = 3) -> str:
    """`calibrate arms`: it lies so at each placing."""
    made.does(*[lambda p=p: made.world.joints.__setitem__(ARM, p) for p in poses])
    return calibrate_arms.zero(made.measuring, ARM, placings, pose)


def disagree(made: Bench) -> None:
    """`calibrate arms --compare 3`: a zero of the two is 5° off."""
    made.world.joints["leader_left"] = REST + np.radians([0, 0, 5.0, 0, 0, 0])
    with made.measuring.together():
        for node in ("leader_left", ARM):
            calibrate_arms.zero(made.measuring, node, 1, None)
        list(calibrate_arms.compare(made.measuring, "leader_left", ARM, 3))


def torque_comes_on(made: Bench) -> str:
    """Somebody engages while the prompt waits."""
    made.does(lambda: setattr(made.world, "torque", True))
    return calibrate_arms.zero(made.measuring, ARM, 1, None)


def gello(made: Bench, turn: Callable[[float], float], held_off_rad: float = 0.0) -> str:
    """`calibrate gello`: each joint is turned so (rad by time), then it is held so far off the start pose."""

    def turning(number: int) -> Callable[[], object]:
        def act() -> None:
            begun_s = made.world.now_ns / NS_PER_S
            made.world.joints["leader_left"] = lambda t_s: np.eye(6)[number] * turn(t_s - begun_s)

        return act

    made.does(*[turning(number) for number in range(6)])
    made.does(lambda: made.world.joints.__setitem__("leader_left", np.full(6, held_off_rad)))
    return calibrate_arms.gello(made.measuring, "leader_left")


def gripper(made: Bench, share: float) -> str:
    """`calibrate grippers`: it moves over that share of its travel."""
    made.world.gripper = lambda t_s: share * (0.5 - 0.5 * np.cos(np.pi * t_s))
    return calibrate_arms.gripper(made.measuring, ARM, 6.0)


def latency(made: Bench, motion: Callable[[np.ndarray], np.ndarray], swing_rad: float = 0.5) -> None:
    """`calibrate latency`: pictures move so (px by time, s) while the arms swing."""

    def at(t_s: float) -> float:
        return float(REST[0] + swing_rad * np.sin(2 * np.pi * 0.35 * t_s * (1 + 0.05 * t_s)))

    def watch(_nodes: list[str], seconds: float) -> dict[str, Motion]:
        times = np.arange(10**9, 10**9 + int(seconds * NS_PER_S), 10 * NS_PER_MS)
        for node, arm in made.world.seen.arms.items():
            swings = node.startswith("follower")
            arm.at_ns[:] = times.tolist()
            arm.positions[:] = [(at(t / NS_PER_S) if swings else REST[0], *REST[1:], 0.0) for t in times]
        stamps = np.arange(2 * 10**9, 10**9 + int((seconds - 1) * NS_PER_S), 66_666_667)
        return {"cam_high": Motion(stamps.tolist(), list(np.diff(motion(stamps / NS_PER_S))[:, None]))}

    with mock.patch.object(made.measuring, "watch_motion", watch):
        list(calibrate_latency.latencies(made.measuring, ["cam_high"], 12.0))


def early(t_s: np.ndarray) -> np.ndarray:
    """A picture's motion 60 ms before the arm's."""
    ahead_s = t_s + 0.06
    return np.asarray(20 * np.sin(2 * np.pi * 0.35 * ahead_s * (1 + 0.05 * ahead_s)))


def reference(made: Bench, picture: Picture | Callable[[float], Picture]) -> str:
    """The reference picture of such a scene."""
    made.world.picture = picture
    return calibrate_cameras.reference(made.measuring, CAMERA)


def walking(t_s: float) -> np.ndarray:
    """Somebody walks by."""
    picture = GRAY.copy()
    left = int(400 * (t_s % 1.0))
    picture[100:400, left : left + 150] = 200
    return picture


def moving_board(made: Bench) -> Iterator[View | None]:
    """It is still being laid down."""
    return (view(looking_at(MIDDLE, 0.5 + 0.004 * n, (25, 5)), made.random) for n in range(100))


def crumpled(made: Bench) -> Iterator[View | None]:
    """A board that is not flat, seen alone."""
    one = view(looking_at(MIDDLE, 0.4, (25, 5)), made.random, noise_px=3.0)
    return (one for _ in range(100))


def shared(made: Bench) -> list[str]:
    """Two cameras with one serial number."""
    cameras = made.world.seen.cameras
    cameras["cam_low"].description = cameras["cam_high"].description
    return made.measuring.chosen(list(cameras), None)


def shift(mm: float) -> Pose:
    return Pose(np.eye(3), np.array([mm / 1000, 0, 0]))
