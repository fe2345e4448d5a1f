"""Grippers, jumps, budget, settings: no wire."""

import errno
import math
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.dynamixel.budget import cycle_ms
from drivers.dynamixel.gripper import FOLLOWER, LEADER, Linkage
from drivers.dynamixel.joints import Joints
from drivers.dynamixel.jumps import AGREEING, LIMIT_RAD, JumpFilter
from drivers.dynamixel.models import VX300S, WX250S
from drivers.dynamixel.port import opening_error
from drivers.dynamixel.settings import DynamixelSettings
from station.errors import DeviceBusy, DeviceForbidden, DeviceMissing

ANGLES = st.floats(-math.pi, math.pi)


def settings(**keys: object) -> DynamixelSettings:
    return msgspec.convert({"model": "vx300s", "port": "/dev/x", "generation": "aloha1", **keys}, DynamixelSettings)


@pytest.mark.parametrize("generation", ["aloha1", "mobile"])
def test_linkage_gives_alohas_own_finger_positions(generation: str) -> None:
    """0.05789 and 0.01843 m against ALOHA's constants 0.05800 and 0.01844."""
    travel = FOLLOWER[generation]  # type: ignore[index]
    assert VX300S.linkage is not None
    assert VX300S.linkage.position_m(travel.open_rad) == pytest.approx(travel.open_m, abs=2e-4)
    assert VX300S.linkage.position_m(travel.close_rad) == pytest.approx(travel.close_m, abs=2e-4)
    assert WX250S.linkage is not None
    leader = LEADER["aloha1"]
    assert WX250S.linkage.position_m(leader.open_rad) == pytest.approx(leader.open_m, abs=2e-4)


@given(ANGLES)
def test_finger_velocity_is_the_derivative_of_its_position(rad: float) -> None:
    linkage = Linkage(0.022, 0.036)
    step = 1e-6
    slope = (linkage.position_m(rad + step) - linkage.position_m(rad - step)) / (2 * step)
    assert linkage.velocity_m_s(rad, 1.0) == pytest.approx(slope, abs=1e-6)


@given(st.sampled_from([*LEADER.values(), *FOLLOWER.values()]), st.floats(-0.5, 1.5))
def test_gripper_normalisation_is_undone(travel: object, command: float) -> None:
    assert travel.command(travel.rad(command)) == pytest.approx(command, abs=1e-9)  # type: ignore[attr-defined]


@given(st.lists(ANGLES, max_size=60), st.floats(-math.pi, math.pi))
def test_no_reading_passes_that_jumps_without_company(readings: list[float], start: float) -> None:
    """Whatever passes is within the limit of the last that passed, or the third of three that agree."""
    judge = JumpFilter()
    judge.is_good(start)
    good, run = start, [start]
    for rad in readings:
        passed = judge.is_good(rad)
        run.append(rad)
        if passed:
            last = run[-AGREEING:]
            agree = len(last) == AGREEING and all(abs(a - b) <= LIMIT_RAD for a, b in pairwise(last))
            assert abs(rad - good) <= LIMIT_RAD or agree
            good = rad


@given(st.floats(0.4, 3.0), st.integers(0, 2))
def test_a_single_spike_never_passes_and_three_agreeing_always_do(jump: float, spikes: int) -> None:
    judge = JumpFilter()
    assert judge.is_good(0.0)
    for _ in range(min(spikes, AGREEING - 1)):
        assert not judge.is_good(jump)
    assert judge.is_good(0.01)
    assert [judge.is_good(jump + 0.001 * n) for n in range(3)] == [False, False, True]
    assert judge.accepted == 1


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_no_number_is_no_reading(number: float) -> None:
    judge = JumpFilter()
    assert not judge.is_good(number)
    assert judge.is_good(1.0)


def test_budget_matches_the_known_figures() -> None:
    """9 servos: 212 bytes = 2.12 ms read, 59 bytes = 0.59 ms write at 1 Mbaud; 36.8 ms read at 57600."""
    assert cycle_ms(1_000_000, 9, writes=False) == pytest.approx(2.12)
    assert cycle_ms(1_000_000, 9) == pytest.approx(2.71)
    assert cycle_ms(57_600, 9, writes=False) == pytest.approx(36.8, abs=0.05)


GELLO = {"model": "gello", "generation": None, "gripper": {"open_rad": 3.0, "close_rad": 2.2}, "offsets_rad": [0.0] * 6}


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"port": ""}, "port is empty"),
        ({"generation": None}, "give generation: aloha1"),
        ({"gripper": {"open_rad": 1.0, "close_rad": 0.0}}, "not both"),
        ({"generation": None, "gripper": {"open_rad": 1.0, "close_rad": 1.0}}, "0.05 rad apart"),
        ({"ids": [1, 2, 3]}, "a vx300s has 9"),
        ({"ids": [1, 1, 3, 4, 5, 6, 7, 8, 9]}, "different numbers"),
        ({"signs": [1, 1, 1, 1, 1, 0]}, "1 or -1"),
        ({"offsets_rad": [0.0]}, "has 1 numbers, the arm has 6"),
        ({"baud": 1234}, "none a servo knows"),
        ({"rate_hz": 500}, "use rate_hz:"),
        ({**GELLO, "offsets_rad": None}, "needs offsets_rad, 6 numbers"),
        ({**GELLO, "gripper": None}, "a gello needs gripper"),
        ({**GELLO, "rate_hz": 200}, "does not fit 57600 baud: 7 servos take 29.2 ms a cycle; use rate_hz: 30 or less"),
        ({"speed": 1}, "unknown field `speed`"),
    ],
)
def test_wrong_settings_say_what_to_write(keys: dict[str, object], told: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=told.replace("(", r"\(")):
        settings(**keys)


def test_a_gello_that_fits() -> None:
    assert settings(**GELLO, rate_hz=30).wire_baud == 57_600
    assert settings(**GELLO, baud=1_000_000).wire_baud == 1_000_000


@given(st.lists(st.integers(0, 4095), min_size=7, max_size=7))
def test_ticks_survive_the_way_there_and_back(ticks: list[int]) -> None:
    joints = Joints(settings(signs=[1, -1, 1, -1, 1, -1], offsets_rad=[0.1, -0.2, 0, 0, 0.3, 0]), "follower", {})
    for place, tick in enumerate(ticks):
        low, high = joints.servos[place].limits_ticks or (0, 0)
        assert joints.ticks(place, joints.position(place, tick)) == max(low, min(high, tick))


def test_ids_can_be_renumbered_and_shadows_follow() -> None:
    arm = settings(ids=[11, 12, 13, 14, 15, 16, 17, 18, 19]).arm
    assert [(servo.id, servo.shadow_of) for servo in arm.servos if servo.shadow_of] == [(13, 12), (15, 14)]


@pytest.mark.parametrize(
    ("number", "kind", "told"),
    [
        (errno.EACCES, DeviceForbidden, "dialout"),
        (errno.EBUSY, DeviceBusy, "close that program"),
        (errno.ENOENT, DeviceMissing, "station find"),
    ],
)
def test_opening_errors(number: int, kind: type[Exception], told: str) -> None:
    error = opening_error("leader_left", "/dev/nowhere", 1_000_000, OSError(number, "x"))
    assert isinstance(error, kind)
    assert told in str(error)
    assert "leader_left on /dev/nowhere" in str(error)
