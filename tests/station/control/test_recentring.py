from math import cos, pi, sin

import mink
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from station.bus.messages import Hand, HandPose
from station.control.clutch import JUMP_M
from station.control.recentring import TURN_RAD, set_anew

Place = tuple[float, float, float]
Attitude = tuple[float, float, float, float]
FRAME_NS = 14_000_000
LEVEL = (1.0, 0.0, 0.0, 0.0)

places = st.tuples(st.floats(-1.5, 1.5), st.floats(-1.5, 1.5), st.floats(0.3, 2))
attitudes = st.builds(lambda v: tuple(mink.SO3.exp(np.array(v)).wxyz), st.tuples(*[st.floats(-2, 2)] * 3))
tracked = st.builds(Hand, places, attitudes, st.floats(0, 1))
unseen = st.sampled_from([None, Hand(None, None, 0.5)])
people = st.builds(HandPose, tracked, tracked, st.floats(-3, 3))
yaws = st.one_of(st.floats(-pi, -TURN_RAD - 0.01), st.floats(TURN_RAD + 0.01, pi))


def moved(hand: Hand | None, yaw_rad: float, by_m: Place = (0.0, 0.0, 0.0)) -> Hand | None:
    """The same hand in a room that was turned about its vertical and shifted."""
    if hand is None or hand.position_m is None:
        return hand
    turn = mink.SO3.from_z_radians(yaw_rad)
    position = turn.apply(np.array(hand.position_m)) + by_m
    return Hand(tuple(position), tuple(turn.multiply(mink.SO3(np.array(hand.quaternion_wxyz))).wxyz), hand.grip)


def in_new_room(pose: HandPose, yaw_rad: float, by_m: Place = (0.0, 0.0, 0.0)) -> HandPose:
    head = None if pose.head_yaw_rad is None else pose.head_yaw_rad + yaw_rad
    return HandPose(moved(pose.left, yaw_rad, by_m), moved(pose.right, yaw_rad, by_m), head, pose.space)


UNSAID = Hand(None, None, -1.0)


def without(pose: HandPose, left: Hand | None = UNSAID, right: Hand | None = UNSAID, head: bool = True) -> HandPose:
    return HandPose(
        pose.left if left is UNSAID else left,
        pose.right if right is UNSAID else right,
        pose.head_yaw_rad if head else None,
    )


@given(people, yaws, places)
def test_head_and_hands_that_turn_together_are_a_new_room(pose: HandPose, yaw: float, by: Place) -> None:
    assert set_anew(pose, in_new_room(pose, yaw, by), FRAME_NS)


@given(people, yaws, places, unseen)
def test_a_lost_hand_does_not_hide_it(pose: HandPose, yaw: float, by: Place, lost: Hand | None) -> None:
    after = in_new_room(pose, yaw, by)
    assert set_anew(without(pose, left=lost), after, FRAME_NS)
    assert set_anew(pose, without(after, right=lost), FRAME_NS)
    assert set_anew(pose, without(after, lost, lost), FRAME_NS)


@given(people, yaws, places)
def test_hands_are_enough_when_the_head_has_no_yaw(pose: HandPose, yaw: float, by: Place) -> None:
    assert set_anew(without(pose, head=False), without(in_new_room(pose, yaw, by), head=False), FRAME_NS)


@given(people, places)
def test_both_hands_that_shift_together_are_a_new_room(pose: HandPose, by: Place) -> None:
    assume(np.linalg.norm(by) > JUMP_M + 0.001)
    assert set_anew(pose, in_new_room(pose, 0.0, by), FRAME_NS)


@given(people, attitudes, places, unseen)
def test_a_hand_that_jumps_alone_is_no_new_room(
    pose: HandPose, attitude: Attitude, place: Place, lost: Hand | None
) -> None:
    assert not set_anew(pose, without(pose, left=Hand(place, attitude, 1.0)), FRAME_NS)
    assert not set_anew(pose, without(pose, left=lost), FRAME_NS)
    assert not set_anew(without(pose, left=lost), pose, FRAME_NS)
    assert not set_anew(without(pose, right=lost), without(pose, left=Hand(place, attitude, 1.0), right=lost), FRAME_NS)


@given(people, yaws)
def test_a_head_that_jumps_while_the_hands_are_seen_to_stay_is_no_new_room(pose: HandPose, yaw: float) -> None:
    assume(abs(yaw) > 0.4)
    assert pose.head_yaw_rad is not None
    after = HandPose(pose.left, pose.right, pose.head_yaw_rad + yaw)
    assert not set_anew(pose, after, FRAME_NS)
    assert not set_anew(without(pose, left=None), without(after, left=None), FRAME_NS)


steps = st.floats(-1, 1)


@given(people, st.tuples(*[steps] * 3), st.tuples(*[steps] * 3), steps, st.integers(5, 100))
def test_whatever_a_body_can_do_between_two_samples_is_no_new_room(
    pose: HandPose, left: Place, right: Place, head: float, gap_ms: int
) -> None:
    """Up to 2 m/s of a hand and 400°/s of head and wrists."""
    gap_s = gap_ms / 1000

    def goes(hand: Hand | None, towards: Place) -> Hand:
        assert hand is not None
        way = np.array(towards) / max(1.0, np.linalg.norm(towards))
        turn = mink.SO3.exp(way * np.radians(400) * gap_s)
        position = np.array(hand.position_m) + way * 2.0 * gap_s
        return Hand(tuple(position), tuple(turn.multiply(mink.SO3(np.array(hand.quaternion_wxyz))).wxyz), hand.grip)

    assert pose.head_yaw_rad is not None
    yaw = pose.head_yaw_rad + head * np.radians(400) * gap_s
    assert not set_anew(pose, HandPose(goes(pose.left, left), goes(pose.right, right), yaw), gap_ms * 1_000_000)


@pytest.mark.parametrize("yaw", [3.1, -3.1])
def test_a_head_that_looks_over_its_back_does_not_jump(yaw: float) -> None:
    hand = Hand((0.2, 0.2, 1.2), LEVEL)
    assert not set_anew(HandPose(hand, hand, yaw), HandPose(hand, hand, -yaw), FRAME_NS)


def test_quarter_turns_are_a_new_room_with_one_hand_only() -> None:
    hand = Hand((0.5, 0.0, 1.2), (cos(0.1), sin(0.1), 0.0, 0.0))
    before = HandPose(None, hand, 0.0)
    for yaw in (pi / 2, -pi / 2, pi):
        assert set_anew(before, in_new_room(before, yaw), FRAME_NS)
