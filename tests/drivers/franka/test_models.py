"""The arm's table: its chain against Denavit and Hartenberg's parameters, its limits, and what a rig file may say of it."""

import itertools
import math

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.franka import approach
from drivers.franka.models import GRIPPERS, JOINTS, REACH_RAD, START_RAD, VELOCITY_RAD_S, chain
from drivers.franka.settings import FrankaSettings
from drivers.franka.vendor_process import smoothed
from station.devices.networked.track import Track
from station.kinematics.arm import Kinematics, Pose
from station.kinematics.chains import FRAME, fingertips, gripper_rotations
from station.kinematics.models import chain_model

RIGHT = np.pi / 2
A_M = (0, 0, 0, 0.0825, -0.0825, 0, 0.088)
D_M = (0.333, 0, 0.316, 0, 0.384, 0, 0)
ALPHA = (0, -RIGHT, RIGHT, RIGHT, -RIGHT, RIGHT, RIGHT)
FLANGE_M = 0.107
LIBFRANKA = (
    (0.30, 12.0, -2.7501, 2.7501), (0.20, 5.17, -1.7918, 1.7918), (0.20, 7.0, -2.9065, 2.9065), (0.30, 8.0, -3.0481, -0.1458),
    (0.35, 34.0, -2.8101, 2.8101), (0.35, 11.0, 0.54092, 4.5205), (0.35, 34.0, -3.0196, 3.0196),
)  # fmt: skip
"""How fast a joint may be near its ends, by `rate_limiting.h`: sqrt(brakes · way left) − offset; its ends."""
REACHED = st.tuples(*[st.floats(low, high) for low, high in REACH_RAD])


def craig(joints: np.ndarray) -> np.ndarray:
    """Where the flange is, by the modified parameters that Franka publishes. (4, 4)"""
    pose = np.eye(4)
    for angle, a, d, alpha in zip((*joints, 0.0), (*A_M, 0), (*D_M, FLANGE_M), (*ALPHA, 0), strict=True):
        c, s, ca, sa = np.cos(angle), np.sin(angle), np.cos(alpha), np.sin(alpha)
        pose = pose @ np.array(
            [[c, -s, 0, a], [s * ca, c * ca, -sa, -d * sa], [s * sa, c * sa, ca, d * ca], [0, 0, 0, 1]]
        )
    return pose


@given(joints=REACHED)
def test_the_chain_ends_where_the_makers_parameters_do(joints: tuple[float, ...]) -> None:
    angles = np.array(joints)
    np.testing.assert_allclose(fingertips(chain(0.0), angles[None])[0], craig(angles)[:3, 3], atol=1e-9)


def test_the_hand_looks_down_at_the_start_and_straight_ahead_in_the_makers_ready_pose() -> None:
    assert all(low < start < high for start, (low, high) in zip(START_RAD, REACH_RAD, strict=True))
    ready = (0, -math.pi / 4, 0, -3 * math.pi / 4, 0, RIGHT, math.pi / 4)
    for pose in (START_RAD, ready):
        looks = gripper_rotations(chain(0.1034), np.array([pose]))[0]
        np.testing.assert_allclose(looks[:, 0], (0, 0, -1), atol=1e-9)
    np.testing.assert_allclose(looks[:, 2], (1, 0, 0), atol=1e-9)
    np.testing.assert_allclose(craig(np.array(ready))[:3, 3], (0.3069, 0, 0.5903), atol=2e-4)


@given(joints=REACHED)
def test_no_joint_may_be_faster_than_the_robot_lets_it(joints: tuple[float, ...]) -> None:
    for joint, here in enumerate(joints):
        offset, brakes, low, high = LIBFRANKA[joint]
        assert 0 <= approach.most_rad_s(joint, here, True) <= max(0.0, math.sqrt(brakes * (high - here)) - offset)
        assert 0 <= approach.most_rad_s(joint, here, False) <= max(0.0, math.sqrt(brakes * (here - low)) - offset)


@given(joints=REACHED, goal=REACHED, dt_s=st.floats(0.001, 0.01))
def test_a_step_near_the_end_is_short(joints: tuple[float, ...], goal: tuple[float, ...], dt_s: float) -> None:
    share = approach.share(joints, goal, dt_s)
    assert 0 < share <= 1
    for joint, (here, there) in enumerate(zip(joints, goal, strict=True)):
        most = max(0.05, approach.most_rad_s(joint, here, there > here)) * dt_s
        assert abs(there - here) * share <= most * (1 + 1e-9)


