"""What a page's words ask of the station, by the table of actions; nothing else gets through."""

import json
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.bus.actions import ACTIONS, Action
from station.bus.requests import Allow, AskLeave, Hold, Note, OpenSession, Park, Start, TakeControl
from station.console import wire
from station.console.asking import Question, questions, who_asks
from station.console.seats import Seat
from station.console.wire import FromPage, Press

SEAT = Seat("5ea7", "", "operator", "ada", False, 0.0, 1.0)


@pytest.mark.parametrize(
    "action", [action for action in ACTIONS if action.request is not OpenSession], ids=lambda a: a.name
)
def test_each_button_asks_what_its_row_says(action: Action) -> None:
    (question,) = questions(Press(1, action.name, 7, "slipped once"), "ada", 12.0)
    assert question.node == "session" and isinstance(question.request, action.request) and question.seen == 7
    assert getattr(question.request, "success", action.success) == action.success
    if action.request is Start:
        assert question.request == Start(12.0)
    if action.request is Note:
        assert question.request == Note("slipped once")


@pytest.mark.parametrize("name", ["open", "", "levitate", "Shutdown", "__class__"])
def test_what_is_no_button_asks_nothing(name: str) -> None:
    with pytest.raises(ValueError, match="is no button"):
        questions(Press(1, name, 7), "ada", None)


def test_the_rest() -> None:
    (opened,) = questions(
        wire.Open(1, 7, "pick", "ada", "pick it", episodes=3, seconds=5.0, reset_s=2.0, override="the last"),
        "ada",
        None,
    )
    assert opened.request == OpenSession(
        "pick", "", "ada", "pick it", episodes=3, reset="timed", reset_s=2.0, override="the last", opening=None
    )  # fmt: skip
    held, denied = questions(wire.Hold(1), "ada (console)", None)
    assert held == Question("pilot", Hold("held by ada (console)")) and denied.request == Allow(False)
    (parked,) = questions(wire.Park(1), "ada", None)
    assert parked.request == AskLeave("park the arms") and parked.after == Question("pilot", Park())
    assert questions(wire.Control(1, "take"), "ada", None)[0].request == TakeControl()
    assert questions(wire.Watch(()), "ada", None) == ()


def test_every_word_has_a_role() -> None:
    assert set(wire.NEEDS) == set(get_args(FromPage))


def test_who_asks_says_which_page_and_whether_it_is_at_the_rig() -> None:
    who = who_asks(SEAT, "tab1", "10.0.0.5")
    assert (str(who), who.seat, who.at_rig) == ("ada at 10.0.0.5 (console)", "5ea7.tab1", False)


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_what_is_no_word_of_a_page_is_refused(raw: bytes) -> None:
    try:
        said = wire.decode(raw.decode(errors="replace"))
    except ValueError:
        return
    assert isinstance(said, get_args(FromPage))


@pytest.mark.parametrize(
    "said",
    [
        {"type": "press", "id": 1, "name": "start", "seen": 1, "more": 1}, {"type": "watch", "cameras": ["c"] * 9},
        {"type": "watch", "cameras": [], "fps": 500}, {"type": "hello", "tab": "../../etc"},
        {"type": "open", "id": 1, "seen": 1, "task": "x" * 300},
        {"type": "open", "id": 1, "seen": 1, "task": "x", "seconds": 1e9}, {"type": "press", "id": -1, "name": "start", "seen": 1},
        {"type": "press", "id": 1, "name": "note", "seen": 1, "text": "x" * 5000}, {"type": "shutdown"}, [], 5,
    ],
    ids=str,
)  # fmt: skip
def test_words_that_are_out_of_bounds_are_refused(said: object) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        wire.decode(json.dumps(said))
