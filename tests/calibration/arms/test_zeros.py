import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from calibration.arms import gello, grippers
from calibration.arms import zeros as arms
from station.bus.messages import GripperFacts
from station.errors import MeasurementPoor
from station.files.calibration_files import GripperRange

Floats = NDArray[np.float64]
ANGLE = st.floats(-3.0, 3.0)
SIX = st.lists(ANGLE, min_size=6, max_size=6).map(np.array)
SIGNS = st.lists(st.sampled_from([-1.0, 1.0]), min_size=6, max_size=6).map(np.array)
TURNS = st.lists(st.integers(-3, 3), min_size=6, max_size=6).map(np.array)
JOINTS = ("waist", "shoulder", "elbow", "forearm_roll", "wrist_angle", "wrist_rotate")


def readings(angle: Floats, count: int = 40, noise: float = 0.0005, seed: int = 0) -> Floats:
    return angle + np.random.default_rng(seed).normal(0, noise, (count, len(angle)))


@given(SIX, SIX, SIGNS, TURNS)
def test_joint_positions_survive_the_way_there_and_back_whatever_turn_the_servo_counts(
    joint: Floats, offsets: Floats, signs: Floats, turns: Floats
) -> None:
    angle = arms.servo_rad(joint, offsets, signs) + turns * arms.TURN
    assert arms.joint_rad(angle, offsets, signs, np.zeros(6)) == pytest.approx(joint, abs=1e-9)


@given(ANGLE, st.floats(-6.0, 6.0))
def test_wrapping_keeps_the_angle_and_stays_near_the_centre(angle: float, centre: float) -> None:
    wrapped = float(arms.wrap(np.array(angle), centre))
    assert centre - np.pi - 1e-9 < wrapped <= centre + np.pi + 1e-9
    assert np.cos(wrapped - angle) == pytest.approx(1.0)


@given(SIX, SIX, SIGNS, TURNS)
def test_zeroing_finds_offsets_from_placings_before_and_after_a_power_cycle(
    reference: Floats, offsets: Floats, signs: Floats, turns: Floats
) -> None:
    true = arms.servo_rad(reference, offsets, signs)
    found = arms.zero([readings(true, seed=1), readings(true + turns * arms.TURN, seed=2)], reference, signs)
    assert arms.wrap(found.offsets_rad - offsets) == pytest.approx(np.zeros(6), abs=0.001)
    assert np.all(found.repeatability_rad < 0.001)
    again = arms.joint_rad(true, found.offsets_rad, signs, reference)
    assert again == pytest.approx(reference, abs=0.001)


def test_placings_that_differ_show_as_repeatability() -> None:
    base = np.zeros(6)
    off = base.copy()
    off[2] = np.radians(1.0)
    found = arms.zero([readings(base, seed=1), readings(off, seed=2)], base, np.ones(6))
    assert np.degrees(found.repeatability_rad[2]) == pytest.approx(0.5, abs=0.02)
    assert np.degrees(found.repeatability_rad[1]) < 0.02


@pytest.mark.parametrize("degrees", [1.0, -3.0, 90.0, 179.0])
@pytest.mark.parametrize("joint", [0, 3, 5])
def test_a_drifted_zero_is_sized_and_the_others_are_clean(degrees: float, joint: int) -> None:
    rest = np.array([0, -1.85, 1.55, 3.1, 0.8, 0])
    now = rest.copy()
    now[joint] += np.radians(degrees)
    found = np.degrees(arms.drift_rad(readings(now), rest))
    assert found[joint] == pytest.approx(degrees, abs=0.05)
    assert np.abs(np.delete(found, joint)).max() < 0.05


def test_an_arm_that_moves_is_not_measured() -> None:
    moving = np.linspace(0, 0.1, 40)[:, None] * np.ones(6)
    with pytest.raises(MeasurementPoor, match=r"leader_left moved by"):
        arms.resting(moving, "leader_left")
    with pytest.raises(MeasurementPoor, match="20 are needed"):
        arms.resting(np.zeros((3, 6)))
    with pytest.raises(MeasurementPoor, match="no numbers"):
        arms.resting(np.full((30, 6), np.nan))
    with pytest.raises(MeasurementPoor, match="not measured"):
        arms.zero([], np.zeros(6), np.ones(6))


def test_cross_check_tells_a_zero_from_a_sign() -> None:
    random = np.random.default_rng(0)
    leader = random.uniform(-1, 1, (5, 6))
    follower = leader.copy()
    follower[:, 1] += np.radians(2.0)
    follower[:, 4] *= -1
    found = arms.cross_check(leader, follower)
    assert np.degrees(found.difference_rad[1]) == pytest.approx(-2.0)
    assert np.degrees(found.spread_rad[1]) < 1e-6
    assert found.spread_rad[4] > 0.3
    assert np.abs(np.delete(found.difference_rad, [1, 4])).max() < 1e-9


