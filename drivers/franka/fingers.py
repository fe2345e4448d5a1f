"""What the hand is told next: it takes one order at a time and answers when that is done. Pure.

There is no streaming to it. While it moves, an order that leads on the same way waits, for stopping it makes it stutter; one that leads
back does not.
"""

from typing import NamedTuple

STEP_M = 0.002
"""Less than this is not worth an order."""
HELD_M = 0.004
"""Fingers that stopped so far before their goal have something between them."""


class Order(NamedTuple):
    """To the hand."""

    width_m: float
    grasp: bool
    """Close and go on pressing; else only go there."""


def next_order(goal_m: float | None, here_m: float, under_way: Order | None, last: Order | None) -> Order | None:
    """None: nothing now. `under_way`: what it is doing; `last`: what it was told last."""
    if goal_m is None or (last is not None and abs(goal_m - last.width_m) < STEP_M):
        return None
    if under_way is not None and not turns_back(goal_m, here_m, under_way):
        return None
    if last is None and abs(goal_m - here_m) < STEP_M:
        return None
    return Order(goal_m, grasp=goal_m < here_m)


def turns_back(goal_m: float, here_m: float, under_way: Order) -> bool:
    """Is the new goal on the other side of where the fingers are than where they go?"""
    return (goal_m - here_m) * (under_way.width_m - here_m) < 0 and abs(goal_m - here_m) >= STEP_M


def holds(here_m: float, last: Order | None, under_way: bool, says: bool) -> bool:
    """Is something between the fingers? `says`: the hand itself has grasped, within whatever tolerance it was told."""
    return says and last is not None and last.grasp and not under_way and here_m > last.width_m + HELD_M
