"""The hand-over ramp: bounded speed, arrival as measured."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.bus.messages import Dimension
from station.control.ramp import ARRIVED_RAD, SPEED_RAD_S, Ramp
from station.control.states import TRANSITIONS, Difference, too_far, worst_difference
from station.rig.file import Safety

MS = 1_000_000
ARM = (
    Dimension("waist", "rad", -3.0, 3.0),
    Dimension("gripper", "1", 0.0, 1.0, rad_per_unit=1.7, compliant=True),
)


@pytest.mark.slow
@given(st.lists(st.tuples(st.floats(-4, 4), st.floats(-1, 2), st.integers(-20, 60)), max_size=80))
def test_it_is_never_faster_than_its_speed_and_never_out_of_limits(stream: list[tuple[float, float, int]]) -> None:
    ramp = Ramp(ARM, (0.0, 0.5), Safety())
    at_ns, before = 0, ramp.goal
    for waist, gripper, dt_ms in stream:
        at_ns += dt_ms * MS
        goal = ramp.step((waist, gripper), at_ns)
        if goal is None:
            continue
        longest_s = 0.025
        for i, dimension in enumerate(ARM):
            assert abs(goal[i] - before[i]) * dimension.rad_per_unit <= SPEED_RAD_S * longest_s + 1e-9
            assert dimension.lower <= goal[i] <= dimension.upper
        before = goal


def test_it_arrives_and_says_so_only_when_the_arm_is_there() -> None:
    ramp = Ramp(ARM, (0.0, 0.5), Safety())
    target, goal, k = (1.0, 0.0), ramp.goal, 0
    while not ramp.arrived(target, goal):
        k += 1
        assert k < 400
        goal = ramp.step(target, k * 5 * MS) or goal
    assert 1.4 <= k * 0.005 <= 2.0, "1 rad at 0.7 rad/s"
    assert ramp.arrived(target, (goal[0] - ARRIVED_RAD * 0.9, 0.9)), "sag and a gripper on an object are no obstacle"
    assert not ramp.arrived(target, (goal[0] - ARRIVED_RAD * 1.1, 0.0))
    assert not ramp.arrived(target, (float("nan"), 0.0))


def test_a_target_beyond_the_limits_is_reached_at_the_limit() -> None:
    ramp = Ramp(ARM, (2.8, 0.5), Safety())
    for k in range(1, 400):
        goal = ramp.step((3.2, 0.5), k * 5 * MS)
    assert goal is not None
    assert ramp.arrived((3.2, 0.5), goal)


def test_a_slower_rig_has_a_slower_ramp() -> None:
    ramp = Ramp(ARM, (0.0, 0.5), Safety(velocity_rad_s=0.2))
    for k in range(1, 201):
        goal = ramp.step((3.0, 0.5), k * 5 * MS)
    assert goal is not None
    assert goal[0] == pytest.approx(0.2, abs=0.02)


def test_compliant_dimensions_do_not_gate() -> None:
    assert worst_difference(ARM, (0.5, 1.0), (0.0, 0.0)) == Difference("waist", 0.5)
    assert worst_difference(ARM, (-0.5, 1.0), (0.5, 0.0)) == Difference("waist", -1.0)


def test_both_sides_are_gated() -> None:
    assert too_far("leader_left", "follower_left", Difference("elbow", -0.8)) == ""
    assert "leader_left.elbow is 0.90 rad below follower_left.elbow: raise it" in too_far(
        "leader_left", "follower_left", Difference("elbow", -0.9)
    )


def test_every_state_can_be_held_and_left() -> None:
    states = {state for state, _ in TRANSITIONS}
    assert states == {"idle", "aligning", "waiting", "engaged", "hold"} == set(TRANSITIONS.values())
    for state in states:
        assert TRANSITIONS[state, "hold"] == "hold"
        assert TRANSITIONS[state, "disengage"] == "idle"
    assert {source for source, target in TRANSITIONS.items() if target == "engaged"} == {("aligning", "arrive")}
