"""The hand-over as a plan: both hands' setpoints as a function of time. Pure.

The right arm picks the cube up and brings it to the middle, the left gripper takes it from the side with its fingers
above and below, the right one lets go and draws back. Poses come from inverse kinematics of the follower in the scene;
between them the hands move along minimum-jerk profiles s(τ) = 10τ³ − 15τ⁴ + 6τ⁵.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from functools import cache
from itertools import accumulate
from math import cos, pi, sin
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from drivers.sim.world.model import CUBE_HALF_M, SIDES, arm_model
from drivers.sim.world.scene import SLEEP_RAD, START_RAD
from station.kinematics.arm import Kinematics, Pose

Vector = NDArray[np.float64]
Setpoint = dict[str, Vector]
"""Per side: six joint angles (rad) and the gripper, 0 closed to 1 open. (7,)"""

START: Setpoint = {side: np.array([*START_RAD, 0.0]) for side in SIDES}
"""Where both hands wait for an episode to begin."""

_TILT_RAD = 1.0
"""How far the right gripper looks down while it has the cube."""
_MEET_M = (0.0, 0.5, 0.25)
_LINE_POINTS = 9
_WIDE, _SQUEEZE = 0.8, 0.3
"""Gripper setpoints: well around the cube (it is felt at 0.55), and into it, so that the current limit decides the force."""
_SWING_RAD = 0.24
_GRIPPER_UNITS = (0.0, 0.25, 0.5, 0.75, 1.0, 0.75, 0.5, 0.25)
"""Of the gripper, swing by swing: no faster than a follower may."""
_REACHING_DOWN = np.array([0.0, -0.3, 0.7, 0.0, 0.5, 0.0])
"""Where the search for the first grasp starts: wrist bent down, forearm not turned over."""


class CubeStart(NamedTuple):
    """Where the cube lies at the start of an episode."""

    x_m: float
    y_m: float
    yaw_rad: float


def cube_start(seed: int, episode: int) -> CubeStart:
    """The place for one episode: the same seed and number always give the same."""
    random = np.random.default_rng([seed, episode])
    return CubeStart(random.uniform(0.10, 0.20), random.uniform(0.45, 0.55), random.uniform(-0.25, 0.25))


def minimum_jerk(fraction: float) -> float:
    """s(τ) with zero velocity and acceleration at both ends; clamped outside 0…1."""
    t = min(1.0, max(0.0, fraction))
    return t * t * t * (10 - 15 * t + 6 * t * t)


class Move(NamedTuple):
    """A stretch of a plan: through `points` (k, 7) in `seconds`, at rest at both ends."""

    seconds: float
    points: Vector

    def at(self, elapsed_s: float) -> Vector:
        """Where it is after `elapsed_s`. (7,)"""
        place = minimum_jerk(elapsed_s / self.seconds) * (len(self.points) - 1)
        index = min(int(place), len(self.points) - 2)
        point: Vector = self.points[index] + (place - index) * (self.points[index + 1] - self.points[index])
        return point


class Path:
    """Moves one after the other; before them their first point, after them the last."""

    def __init__(self, moves: Sequence[Move]) -> None:
        self._moves = tuple(moves)
        self._ends = tuple(accumulate(move.seconds for move in self._moves))

    @property
    def seconds(self) -> float:
        """How long it takes."""
        return self._ends[-1]

    def at(self, elapsed_s: float) -> Vector:
        """Where it is after `elapsed_s`. (7,)"""
        index = min(bisect_right(self._ends, elapsed_s), len(self._moves) - 1)
        begin = self._ends[index] - self._moves[index].seconds
        return self._moves[index].at(elapsed_s - begin)


def straight(begin: Vector, end: Vector, seconds: float) -> Path:
    """One move from here to there through joint space."""
    return Path([Move(seconds, np.array([begin, end]))])


def swing(here: Vector, seconds: float, slowest_s: float) -> Path:
    """To and fro about the waist, at changing speed, from `here` and back to it, the gripper slowly opening and closing.

    What a camera's latency and a gripper's travel are measured with.
    """
    moves: list[Move] = []
    at, side, left_s = here, 1.0, seconds
    while left_s > 0:
        pace_s = slowest_s * (0.75 + 0.25 * np.cos(len(moves)))
        there = here.copy()
        there[0] += side * _SWING_RAD
        there[-1] = _GRIPPER_UNITS[(len(moves) + 1) % len(_GRIPPER_UNITS)]
        moves.append(Move(pace_s, np.array([at, there])))
        at, side, left_s = there, -side, left_s - pace_s
    return Path([*moves, Move(slowest_s, np.array([at, here]))])


class Plan(NamedTuple):
    """Both hands' paths."""

    paths: dict[str, Path]

    @property
    def seconds(self) -> float:
        """How long until both are still."""
        return max(path.seconds for path in self.paths.values())

    def at(self, elapsed_s: float) -> Setpoint:
        """Both hands' setpoints after `elapsed_s`."""
        return {side: path.at(elapsed_s) for side, path in self.paths.items()}


@cache
def kinematics(side: str) -> Kinematics:
    """The follower's, in the scene; the frame is the point between the fingertips."""
    return Kinematics(arm_model(side), "pinch")


class Unreachable(ValueError):
    """The cube lies where the script's hands cannot take it."""


