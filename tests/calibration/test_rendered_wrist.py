"""Hand–eye of a wrist camera of the simulated arm: its own renderer draws the board, its own kinematics say where the gripper is."""

from typing import Any

import mujoco
import numpy as np
import pytest
from numpy.typing import NDArray

from calibration.cameras import sighting
from calibration.cameras.board import Board
from calibration.maths import handeye
from calibration.maths.handeye import Station
from calibration.maths.lens import Lens
from calibration.maths.poses import Pose, angle_deg, distance_mm, from_quaternion
from drivers.dynamixel.models import VX300S_CHAIN
from drivers.sim.servos.servo import RAD_PER_TICK
from drivers.sim.world import render, stages
from drivers.sim.world.model import scene_spec
from drivers.sim.world.shares import WELL
from drivers.sim.world.viperx import JOINTS
from station.kinematics.arm import Kinematics
from station.kinematics.chains import FRAME
from station.kinematics.models import chain_model
from tests.pictures import gray

STOPS = 12
BOARD_AT_M = (-0.07, 0.5)
LOOKING_DOWN_RAD = np.array([0.0, -0.96, 1.16, 0.0, 0.4, 0.0])
OPENCV = np.diag([1.0, -1.0, -1.0])
"""MuJoCo's cameras look against their z, with y up."""


def scene_with_bolted_camera() -> Any:
    """The world's scene (MjModel)."""
    spec = scene_spec()
    bolt(spec, "left_wrist")
    return spec.compile()


def board_on_the_table() -> tuple[float, ...]:
    """The board before the left arm, face up, as it follows the positions in a camera's share."""
    width_m, height_m = Board().size_m
    x, y = BOARD_AT_M
    return (x - width_m / 2, y + height_m / 2, 0.002, 0.0, 1.0, 0.0, 0.0, Board().square_m)


def bolt(spec: Any, name: str) -> None:
    """The scene's wrist cameras turn on their mounts, to look at the fingertips the right way up; one of metal does not."""
    model = spec.compile()
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    number = model.camera(name).id
    body = data.xmat[model.cam_bodyid[number]].reshape(3, 3)
    turn = Pose(body.T @ data.cam_xmat[number].reshape(3, 3), np.zeros(3))
    spec.camera(name).mode, spec.camera(name).quat = mujoco.mjtCamLight.mjCAMLIGHT_FIXED, turn.quaternion_wxyz()


Stops = tuple[list[Station], list[Pose]]


@pytest.fixture(scope="module")
def stops() -> Stops:
    """Poses of the gripper as the servos' ticks tell them, what the camera saw there, and where it really sits."""
    model = scene_with_bolted_camera()
    data, random = mujoco.MjData(model), np.random.default_rng(4)
    joints = [model.joint(f"vx300s_left/{name}") for name in JOINTS]
    ranges = np.array([joint.range for joint in joints])
    arm = Kinematics(chain_model(VX300S_CHAIN, tuple(ranges[:, 0]), tuple(ranges[:, 1])), FRAME)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stages, "model", lambda _scene: model)
        view = render.View(640, 480)
    found: list[Station] = []
    truths: list[Pose] = []
    for _ in range(60):
        angles = LOOKING_DOWN_RAD + random.uniform(-1, 1, 6) * (0.12, 0.15, 0.15, 0.35, 0.15, 0.6)
        mujoco.mj_resetData(model, data)
        for joint, angle in zip(joints, angles, strict=True):
            data.qpos[joint.qposadr[0]] = angle
        mujoco.mj_forward(model, data)
        jpeg = view.draw("left_wrist", np.concatenate((data.qpos, WELL, board_on_the_table())))
        seen = sighting.find(gray(jpeg), Board())
        if seen is None:
            continue
        found.append(Station(pose_of(arm, np.round(angles / RAD_PER_TICK) * RAD_PER_TICK), seen))
        truths.append(pose_of(arm, angles).inverse() @ base(model, data).inverse() @ camera(model, data))
        if len(found) == STOPS:
            break
    view.close()
    return found, truths


def pose_of(arm: Kinematics, angles: NDArray[np.float64]) -> Pose:
    at = arm.forward(angles)
    return from_quaternion(tuple(map(float, at.quaternion_wxyz)), tuple(map(float, at.position_m)))


def base(model: Any, data: Any) -> Pose:
    body = model.body("vx300s_left").id
    return Pose(data.xmat[body].reshape(3, 3).copy(), data.xpos[body].copy())


def camera(model: Any, data: Any) -> Pose:
    number = model.camera("left_wrist").id
    return Pose(data.cam_xmat[number].reshape(3, 3) @ OPENCV, data.cam_xpos[number].copy())


def lens() -> Lens:
    focal = 240 / np.tan(np.radians(20.0) / 2)
    return Lens(np.array([[focal, 0, 319.5], [0, focal, 239.5], [0, 0, 1.0]]), np.zeros(5))


@pytest.mark.slow
def test_the_arm_s_chain_is_the_scene_s(stops: Stops) -> None:
    _, truths = stops
    assert max(distance_mm(truths[0], truth) for truth in truths) < 0.01
    assert max(angle_deg(truths[0], truth) for truth in truths) < 0.001


def test_hand_eye_within_a_millimetre_and_a_fifth_of_a_degree(stops: Stops) -> None:
    stations, truths = stops
    assert len(stations) == STOPS
    found = handeye.calibrate(stations, Board(), lens())
    off_mm, off_deg = distance_mm(found.gripper_from_camera, truths[0]), angle_deg(found.gripper_from_camera, truths[0])
    print(f"off by {off_mm:.2f} mm, {off_deg:.3f}°; told {found.held_out_mm:.2f} mm, {found.held_out_deg:.3f}°")
    assert off_mm < 1.0
    assert off_deg < 0.2
