"""The simulated controller: modes, errors, and who ends them."""

import pytest

from drivers.sim.network.joints import FreeArm
from drivers.sim.xarm.controller import (
    BY_HAND,
    COLLISION,
    ESTOP,
    MOVES,
    POSITION,
    READY,
    SERVO,
    STOPPED,
    TOO_FAST,
    Controller,
)

MS = 1_000_000
START = (0.0, 0.0, 0.0, 1.1, 0.0, 1.1, 0.0)


class Played:
    """A controller and the time it is."""

    def __init__(self) -> None:
        self.now_ns, self.it = 0, Controller(FreeArm(START), 7, 7, 0)

    def on(self, ms: int) -> None:
        for _ in range(ms // 2):
            self.now_ns += 2 * MS
            self.it.step(self.now_ns)

    def follows(self) -> "Played":
        self.it.set_mode(SERVO)
        assert self.it.state not in (MOVES, READY), "a mode begins with the next set_state"
        self.it.set_state(0, self.now_ns)
        return self

    @property
    def first(self) -> float:
        return self.it.arm.joints().position_rad[0]


def test_it_goes_to_the_newest_target_and_stays_there() -> None:
    it = Played().follows()
    for target in (0.05, 0.1):
        it.it.servo((target, *START[1:]), it.now_ns)
        it.on(4)
    it.on(500)
    assert it.first == pytest.approx(0.1, abs=1e-4)
    assert it.it.state == READY


@pytest.mark.parametrize("code", [COLLISION, TOO_FAST])
def test_an_error_ends_by_clearing_and_going_on_is_asked_for(code: int) -> None:
    it = Played().follows()
    it.it.servo((0.1, *START[1:]), it.now_ns)
    it.on(20)
    it.it.fail(code, it.now_ns)
    there = it.first
    it.it.servo((0.1, *START[1:]), it.now_ns)
    it.it.set_state(0, it.now_ns)
    it.on(200)
    assert (it.it.error, it.it.state) == (code, STOPPED)
    assert it.first == pytest.approx(there, abs=0.03)
    it.it.clear()
    assert not it.it.ready, "clean_error alone does not let it go on"
    it.it.set_state(0, it.now_ns)
    it.on(200)
    assert it.it.ready
    assert it.first == pytest.approx(there, abs=0.03), "what was asked before is forgotten"


def test_an_emergency_stop_stays_while_its_button_is_down() -> None:
    it = Played().follows()
    it.it.fail(ESTOP, it.now_ns)
    it.it.clear()
    it.it.enable(True, it.now_ns)
    assert (it.it.error, it.it.enabled) == (ESTOP, False)
    it.it.pressed = False
    it.it.clear()
    it.it.enable(True, it.now_ns)
    assert (it.it.error, it.it.enabled) == (0, True)


def test_a_target_too_far_away_is_an_error() -> None:
    it = Played().follows()
    it.it.servo((0.5, *START[1:]), it.now_ns)
    assert it.it.error == TOO_FAST
    it.on(100)
    assert it.first == 0.0


def test_in_another_mode_it_takes_no_target() -> None:
    it = Played()
    for mode in (POSITION, BY_HAND):
        it.it.set_mode(mode)
        it.it.set_state(0, it.now_ns)
        it.it.servo((0.1, *START[1:]), it.now_ns)
        it.on(100)
        assert it.first == 0.0


def test_its_clock_is_its_own() -> None:
    it = Played().it
    it.set_skew(100.0, 0)
    assert it.clock_us(10_000_000_000) - it.clock_us(0) == pytest.approx(10_001_000)
