"""How a Franka arm stands, out of what its controller says and its hand, and what to do about it. Pure."""

from typing import NamedTuple

from drivers.franka import errors, states
from drivers.franka.states import State
from station.safety.condition import Condition

ENDED = "it follows no more: the robot ended it"
LATE_SHARE = 0.95
"""Of commands that came in time, below which it is told."""


class Around(NamedTuple):
    """What is known beside the robot's own readings."""

    node: str
    runs: bool
    """Does the library say that its tracker runs?"""
    lost: str
    """Why it does not any more."""
    gripper: str
    """What is wrong with the hand."""


def following(state: State) -> bool:
    """Does it do what it is told?"""
    return state.mode == states.MOVE and not state.errors


def powered(state: State) -> bool:
    """Do motors hold the joints, brakes released?"""
    return state.mode not in (states.OTHER, states.USER_STOPPED)


def condition(state: State, around: Around) -> Condition:
    """The gravest of what keeps it from following."""
    recover = f"`station recover {around.node}`"
    if state.mode == states.USER_STOPPED:
        return Condition("stopped", "its stop is pressed", f"when all is clear release it, then {recover}")
    if state.mode == states.RECOVERING:
        return Condition("stopped", "it recovers from an error", f"wait for its end, then {recover}")
    if state.errors or state.mode == states.REFLEX:
        why, what = errors.told(state.errors)
        return Condition("stopped", why or "its reflex stopped it", f"{what or 'look at Desk'}, then {recover}")
    if state.mode == states.OTHER:
        return Condition("off", "its joints are locked", "unlock them and activate FCI in Desk")
    if state.mode == states.GUIDING:
        return Condition("guiding", "a hand guides it by its buttons", "let go of them, then engage")
    if around.runs and following(state):
        return _ready(state, around)
    lost = around.lost or (ENDED if around.runs else "")
    return Condition("hold", lost, "engage: it is told to follow again" if lost else "")


def _ready(state: State, around: Around) -> Condition:
    if around.gripper:
        return Condition("ready", around.gripper, "look at the hand")
    if 0 < state.heard < LATE_SHARE:
        late = 100 * (1 - state.heard)
        return Condition(
            "ready", f"{late:.0f} % of its commands come late", "look at kernel and cable: docs/guide/franka.md"
        )
    return Condition("ready")


def refusal(state: State, around: Around) -> str:
    """Why it cannot follow, and what to do; "" if it can."""
    now = condition(state, around)
    if now.mode not in ("ready", "hold"):
        return f"it is {now.mode}: {now.said}"
    if around.gripper:
        return f"{around.gripper}. Next: `station recover {around.node} --act activate_gripper`"
    return ""
