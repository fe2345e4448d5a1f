"""What the process with the library tells its driver, byte by byte."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.franka import states
from drivers.franka.states import Note, State, Told
from drivers.franka.vendor_process import why
from station.clock import NS_PER_MS
from station.devices.networked.reader import Broken

SEVEN = st.tuples(*[st.floats(-100, 100)] * 7)
ONE = State(5, 3, (0.1,) * 7, (0.2,) * 7, (0.3,) * 7, states.MOVE, 1, 0.99, 0.73)


@given(
    state=st.builds(
        State, st.integers(0, 2**62), st.integers(0, 2**62), SEVEN, SEVEN, SEVEN, st.integers(0, 6), st.integers(0, 2**41 - 1),
        st.floats(0, 1), st.floats(0, 3), st.just(True),
    )
)  # fmt: skip
def test_a_reading_comes_through_as_it_was(state: State) -> None:
    assert list(Told().take(states.packed(state), 0)) == [state]


def test_its_stamp_is_its_own_clocks_unless_that_is_none() -> None:
    told = Told()
    assert next(iter(told.take(states.packed(ONE), 0))).device_ns == 3 * NS_PER_MS
    told.clocked = False
    assert next(iter(told.take(states.packed(ONE), 0))).device_ns is None
    assert ONE.effort == ONE.torque_nm


def test_notes_and_answers_are_no_readings() -> None:
    told = Told()
    assert list(told.take(states.noted(Note("", 10, "not real-time")), 0)) == []
    assert told.note == Note("", 10, "not real-time")
    assert list(told.take(states.done(7, "müde"), 0)) == []
    assert told.answers == {7: "müde"}


def test_what_could_not_connect_breaks_the_line_with_its_reason() -> None:
    with pytest.raises(Broken, match="Connection refused"):
        list(Told().take(states.noted(Note("Connection refused")), 0))


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_number_that_is_none_breaks_it(bad: float) -> None:
    with pytest.raises(Broken, match="none"):
        list(Told().take(states.packed(ONE._replace(velocity_rad_s=(bad,) * 7)), 0))


@pytest.mark.parametrize(("its_ms", "true"), [(250, True), (246, True), (225, False), (0, False), (400, False)])
def test_a_clock_that_does_not_keep_time_is_seen(its_ms: int, true: bool) -> None:
    later = ONE._replace(arrived_ns=5 + 250 * NS_PER_MS, clock_ms=3 + its_ms)
    assert states.runs_true([ONE, later]) == true
    assert states.runs_true([ONE])


def test_an_exception_is_told_by_the_errors_it_names_else_in_its_own_words() -> None:
    assert "ran into something" in why(
        'libfranka: Move command aborted: motion aborted by reflex! ["cartesian_reflex"]'
    )
    assert why("libfranka: robot connection lost") == "robot connection lost"
