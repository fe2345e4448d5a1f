"""How a Franka arm stands, from what its robot says: the gravest first, each with its reason and its next act."""

from collections.abc import Iterator
from typing import Any

import pytest

from drivers.franka import conditions, description, errors, kernel, states
from drivers.franka.acts import Acts
from drivers.franka.conditions import Around
from drivers.franka.settings import Collision, FrankaSettings, Gripper
from drivers.franka.states import Note, State
from station.devices.networked.beside import Asked
from station.errors import CommandRefused

ZEROS = (0.0,) * 7
WELL = State(0, 0, ZEROS, ZEROS, ZEROS, states.MOVE, 0, 1.0, 0.73)
RUNS = Around("follower_left", True, "", "")
SETTINGS = FrankaSettings("fr3", "172.16.0.2", gripper=Gripper("franka"))


def bit(name: str) -> int:
    return 1 << errors.NAMES.index(name)


def told(state: State = WELL, around: Around = RUNS) -> tuple[str, str]:
    found = conditions.condition(state, around)
    return found.mode, found.said


def test_it_follows_when_nothing_is_in_the_way() -> None:
    assert told() == ("ready", "")
    assert conditions.refusal(WELL, RUNS) == ""


@pytest.mark.parametrize("name", errors.NAMES)
def test_an_error_stops_it_is_named_and_says_what_to_do(name: str) -> None:
    reflex = WELL._replace(mode=states.REFLEX, errors=bit(name))
    mode, said = told(reflex)
    assert mode == "stopped"
    assert f"({name})" in said
    assert "`station recover follower_left`" in said
    assert "stopped" in conditions.refusal(reflex, RUNS)


def test_several_errors_are_all_told_with_the_gravest_ones_act() -> None:
    both = bit("communication_constraints_violation") | bit("joint_reflex")
    what, do = errors.told(both)
    assert "ran into something" in what and "came too late" in what
    assert do == errors.ERRORS["joint_reflex"][1]
    assert errors.in_text('libfranka: Move command aborted: motion aborted by reflex! ["joint_reflex"]') == bit(
        "joint_reflex"
    )


def test_the_librarys_struct_becomes_bits_and_back() -> None:
    class Errors:
        joint_reflex = True
        tau_j_range_violation = True
        of_a_newer_library = True

    assert list(errors.names(errors.bits(Errors()))) == ["joint_reflex", "tau_j_range_violation"]
    assert errors.told(0) == ("", "")


@pytest.mark.parametrize(
    ("state", "around", "mode", "says"),
    [
        ({"mode": states.USER_STOPPED}, {}, "stopped", "its stop is pressed"),
        ({"mode": states.RECOVERING}, {}, "stopped", "it recovers"),
        ({"mode": states.REFLEX}, {}, "stopped", "its reflex stopped it"),
        ({"mode": states.OTHER}, {"runs": False}, "off", "unlock them and activate FCI in Desk"),
        ({"mode": states.GUIDING}, {"runs": False}, "guiding", "a hand guides it"),
        ({"mode": states.IDLE}, {}, "hold", "the robot ended it"),
        ({"mode": states.IDLE}, {"runs": False}, "hold", ""),
        ({"mode": states.IDLE}, {"runs": False, "lost": "its process has ended"}, "hold", "its process has ended"),
        ({"heard": 0.8}, {}, "ready", "20 % of its commands come late"),
        ({"heard": 0.0}, {}, "ready", ""),
        ({}, {"gripper": "the hand was never homed"}, "ready", "never homed"),
    ],
)
def test_each_state_has_its_reason(state: dict[str, Any], around: dict[str, Any], mode: str, says: str) -> None:
    found, said = told(WELL._replace(**state), RUNS._replace(**around))
    assert found == mode
    assert says in said
    assert bool(said) == bool(says)


def test_with_a_hand_that_knows_no_width_it_does_not_follow() -> None:
    why = conditions.refusal(
        WELL._replace(mode=states.IDLE), Around("follower_left", False, "", "the hand was never homed")
    )
    assert "--act activate_gripper" in why


def test_power_is_known_by_the_mode() -> None:
    on = [mode for mode in range(7) if conditions.powered(WELL._replace(mode=mode))]
    assert on == [states.IDLE, states.MOVE, states.GUIDING, states.REFLEX, states.RECOVERING]


