from contextlib import suppress
from math import cos, nan, pi, sin
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.vr import wire
from drivers.vr.operator import MALFORMED_PER_S, MOST_MALFORMED, Allowance
from drivers.vr.operator_lease import SILENT_NS, OperatorLease, Refusal, new_code, new_key
from station.bus.messages import Hand
from station.clock import NS_PER_S

OWNER, STRANGER = "192.168.1.7", "192.168.1.66"


def _hand(**changes: object) -> msgspec.Raw:
    """A hand as the page says it: its NaN becomes null."""
    fields = {"p": (1, 2, 3), "q": (0, 0, 0, 1), "grip": 0, "trigger": 0.25, "stick": (0, -1), "pressed": False,
              "a": True, "b": False}  # fmt: skip
    return msgspec.Raw(msgspec.json.encode({**fields, **changes}))


NO_HAND = msgspec.Raw(b"null")


def test_webxrs_axes_become_the_stations() -> None:
    """One metre ahead of the operator (−z) is +x, to the right (x) is −y, up (y) is +z."""
    for theirs, ours in [((0, 0, -1), (1, 0, 0)), ((1, 0, 0), (0, -1, 0)), ((0, 1, 0), (0, 0, 1))]:
        hands = wire.hands(wire.Pose(0, 0, 0, None, _hand(p=theirs), NO_HAND)).pose
        assert hands.left is not None and hands.left.position_m == ours
        assert hands.right is None


def test_a_turn_to_the_left_is_a_positive_yaw() -> None:
    q = (0, sin(pi / 8), 0, cos(pi / 8))  # +45° about WebXR's y
    hands = wire.hands(wire.Pose(0, 0, 0, q, _hand(q=q), NO_HAND)).pose
    assert hands.head_yaw_rad == pytest.approx(pi / 4)
    assert hands.left is not None and hands.left.quaternion_wxyz == pytest.approx((cos(pi / 8), 0, 0, sin(pi / 8)))


def test_a_head_that_looks_straight_down_has_no_yaw() -> None:
    down = (-sin(pi / 4), 0, 0, cos(pi / 4))
    assert wire.hands(wire.Pose(0, 0, 0, down, NO_HAND, NO_HAND)).pose.head_yaw_rad is None


def test_a_hand_that_is_not_tracked_keeps_its_buttons_and_has_no_pose() -> None:
    hand = wire.hands(wire.Pose(0, 0, 0, None, _hand(p=None, q=None), NO_HAND)).pose.left
    assert hand is not None
    assert (hand.position_m, hand.quaternion_wxyz, hand.trigger, hand.primary) == (None, None, 0.25, True)


GOOD = Hand((-3.0, -1.0, 2.0), (1.0, 0.0, 0.0, 0.0), 0.0, 0.25, 0.0, -1.0, False, True, False)


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize(
    "bad", [{"p": (1e9, 0, 0)}, {"q": (0, 0, 0, 0)}, {"q": (1, 1, 1, 1)}, {"p": (nan, 0, 0)}, {"q": (0, nan, 0, 1)}]
)
def test_a_hand_whose_pose_is_none_is_untracked_and_the_other_goes_on(bad: dict[str, Any], side: str) -> None:
    hands = {"left": _hand(), "right": _hand(), side: _hand(**bad)}
    found = wire.hands(wire.Pose(0, 0, 0, (0, 0, 0, 1), **hands))
    assert found.bad == 1
    assert found.pose.head_yaw_rad == 0
    other = "left" if side == "right" else "right"
    assert getattr(found.pose, side) == Hand(None, None, 0.0, 0.25, 0.0, -1.0, False, True, False)
    assert getattr(found.pose, other) == GOOD


@pytest.mark.parametrize(
    "bad", [{"grip": nan}, {"grip": 2}, {"trigger": nan}, {"stick": (nan, 0)}, {"p": (1, 2)}, {"more": 1}, {"a": "yes"}]
)
def test_a_hand_whose_buttons_are_none_is_not_there_and_has_not_let_go(bad: dict[str, Any]) -> None:
    found = wire.hands(wire.Pose(0, 0, 0, None, _hand(**bad), _hand()))
    assert found.bad == 1
    assert (found.pose.left, found.pose.right) == (None, GOOD)


@pytest.mark.parametrize("head", [(nan, 0, 0, 1), (None, 0, 0, 1), (0, 0, 0, 0), (9, 9, 9, 9)])
def test_a_head_that_is_none_takes_no_hand_with_it(head: tuple[Any, ...]) -> None:
    found = wire.hands(wire.Pose(0, 0, 0, head, _hand(), NO_HAND))
    assert (found.pose.head_yaw_rad, found.pose.left) == (None, GOOD)


