"""The leave to take an arm's torque off, as the arm's own process keeps it. Pure, given the time."""

from station.bus.requests import TorqueLeave, TorqueOff
from station.clock import NS_PER_S
from station.errors import RequestRefused

LEAVE_NS = 5 * NS_PER_S
"""The pilot uses a leave at once; one that lies about is none."""


class Leave:
    """At most one, for one time."""

    def __init__(self, arm: str, leads: bool) -> None:
        """`leads`: the arm is a leader, which an operator may hold."""
        self._arm, self._leads = arm, leads
        self._number, self._until_ns = "", 0

    def give(self, leave: TorqueLeave, now_ns: int) -> None:
        """The pilot gives leave. Raises RequestRefused where that is no reason for this arm."""
        if leave.why == "in a hand" and not self._leads:
            raise RequestRefused(
                f"{self._arm} is a follower: nobody holds it, so its torque stays. Next: `station park --release`"
            )
        if not leave.number:
            raise RequestRefused(
                f"a leave for {self._arm} has no number, so it is none. Next: `station park --release`"
            )
        self._number, self._until_ns = leave.number, now_ns + LEAVE_NS

    def use(self, request: TorqueOff, now_ns: int) -> None:
        """Use it up. Raises RequestRefused if this is not the leave, or it is used or old."""
        given, self._number = self._number, ""
        if not given or request.leave != given or now_ns > self._until_ns:
            raise RequestRefused(
                f"{self._arm} keeps its torque: no leave was given for this request, or it was used already. "
                "Next: `station park --release`, which asks twice"
            )

    def withdraw(self) -> None:
        """The arm moves again: no leave from before counts."""
        self._number = ""
