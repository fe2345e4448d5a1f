"""How a UFACTORY arm stands, from what its controller reports: the gravest first, each with its reason and its next act."""

from typing import Any

import pytest

from drivers.xarm import codes, conditions
from drivers.xarm.conditions import Around
from drivers.xarm.reports import State, Status

ZEROS = (0.0,) * 7
WELL = State(0, 0, ZEROS, ZEROS, ZEROS, 1, 1)
FINE = Status(0, 0, 0, True, 0.8, 3, 7, 7, "v2.7.0", ())
RUNS = Around("follower_left", True, "", "", 1)


def told(state: State = WELL, status: Status = FINE, around: Around = RUNS) -> tuple[str, str]:
    found = conditions.condition(state, status, around)
    return found.mode, found.said


def test_it_follows_when_nothing_is_in_the_way() -> None:
    assert told() == ("ready", "")
    assert conditions.refusal(WELL, FINE, RUNS) == ""


@pytest.mark.parametrize("code", [1, 2, 3, 10, 14, 19, 22, 23, 24, 31, 35, 37, 60, 99])
def test_an_error_stops_it_is_named_and_says_what_to_do(code: int) -> None:
    mode, said = told(WELL._replace(state=4), FINE._replace(error=code))
    assert mode == "stopped"
    assert f"(C{code})" in said
    assert "`station recover follower_left`" in said
    assert conditions.refusal(WELL, FINE._replace(error=code), RUNS)


@pytest.mark.parametrize(
    ("state", "status", "around", "mode", "says"),
    [
        ({}, {"enabled": False}, {}, "off", "--act power_on"),
        ({"mode": 2, "state": 2}, {}, {"runs": False}, "guiding", "a hand moves it"),
        ({"state": 4}, {}, {}, "hold", "it follows no more"),
        ({"mode": 0}, {}, {}, "hold", "it follows no more"),
        ({"state": 3}, {}, {}, "hold", "it was paused"),
        ({"state": 2, "mode": 0}, {}, {"runs": False}, "hold", ""),
        ({}, {}, {"runs": False, "lost": "no answer in time (code 3)"}, "hold", "no answer in time (code 3)"),
        ({}, {"collision_sensitivity": 0}, {"runs": False}, "hold", "collision detection is off"),
        ({}, {"warning": 11}, {}, "ready", "its queue is full (W11)"),
        ({}, {}, {"gripper": "the gripper reports error 11"}, "ready", "the gripper reports error 11"),
        ({"mode": 6}, {}, {"mode": 6}, "ready", ""),
    ],
)
def test_each_state_has_its_reason(
    state: dict[str, Any], status: dict[str, Any], around: dict[str, Any], mode: str, says: str
) -> None:
    found, said = told(WELL._replace(**state), FINE._replace(**status), RUNS._replace(**around))
    assert found == mode
    assert says in said
    assert bool(said) == bool(says)


def test_without_feeling_collisions_it_does_not_follow() -> None:
    why = conditions.refusal(WELL, FINE._replace(collision_sensitivity=0), RUNS._replace(runs=False))
    assert "collision detection is off" in why
    assert "Next:" in why


def test_an_answer_says_why_only_where_a_call_failed() -> None:
    assert [bool(codes.answer(code)) for code in (0, 2, 1, 3, 9, -1, 77)] == [False, False, *[True] * 5]
