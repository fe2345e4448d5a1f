"""A short stall is a pause, not an end: the gate's part, and what makes it an end after all."""

import contextlib
import itertools
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from station.bus.messages import Command
from station.errors import CommandRefused
from station.rig.file import Safety
from station.safety.gate import CATCH_UP_RAD_S
from station.safety.pace import LONGEST_STEP_NS
from station.safety.stalls import Stalls
from tests.station.safety.test_gate import ARM, MS, Arm, Goal, command


def silence(arm: Arm, ms: float) -> None:
    """Readings go on, commands don't."""
    for _ in range(round(ms / 5)):
        arm.tick()


def test_a_short_silence_is_followed_again_at_a_bounded_speed() -> None:
    arm = Arm().follow()
    arm.run_at(2.0, 0.3)
    silence(arm, 200)
    assert arm.gate.stalled
    assert arm.gate.holding == ""
    assert not any(arm.gate.velocity), "it has slowed down"
    stood = arm.gate.goal
    x, first_s = stood[0] + 0.4, LONGEST_STEP_NS / 1e9
    for k in itertools.count(1):
        goal = arm.ask((x, 0.0, 0.5))
        assert goal is not None
        assert goal[0] - stood[0] <= CATCH_UP_RAD_S * (first_s + (k - 1) * 0.005) + 1e-9
        assert arm.tick(dt_ms=0) is None
        if not arm.gate.stalled:
            break
    assert goal == (x, 0.0, 0.5)
    assert 0.5 < k * 0.005 < 0.8, "0.4 rad at 0.7 rad/s"
    assert (arm.gate.stalls.count, arm.gate.stalls.longest_ns) == (1, 205 * MS)


def test_a_target_that_moves_on_is_met_and_not_trailed() -> None:
    arm = Arm().follow()
    arm.run_at(1.0, 0.2)
    silence(arm, 150)
    x = arm.gate.goal[0] + 0.15
    for _ in range(100):
        x += 1.0 * 0.005
        arm.ask((x, 0.0, 0.5))
        arm.tick(dt_ms=0)
    assert arm.gate.goal[0] == x
    assert not arm.gate.stalled


def test_a_gap_that_no_reading_saw_is_a_stall_too_and_a_reading_comes_first() -> None:
    arm = Arm().follow()
    arm.now_ns += 150 * MS
    with pytest.raises(CommandRefused, match="not been read since"):
        arm.ask((0.0, 0.0, 0.5))
    assert arm.tick() is None
    assert arm.ask((0.0, 0.0, 0.5)) is not None
    assert arm.gate.stalls.count == 1


def test_longer_than_resume_ms_holds() -> None:
    arm = Arm().follow()
    silence(arm, 300)
    assert arm.gate.stalled
    silence(arm, 10)
    assert arm.gate.holding == "no command for 305 ms"
    assert not arm.gate.stalled
    assert arm.gate.stalls.count == 0


@pytest.mark.parametrize(("apart_s", "holds"), [(1.8, True), (2.1, False)])
def test_a_second_one_soon_after_holds(apart_s: float, holds: bool) -> None:
    arm = Arm().follow()
    for pause_s in (0.0, apart_s):
        for _ in range(round(pause_s / 0.005)):
            arm.ask((0.0, 0.0, 0.5))
            arm.tick(dt_ms=0)
        assert not arm.gate.holding
        silence(arm, 150)
        if not arm.gate.holding:
            arm.ask((0.0, 0.0, 0.5))
    assert ("again within 2 s" in arm.gate.holding) == holds
    assert arm.gate.stalls.count == (1 if holds else 2)


def test_the_pilot_may_say_so_before_commands_are_missing() -> None:
    arm = Arm().follow()
    arm.run_at(2.0, 0.3)
    assert (
        arm.gate.command(Command("follower_left", "leader", -1, -1, arm.now_ns, (), stalled=True), arm.now_ns) is None
    )
    assert arm.gate.stalled
    silence(arm, 50)
    assert not any(arm.gate.velocity)
    assert arm.ask(arm.gate.goal) is not None
    assert arm.gate.stalls.count == 1


