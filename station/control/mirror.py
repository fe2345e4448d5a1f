"""Leaders that go along while a policy commands, so that an operator who takes over finds them aligned. Pure.

Only where the operator wants it (`teleop.driven_leaders`), and only leaders that can be driven so that one hand stops them. Each is
given that little torque (its gripper stays limp: a hand on it is felt), ramps to its follower's measured pose and then follows it.
They go limp at a take-over alone, and then only in hands that are felt, or that the operator says hold them; whatever else ends the
policy's command, they keep their torque and hold.
"""

from typing import Literal

from station.bus.messages import Command, SourceName
from station.bus.requests import Refused, Reply
from station.control.alignment import Approach, hold_command
from station.control.arms import Arm, Arms, ArmSetpoint, Ports
from station.control.hands import Hands
from station.control.leave import let_go
from station.rig.file import Safety

Setting = Literal["ask", "on", "off"]


class Mirror:
    """The leaders of a rig, while a source other than they commands."""

    def __init__(self, arms: Arms, safety: Safety, ports: Ports, setting: Setting) -> None:
        self._arms, self._safety, self._ports, self._setting = arms, safety, ports, setting
        self._approaches: dict[str, Approach] = {}
        self._met: set[str] = set()
        self._hands = Hands()
        self.along = setting == "on"
        """May they go along?"""
        self.stiff: set[str] = set()
        """Leaders that were given torque here and not yet let go of."""
        self.failed = ""
        """Why a leader did not go limp at the last take-over."""

    @property
    def active(self) -> bool:
        """Is any leader on its way, or following?"""
        return bool(self._approaches)

    def drive(self, along: bool, now_ns: int) -> str:
        """Whether they may go along from now on. Returns why that cannot be; "" if it is so."""
        if along and self._setting == "off":
            return "the rig file has teleop.driven_leaders: off. Next: ask or on there, then restart the station"
        if along and not self._arms.drivable():
            return "no leader of this rig can be driven so that one hand stops it. Next: bring them to their followers by hand"
        self.along = along
        if not along:
            self.hold("they are to stay", now_ns)
        return ""

    def follow(self, source: SourceName, now_ns: int) -> None:
        """One step of every leader towards its follower. `source` commands the followers."""
        for follower in self._arms.followers.values() if self.along else ():
            leader = self._arms.leaders.get(follower.leader or "")
            if leader is not None and self._can(leader, follower, now_ns):
                self._step(leader, follower, source, now_ns)

    def _can(self, leader: Arm, follower: Arm, now_ns: int) -> bool:
        known = not leader.missing(now_ns) and not follower.missing(now_ns)
        return leader.goes_along and known and len(leader.dimensions) == len(follower.dimensions)

    def _step(self, leader: Arm, follower: Arm, source: SourceName, now_ns: int) -> None:
        approach = self._approaches.get(leader.node)
        if approach is None:
            approach = self._approaches[leader.node] = Approach(leader, source, self._safety, self._ports)
            self.stiff.add(leader.node)
        if approach.failed or follower.state is None or leader.state is None:
            return
        if approach.ramp is None:
            approach.prepare(now_ns)
            return
        if leader.applied is not None and leader.applied.hold:
            # somebody holds it against its will, or a servo is ill: it stays where it is until the next hand-back
            approach.failed = leader.applied.why
            return
        setpoint = ArmSetpoint(follower.state.position, follower.sequence, -1, now_ns)
        if leader.node in self._met:
            leader.last_setpoint_ns = now_ns
            self._ports.command(Command(leader.node, source, setpoint.tick, setpoint.sequence, now_ns, setpoint.goal))
            return
        approach.advance(setpoint, now_ns)
        if approach.ramp.arrived(setpoint.goal, leader.state.position):
            self._met.add(leader.node)

    def feel(self, leader: Arm) -> None:
        """A reading of a leader: of one that has torque, and a limp gripper, a hand may be felt."""
        if leader.state is None or not leader.state.torque or not leader.free or leader.node not in self.stiff:
            self._hands.forget(leader.node)
        else:
            self._hands.feel(leader.node, leader.state.position[-1], leader.captured_at_ns)

    def unheld(self, now_ns: int) -> str:
        """Why its leaders may not be let go of: nobody is known to hold one that has torque; "" if they may."""
        for node in sorted(self.stiff):
            state = self._arms.leaders[node].state
            if state is not None and state.torque and not self._hands.felt(node, now_ns):
                return (
                    f"{node} has torque and no hand is felt on it: it would fall. Next: take hold of it and move its gripper, then take "
                    "over again; or say `I hold the leaders`"
                )
        return ""

    def why_apart(self, leader: str) -> str:
        """Why a leader is not where its follower is: what an operator whose take-over is refused must know."""
        arm, approach = self._arms.leaders[leader], self._approaches.get(leader)
        if not arm.drivable:
            return f"{leader} can only be read: bring it there by hand"
        if not arm.gentle:
            return f"{leader} does not go along, for its driver describes no way in which one hand could stop it: bring it there by hand"
        if not self.along:
            why = "the rig file has teleop.driven_leaders: off" if self._setting == "off" else "nobody has asked for it"
            return f"{leader} does not go along ({why}): bring it there by hand, or let the leaders go along"
        if approach is None:
            return f"{leader} is not being driven: leaders go along while a policy commands"
        if approach.failed:
            return f"{leader} stopped going along: {approach.failed}. Next: bring it there by hand, or hand over anew"
        if leader not in self._met:
            return f"{leader} is on its way to its follower and not there yet: take over when it stands still beside it"
        return f"{leader} goes along, but something keeps it from following: let it move"

    def let_go(self) -> None:
        """The operator takes over: the leaders go limp, in the hands that are to lead with them."""
        self.failed = ""
        for leader in self.stiff:

            def answered(reply: Reply, leader: str = leader) -> None:
                if isinstance(reply, Refused):
                    self.failed = f"{leader} keeps its torque: {reply.why}"

            let_go(leader, "in a hand", self._ports, answered)
        self.stiff.clear()
        self._forget()

    def hold(self, why: str, now_ns: int) -> None:
        """The leaders stop following and hold."""
        for leader in self._approaches:
            self._ports.command(hold_command(leader, why, now_ns))
        self._forget()

    def _forget(self) -> None:
        self._approaches.clear()
        self._met.clear()
