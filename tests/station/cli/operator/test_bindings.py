import itertools
from typing import get_args

import pytest

from station.bus.actions import ACTIONS, PEDALS, allowed
from station.bus.messages import Phase, SessionState
from station.bus.requests import (
    Align,
    CloseSession,
    Discard,
    HandOver,
    Label,
    OpenSession,
    Pause,
    SetMark,
    Start,
    Stop,
    Undo,
)
from station.cli.operator.bindings import BINDINGS, Confirm, Local, Nothing, Plan, SendRequest, act, hints

PLAN = Plan(OpenSession("pick"), 12.0)
KEYS = [
    *dict.fromkeys(key for action in ACTIONS for key in action.keys), "?", "y", *(f"pedal {n}" for n in range(1, PEDALS + 1)),
]  # fmt: skip


def state(phase: Phase, **keys: object) -> SessionState:
    return SessionState(phase, "pick", "ada", 4, 0, 2, 0, 0, (), **{"newest": 3, **keys})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("key", "phase", "request_"),
    [
        ("space", "ready", Start(12.0)),
        ("enter", "reset", Start(12.0)),
        ("pedal 1", "recording", Stop()),
        ("space", "hold", Align()),
        ("space", "ended", OpenSession("pick")),
        ("s", "recording", Stop(True)),
        ("f", "recording", Stop(False)),
        ("pedal 2", "ready", Label(True)),
        ("f", "hold", Label(False)),
        ("d", "recording", Discard()),
        ("left", "recording", Discard()),
        ("pedal 3", "recording", Discard()),
        ("p", "recording", Pause()),
        ("p", "hold", Align()),
        ("q", "ready", CloseSession()),
        ("S", "ready", Label(True)),
    ],
)
def test_what_a_key_asks(key: str, phase: Phase, request_: object) -> None:
    assert asks(act(key, state(phase), PLAN)) == request_


def asks(answer: object) -> object:
    assert isinstance(answer, SendRequest)
    return answer.request


def test_a_mark_has_its_key_and_m_sets_the_next() -> None:
    recording = state("recording", marks=("reach", "grasp"), mark="reach")
    assert asks(act("2", recording, PLAN)) == SetMark("grasp")
    assert asks(act("m", recording, PLAN)) == asks(act("pedal 4", recording, PLAN)) == SetMark()
    assert act("7", recording, PLAN) == Nothing("the marks here are 1 reach, 2 grasp")
    assert "m: mark grasp" in hints(recording)
    assert "m: mark grasp" not in hints(state("ready", marks=("reach",)))


def test_while_paused_space_and_p_go_on() -> None:
    paused = state("recording", paused=True)
    assert asks(act("space", paused, PLAN)) == asks(act("p", paused, PLAN)) == Align()


def test_undo_asks_once_and_only_y_and_u_mean_yes() -> None:
    question = act("u", state("ready"), PLAN)
    assert isinstance(question, Confirm)
    assert question.words == "delete episode 3?  y or u = yes, any other key = no"
    for yes in ("y", "Y", "u"):
        answer = act(yes, state("ready", newest=9), PLAN, question)
        assert answer == SendRequest(Undo(), state("ready")), "meant for what the question was about"
    for key in ("space", "d", "x", "q", "escape", "?", "n"):
        assert act(key, state("ready"), PLAN, question) == Nothing("no")
    assert isinstance(act("y", state("ready"), PLAN), Nothing), "nobody asked"


def test_yes_to_what_makes_no_sense_any_more_is_no_yes() -> None:
    question = act("u", state("ready"), PLAN)
    assert isinstance(question, Confirm)
    assert isinstance(act("y", state("recording"), PLAN, question), Nothing)


def test_quitting_asks_while_recording() -> None:
    question = act("q", state("recording"), PLAN)
    assert isinstance(question, Confirm)
    assert act("q", state("recording"), PLAN, question) == act("y", state("recording"), PLAN, question)
    assert asks(act("q", state("recording"), PLAN, question)) == CloseSession()
    assert act("space", state("recording"), PLAN, question) == Nothing("no")


@pytest.mark.parametrize(("key", "phase"), [("d", "ready"), ("space", "opening"), ("space", "saving"), ("x", "ready"),
                                            ("p", "opening"), ("u", "recording")])  # fmt: skip
def test_a_wrong_key_says_why(key: str, phase: Phase) -> None:
    answer = act(key, state(phase), PLAN)
    assert isinstance(answer, Nothing)
    assert answer.words


def test_nothing_to_label_undo_or_write_to() -> None:
    fresh = SessionState("ready", "pick", "ada", 0, 0, 0, 0, 0, ())
    for key in ("s", "f", "u", "n"):
        assert isinstance(act(key, fresh, PLAN), Nothing)
    assert act("n", state("recording"), PLAN) == Local("note")
    assert act("?", fresh, PLAN) == Local("help")


@pytest.mark.parametrize(("key", "phase"), list(itertools.product(KEYS, get_args(Phase))))
def test_a_key_never_asks_what_the_session_refuses_in_that_phase(key: str, phase: Phase) -> None:
    for asked in (None, Confirm("u", "undo?", state(phase)), Confirm("q", "quit?", state(phase))):
        answer = act(key, state(phase), PLAN, asked)
        if isinstance(answer, SendRequest):
            assert type(answer.request) in allowed(phase)


def test_the_help_names_every_key_and_fits_the_panel() -> None:
    shown = " ".join(binding.shown for binding in BINDINGS)
    assert all(
        action.keys[0].replace("space", "Space") in shown
        for action in ACTIONS
        if action.keys and action.name != "allow"
    )
    assert len(BINDINGS) <= 12
    assert all(len(binding.shown) + len(binding.meaning) + 2 <= 76 for binding in BINDINGS)


def test_the_help_says_what_a_key_does_rather_than_its_name() -> None:
    meanings = {binding.shown: binding.meaning for binding in BINDINGS}
    assert meanings["s"] == "stop and save as a success · the last one was a success"
    assert meanings["d or ←"] == "throw this take away and do it again"
    assert meanings["u"] == "delete the last saved episode (asks)"
    assert meanings["q"] == "end the sitting (asks while recording)"


ROLLOUTS = Plan(OpenSession("pick", source="policy", policy="act /p"), None)


@pytest.mark.parametrize(
    ("key", "phase", "request_"),
    [
        ("space", "reset", Start(None)),
        ("space", "recording", Stop()),
        ("t", "recording", HandOver()),
        ("t", "reset", HandOver()),
        ("pedal 1", "recording", HandOver()),
        ("pedal 1", "reset", Start(None)),
        ("f", "recording", Stop(False)),
    ],
)
def test_what_a_key_asks_where_a_policy_runs(key: str, phase: Phase, request_: object) -> None:
    assert asks(act(key, state(phase, source="policy"), ROLLOUTS)) == request_


def test_without_a_policy_nothing_is_taken_over() -> None:
    assert isinstance(act("t", state("reset"), PLAN), Nothing)
    assert asks(act("pedal 1", state("recording"), PLAN)) == Stop()
