"""The pick as a plan: the hand goes over the cube, takes it, lifts it, carries it over and puts it down. Pure."""

from functools import cache, partial

import numpy as np

from drivers.sim.operator.script import CubeStart, Hand, Path, Plan, Script, Setpoint, moved, straight
from drivers.sim.world.links import Robot
from drivers.sim.world.model import CUBE_HALF_M
from drivers.sim.world.pick_model import PICKS, arm_model
from station.kinematics.arm import Kinematics, Pose

_WIDE, _SQUEEZE = 0.85, 0.25
"""Gripper setpoints: well around the cube (it is felt at 0.47), and into it, so that the force decides."""
_ABOVE_M = 0.12
_DOWN_M = (0.02, 0.82, CUBE_HALF_M + 0.012)
"""Where the cube is put down."""
_ON_CUBE_M = 0.008
"""How far over the cube's middle its pads' middle takes it."""


@cache
def kinematics(robot: Robot) -> Kinematics:
    """The follower's, in the scene; the frame is the point between the fingertips."""
    return Kinematics(arm_model(robot, PICKS), "pinch")


def start(robot: Robot) -> Setpoint:
    """Where the hand waits for an episode to begin: gripper open over the table."""
    return {side: np.array([*robot.start_rad, 1.0]) for side in robot.sides}


def cube_start(seed: int, episode: int) -> CubeStart:
    """The place for one episode: the same seed and number always give the same."""
    random = np.random.default_rng([seed, episode])
    return CubeStart(random.uniform(0.02, 0.16), random.uniform(0.54, 0.68), random.uniform(-0.4, 0.4))


def pick(robot: Robot, cube: CubeStart) -> Plan:
    """The plan for a cube that lies at `cube`. Raises Unreachable."""
    on_cube = Pose(np.array([cube.x_m, cube.y_m, CUBE_HALF_M + _ON_CUBE_M]), _looking_down(robot, cube.yaw_rad))
    above = moved(on_cube, (0, 0, _ABOVE_M))
    down = Pose(np.array(_DOWN_M), _looking_down(robot, 0.0))
    over = moved(down, (0, 0, _ABOVE_M))
    hand = Hand(kinematics(robot), start(robot)[PICKS])
    hand.joint_move(1.8, above, _WIDE)
    hand.line(1.2, above, on_cube)
    hand.grip(0.8, _SQUEEZE)
    hand.line(1.0, on_cube, above)
    hand.joint_move(1.5, over, _SQUEEZE)
    hand.line(0.9, over, down)
    hand.grip(0.6, _WIDE)
    hand.line(0.8, down, over)
    hand.home(1.4, 1.0)
    paths = {PICKS: Path(hand.moves)}
    for side, rests in start(robot).items():
        paths.setdefault(side, straight(rests, rests, 1.0))
    return Plan(paths)


def _looking_down(robot: Robot, yaw_rad: float) -> np.ndarray:
    """A gripper whose z points down, its fingers along the table, turned by `yaw_rad` about the vertical, as a quaternion w x y z.

    At the start its flange stands so for a yaw of 0: turns that the wrist has to make stay small.
    """
    w, x, y, z = kinematics(robot).forward(robot.start_rad).quaternion_wxyz
    c, s = np.cos(yaw_rad / 2), np.sin(yaw_rad / 2)
    return np.array([c * w - s * z, c * x - s * y, c * y + s * x, c * z + s * w])


def picking(robot: Robot) -> Script:
    """The arm stands at the start when the world begins, and so does its leader."""
    return Script(robot.sides, start(robot), start(robot), cube_start, partial(pick, robot))
