"""How a UFACTORY arm stands, out of what its controller reports and its gripper, and what to do about it. Pure."""

from typing import NamedTuple

from drivers.xarm import codes
from drivers.xarm.reports import State, Status
from station.safety.condition import Condition

MOVES, READY, PAUSED, STOPPED = 1, 2, 3, 4
"""The controller's states; 5 is a mode that was changed and not begun."""
BY_HAND = 2
"""The mode in which a hand moves it."""
ENDED = "it follows no more: somebody stopped it, changed its mode, or the network was too slow"
UNFELT = "its collision detection is off"


class Around(NamedTuple):
    """What is known beside the controller's own reports."""

    node: str
    runs: bool
    """Does the station stream targets?"""
    lost: str
    """Why it does not any more."""
    gripper: str
    """What is wrong with the gripper."""
    mode: int
    """In which mode the arm is to follow."""


def following(state: State, mode: int) -> bool:
    """Does it do what it is told in that mode?"""
    return state.mode == mode and state.state in (MOVES, READY)


def condition(state: State, status: Status, around: Around) -> Condition:
    """The gravest of what keeps it from following."""
    if status.error:
        why, what = codes.error(status.error)
        return Condition("stopped", why, f"{what}, then `station recover {around.node}`")
    if not status.enabled:
        return Condition(
            "off",
            "its motors are off, its brakes on",
            f"`station recover {around.node} --act power_on`, or UFACTORY Studio",
        )
    if state.mode == BY_HAND and state.state in (MOVES, READY):
        return Condition("guiding", "a hand moves it in manual mode", "end that in UFACTORY Studio, then engage")
    if around.runs and following(state, around.mode):
        said = around.gripper or codes.warning(status.warning)
        return Condition(
            "ready", said, "look at the gripper" if around.gripper else "look at UFACTORY Studio" if said else ""
        )
    return _without_stream(state, status, around)


def _without_stream(state: State, status: Status, around: Around) -> Condition:
    if status.collision_sensitivity == 0:
        return Condition("hold", UNFELT, "set its sensitivity to 3 in UFACTORY Studio (Motion), then engage")
    if state.state == PAUSED:
        return Condition("hold", "it was paused", "engage: it is told to go on")
    lost = around.lost or (ENDED if around.runs else "")
    return Condition("hold", lost, "engage: it is told to follow again" if lost else "")


def refusal(state: State, status: Status, around: Around) -> str:
    """Why it cannot follow, and what to do; "" if it can."""
    now = condition(state, status, around)
    if now.mode not in ("ready", "hold"):
        return f"it is {now.mode}: {now.said}"
    if status.collision_sensitivity == 0:
        return f"{UNFELT}. Next: set its sensitivity to 3 in UFACTORY Studio (Motion), then engage"
    if around.gripper:
        return f"{around.gripper}. Next: `station recover {around.node} --act activate_gripper`"
    return ""
