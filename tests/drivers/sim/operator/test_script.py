from collections import deque

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.sim.operator.script import (
    START,
    CubeStart,
    Plan,
    Unreachable,
    cube_start,
    hand_over,
    kinematics,
    minimum_jerk,
)
from drivers.sim.world.model import SIDES
from drivers.sim.world.scene import GRIPPER_CLOSED_RAD, GRIPPER_OPEN_RAD, Scene

EPISODES = 20
VELOCITY_RAD_S, ACCELERATION_RAD_S2 = 3.14, 100.0
GRIPPER_RAD = GRIPPER_OPEN_RAD - GRIPPER_CLOSED_RAD
LEADER_LOW = np.array([-np.pi, -1.885, -2.147, -np.pi, -1.746, -np.pi])
LEADER_HIGH = np.array([np.pi, 1.989, 1.604, np.pi, 2.146, np.pi])
"""wx250s: the leader's own position limits."""


class Limited:
    """Follows asks with limited velocity, as the last gate and the servo's profile do."""

    def __init__(self, scene: Scene, side: str) -> None:
        self.scene, self.side = scene, side
        self.goal = START[side].copy()

    def follow(self, ask: np.ndarray, dt_s: float) -> None:
        most = np.array([VELOCITY_RAD_S] * 6 + [VELOCITY_RAD_S / GRIPPER_RAD]) * dt_s
        self.goal = self.goal + np.clip(ask - self.goal, -most, most)
        for joint in range(6):
            self.scene.set_goal(self.side, joint, float(self.goal[joint]))
        self.scene.set_goal(self.side, 6, GRIPPER_CLOSED_RAD + float(self.goal[6]) * GRIPPER_RAD)


def play(cube: CubeStart, delay_s: float) -> tuple[Scene, list[float]]:
    """The plan asked of the scene `delay_s` late; returns the scene and the cube's heights."""
    scene = Scene()
    plan = hand_over(cube)
    hands = {side: Limited(scene, side) for side in SIDES}
    for side in SIDES:
        scene.set_current_limit(side, 538.0)
        hands[side].follow(START[side], 1.0)
    scene.step(1000)
    scene.place_cube(*cube)
    heights = []
    for tick in range(round((plan.seconds + 1) * 100)):
        for side in SIDES:
            hands[side].follow(plan.paths[side].at(tick * 0.01 - delay_s), 0.01)
        scene.step(5)
        heights.append(scene.truth().position_m[2])
    return scene, heights


@pytest.mark.slow
@pytest.mark.parametrize("delay_s", [0.005, 0.03])
def test_the_cube_is_handed_over_in_physics(delay_s: float) -> None:
    outcomes = {}
    for episode in range(EPISODES):
        scene, heights = play(cube_start(0, episode), delay_s)
        outcomes[episode] = scene.truth().done and max(heights) > 0.2
    assert sum(outcomes.values()) >= EPISODES - 1, outcomes


def test_the_same_seed_and_episode_give_the_same_place() -> None:
    assert cube_start(3, 7) == cube_start(3, 7)
    assert len({cube_start(seed, episode) for seed in range(4) for episode in range(5)}) == 20


def test_the_hands_stay_within_the_followers_and_the_leaders_limits() -> None:
    for episode in range(EPISODES):
        plan = hand_over(cube_start(0, episode))
        asks = {side: np.array([plan.paths[side].at(t) for t in np.arange(0, plan.seconds, 0.005)]) for side in SIDES}
        for side, path in asks.items():
            joints = path[:, :6]
            assert np.all(joints >= np.maximum(LEADER_LOW, kinematics(side).lower_rad))
            assert np.all(joints <= np.minimum(LEADER_HIGH, kinematics(side).upper_rad))
            rates = np.abs(np.diff(path, axis=0)).max(0) / 0.005
            assert rates[:6].max() < 1.2 * VELOCITY_RAD_S, "a hand may be quicker than the follower, but not by much"
            assert rates[6] * GRIPPER_RAD < VELOCITY_RAD_S
        assert 8 <= plan.seconds <= 9


def test_before_it_begins_and_after_it_ends_a_plan_is_still() -> None:
    plan: Plan = hand_over(cube_start(0, 0))
    for side in SIDES:
        np.testing.assert_array_equal(plan.at(-1.0)[side], START[side])
        np.testing.assert_array_equal(plan.at(plan.seconds)[side], plan.at(60.0)[side])
    np.testing.assert_allclose(plan.at(60.0)["right"], START["right"])
    assert plan.at(60.0)["left"][6] < 0.5, "the left hand keeps holding the cube"


def test_a_cube_out_of_reach_is_said_to_be() -> None:
    with pytest.raises(Unreachable):
        hand_over(CubeStart(-2.0, 0.5, 0.0))


@given(st.lists(st.floats(-1, 2), min_size=2, max_size=20))
def test_minimum_jerk_never_goes_back(fractions: list[float]) -> None:
    values = deque(minimum_jerk(f) for f in sorted(fractions))
    assert all(0 <= v <= 1 for v in values)
    assert list(values) == sorted(values)
