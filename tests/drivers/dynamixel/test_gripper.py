"""A gripper's travel as people write it down: what follows from the rest, and what cannot be true."""

import math
from collections.abc import Mapping

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.dynamixel.gripper import FOLLOWER, LEADER, Ends, Linkage, Travel, travel
from drivers.dynamixel.models import VX300S, WX250S, ArmModel
from drivers.dynamixel.settings import DynamixelSettings


def linkage(model: ArmModel) -> Linkage:
    assert model.linkage is not None
    return model.linkage


VX, WX = linkage(VX300S), linkage(WX250S)


def arm(gripper: Mapping[str, object], model: str = "vx300s") -> Travel:
    keys = {"rate_hz": 30.0, "offsets_rad": [0.0] * 6} if model == "gello" else {}
    return msgspec.convert({"model": model, "port": "/dev/x", "gripper": gripper, **keys}, DynamixelSettings).travel(
        "follower"
    )


def test_metres_that_are_not_given_are_the_linkages() -> None:
    """They were 1 and 0, and the recorded aperture of a whole travel 0.02 to 0.05."""
    found = arm({"open_rad": 1.4910, "close_rad": -0.6213})
    assert (found.open_m, found.close_m) == pytest.approx((0.05789, 0.01843), abs=1e-5)
    assert VX.aperture(1.4910, found) == pytest.approx(1.0)
    assert VX.aperture(-0.6213, found) == pytest.approx(0.0)


def test_angles_that_are_not_given_are_the_linkages() -> None:
    found = arm({"open_m": 0.05789, "close_m": 0.01843})
    assert (found.open_rad, found.close_rad) == pytest.approx((1.4910, -0.6213), abs=0.01)
    assert arm({"open_rad": 1.4910, "close_m": 0.01843}).close_rad == pytest.approx(-0.6213, abs=0.01)


CONTRADICTIONS = [
    # openpi issue 360: beyond the dead point the fingers are closer at the larger angle
    ({"open_rad": 2.487, "close_rad": 1.5, "open_m": 0.058, "close_m": 0.0449}, "farther apart when closed. Next: swap"),
    ({"open_rad": 2.487, "close_rad": 1.5}, "farther apart when closed"),
    ({"open_rad": 2.487, "close_rad": 1.5, "open_m": 0.0449, "close_m": 0.058}, "farther apart when closed"),
    ({"open_rad": -0.6213, "close_rad": 1.4910}, "farther apart when closed"),
    ({"open_rad": 1.4910, "close_rad": -0.6213, "open_m": 0.01844, "close_m": 0.058}, "open_m 0.01844 contradicts open_rad 1.491"),
    ({"open_rad": 1.4910, "close_rad": -0.6213, "open_m": 58.0, "close_m": 18.44}, "open_m 58 contradicts"),
    ({"open_rad": 1.4910, "close_rad": -0.6213, "open_m": 1.0, "close_m": 0.0}, "open_m 1 contradicts"),
    ({"open_rad": 1.4910, "close_rad": -0.6213, "open_m": 0.058}, ""),
    ({"open_rad": 1.4910, "close_rad": -0.6213, "close_m": 0.044}, "close_m 0.044 contradicts close_rad -0.6213"),
    ({"open_rad": 1.6214, "close_rad": 0.6197, "open_m": 0.058, "close_m": 0.01844}, "close_m 0.01844 contradicts close_rad 0.6197"),
    ({"open_rad": 85.4, "close_rad": -35.6}, "more than a turn apart. Next: give radians, not degrees"),
    ({"open_rad": 5.0, "close_rad": 4.0}, "out of the servo's reach"),
    ({"open_rad": 2.6, "close_rad": 0.2}, "both sides of 1.57 rad"),
    ({"open_rad": 0.0, "close_rad": -2.2}, "both sides of -1.57 rad"),
    ({"open_rad": 1.0}, "give close_rad, or close_m"),
    ({"open_m": 0.058}, "give close_rad, or close_m"),
    ({}, "give open_rad, or open_m"),
    ({"open_m": 0.5, "close_m": 0.01844}, "no angle puts this arm's fingers at 0.5 m"),
    ({"open_rad": math.nan, "close_rad": 0.0}, "open_rad is nan"),
    ({"open_rad": 1.0, "close_rad": -0.5, "open_m": math.inf}, "open_m is inf"),
    ({"open_rad": 1.0, "close_rad": 0.99}, "at least 0.05 rad apart"),
]  # fmt: skip


