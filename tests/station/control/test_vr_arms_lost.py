"""What a hand, a link or a room that was lost does to the arms, and that nothing anybody streams moves them beyond their limits."""

from math import cos, pi, sin
from typing import Any

import mink
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from drivers.sim.world.scene import START_RAD
from station.bus.messages import Hand, HandPose
from tests.station.control.vr_operator import LEVEL, LOWER, UPPER, Operator, yawed


@pytest.mark.parametrize(
    ("loss", "why"),
    [
        ({"position_m": None, "quaternion_wxyz": None}, "does not see the controller"),
        ({"position_m": (0.27, 0.2, 1.2)}, "jumped 7 cm"),
        ({"quaternion_wxyz": yawed(np.radians(30))}, "jumped 30°"),
    ],
)
def test_a_lost_hand_holds_until_a_fresh_squeeze(loss: dict[str, Any], why: str) -> None:
    operator = Operator().engaged()
    operator.squeeze()
    good = {name: getattr(operator.hand["left"], name) for name in loss}
    before = operator.setpoint.goal
    operator.set(**loss)
    operator.send(3)
    assert operator.setpoint.goal == before
    assert not operator.setpoint.hold
    state = operator.core.state()
    assert state.state == "hold"
    assert why in state.why
    assert "squeeze" in state.why
    operator.set(**good)
    operator.send(3)
    operator.move((0.05, 0, 0))
    assert operator.setpoint.goal == before, "the grip was not opened in between"
    operator.squeeze()
    operator.move((0.03, 0, 0))
    assert operator.setpoint.goal != before
    assert operator.core.state().state == "engaged"


def test_one_lost_hand_does_not_stop_the_other() -> None:
    operator = Operator().engaged()
    operator.squeeze("left")
    operator.squeeze("right")
    operator.set("left", position_m=None, quaternion_wxyz=None)
    operator.send()
    before = operator.gripper("right").position_m
    operator.move((0, 0, 0.04), "right")
    assert operator.gripper("right").position_m - before == pytest.approx((0, 0, 0.04), abs=1e-3)


def test_a_lost_link_asks_to_hold_once() -> None:
    operator = Operator().engaged()
    operator.squeeze()
    assert operator.core.check(operator.now_ns + 99_000_000) is None
    setpoint = operator.core.check(operator.now_ns + 101_000_000)
    assert setpoint is not None
    assert setpoint.hold
    assert "no hand pose for 101 ms" in setpoint.why
    assert operator.core.check(operator.now_ns + 150_000_000) is None
    assert operator.core.state().state == "hold"
    operator.now_ns += 200_000_000
    operator.pilot("hold", why=setpoint.why)
    before = operator.arms["left"].setpoint
    operator.move((0.05, 0, 0))
    assert operator.arms["left"].setpoint == pytest.approx(before), "it was still squeezed: no fresh squeeze"
    assert not operator.core.wants_to_go_on
    operator.squeeze()
    assert operator.core.wants_to_go_on
    operator.send()
    assert not operator.core.wants_to_go_on
    operator.pilot("aligning")
    operator.send(2)
    operator.pilot("engaged")
    operator.squeeze()
    before = operator.gripper().position_m
    operator.move((0.03, 0, 0))
    assert operator.gripper().position_m - before == pytest.approx((0.03, 0, 0), abs=1e-3)


def test_a_squeeze_does_not_end_a_hold_that_has_another_cause() -> None:
    operator = Operator().engaged()
    operator.squeeze()
    operator.pilot("hold", why="follower_left is silent")
    operator.squeeze()
    assert not operator.core.wants_to_go_on
    assert operator.core.state().why == "follower_left is silent"


def test_samples_that_come_late_are_a_lost_link() -> None:
    operator = Operator().engaged()
    operator.squeeze()
    setpoint = operator.send(late_ns=120_000_000)
    assert setpoint.hold
    assert "120 ms behind" in setpoint.why


def test_a_room_that_was_set_anew_lets_go_and_aims_again() -> None:
    operator = Operator().engaged()
    operator.squeeze()
    operator.space, operator.yaw = 1, 1.0
    operator.send()
    assert "set anew" in operator.core.state().why
    assert operator.core.state().forward_rad == 1.0


