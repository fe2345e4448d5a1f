import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.bus.requests import TorqueLeave, TorqueOff
from station.errors import RequestRefused
from station.safety.leave import LEAVE_NS, Leave


def test_a_leave_is_good_once_and_soon() -> None:
    leave = Leave("follower_left", leads=False)
    leave.give(TorqueLeave("a", "parked"), 0)
    leave.use(TorqueOff("a"), LEAVE_NS)
    with pytest.raises(RequestRefused, match=r"follower_left keeps its torque.*Next: .*park --release"):
        leave.use(TorqueOff("a"), LEAVE_NS)
    leave.give(TorqueLeave("a", "parked"), 0)
    with pytest.raises(RequestRefused):
        leave.use(TorqueOff("a"), LEAVE_NS + 1)


def test_a_try_with_another_number_spends_it() -> None:
    leave = Leave("follower_left", leads=False)
    leave.give(TorqueLeave("a", "parked"), 0)
    for number in ("b", "a"):
        with pytest.raises(RequestRefused):
            leave.use(TorqueOff(number), 1)


def test_an_arm_that_moves_again_has_none() -> None:
    leave = Leave("follower_left", leads=False)
    leave.give(TorqueLeave("a", "parked"), 0)
    leave.withdraw()
    with pytest.raises(RequestRefused):
        leave.use(TorqueOff("a"), 1)


def test_nobody_holds_a_follower() -> None:
    with pytest.raises(RequestRefused, match="is a follower"):
        Leave("follower_left", leads=False).give(TorqueLeave("a", "in a hand"), 0)
    leader = Leave("leader_left", leads=True)
    leader.give(TorqueLeave("a", "in a hand"), 0)
    leader.use(TorqueOff("a"), 1)


@given(st.text(max_size=3), st.lists(st.text(max_size=3), max_size=4), st.integers(0, 2 * LEAVE_NS))
def test_only_the_number_that_was_given_last_opens_and_only_once(asked: str, given_: list[str], now_ns: int) -> None:
    leave = Leave("follower_left", leads=False)
    for number in filter(None, given_):
        leave.give(TorqueLeave(number, "parked"), 0)
    last = next((number for number in reversed(given_) if number), "")
    try:
        leave.use(TorqueOff(asked), now_ns)
    except RequestRefused:
        assert asked != last or not last or now_ns > LEAVE_NS
    else:
        assert asked == last and last and now_ns <= LEAVE_NS
        with pytest.raises(RequestRefused):
            leave.use(TorqueOff(asked), now_ns)
