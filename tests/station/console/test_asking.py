"""What a page's words ask of the station, by the table of actions; nothing else gets through."""

import json
from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.bus.actions import ACTIONS, Action
from station.bus.messages import PolicyState
from station.bus.requests import (
    Allow,
    AskLeave,
    HandOver,
    Hold,
    Note,
    OpenSession,
    OperatorAct,
    Park,
    Start,
    TakeControl,
)
from station.console import view, wire
from station.console.asking import Known, Question, questions, who_asks
from station.console.seats import Seat
from station.console.wire import FromPage, Press
from tests.station.console.stage import DESCRIBED

SEAT = Seat("5ea7", "", "operator", "ada", False, 0.0, 1.0)


PRESSED = [action for action in ACTIONS if action.request not in (OpenSession, HandOver)]


@pytest.mark.parametrize("action", PRESSED, ids=lambda a: a.name)
def test_each_button_asks_what_its_row_says(action: Action) -> None:
    (question,) = questions(Press(1, action.name, 7, "slipped once"), "ada", Known(12.0))
    assert question.node == "session" and isinstance(question.request, action.request) and question.seen == 7
    assert getattr(question.request, "success", action.success) == action.success
    if action.request is Start:
        assert question.request == Start(12.0)
    if action.request is Note:
        assert question.request == Note("slipped once")


@pytest.mark.parametrize("name", ["open", "", "levitate", "Shutdown", "__class__"])
def test_what_is_no_button_asks_nothing(name: str) -> None:
    with pytest.raises(ValueError, match="is no button"):
        questions(Press(1, name, 7), "ada", Known())


@pytest.mark.parametrize("name", ["hand_over", "held"])
def test_hands_take_over_by_no_button_alone(name: str) -> None:
    with pytest.raises(ValueError, match="while somebody presses that they hold the leaders"):
        questions(Press(1, name, 7), "ada", Known())
    assert name not in [action["name"] for action in view.action_table()]


def test_a_policys_sitting_is_of_what_the_runner_has_loaded_and_of_nothing_else() -> None:
    loaded = PolicyState("ready", 1, "/data/my-act", "act /data/my-act, sha256:1", "pick it")
    said = wire.Rollouts(1, 7, "tried", "ada", "table", episodes=3, seconds=5.0, reset_s=2.0)
    (asked,) = questions(said, "ada", Known(policy=loaded))
    assert (asked.node, asked.seen) == ("session", 7)
    assert asked.request == OpenSession(
        "tried", "", "ada", "pick it", "table", "policy", loaded.identity, "/data/my-act", "timed", 2.0, 3
    )  # fmt: skip
    (unkept,) = questions(wire.Rollouts(1, 7, kept=False), "ada", Known(policy=loaded))
    assert isinstance(unkept.request, OpenSession)
    assert (unkept.request.task, unkept.request.kept, unkept.request.opening) == ("my-act", False, False)
    with pytest.raises(ValueError, match="need a task"):
        questions(wire.Rollouts(1, 7), "ada", Known(policy=loaded))
    for nothing in (None, PolicyState("none", 1), PolicyState("loading", 1, "/data/my-act")):
        with pytest.raises(ValueError, match="no policy is loaded"):
            questions(said, "ada", Known(policy=nothing))


def test_hands_take_over_holding_and_the_policy_goes_on() -> None:
    (taken,) = questions(wire.TakeOver(1, 7), "ada", Known())
    assert taken == Question("session", HandOver("leader", held=True), 7)
    assert questions(wire.TakeOver(1, 7), "ada", Known(hands="vr"))[0].request == HandOver("vr", held=True)
    assert questions(wire.HandBack(1, 8), "ada", Known()) == (Question("session", HandOver("policy"), 8),)


def test_a_servos_restart_says_what_sinks_before_anybody_allows_it() -> None:
    known = Known(descriptions={"follower_left": DESCRIBED})
    (asked,) = questions(wire.ArmAct(1, "follower_left", "recover"), "ada", known)
    assert asked.node == "session" and isinstance(asked.request, AskLeave)
    assert asked.request.what.startswith("recover follower_left, support it: ") and "sinks" in asked.request.what
    assert asked.after == Question("pilot", OperatorAct("follower_left", "recover"))
    for arm, act in (("follower_left", "dance"), ("follower_right", "recover"), ("", "")):
        with pytest.raises(ValueError, match="has no act"):
            questions(wire.ArmAct(1, arm, act), "ada", known)


def test_whoever_waits_for_the_answer_to_no_word_is_found() -> None:
    assert wire.id_of('{"type": "levitate", "id": 5}') == 5
    assert wire.id_of('{"type": "open", "id": 7, "task": 3}') == 7
    assert [wire.id_of(raw) for raw in ("{", "[]", '{"id": "x"}', '{"id": -1}', "", '{"id": 1e400}')] == [0] * 6


def test_the_rest() -> None:
    (opened,) = questions(
        wire.Open(1, 7, "pick", "ada", "pick it", episodes=3, seconds=5.0, reset_s=2.0, override="the last"),
        "ada",
        Known(),
    )
    assert opened.request == OpenSession(
        "pick", "", "ada", "pick it", episodes=3, reset="timed", reset_s=2.0, override="the last", opening=None
    )  # fmt: skip
    held, denied = questions(wire.Hold(1), "ada (console)", Known())
    assert held == Question("pilot", Hold("held by ada (console)")) and denied.request == Allow(False)
    (parked,) = questions(wire.Park(1), "ada", Known())
    assert parked.request == AskLeave("park the arms") and parked.after == Question("pilot", Park())
    assert questions(wire.Control(1, "take"), "ada", Known())[0].request == TakeControl()
    assert questions(wire.Watch(()), "ada", Known()) == ()


def test_every_word_has_a_role() -> None:
    assert set(wire.NEEDS) == set(get_args(FromPage))


def test_who_asks_says_which_page_and_whether_it_is_at_the_rig() -> None:
    who = who_asks(SEAT, "tab1", "10.0.0.5")
    assert (str(who), who.seat, who.at_rig) == ("ada at 10.0.0.5 (console)", "5ea7.tab1", False)


def test_a_link_that_names_nobody_has_no_name_to_answer_with() -> None:
    who = who_asks(msgspec.structs.replace(SEAT, person=""), "tab1", "10.0.0.5")
    assert (who.person, str(who)) == ("", "console, operator at 10.0.0.5")


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
        {"type": "load", "id": 1, "policy": "x" * 300},
        {"type": "evaluate", "id": 1, "name": "../x", "policies": ["a"], "trials": 1, "seconds": 9},
        {"type": "evaluate", "id": 1, "name": "x", "policies": [], "trials": 1, "seconds": 9},
        {"type": "evaluate", "id": 1, "name": "x", "policies": ["a"], "trials": 5000, "seconds": 9},
    ],
    ids=str,
)  # fmt: skip
def test_words_that_are_out_of_bounds_are_refused(said: object) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        wire.decode(json.dumps(said))