def in_new_room(operator: Operator, yaw: float) -> None:
    """The browser turns the room's axes and says nothing: the same `space`."""
    for side in ("left", "right"):
        hand = operator.hand[side]
        if hand is not None and hand.position_m is not None:
            x, y, z = hand.position_m
            turned = mink.SO3.from_z_radians(yaw).multiply(mink.SO3(np.array(hand.quaternion_wxyz)))
            place = (cos(yaw) * x - sin(yaw) * y, sin(yaw) * x + cos(yaw) * y, z)
            operator.set(side, position_m=place, quaternion_wxyz=tuple(turned.wxyz))
    operator.yaw = (operator.yaw or 0.0) + yaw


@pytest.mark.parametrize("grip", [0.0, 1.0])
@pytest.mark.parametrize("lost", [(), ("right",), ("left", "right")])
def test_a_room_turned_without_a_word_is_aimed_anew_and_told(grip: float, lost: tuple[str, ...]) -> None:
    operator = Operator().engaged()
    operator.squeeze()
    operator.set(grip=grip)
    operator.send()
    kept = dict(operator.hand)
    for side in lost:
        operator.hand[side] = None
    operator.send(3)
    for side in lost:
        operator.hand[side] = kept[side]
    in_new_room(operator, pi / 2)
    for side in lost:
        kept[side], operator.hand[side] = operator.hand[side], None
    operator.send()
    state = operator.core.state()
    assert state.state == "hold"
    assert "set anew" in state.why
    assert state.forward_rad == pytest.approx(pi / 2)
    for side in lost:
        operator.hand[side] = kept[side]
    before = operator.setpoint.goal
    operator.send(6)
    operator.set(grip=1.0)
    if grip:
        operator.move((0.0, 0.05, 0.0))
        assert operator.setpoint.goal == before, "no grip was seen open in the new room"
    operator.set(grip=0.0)
    operator.send(6)
    operator.squeeze()
    assert operator.core.state().state == "engaged"
    place = operator.gripper().position_m
    operator.move((0, 0.05, 0))
    assert operator.gripper().position_m - place == pytest.approx((0.05, 0, 0), abs=1e-3)


def test_after_a_new_room_nothing_moves_before_it_is_known_where_the_operator_faces() -> None:
    operator = Operator().engaged()
    operator.space, operator.yaw = 1, None
    operator.send(6)
    operator.squeeze()
    before = operator.setpoint.goal
    operator.move((0.05, 0, 0))
    assert operator.setpoint.goal == before
    operator.yaw = 0.0
    operator.send()
    operator.squeeze()
    operator.move((0.05, 0, 0))
    assert operator.setpoint.goal != before


ABSENT = (None, Hand(None, None, 0.0), Hand(None, None, 1.0))


@pytest.mark.parametrize("absent", ABSENT)
@pytest.mark.parametrize("flash", [0, 1, 3])
def test_not_there_is_not_let_go(absent: Hand | None, flash: int) -> None:
    """Controllers that vanish and come back with the grip held move nothing, even if they wake with their buttons up."""
    operator = Operator().engaged()
    operator.squeeze()
    held, before = operator.hand["left"], operator.setpoint.goal
    operator.hand["left"] = absent
    operator.send(30)
    assert operator.core.state().state == "hold"
    operator.hand["left"] = held
    operator.set(grip=0.0)
    operator.send(flash)
    operator.set(grip=1.0)
    operator.move((0.05, 0, 0))
    assert operator.setpoint.goal == before
    operator.set(grip=0.0)
    operator.send(6)
    operator.squeeze()
    operator.move((0.05, 0, 0))
    assert operator.setpoint.goal != before
    assert operator.core.state().state == "engaged"


def test_an_open_grip_seen_before_the_controller_vanished_does_not_count() -> None:
    operator = Operator().engaged()
    operator.set(grip=0.0)
    operator.send(6)
    held, before = operator.hand["left"], operator.setpoint.goal
    for absent in ABSENT:
        operator.hand["left"] = absent
        operator.send()
        operator.hand["left"] = held
        operator.set(grip=1.0)
        operator.move((0.05, 0, 0))
        assert operator.setpoint.goal == before


