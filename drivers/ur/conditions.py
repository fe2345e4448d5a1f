"""How a UR arm stands, out of what its controller says, its pendant and its gripper, and what to do about it. Pure.

The numbers of modes and bits: Universal Robots, "Real-Time Data Exchange (RTDE) Guide".
"""

from typing import NamedTuple

from drivers.ur.rtde import State
from station.safety.condition import Condition

ENDED = "its program has ended: somebody stopped it, or the network was too slow for its watchdog"
RUNNING, IDLE = 7, 5
"""Robot modes: brakes released, and power with brakes on."""
PLAYING = 2
"""Runtime state: a program runs."""
NORMAL, REDUCED = 1, 2
_POWERED, _TEACHING = 1 << 0, 1 << 2
"""Robot status bits."""
_FULL = 0.995
"""A speed slider above this stands at 100 %."""

PROTECTIVE, SAFEGUARD, EMERGENCY, FAULT = "protective", "safeguard", "emergency", "fault"
_STOPS = {3: PROTECTIVE, 5: SAFEGUARD, 6: EMERGENCY, 7: EMERGENCY, 8: FAULT, 9: FAULT, 10: FAULT, 11: FAULT}
"""Safety modes. 4, recovery, lets a hand move the arm back into its limits; 10 and 11 are a controller that does not know its joints."""
_STOP_BITS = (
    (1 << 9 | 1 << 8, FAULT),
    (1 << 7 | 1 << 6 | 1 << 5, EMERGENCY),
    (1 << 4, SAFEGUARD),
    (1 << 2, PROTECTIVE),
)
"""Safety status bits, the gravest first."""
_SAID = {
    PROTECTIVE: ("protective stop", "look what it ran into and clear it, then `station recover {node}`"),
    SAFEGUARD: ("a safeguard is open", "close and reset it, then `station recover {node}`"),
    EMERGENCY: ("emergency stop", "when all is clear release the button, then `station recover {node}`"),
    FAULT: ("its safety system reports a fault or violation", "read it on the pendant, then `station recover {node}`"),
}


class Around(NamedTuple):
    """What is known beside the controller's own state."""

    node: str
    remote: bool | None
    """Is the pendant in remote control? None: the dashboard does not say."""
    runs: bool
    """Does the library say that the station's program runs?"""
    ours: bool
    """If a program plays, can it be the station's?"""
    lost: str
    """Why that does not run any more."""
    gripper: str
    """What is wrong with the gripper."""


def stop_of(state: State) -> str:
    """Which safety stop it is in; "" in none."""
    if state.safety_mode in _STOPS:
        return _STOPS[state.safety_mode]
    return next((stop for bits, stop in _STOP_BITS if state.safety_bits & bits), "")


def powered(state: State) -> bool:
    """Do motors hold the joints, brakes released?"""
    return state.robot_mode == RUNNING and bool(state.robot_bits & _POWERED)


def playing(state: State) -> bool:
    """Does a program run?"""
    return state.runtime_state == PLAYING


def condition(state: State, around: Around) -> Condition:
    """The gravest of what keeps it from following."""
    if stop := stop_of(state):
        why, what = _SAID[stop]
        return Condition("stopped", why, what.format(node=around.node))
    if not powered(state):
        brakes = "its brakes are on" if state.robot_mode == IDLE else "its power is off"
        return Condition(
            "off", brakes, f"`station recover {around.node} --act power_on`, or switch it on at the pendant"
        )
    if state.robot_bits & _TEACHING:
        return Condition("guiding", "a hand guides it by the teach button", "let go of the button, then engage")
    if around.runs and playing(state):
        return _ready(state, around)
    return _without_program(state, around)


def _ready(state: State, around: Around) -> Condition:
    if state.slider < _FULL:
        return Condition(
            "ready",
            f"the speed slider stands at {100 * state.slider:.0f} %, and the arm lags behind",
            "set it to 100 % on the pendant",
        )
    if state.scaling < _FULL:
        return Condition(
            "ready",
            f"its controller has slowed it to {100 * state.scaling:.0f} %, and the arm lags behind",
            "look at the pendant: its speed slider, its reduced mode",
        )
    return Condition("ready", around.gripper, "look at the gripper" if around.gripper else "")


def _without_program(state: State, around: Around) -> Condition:
    if around.remote is False:
        return Condition("hold", "its pendant is in local control", "switch it to remote control, then engage")
    if playing(state) and not around.ours:
        return Condition("hold", "a program of somebody else's runs", "stop it on the pendant, then engage")
    lost = around.lost or (ENDED if around.runs else "")
    return Condition("hold", lost, "engage: its program is started again" if lost else "")


def refusal(state: State, around: Around) -> str:
    """Why its program cannot be started, and what to do; "" if it can."""
    now = condition(state, around)
    if now.mode not in ("ready", "hold"):
        return f"it is {now.mode}: {now.said}"
    if around.remote is False or (playing(state) and not around.ours):
        return now.said
    if around.gripper:
        return f"{around.gripper}. Next: `station recover {around.node} --act activate_gripper`, where the fingers are free to move"
    return ""