QUARTERS = st.lists(st.integers(-4, 4), min_size=6, max_size=6).map(lambda n: np.array(n) * gello.QUARTER)
HANDS = st.lists(st.floats(-0.2, 0.2), min_size=6, max_size=6).map(np.array)


@given(SIX, QUARTERS, SIGNS, HANDS)
def test_gello_offsets_are_quarter_turns_and_what_is_left_is_told(
    pose: Floats, quarters: Floats, signs: Floats, hand: Floats
) -> None:
    found = gello.offsets(readings(signs * pose + quarters + hand), pose, signs)
    assert arms.wrap(found.offsets_rad - quarters) == pytest.approx(np.zeros(6), abs=1e-9)
    assert found.residual_rad == pytest.approx(hand, abs=0.002)


def test_a_pose_held_forty_degrees_off_is_not_rounded_away() -> None:
    held = np.zeros(6)
    held[3] = np.radians(40.0)
    found = gello.offsets(readings(held), np.zeros(6), np.ones(6))
    assert np.degrees(found.residual_rad[3]) == pytest.approx(40.0, abs=0.1)
    with pytest.raises(MeasurementPoor, match=r"forearm_roll \+40\.\d°"):
        gello.refuse_doubtful(found, JOINTS)
    gello.refuse_doubtful(gello.offsets(readings(np.zeros(6)), np.zeros(6), np.ones(6)), JOINTS)


@pytest.mark.parametrize(
    ("start", "held"),
    [
        ((0, -1.5708, 1.5708, -1.5708, -1.5708, 0), (0, -90, 90, -90, -90, 0)),
        ((0, 0, 0, -1.5708, 0, 1.5708, 0), (0, 0, 0, -90, 0, 90, 0)),
        ((0, 0, 0, 1.1, 0, 1.1, 0), (0, 0, 0, 0, 0, 0, 0)),
        ((0, -0.96, 1.16, 0, -0.3, 0), (0, 0, 0, 0, 0, 0)),
    ],
)
def test_a_gello_is_held_as_its_follower_begins_where_that_is_built_of_quarter_turns(
    start: tuple[float, ...], held: tuple[float, ...]
) -> None:
    assert np.degrees(gello.pose(np.array(start))) == pytest.approx(held, abs=1e-6)


@pytest.mark.parametrize("direction", [1, -1])
def test_a_joints_sign_is_read_from_one_steady_turn(direction: int) -> None:
    turn = np.mod(3.0 + direction * np.linspace(0, 0.6, 50), arms.TURN)  # across the wrap
    assert gello.sign(turn, "waist") == direction
    with pytest.raises(MeasurementPoor, match="waist was turned"):
        gello.sign(np.linspace(0, 0.1, 50), "waist")
    with pytest.raises(MeasurementPoor, match="steady"):
        gello.sign(np.concatenate([np.linspace(0, 0.6, 50), np.linspace(0.6, 0.3, 50)]), "waist")


@pytest.mark.parametrize("share", [0.0, 0.39, 0.69])
def test_half_a_sweep_is_no_travel(share: float) -> None:
    expected = GripperRange(1.6214, 0.6197, 0.0579, 0.0440)
    between = np.arange(100, dtype=np.float64) % 2
    swing = np.asarray(expected.close_rad + share * (expected.open_rad - expected.close_rad) * between, np.float64)
    with pytest.raises(
        MeasurementPoor, match=rf"moved over {57.39 * share:.0f}° of 57° only.*open and close it to its stops"
    ):
        grippers.sweep(swing, expected, "follower_left's gripper")


def test_a_gripper_ten_percent_short_is_sized() -> None:
    expected = GripperRange(1.4910, -0.6213, 0.05800, 0.01844)
    travel = expected.open_rad - expected.close_rad
    opened = expected.open_rad - 0.1 * travel
    swing = expected.close_rad + (opened - expected.close_rad) * (0.5 - 0.5 * np.cos(np.linspace(0, 6 * np.pi, 600)))
    found_open, found_close = grippers.sweep(swing, expected, "follower_left")
    short = grippers.shortfall(found_open, found_close, expected)
    assert short.open_percent == pytest.approx(10, abs=1)
    assert short.close_percent == pytest.approx(0, abs=1)
    assert short.travel_percent == pytest.approx(10, abs=1)
    measured = grippers.measured_range(
        found_open, found_close, GripperFacts("crank", expected, (0.022, 0.036)), expected
    )
    assert measured.open_m < expected.open_m