def test_no_controllers_is_told_whoever_followed() -> None:
    operator = Operator().engaged()
    operator.hand = {"left": None, "right": None}
    operator.send()
    assert "no controllers" in operator.core.state().why
    lone = Operator(("left",)).engaged()
    lone.squeeze()
    lone.hand["left"] = None
    lone.send()
    assert "no controller" in lone.core.state().why


_FLOATS = st.floats(-2, 2)


_HANDS = st.one_of(
    st.none(),
    st.builds(
        Hand,
        st.one_of(st.none(), st.tuples(_FLOATS, _FLOATS, _FLOATS)),
        st.one_of(st.none(), st.sampled_from([LEVEL, yawed(0.3), yawed(2.0), (0.0, 1.0, 0.0, 0.0)])),
        st.sampled_from([0.0, 0.5, 1.0]), st.sampled_from([0.0, 0.5, 1.0]),
        stick_pressed=st.booleans(),
    ),
)  # fmt: skip


@settings(max_examples=60)
@given(st.lists(st.tuples(_HANDS, st.integers(1, 200_000_000), st.floats(-4, 4)), min_size=2, max_size=20))
def test_no_stream_of_poses_asks_for_a_step_beyond_the_limits(stream: list[tuple[Hand | None, int, float]]) -> None:
    operator = Operator(("left",)).engaged()
    before = np.array(operator.setpoint.goal)
    for hand, dt_ns, yaw in stream:
        operator.now_ns += dt_ns
        setpoint = operator.core.sample(HandPose(hand, None, yaw), operator.now_ns, operator.now_ns)
        assert setpoint is not None
        after = np.array(setpoint.goal)
        most = 3.14 * min(dt_ns, 50_000_000) / 1e9 + 1e-9
        assert (np.abs(after - before)[:6] <= most).all()
        assert (after[:6] >= np.array(LOWER) - 1e-9).all()
        assert (after[:6] <= np.array(UPPER) + 1e-9).all()
        assert 0 <= after[6] <= 1
        before = after


def test_the_start_pose_of_aloha_can_be_left_by_hand() -> None:
    """It is near a wrist singularity."""
    operator = Operator(("left",), start=(*START_RAD, 0.5)).engaged()
    operator.squeeze()
    before = operator.gripper().position_m
    operator.move((0.03, 0.05, -0.05), steps=60)
    operator.send(60)
    assert operator.gripper().position_m - before == pytest.approx((0.03, 0.05, -0.05), abs=2e-3)


_STATES = st.sampled_from(["open", "held", "gone", "unseen open", "unseen held", "jump"])


@settings(max_examples=80)
@example([("open", 1, False), ("jump", 1, False), ("held", 1, False)])  # squeezed in the very sample that jumps
@given(st.lists(st.tuples(_STATES, st.integers(1, 12), st.booleans()), min_size=1, max_size=12))
def test_no_arm_moves_without_a_grip_seen_open_since_the_hand_was_there(stream: list[tuple[str, int, bool]]) -> None:
    operator = Operator(("left",)).engaged()
    operator.hand["right"] = None
    seen_open = False
    place = np.array((0.2, 0.2, 1.2))
    for state, frames, new_room in stream:
        if new_room:
            operator.space += 1
            seen_open = False
        for _ in range(frames):
            place += (0.002, 0.0, 0.001)
            if state == "jump":
                place += (0.2, 0.0, 0.0)
                seen_open = False
            grip = 0.0 if "open" in state else 1.0
            tracked = state in ("open", "held", "jump")
            hand = Hand(tuple(place), LEVEL, grip) if tracked else Hand(None, None, grip)
            operator.hand["left"] = None if state == "gone" else hand
            before = operator.setpoint.goal[:6]
            operator.send()
            if state == "open":
                seen_open = True
            elif not tracked:
                seen_open = False
            assert operator.setpoint.goal[:6] == before or (seen_open and state == "held")
