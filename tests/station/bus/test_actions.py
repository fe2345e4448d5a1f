"""The table of actions: no two on one key at one moment, and every request of the session has one."""

import itertools
from typing import get_args

import pytest

from station.bus.actions import ACTIONS, BY_NAME, PEDALS, allowed, meant, offered, pedal_words, request_of
from station.bus.messages import Phase, SessionState, SourceName
from station.bus.requests import HandOver, Label, LeadersAlong, SessionRequest, Stop
from station.session.phases import TRANSITIONS

SOURCES: tuple[SourceName, ...] = ("leader", "policy")


def states() -> list[SessionState]:
    """All that matters for what makes sense."""
    return [
        SessionState(
            phase, "t", "", 4, 0, saved, 0, 0, (), paused=paused, newest=newest, source=source, marks=("reach", "grasp")
        )
        for phase, saved, paused, newest, source in itertools.product(
            get_args(Phase), (0, 2), (False, True), (-1, 3), SOURCES
        )
    ]


def test_names_are_the_actions_own_and_every_request_has_one() -> None:
    assert len(BY_NAME) == len(ACTIONS)
    assert {action.request for action in ACTIONS} == set(get_args(SessionRequest))


@pytest.mark.parametrize("state", states(), ids=lambda s: f"{s.phase}-{s.saved}-{s.paused}-{s.newest}-{s.source}")
def test_what_is_offered_is_allowed_and_each_key_means_one_thing(state: SessionState) -> None:
    actions = offered(state)
    assert {action.request for action in actions} <= set(allowed(state.phase))
    for key in {key for action in actions for key in action.keys} | {f"pedal {n}" for n in range(1, PEDALS + 1)}:
        action = meant(key, state)
        assert action is None or action in actions
    assert actions or state.phase == "ended", "somebody can always end it"


def test_what_starts_motion_is_marked() -> None:
    assert {action.name for action in ACTIONS if action.moves} == {
        "allow",
        "allow_at_once",
        "open",
        "go_on",
        "hand_over",
        "held",
        "leaders",
    }
    for action in ACTIONS:
        leads = {TRANSITIONS.get((phase, event)) for phase in action.phases for event in ("open", "align")}
        assert (
            action.moves or action.request not in (BY_NAME["open"].request, BY_NAME["go_on"].request) or None in leads
        )


def test_what_asks_first_has_a_question() -> None:
    for action in ACTIONS:
        assert action.confirm == "headset" or bool(action.confirm) == bool(action.question)


def test_what_a_button_asks() -> None:
    assert request_of(BY_NAME["failure"]) == Stop(False)
    assert request_of(BY_NAME["held"]) == HandOver("leader", held=True)
    assert request_of(BY_NAME["leaders"]) == LeadersAlong()
    assert request_of(BY_NAME["label_success"]) == Label(True)
    assert request_of(BY_NAME["note"]) is None, "its text is not known"
    assert pedal_words(3) == "discard"
