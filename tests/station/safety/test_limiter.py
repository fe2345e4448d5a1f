"""The limiter: within its limits for any input, exact for motion within them."""

from math import pi, sin

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from station.bus.messages import Dimension
from station.safety import Limiter

V, A = 3.14, 100.0
ARM = (
    Dimension("waist", "rad", -2.0, 2.0),
    Dimension("elbow", "rad", -0.3, 0.5),
    Dimension("gripper", "1", 0.0, 1.0, rad_per_unit=-1.7, compliant=True),
)
steps = st.lists(
    st.tuples(st.tuples(*[st.floats(-1e6, 1e6) | st.floats(-2.5, 2.5)] * 3), st.floats(1e-4, 0.025)), max_size=60
)


def limiter(start: tuple[float, ...], velocity: float = V, acceleration: float = A) -> Limiter:
    one = Limiter(ARM, velocity, acceleration)
    one.reset(start)
    return one


@pytest.mark.slow
@given(steps, st.floats(0.05, 10), st.floats(0.5, 500), st.lists(st.booleans(), min_size=60, max_size=60))
def test_every_goal_is_within_position_velocity_and_acceleration_limits(
    stream: list[tuple[tuple[float, ...], float]], velocity: float, acceleration: float, stops: list[bool]
) -> None:
    one = limiter((0.0, 0.5, 1.0), velocity, acceleration)
    goal, before = one.goal, one.velocity
    for (target, dt), stop in zip(stream, stops, strict=False):
        after = one.stop(dt, dt) if stop else one.step(target, dt)
        for i, dimension in enumerate(ARM):
            scale = abs(dimension.rad_per_unit)
            speed = (after[i] - goal[i]) / dt
            assert dimension.lower <= after[i] <= dimension.upper
            assert abs(speed) * scale <= velocity * (1 + 1e-9)
            # Rounding of a goal near 1 costs 1e-16/dt of speed, near 1e-12 rad/s at the shortest step.
            assert abs(speed - before[i]) * scale <= acceleration * dt * (1 + 1e-6) + 1e-5
            assert one.velocity[i] == pytest.approx(speed, abs=1e-9)
        goal, before = after, one.velocity


@pytest.mark.slow
@given(steps)
def test_it_can_always_stop_before_a_position_limit(stream: list[tuple[tuple[float, ...], float]]) -> None:
    one = limiter((0.0, 0.0, 0.5))
    for target, dt in stream:
        one.step(target, dt)
        for i, dimension in enumerate(ARM):
            acceleration = A / abs(dimension.rad_per_unit)
            v = one.velocity[i]
            room = dimension.upper - one.goal[i] if v > 0 else one.goal[i] - dimension.lower
            assert v * v / (2 * acceleration) <= room + 1e-9


@pytest.mark.slow
@given(st.floats(-1.9, 1.9), st.floats(-1.9, 1.9), st.lists(st.floats(1e-3, 0.02), min_size=30, max_size=30))
def test_a_standing_target_is_reached_and_not_overshot(start: float, target: float, dts: list[float]) -> None:
    assume(abs(target - start) > 2 * A * 0.02**2)  # beyond what a single step may reach
    one = limiter((start, 0.0, 0.5))
    for dt in dts * 60:
        goal = one.step((target, 0.0, 0.5), dt)[0]
        assert (target - goal) * (target - start) >= -1e-12
    assert goal == target


def test_motion_within_the_limits_is_passed_without_lag() -> None:
    one = limiter((0.0, 0.0, 0.0))
    for k in range(1, 400):
        t = k * 0.005
        target = (0.9 * (1 - sin(pi / 2 + 1.5 * t)), 0.1 * sin(t), 0.2 * sin(t) ** 2)
        assert one.step(target, 0.005) == target


def test_after_a_jump_a_moving_target_is_met_not_trailed() -> None:
    one = limiter((-1.5, 0.0, 0.0))
    met = []
    for k in range(1, 250):
        target = -1.0 + 1.5 * k * 0.005  # 0.5 rad ahead, 1.5 rad/s
        met.append(one.step((target, 0.0, 0.0), 0.005)[0] == target)
    assert all(met[150:]), "it should have caught up within 0.75 s"


def test_from_outside_the_limits_the_way_leads_inward_only() -> None:
    one = limiter((2.3, 0.0, 0.0))
    goals = [one.step((3.0, 0.0, 0.0), 0.01)[0] for _ in range(3)]
    assert max(goals) <= 2.3
    before = goals[-1]
    for _ in range(400):
        after = one.step((1.0, 0.0, 0.0), 0.01)[0]
        assert after <= before
        before = after
    assert before == 1.0


def test_outside_the_limits_it_does_not_move_by_itself() -> None:
    one = limiter((2.3, 0.0, 0.0))
    assert one.stop(0.01, 0.01) == (2.3, 0.0, 0.0)


def test_a_stop_slows_down_at_the_acceleration_limit() -> None:
    one = limiter((0.0, 0.0, 0.0))
    for k in range(1, 60):
        one.step((2.0 * k * 0.005, 0.0, 0.0), 0.005)
    speeds = []
    while not one.standing:
        one.stop(0.005, 0.005)
        speeds.append(one.velocity[0])
    assert speeds[0] == pytest.approx(1.5, abs=0.01)
    assert len(speeds) in (4, 5)


def test_a_goal_that_stood_for_long_is_not_set_in_motion_to_stop() -> None:
    one = limiter((0.0, 0.0, 0.0))
    for k in range(1, 60):
        one.step((2.0 * k * 0.005, 0.0, 0.0), 0.005)
    goal = one.goal
    assert one.stop(0.025, 0.1) == goal


def test_a_lower_speed_for_one_step() -> None:
    one = limiter((0.0, 0.0, 0.0))
    for _ in range(100):
        one.step((1.0, 0.5, 1.0), 0.005, speed_rad_s=0.5)
        assert all(abs(v) * abs(d.rad_per_unit) <= 0.5 + 1e-9 for v, d in zip(one.velocity, ARM, strict=True))
    assert one.goal[0] == pytest.approx(0.2475, abs=0.01)


@pytest.mark.parametrize("goal", [(0.0, 0.0), (float("nan"), 0.0, 0.0), (float("inf"), 0.0, 0.0)])
def test_it_starts_from_readings_only(goal: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="3 finite numbers"):
        Limiter(ARM, V, A).reset(goal)


@pytest.mark.parametrize("bad", [{"lower": 2.0}, {"rad_per_unit": 0.0}, {"upper": float("nan")}])
def test_limits_that_are_none_are_refused(bad: dict[str, float]) -> None:
    dimension = msgspec.structs.replace(Dimension("waist", "rad", -1.0, 1.0), **bad)
    with pytest.raises(ValueError, match="waist"):
        Limiter([dimension], V, A)