def test_a_little_nonsense_for_hours_is_borne_and_much_at_once_is_not() -> None:
    borne = Allowance(MOST_MALFORMED, MALFORMED_PER_S, 0)
    assert all(borne.take(second * 2 * NS_PER_S) for second in range(3600))
    flood = Allowance(MOST_MALFORMED, MALFORMED_PER_S, 0)
    assert [flood.take(0) for _ in range(MOST_MALFORMED + 1)].count(False) == 1
    assert not flood.take(NS_PER_S // 2)
    assert flood.take(NS_PER_S * 2)


@pytest.mark.parametrize(
    "text",
    [
        "", "null", "[]", "{}", '{"kind":"pose"}', '{"kind":"nothing"}', '{"kind":"hello","code":1}', "[" * 4000,
        '{"kind":"hello","code":"1","more":1}', '{"kind":"press","name":"' + "x" * 65 + '"}',
        '{"kind":"pong","n":-1,"t":0}', '{"kind":"pong","n":0,"t":NaN}', '{"kind":"pong","n":0,"t":1e400}',
    ],
)  # fmt: skip
def test_what_is_no_message_is_refused(text: str) -> None:
    with pytest.raises(wire.Malformed):
        wire.decode(text)


@given(st.one_of(st.text(), st.recursive(st.none() | st.floats() | st.text(), st.lists).map(str)))
def test_no_text_does_worse_than_be_refused(text: str) -> None:
    with suppress(wire.Malformed):
        wire.decode(text)


def test_the_code_opens_the_seat_and_the_token_comes_back_to_it() -> None:
    lease = OperatorLease("123456")
    token = lease.acquire("123456", "", OWNER, 0)
    assert lease.acquire("", token, OWNER, 1) == token
    lease.release(token)
    assert lease.acquire("", token, OWNER, 2) == token


def test_one_operator_at_a_time() -> None:
    lease = OperatorLease("123456")
    first = lease.acquire("123456", "", OWNER, 0)
    with pytest.raises(Refusal, match="another operator is connected"):
        lease.acquire("123456", "", OWNER, SILENT_NS - 1)
    second = lease.acquire("123456", "", OWNER, SILENT_NS)
    assert second != first
    with pytest.raises(Refusal, match="another operator"):
        lease.acquire("", first, OWNER, SILENT_NS + 1)
    lease.release(second)
    assert lease.acquire("", first, OWNER, SILENT_NS + 2) == first


def _guess(lease: OperatorLease, address: str, now_ns: int) -> int:
    """One wrong code, in its turn; when that was."""
    now_ns += lease.wait_ns("654321", "made up", address, now_ns)
    with pytest.raises(Refusal, match="wrong code"):
        lease.acquire("654321", "made up", address, now_ns)
    return now_ns


@pytest.mark.parametrize("owner", [OWNER, STRANGER])
def test_a_stranger_who_guesses_for_ever_costs_the_right_code_a_moment(owner: str) -> None:
    """Even from the stranger's own address: behind one router, or on one computer."""
    lease, now_ns = OperatorLease("123456"), 0
    for _ in range(500):
        now_ns = _guess(lease, STRANGER, now_ns)
    lease.wait_ns("654321", "", STRANGER, now_ns)  # the next guess has its turn already
    wait_ns = lease.wait_ns("123456", "", owner, now_ns)
    assert wait_ns <= 4 * NS_PER_S
    assert lease.acquire("123456", "", owner, now_ns + wait_ns)
    assert lease.attempts.wrong == 500
    assert now_ns > 900 * NS_PER_S, "500 guesses took a quarter of an hour"


def test_neither_a_token_nor_the_terminals_key_ever_waits() -> None:
    key = new_key()
    lease = OperatorLease("123456", key)
    token = lease.acquire("123456", "", OWNER, 0)
    lease.release(token)
    with pytest.raises(Refusal, match=r"too many wrong codes: wait \d+ s. Next: open the link that `station vr` shows"):
        for _ in range(100):
            lease.wait_ns("654321", "", OWNER, 10)
            with pytest.raises(Refusal, match="wrong code"):
                lease.acquire("654321", "", OWNER, 10)
    assert lease.wait_ns("", token, OWNER, 11) == 0
    assert lease.acquire("", token, OWNER, 11) == token
    lease.release(token)
    assert lease.wait_ns(key, "", OWNER, 12) == 0
    assert lease.acquire(key, "", OWNER, 12)


def test_a_seat_without_a_key_has_no_empty_one() -> None:
    with pytest.raises(Refusal, match="wrong code"):
        OperatorLease("123456").acquire("", "", OWNER, 0)


def test_a_code_that_is_not_ascii_is_only_wrong() -> None:
    with pytest.raises(Refusal, match="wrong code"):
        OperatorLease("123456").acquire("１２３４５６", "", OWNER, 0)


def test_codes_are_six_digits() -> None:
    assert all(len(code) == 6 and code.isdigit() for code in (new_code() for _ in range(50)))
