"""How an arm stands, after what its driver says: a stop ends by an operator's act alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.bus.messages.arms import ArmMode
from station.safety.condition import Condition, Latch

STOP = Condition("stopped", "protective stop", "look at it, then recover")
CONDITIONS = st.sampled_from([STOP, *(Condition(mode) for mode in ("ready", "hold", "guiding", "off"))])


@pytest.mark.parametrize("mode", ["ready", "hold", "off"])
def test_a_stop_that_was_cleared_at_the_arm_is_still_one_here(mode: ArmMode) -> None:
    latch = Latch()
    assert latch.take(STOP) == STOP
    found = latch.take(Condition(mode))
    assert (found.mode, found.next) == ("stopped", "look at it, then recover")
    assert found.why == "protective stop (the arm itself says that this is over)"
    latch.release()
    assert latch.take(Condition(mode)).mode == mode


@given(st.lists(CONDITIONS))
def test_after_a_stop_nothing_but_a_release_makes_it_ready(story: list[Condition]) -> None:
    latch, stopped = Latch(), False
    for condition in story:
        stopped |= condition.mode == "stopped"
        found = latch.take(condition)
        assert found.mode == ("stopped" if stopped and condition.mode != "guiding" else condition.mode)
        assert found.barred == (stopped or condition.mode == "guiding")


def test_what_is_said_is_the_reason_and_the_next_act() -> None:
    assert STOP.said == "protective stop: look at it, then recover"
    assert Condition("hold", "the watchdog ran out").said == "the watchdog ran out"
    assert Condition("ready").said == ""
