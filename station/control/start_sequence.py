"""The second half of ALOHA's start sequence: everybody stands at the start pose, and the operator's hands decide. Pure.

Closing both leader grippers is the act that starts. A gripper counts as closed only after it was seen open here, so that
leaders nobody holds do not go limp because their grippers happen to rest closed.
"""

from station.bus.requests import Refused, Reply
from station.control.alignment import Alignment
from station.control.arms import Arm, Ports
from station.control.leave import let_go

CLOSED = 0.3
"""ALOHA's threshold lies between a gripper's middle and closed; 0 closed to 1 open."""


class StartSequence:
    """Keeps all arms at the start pose until the grippers are closed, then takes the leaders' torque off."""

    def __init__(self, alignment: Alignment, ports: Ports) -> None:
        self.alignment, self._ports = alignment, ports
        self.failed = ""
        self.arms: list[Arm] = list(alignment.targets)
        """Who is kept at the start pose: a leader no longer, once it is being let go of."""
        self._leaders = [arm for arm in self.arms if arm.leads]
        self._opened: set[str] = set()
        self._asked = False
        self._limp: set[str] = set()

    @property
    def why(self) -> str:
        """What the operator has to do now."""
        unopened = [arm.node for arm in self._leaders if arm.node not in self._opened]
        if unopened:
            return (
                f"hold the leaders, then open and close both grippers to start ({', '.join(unopened)} not opened yet)"
            )
        return f"close both grippers to start (open: {', '.join(a.node for a in self._leaders if not _closed(a))})"

    @property
    def released(self) -> bool:
        """Are all leaders in the operator's hands?"""
        return len(self._limp) == len(self._leaders)

    def advance(self, now_ns: int) -> str:
        """Look at the grippers, keep the pose. Returns what the operator has to do."""
        self._opened |= {arm.node for arm in self._leaders if not _closed(arm)}
        if not self._asked and len(self._opened) == len(self._leaders) and all(map(_closed, self._leaders)):
            self._release()
        self.alignment.stay(self.arms, now_ns)
        return "letting go of the leaders" if self._asked else self.why

    def _release(self) -> None:
        self._asked = True
        self.arms = [arm for arm in self.arms if not arm.leads]
        for leader in self._leaders:
            let_go(leader.node, "in a hand", self._ports, lambda reply, node=leader.node: self._answered(node, reply))  # type: ignore[misc]

    def _answered(self, node: str, reply: Reply) -> None:
        if isinstance(reply, Refused):
            self.failed = f"{node} keeps its torque: {reply.why}"
        else:
            self._limp.add(node)


def _closed(arm: Arm) -> bool:
    """Is the gripper, as measured, closed?"""
    assert arm.state is not None
    return all(
        arm.state.position[place] < CLOSED
        for place, dimension in enumerate(arm.dimensions)
        if dimension.name in arm.free
    )