@pytest.mark.parametrize(("gripper", "told"), CONTRADICTIONS)
def test_what_cannot_be_true_is_refused_with_what_to_do(gripper: dict[str, object], told: str) -> None:
    if not told:
        arm(gripper)
        return
    with pytest.raises(msgspec.ValidationError) as refused:
        arm(gripper)
    assert "gripper: " in str(refused.value)
    assert told in str(refused.value)


def test_a_gello_has_angles_only() -> None:
    assert arm({"open_rad": 3.5, "close_rad": 2.8}, "gello") == (3.5, 2.8, 1.0, 0.0)
    assert arm({"open_rad": 2.8, "close_rad": 3.5, "open_m": 0.08, "close_m": 0.0}, "gello") == (2.8, 3.5, 0.08, 0.0)
    for gripper, told in (
        ({"open_m": 0.08, "close_m": 0.0}, "give open_rad and close_rad"),
        ({"open_rad": 3.5, "close_rad": 2.8, "open_m": 0.08}, "both of open_m and close_m, or neither"),
        ({"open_rad": 3.5, "close_rad": 2.8, "open_m": 0.0, "close_m": 0.08}, "must be above close_m"),
        ({"open_rad": 202.0, "close_rad": 160.0}, "radians, not degrees"),
    ):
        with pytest.raises(msgspec.ValidationError, match=told):
            arm(gripper, "gello")


@pytest.mark.parametrize("generation", ["aloha1", "mobile", "aloha2"])
def test_alohas_own_followers_are_true_and_so_are_leaders_but_mobile_s(generation: str) -> None:
    """Mobile ALOHA's leader took over the metres of the first, its angles are its own; nothing reads a leader's metres."""
    assert travel(Ends(*FOLLOWER[generation]), VX) == FOLLOWER[generation]  # type: ignore[index]
    if generation == "mobile":
        with pytest.raises(ValueError, match="contradicts"):
            travel(Ends(*LEADER["mobile"]), WX)
    else:
        assert travel(Ends(*LEADER[generation]), WX) == LEADER[generation]  # type: ignore[index]


angles = st.floats(-math.pi, math.pi)


@given(st.sampled_from([VX, WX]), angles, angles, st.floats(0, 1))
def test_what_is_accepted_opens_from_0_to_1_all_the_way(
    linkage: Linkage, open_rad: float, close_rad: float, part: float
) -> None:
    try:
        found = travel(Ends(open_rad, close_rad, None, None), linkage)
    except ValueError:
        return
    assert linkage.aperture(open_rad, found) == pytest.approx(1.0)
    assert linkage.aperture(close_rad, found) == pytest.approx(0.0, abs=1e-9)
    # 0.1 rad beyond a dead point the fingers are back by 0.6 % of the horn
    room = 0.006 * linkage.horn_m / (found.open_m - found.close_m)
    between = linkage.aperture(found.rad(part), found)
    assert -room - 1e-9 <= between <= 1 + room + 1e-9


@given(st.sampled_from([VX, WX]), st.floats(-math.pi / 2 + 0.01, math.pi / 2 - 0.01))
def test_an_angle_comes_back_from_its_position(linkage: Linkage, rad: float) -> None:
    assert linkage.angle_rad(linkage.position_m(rad)) == pytest.approx(rad, abs=1e-5)


@given(st.sampled_from([VX, WX]), st.floats(-1.5, 0.7), st.floats(0.1, 0.8), st.floats(-0.1, 0.1), st.booleans())
def test_metres_off_by_more_than_a_tenth_of_the_travel_are_refused(
    linkage: Linkage, close_rad: float, travel_rad: float, off_m: float, at_open: bool
) -> None:
    open_rad = close_rad + travel_rad
    true = travel(Ends(open_rad, close_rad, None, None), linkage)
    given_m = (true.open_m + off_m, None) if at_open else (None, true.close_m + off_m)
    allowed = 0.1 * (true.open_m - true.close_m)
    if abs(off_m) > allowed + 1e-9:
        with pytest.raises(ValueError, match="contradicts"):
            travel(Ends(open_rad, close_rad, *given_m), linkage)
    elif abs(off_m) < allowed - 1e-9:
        travel(Ends(open_rad, close_rad, *given_m), linkage)
