"""What the pilot alone asks an arm's driver."""

from typing import Literal

from station.borders.bounds import Name
from station.bus.requests.request import Request


class TorqueOn(Request, frozen=True):
    """Goal := present position, then torque on, then the watchdog is armed.

    Dimensions in `free` go limp instead; only compliant ones may (a leader's gripper, for the hand that closes it).
    """

    free: tuple[Name, ...] = ()


Why = Literal["parked", "in a hand"]


class TorqueLeave(Request, frozen=True):
    """Leave to take this arm's torque off once, soon: the number that `TorqueOff` must carry. A newer one takes its place.

    `parked`: the operator asked twice for it. `in a hand`: an operator holds the leader, and has said so by its gripper or by
    taking over; no follower takes that.
    """

    number: Name
    why: Why


class TorqueOff(Request, frozen=True):
    """Torque off, with the leave that the pilot gave for it."""

    leave: Name


class RebootServo(Request, frozen=True):
    """Clear a tripped servo's latch. `joint` is its dimension's name."""

    joint: Name


class Resume(Request, frozen=True):
    """End the gate's own hold: the operator has acted, a fresh alignment follows."""


ArmRequest = TorqueOn | TorqueLeave | TorqueOff | RebootServo | Resume