class Hand:
    """Collects one side's moves, from the start on. `gripper`: 0 closed to 1 open."""

    def __init__(self, kinematics: Kinematics, start: Vector) -> None:
        self.kinematics, self.start = kinematics, start
        self.here: Vector = start.copy()
        self.moves: list[Move] = []

    def wait(self, seconds: float) -> None:
        """Stay."""
        self._add(seconds, [self.here])

    def grip(self, seconds: float, gripper: float) -> None:
        """Only the gripper moves."""
        self._add(seconds, [np.array([*self.here[:-1], gripper])])

    def joint_move(self, seconds: float, pose: Pose, gripper: float, near: Vector | None = None) -> None:
        """Through joint space, to the joints for that pose that are nearest to `near`, or to where it is. Raises Unreachable."""
        joints = self._solve(pose, self.here[:-1] if near is None else near)
        self._add(seconds, [np.array([*joints, gripper])])

    def home(self, seconds: float, gripper: float) -> None:
        """Back to the start."""
        self._add(seconds, [np.array([*self.start[:-1], gripper])])

    def line(self, seconds: float, begin: Pose, end: Pose) -> None:
        """Along a straight line in space, without turning; the gripper stays as it is."""
        points = []
        joints = self.here[:-1]
        for fraction in np.linspace(0, 1, _LINE_POINTS)[1:]:
            position = begin.position_m + fraction * (end.position_m - begin.position_m)
            joints = self._solve(Pose(position, begin.quaternion_wxyz), joints)
            points.append(np.array([*joints, self.here[-1]]))
        self._add(seconds, points)

    def _solve(self, pose: Pose, start: Vector) -> Vector:
        solution = self.kinematics.inverse(pose, start)
        if not solution.reached():
            raise Unreachable(
                f"no joints for {pose}: off by {solution.position_error_m:.3f} m, {solution.rotation_error_rad:.3f} rad"
            )
        return solution.joints_rad

    def _add(self, seconds: float, points: list[Vector]) -> None:
        self.moves.append(Move(seconds, np.array([self.here, *points])))
        self.here = points[-1]


def hand_over(cube: CubeStart) -> Plan:
    """The plan for a cube that lies at `cube`. Raises Unreachable."""
    down = _looking(pi + cube.yaw_rad, _TILT_RAD)
    meet_down = _looking(pi, _TILT_RAD)
    on_cube = Pose(np.array([cube.x_m, cube.y_m, CUBE_HALF_M + 0.004]), down)
    above = moved(on_cube, (0.0, 0.0, 0.10))
    meet = Pose(np.array(_MEET_M), meet_down)
    aside = moved(meet, _along(meet_down, -0.12))
    sideways = _times(_looking(0.0, 0.0), _rotation(0, pi / 2))
    take = moved(Pose(meet.position_m, sideways), (-0.004, 0.0, -0.002))
    before = moved(take, (-0.12, 0.0, 0.0))
    show = moved(take, (-0.08, 0.0, 0.03))

    right = Hand(kinematics("right"), START["right"])
    right.joint_move(1.3, above, _WIDE, near=_REACHING_DOWN)
    right.line(0.8, above, on_cube)
    right.grip(0.7, _SQUEEZE)
    right.line(0.6, on_cube, above)
    right.joint_move(1.1, meet, _SQUEEZE)
    right.wait(1.5)
    right.grip(0.7, _WIDE)
    right.line(0.5, meet, aside)
    right.home(1.2, 0.0)

    left = Hand(kinematics("left"), START["left"])
    left.wait(2.0)
    left.joint_move(1.8, before, _WIDE)
    left.wait(0.7)
    left.line(0.8, before, take)
    left.grip(0.7, _SQUEEZE)
    left.wait(0.7)
    left.line(0.9, take, show)
    return Plan({"left": Path(left.moves), "right": Path(right.moves)})


class Script(NamedTuple):
    """A task, as its operator plays it."""

    sides: tuple[str, ...]
    start: Setpoint
    """Where the hands wait for an episode to begin."""
    rest: Setpoint
    """Where the leaders are when the world begins: as their followers."""
    cube_start: Callable[[int, int], CubeStart]
    """Where the cube lies, by the world's seed and the episode's number."""
    plan: Callable[[CubeStart], Plan]


REST: Setpoint = {side: np.array([*SLEEP_RAD, 0.0]) for side in SIDES}
HAND_OVER = Script(SIDES, START, REST, cube_start, hand_over)


def moved(pose: Pose, by_m: Sequence[float] | Vector) -> Pose:
    """That pose, elsewhere and not turned."""
    return Pose(pose.position_m + np.asarray(by_m), pose.quaternion_wxyz)


def _rotation(axis: int, angle_rad: float) -> Vector:
    quaternion = np.zeros(4)
    quaternion[0], quaternion[1 + axis] = cos(angle_rad / 2), sin(angle_rad / 2)
    return quaternion


def _times(a: Vector, b: Vector) -> Vector:
    """Hamilton product a·b."""
    w, v = a[0] * b[0] - a[1:] @ b[1:], a[0] * b[1:] + b[0] * a[1:] + np.cross(a[1:], b[1:])
    return np.array([w, *v])


def _looking(yaw_rad: float, pitch_rad: float) -> Vector:
    """A gripper that looks along yaw, `pitch_rad` downwards."""
    return _times(_rotation(2, yaw_rad), _rotation(1, pitch_rad))


def _along(quaternion: Vector, distance_m: float) -> Vector:
    """A step along the gripper's own x axis. (3,)"""
    w, x, y, z = quaternion
    return distance_m * np.array([1 - 2 * (y * y + z * z), 2 * (x * y + w * z), 2 * (x * z - w * y)])
