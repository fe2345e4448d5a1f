"""How exact a camera's latency is, the estimator alone: `python -m tests.calibration.rendered_latency --runs 4` prints the table.

The scene's physics swing both arms as `SwingArms` does, the world's renderer draws what each camera sees 15 times a second, and
the joints are told 100 times a second without error: whatever is found other than 0 ms is the estimator's own. No rig is booted.
"""

import argparse
import itertools
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from calibration.maths import latency
from calibration.maths.flow import picture_motion
from calibration.maths.latency import Lag
from drivers.dynamixel.models import VX300S_CHAIN
from drivers.sim.operator.script import START, swing
from drivers.sim.world.model import SIDES
from drivers.sim.world.render import View
from drivers.sim.world.scene import GRIPPER_CLOSED_RAD, GRIPPER_OPEN_RAD, Scene
from station.clock import NS_PER_MS
from station.kinematics.chains import fingertips, gripper_rotations
from tests.pictures import gray

VIEWS = {"cam_high": "top", "cam_low": "angle", "cam_left_wrist": "left_wrist", "cam_right_wrist": "right_wrist"}
STEP_MS = 10
PERIOD_MS = 1000 / 15
SLOWEST_S = {"left": 1.5, "right": 1.1}


class Swung(NamedTuple):
    """What the physics did: times (N,), joints (N, 14), everything a camera needs (N, nq)."""

    at_ns: NDArray[np.int64]
    joints: NDArray[np.float64]
    qpos: NDArray[np.float64]


def swung(seconds: float, begin_s: float) -> Swung:
    """The followers' way, from `begin_s` into the swing on."""
    scene = Scene()
    paths = {side: swing(START[side], begin_s + seconds + 1.0, SLOWEST_S[side]) for side in SIDES}
    joints, qpos = [], []
    for step in range(-150, round(seconds * 1000 / STEP_MS)):
        for side in SIDES:
            setpoint = START[side] if step < 0 else paths[side].at(begin_s + step * STEP_MS / 1000)
            gripper_rad = GRIPPER_CLOSED_RAD + setpoint[6] * (GRIPPER_OPEN_RAD - GRIPPER_CLOSED_RAD)
            for joint, goal in enumerate((*setpoint[:6], gripper_rad)):
                scene.set_goal(side, joint, float(goal))
        scene.step(5)
        if step >= 0:
            joints.append([angle for side in SIDES for angle in scene.joints(side).position_rad])
            qpos.append(scene.qpos())
    return Swung(np.arange(len(qpos)) * STEP_MS * NS_PER_MS, np.array(joints), np.array(qpos))


def found(view: View, name: str, arms: Swung, first_ms: float) -> Lag:
    """What the estimator makes of one camera whose first picture is that late; 0 ms is right."""
    due = np.arange(first_ms, len(arms.at_ns) * STEP_MS, PERIOD_MS)
    shown = (due // STEP_MS).astype(int)
    drawn = (np.frombuffer(view.draw(name, arms.qpos[place]), np.uint8) for place in shown)
    grays = (gray(jpeg) for jpeg in drawn)
    motion = np.array([picture_motion(before, after) for before, after in itertools.pairwise(grays)])
    return latency.camera_lag(arms.at_ns, arms.joints, arms.at_ns[shown], motion, carried(name, arms))


def carried(name: str, arms: Swung) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """The way of the gripper that carries the camera; None for a fixed one."""
    side = name.removesuffix("_wrist")
    if side == name:
        return None
    own = arms.joints[:, 7 * SIDES.index(side) : 7 * SIDES.index(side) + 6]
    return gripper_rotations(VX300S_CHAIN, own), fingertips(VX300S_CHAIN, own)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=12.0)
    asked = parser.parse_args()
    random, view = np.random.default_rng(0), View(640, 480)
    lags: dict[str, list[Lag]] = {camera: [] for camera in VIEWS}
    for _ in range(asked.runs):
        arms = swung(asked.seconds, random.uniform(0, 2))
        for camera, name in VIEWS.items():
            lags[camera].append(found(view, name, arms, random.uniform(0, PERIOD_MS)))
    print("| camera | found, ms | told uncertainty, ms |\n|---|---|---|")
    for camera, several in lags.items():
        told = ", ".join(f"{lag.uncertainty_ms:.2f}" for lag in several)
        print(f"| {camera} | {', '.join(f'{lag.lag_ms:+.2f}' for lag in several)} | {told} |")


if __name__ == "__main__":
    main()
