"""Reports as they come: whole however they were cut, refused where they cannot be."""

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.sim.network.joints import FreeArm
from drivers.sim.xarm import reports as told
from drivers.sim.xarm.controller import Controller
from drivers.xarm.reports import REAL_PORT, RT_PORT, Frames, State, States, Statuses
from station.devices.networked.reader import Broken

JOINTS = (0.1, -0.2, 0.3, 0.4, -0.5, 0.6, 0.7)


def controller(joints: int = 7) -> Controller:
    return Controller(FreeArm(JOINTS[:joints]), joints, joints, 0)


@given(cuts=st.lists(st.integers(1, 900), max_size=12))
def test_reports_come_out_whole_however_they_were_cut(cuts: list[int]) -> None:
    sent = b"".join(told.real_time(controller(), 5_000_000 * n) for n in range(4))
    states, at = States(RT_PORT, 7, 1), 0
    found: list[State] = []
    for cut in [*cuts, len(sent)]:
        found += states.take(sent[at : at + cut], at)
        at += cut
    assert [state.clock_us for state in found] == [1_234_000_000 + 5_000 * n for n in range(4)]
    assert all(state.position_rad == pytest.approx(JOINTS, abs=1e-6) for state in found)


def test_every_so_manieth_is_a_reading() -> None:
    states = States(RT_PORT, 7, 2)
    assert len(list(states.take(told.real_time(controller(), 0) * 6, 0))) == 3


def test_an_older_firmware_has_no_clock_and_velocities_are_what_lies_between() -> None:
    it, states = controller(6), States(REAL_PORT, 6, 1)
    (first,) = states.take(told.real(it, 0), 1_000_000_000)
    assert isinstance(it.arm, FreeArm)
    it.arm.push(0.02)
    (second,) = states.take(told.real(it, 0), 1_010_000_000)
    assert first.device_ns is None
    assert (second.velocity_rad_s[0], second.velocity_rad_s[1]) == pytest.approx((2.0, 0.0), abs=1e-3)
    assert len(second.position_rad) == len(second.effort) == 6


def test_what_changes_seldom() -> None:
    it = controller(6)
    it.fail(31, 0)
    (status,) = Statuses(6).take(told.rich(it, 0), 7)
    assert (status.error, status.enabled, status.collision_sensitivity, status.kind, status.axes) == (31, True, 3, 6, 6)
    assert (status.firmware, status.temperature_c) == ("v2.7.0", (33.0,) * 6)
    assert status.payload_kg == pytest.approx(0.85)
    it.enable(False, 0)
    (status,) = Statuses(6).take(told.rich(it, 0), 8)
    assert not status.enabled


@pytest.mark.parametrize("size", [0, 40, 1 << 20])
def test_a_length_that_cannot_be_ends_the_connection(size: int) -> None:
    with pytest.raises(Broken, match=f"a report of {size} bytes"):
        list(Frames(256).take(struct.pack(">I", size)))


def test_a_number_that_is_none_ends_the_connection() -> None:
    sent = bytearray(told.real_time(controller(), 0))
    struct.pack_into("<f", sent, 32 + 28 * 3, math.nan)
    with pytest.raises(Broken, match="a number that is none"):
        list(States(RT_PORT, 7, 1).take(bytes(sent), 0))