def test_a_track_to_the_end_arrives_there_without_running_into_it() -> None:
    track, now_s = Track(START_RAD, VELOCITY_RAD_S, 0.0, approach.share), 0.0
    end = [high for _, high in REACH_RAD]
    before, fastest_late = list(START_RAD), 0.0
    for _ in range(3000):
        now_s += 0.005
        track.aim(end, now_s)
        here = track.at(now_s)
        if end[0] - here[0] < 0.02:
            fastest_late = max(fastest_late, (here[0] - before[0]) / 0.005)
        before = here
    assert before == pytest.approx(end, abs=1e-3)
    assert fastest_late < 0.4


def test_the_speed_of_a_target_is_smoothed_and_ends_where_the_target_stands() -> None:
    speed, here = [0.0] * 7, [0.0] * 7
    for _ in range(20):
        there = [value + 0.005 for value in here]
        speed, here = smoothed(speed, here, there, 0.005), there
    assert speed == pytest.approx([1.0] * 7, abs=1e-3)
    assert smoothed(speed, here, here, 0.0) == speed
    for _ in range(20):
        speed = smoothed(speed, here, here, 0.005)
    assert speed == pytest.approx([0.0] * 7, abs=1e-3)


def test_a_hand_in_space_is_reached_with_the_chain_that_it_describes() -> None:
    """What a headset moves: 2 cm to each side of where episodes start, hand turned by a tenth, all joints inside their limits."""
    low, high = zip(*REACH_RAD, strict=True)
    arm = Kinematics(chain_model(chain(GRIPPERS["franka"].tip_m), low, high), FRAME)
    begin = arm.forward(START_RAD)
    for axis, way in itertools.product(range(3), (-0.02, 0.02)):
        step = np.eye(3)[axis] * way
        turned = begin.quaternion_wxyz + 0.05 * np.array([0.0, *np.eye(3)[axis]])
        found = arm.inverse(Pose(begin.position_m + step, turned / np.linalg.norm(turned)), START_RAD)
        assert found.reached()
        assert np.all((np.array(low) <= found.joints_rad) & (found.joints_rad <= np.array(high)))
        assert np.abs(found.joints_rad - START_RAD).max() < 0.5


@pytest.mark.parametrize(
    ("keys", "wrong"),
    [
        ({"model": "fer"}, "fer"),
        ({"address": ""}, "address is empty"),
        ({"rate_hz": 130.0}, "none of this robot's: 200"),
        ({"rate_hz": 500.0}, "none of this robot's"),
        ({"gripper": {"kind": "robotiq_2f85"}}, "robotiq"),
        ({"gripper": {"kind": "franka", "speed_m_s": 1.0}}, "speed_m_s is 0.01 to 0.2"),
        ({"gripper": {"kind": "franka", "force_n": 100.0}}, "force_n 1 to 70"),
        ({"impedance": {"stiffness_nm_rad": [1000.0] * 7}}, "stiffness_nm_rad is 1 to 600"),
        ({"impedance": {"stiffness_nm_rad": [100.0] * 6}}, "length 7"),
        ({"impedance": {"damping_nm_s_rad": [0.0] * 7}}, "damping_nm_s_rad is 0.5 to 60"),
        ({"collision": {"torque_nm": [40.0] * 7}}, "more no joint has, and it would feel nothing"),
        ({"collision": {"force_n": [0.0] * 6}}, "force_n is 1 to 100"),
        ({"stiffness": 300}, "stiffness"),
    ],
)
def test_a_wrong_key_is_told(keys: dict[str, object], wrong: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=wrong):
        msgspec.convert({"model": "fr3", "address": "172.16.0.2"} | keys, FrankaSettings)


def test_what_is_left_out_is_soft_and_feels_what_it_runs_into() -> None:
    settings = FrankaSettings("fr3", "172.16.0.2")
    assert max(settings.impedance.stiffness_nm_rad) <= 300
    assert max(settings.collision.torque_nm) <= 20
    assert max(settings.collision.force_n) <= 30
    assert len(JOINTS) == 7
    assert GRIPPERS["franka"].width_m == 0.08
