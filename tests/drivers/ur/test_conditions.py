"""How a UR stands, from what its controller says: the gravest first, each with its reason and its next act."""

from typing import Any

import pytest

from drivers.ur import conditions
from drivers.ur.conditions import Around
from drivers.ur.rtde import State

ZEROS = (0.0,) * 6
WELL = State(0, 0.0, ZEROS, ZEROS, ZEROS, ZEROS, 7, 1, 0b11, 0b1, 2, 1.0, 1.0, 1.2, ())
RUNS = Around("follower_left", True, True, True, "", "")


def told(state: State = WELL, around: Around = RUNS) -> tuple[str, str]:
    found = conditions.condition(state, around)
    return found.mode, found.said


def test_it_follows_when_nothing_is_in_the_way() -> None:
    assert told() == ("ready", "")


@pytest.mark.parametrize(
    ("changes", "mode", "says"),
    [
        ({"safety_mode": 3}, "stopped", "protective stop: look what it ran into"),
        ({"safety_bits": 1 << 2}, "stopped", "protective stop"),
        ({"safety_mode": 5}, "stopped", "a safeguard is open"),
        ({"safety_bits": 1 << 4 | 1 << 10}, "stopped", "a safeguard is open"),
        ({"safety_mode": 6}, "stopped", "emergency stop"),
        ({"safety_mode": 7}, "stopped", "emergency stop"),
        ({"safety_bits": 1 << 6 | 1 << 7, "robot_mode": 3}, "stopped", "emergency stop"),
        ({"safety_mode": 8}, "stopped", "fault or violation"),
        ({"safety_mode": 9}, "stopped", "fault or violation"),
        ({"robot_mode": 3, "robot_bits": 0}, "off", "its power is off"),
        ({"robot_mode": 5}, "off", "its brakes are on"),
        ({"robot_bits": 0b101}, "guiding", "teach button"),
        ({"safety_mode": 2}, "ready", ""),
        ({"slider": 0.5}, "ready", "the speed slider stands at 50 %"),
        ({"scaling": 0.5}, "ready", "slowed it to 50 %"),
    ],
)
def test_each_state_has_its_reason(changes: dict[str, Any], mode: str, says: str) -> None:
    found, said = told(WELL._replace(**changes))
    assert found == mode
    assert says in said


@pytest.mark.parametrize(
    ("state", "around", "says"),
    [
        ({"runtime_state": 1}, {"ours": False, "runs": False}, ""),
        ({"runtime_state": 1}, {"runs": False, "lost": "its process has ended (-11)"}, "its process has ended (-11)"),
        ({"runtime_state": 1}, {}, "its program has ended"),
        ({"runtime_state": 1}, {"remote": False}, "local control"),
        ({}, {"ours": False, "runs": False}, "a program of somebody else's runs"),
        ({}, {"runs": False, "lost": "its process has ended (-11)"}, "its process has ended (-11)"),
    ],
)
def test_without_our_program_it_holds(state: dict[str, Any], around: dict[str, Any], says: str) -> None:
    mode, said = told(WELL._replace(**state), RUNS._replace(**around))
    assert mode == "hold"
    assert says in said
    assert bool(said) == bool(says)


def test_a_stop_is_told_before_everything_else() -> None:
    all_at_once = WELL._replace(safety_mode=3, robot_mode=5, robot_bits=0b100, runtime_state=1, slider=0.1)
    assert told(all_at_once, RUNS._replace(remote=False, runs=False))[0] == "stopped"
