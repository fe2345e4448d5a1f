import itertools
from typing import get_args

import pytest

from station.bus.messages import Phase, SessionState
from station.bus.requests import Align, CloseSession, Discard, Label, OpenSession, Pause, Start, Stop, Undo
from station.cli.operator.bindings import BINDINGS, Confirm, Local, Nothing, Plan, SendRequest, act
from station.session.core import BUTTONS

PLAN = Plan(OpenSession("pick"), 12.0)


def state(phase: Phase, **keys: object) -> SessionState:
    buttons = tuple(button.__name__ for button in BUTTONS[phase])
    return SessionState(phase, "pick", "ada", 4, 0, 2, 0, 0, buttons, **{"newest": 3, **keys})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("key", "phase", "request_"),
    [
        ("space", "ready", Start(12.0)),
        ("enter", "reset", Start(12.0)),
        ("advance", "recording", Stop()),
        ("space", "hold", Align()),
        ("space", "ended", OpenSession("pick")),
        ("s", "recording", Stop(True)),
        ("f", "recording", Stop(False)),
        ("success", "ready", Label(True)),
        ("f", "hold", Label(False)),
        ("d", "recording", Discard()),
        ("left", "recording", Discard()),
        ("discard", "recording", Discard()),
        ("p", "recording", Pause()),
        ("p", "hold", Align()),
        ("q", "ready", CloseSession()),
        ("S", "ready", Label(True)),
    ],
)
def test_what_a_key_asks(key: str, phase: Phase, request_: object) -> None:
    assert act(key, state(phase), PLAN) == SendRequest(request_)  # type: ignore[arg-type]


def test_while_paused_space_and_p_go_on() -> None:
    paused = state("recording", paused=True)
    assert act("space", paused, PLAN) == act("p", paused, PLAN) == SendRequest(Align())


def test_undo_asks_once_and_only_u_means_yes() -> None:
    question = act("u", state("ready"), PLAN)
    assert isinstance(question, Confirm)
    assert "episode 3" in question.words
    assert act("u", state("ready"), PLAN, "undo") == SendRequest(Undo())
    for key in ("space", "d", "x", "q", "escape"):
        assert act(key, state("ready"), PLAN, "undo") == Nothing("no")


def test_quitting_asks_while_recording() -> None:
    assert isinstance(act("q", state("recording"), PLAN), Confirm)
    assert act("q", state("recording"), PLAN, "quit") == SendRequest(CloseSession())
    assert act("space", state("recording"), PLAN, "quit") == Nothing("no")


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


@pytest.mark.parametrize(
    ("key", "phase"), list(itertools.product([key for row in BINDINGS for key in row.keys], get_args(Phase)))
)
def test_a_key_never_asks_what_the_session_refuses_in_that_phase(key: str, phase: Phase) -> None:
    for asked in (None, "undo", "quit"):
        answer = act(key, state(phase), PLAN, asked)  # type: ignore[arg-type]
        if isinstance(answer, SendRequest) and not isinstance(answer.request, CloseSession):
            assert type(answer.request) in BUTTONS[phase]
