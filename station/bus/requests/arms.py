"""What the pilot alone asks an arm's driver."""

from typing import Literal

from station.borders.bounds import Name
from station.bus.requests.request import Request


class TorqueOn(Request, frozen=True):
    """Goal := present position, then torque on, then the watchdog is armed.

    Dimensions in `free` go limp instead; only compliant ones may (a leader's gripper, for the hand that closes it). `gentle`: with so
    little force that one hand stops the arm; refused by an arm that describes no such way.
    """

    free: tuple[Name, ...] = ()
    gentle: bool = False


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


class ActLeave(Request, frozen=True):
    """Leave for one act of the arm's driver, once, soon: the number that `Perform` must carry. A newer leave takes its place."""

    number: Name
    act: Name


class Perform(Request, frozen=True):
    """One of the acts that the arm's driver describes, with the leave that the pilot gave for it. Done when it is over; the arm then
    holds, and waits for an operator to engage.
    """

    act: Name
    leave: Name


class Resume(Request, frozen=True):
    """End the gate's own hold: the operator has acted, a fresh alignment follows. Refused while the arm is stopped or guided."""


ArmRequest = TorqueOn | TorqueLeave | TorqueOff | ActLeave | Perform | Resume
