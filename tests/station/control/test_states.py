"""What an operator is told whose leader is too far from its follower."""

from math import pi, tau

import pytest

from station.control.states import Difference, too_far


@pytest.mark.parametrize(
    ("rad", "told"),
    [
        (0.7, ""),
        (1.2, "leader_left.waist is 1.20 rad above follower_left.waist: lower it until"),
        (-1.2, "leader_left.waist is 1.20 rad below follower_left.waist: raise it until"),
        (-tau, "leader_left.waist is one whole turn below follower_left.waist: it looks the same"),
        (tau + 0.3, "one whole turn above"),
        (-2 * tau, "the follower would go all the way round. Next: turn it back by 2 turns"),
        (tau - 1.1, "one whole turn above follower_left.waist, 1.10 rad aside"),
        (pi - 0.1, "3.04 rad above"),
    ],
)  # fmt: skip
def test_whole_turns_are_named_as_such(rad: float, told: str) -> None:
    said = too_far("leader_left", "follower_left", Difference("waist", rad))
    assert told in said
    assert bool(said) == bool(told)
    assert "6.28" not in said