@pytest.mark.parametrize(
    ("mark", "priority", "root", "says"),
    [
        ("1\n", 99, False, ""),
        ("1\n", 0, True, ""),
        ("", 99, True, "this kernel is not a real-time one"),
        ("0", 99, True, "this kernel is not a real-time one"),
        ("1", 20, False, "no real-time priority above 20"),
    ],
)
def test_a_kernel_that_is_not_real_time_is_told_with_what_to_do(
    mark: str, priority: int, root: bool, says: str
) -> None:
    found = kernel.trouble(mark, priority, root)
    assert says in found
    assert bool(found) == bool(says)
    assert ("rtprio" in kernel.next_act(found)) == ("priority" in says)


@pytest.mark.parametrize(
    ("change", "name", "verdict"),
    [
        ({"state": WELL._replace(payload_kg=0.0)}, "payload", "warn"),
        (
            {"settings": FrankaSettings("fr3", "a", collision=Collision(torque_nm=(80.0,) * 4 + (12.0,) * 3))},
            "collision thresholds",
            "warn",
        ),
        ({"note": Note("", 10, "this kernel is not a real-time one")}, "real time", "warn"),
        ({"clocked": False}, "clock", "warn"),
        ({"gripper": "the hand does not answer"}, "gripper", "fail"),
    ],
)
def test_what_it_checks_of_its_own(change: dict[str, Any], name: str, verdict: str) -> None:
    whole: dict[str, Any] = {
        "node": "follower_left",
        "settings": SETTINGS,
        "state": WELL,
        "note": Note("", 10),
        "clocked": True,
        "gripper": "",
    }
    well = description.checks(**whole)
    assert {item.verdict for item in well} == {"pass"}
    assert all(not item.next for item in well)
    found = {item.name: item for item in description.checks(**whole | change)}
    assert found[name].verdict == verdict
    assert found[name].next
    assert name != "gripper" or "`station recover follower_left --act activate_gripper`" in found[name].next


class Robot:
    """Acts are tried on it: it answers what it is told to."""

    def __init__(self, state: State) -> None:
        self.state, self.now_ns = state, 0
        self.asked: list[str] = []
        self.answer = Asked()

    def ask(self, what: str) -> Asked:
        self.asked.append(what)
        return self.answer

    def acts(self) -> Acts:
        return Acts("follower_left", self.ask, self.ask, lambda: self.state, self.clock)

    def clock(self) -> int:
        self.now_ns += 100_000_000
        return self.now_ns


def reflex() -> Robot:
    return Robot(WELL._replace(mode=states.REFLEX, errors=bit("joint_reflex")))


def over(steps: Iterator[str], most: int = 500) -> int:
    for count, _ in enumerate(steps):
        assert count < most, "it has no end"
    return most


def test_recovering_asks_and_waits_until_the_robot_says_that_it_is_over() -> None:
    robot = reflex()
    steps = robot.acts().recover()
    next(steps)
    assert robot.asked == ["recover"]
    robot.answer.why = ""
    next(steps)
    robot.state = WELL._replace(mode=states.IDLE)
    assert list(steps) == []


def test_recovering_is_refused_while_the_stop_is_pressed_and_where_the_error_stands() -> None:
    with pytest.raises(CommandRefused, match="still pressed"):
        over(Robot(WELL._replace(mode=states.USER_STOPPED)).acts().recover())
    robot = reflex()
    robot.answer.why = ""
    with pytest.raises(CommandRefused, match="still: it ran into something"):
        over(robot.acts().recover())
    robot.answer.why = "not possible in this mode"
    with pytest.raises(CommandRefused, match="not possible in this mode"):
        over(robot.acts().recover())
    robot.answer = Asked()
    with pytest.raises(CommandRefused, match="in vain"):
        over(robot.acts().recover())


def test_an_arm_that_nothing_stopped_is_not_asked_to_recover() -> None:
    robot = Robot(WELL._replace(mode=states.IDLE))
    assert list(robot.acts().recover()) == []
    assert robot.asked == []


def test_the_hand_is_homed_by_an_act() -> None:
    robot = Robot(WELL)
    robot.answer.why = "the hand could not be homed"
    with pytest.raises(CommandRefused, match="could not be homed"):
        over(robot.acts().set_up_gripper())
    assert robot.asked == ["home"]
