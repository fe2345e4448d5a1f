from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.dynamixel.models import VX300S_CHAIN
from drivers.sim.world.model import arm_model
from drivers.sim.world.scene import START_RAD
from station.errors import StationError
from station.kinematics.arm import Kinematics, Pose
from station.kinematics.chains import FRAME
from station.kinematics.models import chain_model, rpy_to_wxyz
from station.kinematics.reach import Reach, Workspace

LOWER = (-3.14158, -1.85005, -1.76278, -3.14158, -1.8675, -3.14158)
UPPER = (3.14158, 1.25664, 1.6057, 3.14158, 2.23402, 3.14158)
EVERYWHERE = Workspace((-2, -2, -2), (2, 2, 2))
VELOCITY = 3.14
DT_S = 1 / 72


@cache
def model() -> Any:
    return chain_model(VX300S_CHAIN, LOWER, UPPER)


def reach(workspace: Workspace = EVERYWHERE) -> Reach:
    return Reach(model(), FRAME, [VELOCITY] * 6, workspace)


def test_the_chain_is_the_simulated_arm() -> None:
    chain = Kinematics(chain_model(VX300S_CHAIN, LOWER, UPPER, (-0.469, 0.5, 0)), FRAME)
    scene = Kinematics(arm_model("left"), "pinch")
    random = np.random.default_rng(0)
    for _ in range(20):
        joints = random.uniform(LOWER, UPPER)
        one, other = chain.forward(joints), scene.forward(joints)
        assert one.position_m == pytest.approx(other.position_m, abs=1e-9)
        assert one.quaternion_wxyz == pytest.approx(other.quaternion_wxyz, abs=1e-9)


def test_the_base_turns_the_arm() -> None:
    turned = Kinematics(chain_model(VX300S_CHAIN, LOWER, UPPER, (1, 0, 0), (0, 0, np.pi / 2)), FRAME)
    straight = Kinematics(model(), FRAME)
    x, y, z = straight.forward(START_RAD).position_m
    assert turned.forward(START_RAD).position_m == pytest.approx((1 - y, x, z), abs=1e-9)


def test_rpy_is_urdfs_order() -> None:
    import mink

    for rpy in [(0.3, -0.7, 1.9), (-2.0, 0.4, 0.0)]:
        theirs = mink.SO3.from_rpy_radians(*rpy).wxyz
        assert rpy_to_wxyz(rpy) == pytest.approx(theirs, abs=1e-12)


def test_a_chain_of_another_number_of_joints_is_told() -> None:
    with pytest.raises(StationError, match="the chain has 6 hinges, and the arm's driver describes 5 joints"):
        chain_model(VX300S_CHAIN, LOWER[:5], UPPER[:5])


def _angle_deg(radians: float) -> float:
    return float(np.degrees(radians))


@pytest.mark.slow
def test_a_target_that_moves_through_the_workspace_is_tracked() -> None:
    """≤ 2 mm and 1° all along, for paths some arm could take at up to 1.9 rad/s."""
    random = np.random.default_rng(1)
    arm = reach()
    for _ in range(15):
        begin, end = random.uniform(np.array(LOWER) * 0.9, np.array(UPPER) * 0.9, (2, 6))
        steps = int(np.abs(end - begin).max() / DT_S)
        joints = begin
        for fraction in np.linspace(0, 1, steps):
            smooth = 10 * fraction**3 - 15 * fraction**4 + 6 * fraction**5
            target = arm.kinematics.forward(begin + smooth * (end - begin))
            reached = arm.step(target, joints, DT_S)
            joints = reached.joints_rad
            assert reached.position_error_m <= 2e-3
            assert _angle_deg(reached.rotation_error_rad) <= 1.0


@pytest.mark.slow
@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.tuples(*[st.floats(-3, 3)] * 3),
            st.tuples(*[st.floats(-1, 1)] * 4),
            st.sampled_from([0.0, 0.001, 1 / 90, 1 / 50, 0.1]),
        ),
        min_size=1, max_size=12,
    ),
    st.integers(0, 2**32 - 1),
)  # fmt: skip
def test_no_stream_of_targets_moves_a_joint_beyond_its_limits(
    stream: list[tuple[tuple[float, ...], tuple[float, ...], float]], seed: int
) -> None:
    arm = reach(Workspace((-1, -1, 0), (1, 1, 1)))
    joints = np.random.default_rng(seed).uniform(LOWER, UPPER)
    for position, quaternion, dt_s in stream:
        norm = np.linalg.norm(quaternion)
        unit = np.array(quaternion) / norm if norm > 1e-3 else np.array([1.0, 0, 0, 0])
        after = arm.step(Pose(np.array(position), unit), joints, dt_s).joints_rad
        assert np.isfinite(after).all()
        assert (np.abs(after - joints) <= VELOCITY * dt_s + 1e-9).all()
        assert (after >= np.array(LOWER) - 1e-9).all()
        assert (after <= np.array(UPPER) + 1e-9).all()
        joints = after


@pytest.mark.parametrize("target", [(1.5, 0, 0.4), (0.6, 0.6, 0.9), (0, 0, 1.6), (-1, 0.1, 0.3)])
def test_an_arm_whose_target_is_out_of_reach_comes_to_rest(target: tuple[float, float, float]) -> None:
    arm = reach()
    joints = np.array(START_RAD)
    rotation = arm.kinematics.forward(joints).quaternion_wxyz
    for _ in range(200):
        joints = arm.step(Pose(np.array(target), rotation), joints, DT_S).joints_rad
    again = arm.step(Pose(np.array(target), rotation), joints, DT_S)
    assert np.abs(again.joints_rad - joints).max() < 2e-3
    assert again.position_error_m > 0.2


def test_the_workspace_is_a_wall() -> None:
    arm = reach(Workspace((-1, -1, 0.2), (1, 1, 1)))
    joints = np.array(START_RAD)
    here = arm.kinematics.forward(joints)
    for _ in range(150):
        reached = arm.step(Pose(here.position_m - (0, 0, 0.5), here.quaternion_wxyz), joints, DT_S)
        joints = reached.joints_rad
        assert reached.pose.position_m[2] >= 0.2 - 2e-3
    assert reached.position_error_m < 2e-3
    assert reached.pose.position_m[2] == pytest.approx(0.2, abs=2e-3)
