"""The table of phases: complete, and without a dead end."""

from typing import get_args

from station.bus.messages import Phase
from station.session.phases import TRANSITIONS, PhaseEvent


def test_every_phase_and_event_is_in_the_table() -> None:
    assert {phase for phase, _ in TRANSITIONS} == set(TRANSITIONS.values()) == set(get_args(Phase))
    assert {event for _, event in TRANSITIONS} == set(get_args(PhaseEvent))


def test_a_sitting_can_be_closed_from_anywhere() -> None:
    for phase in get_args(Phase):
        assert phase == "ended" or TRANSITIONS[phase, "close"] == "saving"
    assert TRANSITIONS["saving", "closed"] == "ended"
