"""What cannot be is refused, and it is said why."""

import pytest

from station.borders.bounds import LARGEST_NUMBER, absurd, sane
from station.bus.messages import ArmState

ZEROS = (0.0,) * 7


def state(position: tuple[float, ...], uncertainty_ns: int = 0) -> ArmState:
    return ArmState(position, ZEROS, ZEROS, None, None, True, uncertainty_ns)


def test_what_an_arm_says_is_sane() -> None:
    assert sane(ArmState)(state((3.1, -0.5, 0.0, 1e-9, -0.0, 5.0, 1.0)))
    assert absurd(state((3.1, -0.5, 0.0, 1e-9, -0.0, 5.0, 1.0))) == ""


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (state((0.0, float("nan"))), "position[1] is not a number"),
        (state((2 * LARGEST_NUMBER,)), "position[0] is 2e+12, which cannot be"),
        (state((LARGEST_NUMBER, -LARGEST_NUMBER)), "position is 2e+12 in all, which cannot be"),
        (state((0.0,), 2**62), "uncertainty_ns is a whole number of 63 bits, which cannot be"),
    ],
)
def test_whatever_is_refused_is_told(body: ArmState, words: str) -> None:
    assert not sane(ArmState)(body)
    assert absurd(body) == words
