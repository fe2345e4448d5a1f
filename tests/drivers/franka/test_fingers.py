"""What the hand is told: one order at a time, the newest goal, and nothing that makes it stutter."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.franka.fingers import STEP_M, Order, holds, next_order

WIDTH = st.floats(0.0, 0.08)
CLOSING = Order(0.02, grasp=True)


@pytest.mark.parametrize(
    ("goal", "here", "under_way", "last", "order"),
    [
        (None, 0.04, None, None, None),
        (0.08, 0.04, None, None, Order(0.08, grasp=False)),
        (0.01, 0.04, None, None, Order(0.01, grasp=True)),
        (0.0405, 0.04, None, None, None),
        (0.0205, 0.06, None, CLOSING, None),
        (0.01, 0.05, CLOSING, CLOSING, None),
        (0.06, 0.05, CLOSING, CLOSING, Order(0.06, grasp=False)),
        (0.051, 0.05, CLOSING, CLOSING, None),
        (0.01, 0.021, None, CLOSING, Order(0.01, grasp=True)),
    ],
)
def test_the_newest_goal_counts_unless_the_fingers_are_on_their_way_there(
    goal: float | None, here: float, under_way: Order | None, last: Order | None, order: Order | None
) -> None:
    assert next_order(goal, here, under_way, last) == order


@given(goals=st.lists(WIDTH, min_size=1, max_size=30), here=WIDTH)
def test_the_fingers_end_at_the_last_goal(goals: list[float], here: float) -> None:
    """Each order takes some cycles; when nothing new is asked for any more the fingers are where the last goal was."""
    last, under_way, left = None, None, 0
    for goal in [*goals, *[goals[-1]] * 60]:
        order = next_order(goal, here, under_way, last)
        if order is not None:
            last, under_way, left = order, order, 5
        if under_way is not None:
            here += max(-0.01, min(0.01, under_way.width_m - here))
            left -= 1
            if left <= 0 and abs(here - under_way.width_m) < 1e-9:
                under_way = None
    assert abs(here - goals[-1]) <= STEP_M + 1e-9


@pytest.mark.parametrize(
    ("here", "last", "under_way", "says", "held"),
    [
        (0.04, CLOSING, False, True, True),
        (0.021, CLOSING, False, True, False),
        (0.04, CLOSING, True, True, False),
        (0.04, CLOSING, False, False, False),
        (0.04, Order(0.02, grasp=False), False, True, False),
        (0.04, None, False, True, False),
    ],
)
def test_something_is_held_when_the_fingers_closed_and_did_not_arrive(
    here: float, last: Order | None, under_way: bool, says: bool, held: bool
) -> None:
    assert holds(here, last, under_way, says) == held
