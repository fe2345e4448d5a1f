"""The leave to take an arm's torque off, or for one of its acts, as the arm's own process keeps it. Pure, given the time."""

from station.bus.requests import ActLeave, Perform, TorqueLeave, TorqueOff
from station.clock import NS_PER_S
from station.errors import RequestRefused

LEAVE_NS = 5 * NS_PER_S
"""The pilot uses a leave at once; one that lies about is none."""
_TORQUE = "torque off"


class Leave:
    """At most one, for one thing, for one time."""

    def __init__(self, arm: str, leads: bool) -> None:
        """`leads`: the arm is a leader, which an operator may hold."""
        self._arm, self._leads = arm, leads
        self._number, self._for, self._until_ns = "", _TORQUE, 0

    def give(self, leave: TorqueLeave | ActLeave, now_ns: int) -> None:
        """The pilot gives leave. Raises RequestRefused where that is no reason for this arm."""
        if isinstance(leave, TorqueLeave) and leave.why == "in a hand" and not self._leads:
            raise RequestRefused(
                f"{self._arm} is a follower: nobody holds it, so its torque stays. Next: `station park --release`"
            )
        if not leave.number:
            raise RequestRefused(
                f"a leave for {self._arm} has no number, so it is none. Next: `station park --release`"
            )
        self._number, self._until_ns = leave.number, now_ns + LEAVE_NS
        self._for = _TORQUE if isinstance(leave, TorqueLeave) else f"act {leave.act}"

    def use(self, request: TorqueOff | Perform, now_ns: int) -> None:
        """Use it up. Raises RequestRefused if this is not the leave, or one for something else, or it is used or old."""
        given, self._number = self._number, ""
        wanted = _TORQUE if isinstance(request, TorqueOff) else f"act {request.act}"
        if given and request.leave == given and self._for == wanted and now_ns <= self._until_ns:
            return
        why = "no leave was given for this request, or it was used already"
        if isinstance(request, TorqueOff):
            raise RequestRefused(
                f"{self._arm} keeps its torque: {why}. Next: `station park --release`, which asks twice"
            )
        raise RequestRefused(
            f"{self._arm} does nothing ({request.act}): {why}. Next: let an operator beside it ask, `station recover`"
        )

    def withdraw(self) -> None:
        """The arm moves again: no leave from before counts."""
        self._number = ""