def test_a_stall_that_is_told_to_an_arm_that_does_not_follow_is_nothing() -> None:
    arm = Arm()
    arm.gate.command(Command("follower_left", "leader", -1, -1, arm.now_ns, (), stalled=True), arm.now_ns)
    assert (arm.gate.stalled, arm.gate.holding) == (False, "waiting for an operator to engage")


def another_life(arm: Arm) -> None:
    arm.now_ns += 5 * MS
    arm.gate.command(command(arm.gate.goal, arm.now_ns, 10**6), arm.now_ns, life=9)


CONDITIONS: dict[str, tuple[Callable[[Arm], object], str]] = {
    "another source": (lambda arm: arm.ask(arm.gate.goal, source="policy"), "policy commands where leader did"),
    "another pilot": (another_life, "the pilot was restarted"),
    "astray": (lambda arm: arm.ask((arm.gate.goal[0] + 0.7, 0.0, 0.5)), "after a stall waist is 0.70 rad from what leader asks"),
    "asked to hold": (lambda arm: arm.ask((), hold=True, why="the operator"), "the operator"),
    "watchdog": (lambda arm: arm.gate.hold("the servos' own watchdog ran out"), "watchdog ran out"),
    "torque": (lambda arm: arm.gate.close("torque is off"), "torque is off"),
}  # fmt: skip


def ask(arm: Arm, goal: Goal, **more: Any) -> Goal | None:
    arm.now_ns += 5 * MS
    cmd = command(goal, arm.now_ns, next(arm.numbers))
    return arm.gate.command(msgspec.structs.replace(cmd, **more), arm.now_ns)


@pytest.mark.parametrize("what", CONDITIONS)
def test_a_condition_that_fails_is_a_hold_which_no_command_ends(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    act, why = CONDITIONS[what]
    monkeypatch.setattr(Arm, "ask", ask)
    arm = Arm().follow()
    silence(arm, 150)
    assert arm.gate.stalled
    with contextlib.suppress(CommandRefused):
        act(arm)
    assert why in arm.gate.holding
    assert not arm.gate.stalled
    for _ in range(20):
        with pytest.raises(CommandRefused, match="holding"):
            arm.ask(arm.gate.goal)
        arm.tick(dt_ms=0)


def test_an_arm_that_was_never_read_is_not_followed_again() -> None:
    arm = Arm().follow()
    for _ in range(40):
        arm.tick((None, 0.0, 0.5))
    with pytest.raises(CommandRefused, match="waist has not been read"):
        arm.ask((0.0, 0.0, 0.5))


def test_overlapping_silences_are_one_stall_of_their_whole_length() -> None:
    stalls = Stalls(Safety())
    assert stalls.silent("a", 0, 120 * MS) == ""
    assert stalls.silent("b", -30 * MS, 121 * MS) == ""
    assert stalls.open
    stalls.over(130 * MS)
    assert (stalls.count, stalls.total_ns, stalls.open) == (1, 160 * MS, False)
    assert stalls.silent("a", 200 * MS, 290 * MS) == "", "no silence at all"
    assert stalls.silent("a", 200 * MS, 301 * MS) == "a for 101 ms, again within 2 s"
    stalls.forget()
    assert stalls.silent("a", 200 * MS, 301 * MS) == "", "an operator has acted since"


def test_resume_ms_is_above_stale_ms() -> None:
    with pytest.raises(ValueError, match=r"resume_ms \(300\) must be above stale_ms \(400\)"):
        Safety(stale_ms=400.0)
    assert ARM


def test_silences_that_overlap_are_told_by_their_length_in_all() -> None:
    """One says nothing for 144 ms and it is the end: the next one's silence began before the first one's was over."""
    stalls = Stalls(Safety())
    assert stalls.silent("leader_right has been silent", 0, 160 * MS) == ""
    why = stalls.silent("follower_right has been silent", 157 * MS, 301 * MS)
    assert why == "follower_right has been silent for 144 ms, with others before it 301 ms"
