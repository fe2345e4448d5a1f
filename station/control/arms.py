"""What the pilot knows of the arms and of who asks: the newest of everything, with the time it was heard."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from math import inf, isfinite
from typing import NamedTuple, Protocol

from station.bus.messages import (
    Act,
    Applied,
    ArmPilot,
    ArmState,
    Command,
    Description,
    Dimension,
    Fault,
    Setpoint,
    SourceName,
)
from station.bus.requests import ArmRequest, Reply
from station.clock import NS_PER_S
from station.control.states import Difference, bring, worst_difference
from station.rig.rig import Rig
from station.safety.condition import Condition

SILENT_NS = NS_PER_S // 2
"""An arm silent for longer puts the pilot in hold."""

Answer = Callable[[Reply], None]


class Ports(Protocol):
    """What the core does to the world."""

    def command(self, command: Command) -> None:
        """Send one arm its command, now; nobody waits for it."""

    def ask(self, arm: str, request: ArmRequest, then: Answer) -> None:
        """Ask an arm's driver, without waiting; `then` gets the answer, or Refused after a time-out."""


class ArmSetpoint(NamedTuple):
    """What a source wants of one arm."""

    goal: tuple[float, ...]
    """(D,), in the units of the arm's dimensions."""
    sequence: int
    """Of the sample or setpoint it comes from; −1 for a pose."""
    tick: int
    """The tick it was asked for; −1 where it was asked for none."""
    at_ns: int
    """When it was captured or issued."""


@dataclass
class Arm:
    """One arm, leader or follower."""

    node: str
    leader: str | None = None
    """A follower's leader, if its side has one."""
    leads: bool = False
    dimensions: tuple[Dimension, ...] = ()
    drivable: bool = True
    """Does it take goals? Some leaders can only be read."""
    gentle: str = ""
    """How it can be driven so that one hand stops it; "" if it cannot."""
    faults: tuple[Fault, ...] = ()
    """What its driver found wrong and could not put right."""
    acts: tuple[Act, ...] = ()
    """What an operator beside it may ask of it."""
    state: ArmState | None = None
    captured_at_ns: int = 0
    sequence: int = -1
    heard_ns: int = 0
    life: int = 0
    """Start id of its driver's process."""
    applied: Applied | None = None
    """The goal its driver said to hold or follow last, with its reason to hold."""
    last_setpoint_ns: int = 0
    """The newest setpoint that was sent on to it."""

    @property
    def free(self) -> tuple[str, ...]:
        """What the start sequence, or a policy that drives it along, leaves to the hand: a leader's gripper."""
        return tuple(dimension.name for dimension in self.dimensions if self.leads and dimension.compliant)

    @property
    def goes_along(self) -> bool:
        """Can it be driven beside whoever commands its follower?"""
        return self.drivable and bool(self.gentle)

    @property
    def barred(self) -> str:
        """Why it takes no command, whoever asks; "" if it does."""
        if self.state is None or self.state.mode not in ("stopped", "guiding"):
            return ""
        condition = Condition(self.state.mode, self.state.why, self.state.next)
        return f"{self.node} is {condition.mode}: {condition.said}"

    def missing(self, now_ns: int) -> str:
        """What keeps the pilot from knowing this arm; "" if nothing does."""
        if not self.dimensions:
            return f"{self.node} has not said what it is: is its driver running?"
        if self.state is None or now_ns - self.heard_ns > SILENT_NS:
            return f"{self.node} is silent: check its power and cable, and `station status`"
        if len(self.state.position) != len(self.dimensions):
            return f"{self.node} describes {len(self.dimensions)} dimensions and sends {len(self.state.position)}"
        return ""


@dataclass
class SourceSetpoint:
    """A source that asks for all arms at once (policy, replay, vr)."""

    setpoint: Setpoint
    sequence: int
    heard_ns: int
    life: int = 0


class Arms:
    """The arms of the rig and the setpoints for them."""

    def __init__(self, rig: Rig) -> None:
        self.followers = {
            side.follower: Arm(side.follower, side.leader) for side in rig.sides if side.follower is not None
        }
        self.leaders = {node: Arm(node, leads=True) for node in rig.leaders}
        self._asked: dict[SourceName, SourceSetpoint] = {}

    def find(self, node: str) -> Arm | None:
        """The arm of that node, leader or follower; None if the rig has none."""
        return self.followers.get(node) or self.leaders.get(node)

    def no_act(self, node: str, act: str, now_ns: int) -> str:
        """Why there is no such act of that arm; "" if there is."""
        arm = self.find(node)
        if arm is None:
            return f"{node} is no arm of this rig: {', '.join((*self.followers, *self.leaders))}"
        names = [one.name for one in arm.acts]
        if act in names:
            return ""
        return arm.missing(now_ns) or f"{node} knows no act {act}; it has {', '.join(names) or 'none'}"

    def stopped(self, node: str) -> bool:
        """Has that arm stopped by itself, or says one without torque that something is wrong with it?"""
        arm = self.find(node)
        return arm is not None and arm.state is not None and (arm.state.mode == "stopped" or bool(arm.state.why))

    def stiff(self, beside: Collection[str] = ()) -> tuple[str, ...]:
        """Leaders with torque, those `beside` left out: a take-over lets go of them itself."""
        stiff = (arm.node for arm in self.leaders.values() if arm.state is not None and arm.state.torque)
        return tuple(node for node in stiff if node not in beside)

    def drivable(self) -> tuple[str, ...]:
        """Leaders of a follower that can go along while somebody else commands it."""
        led = {follower.leader for follower in self.followers.values()}
        return tuple(node for node, leader in self.leaders.items() if node in led and leader.goes_along)

    def to_fit(self) -> str:
        """Which joints of the leaders are to be brought where, until hands could take over with them; "" where all fit."""
        words = []
        for follower in self.commanded_by("leader"):
            leader = self.leaders[follower.leader or ""]
            one, other, dimensions = leader.state, follower.state, follower.dimensions
            if one is None or other is None or not len(one.position) == len(other.position) == len(dimensions):
                continue
            words += bring(leader.node, dimensions, one.position, other.position)
        return "; ".join(words)

    def described(self, node: str, description: Description) -> None:
        """A driver said what it is."""
        arm = self.find(node)
        if arm is not None:
            arm.dimensions = next((s.dimensions for s in description.streams if s.kind == "arm_state"), ())
            arm.drivable = description.commands == "position"
            arm.faults, arm.acts, arm.gentle = description.faults, description.acts, description.gentle

    def asked(self, source: SourceName, setpoint: Setpoint, sequence: int, now_ns: int, life: int = 0) -> str:
        """A source's newest word; returns why it is no setpoint, or "". What is none is not kept: the source goes stale by it.

        Its goal is (ΣD,), the followers' dimensions in the rig's order; any length with `hold`.
        """
        count = sum(len(arm.dimensions) for arm in self.followers.values())
        if not setpoint.hold:
            if len(setpoint.goal) != count:
                return f"{source} asks for {len(setpoint.goal)} numbers, the followers take {count}"
            if not all(isfinite(value) for value in setpoint.goal):
                return f"{source} asks for something that is no number"
        self._asked[source] = SourceSetpoint(setpoint, sequence, now_ns, life)
        return ""

    def commanded_by(self, source: SourceName) -> list[Arm]:
        """The followers that source can command."""
        return [arm for arm in self.followers.values() if source != "leader" or arm.leader is not None]

    def setpoint(self, source: SourceName, follower: Arm, now_ns: int) -> ArmSetpoint | None:
        """What `source` wants of `follower`, (D,); None if it never said. `park` and `opening` want the pose its driver describes; of a
        setpoint for all arms it is this follower's share.
        """
        if source == "park":
            return ArmSetpoint(_pose(follower, [dimension.sleep for dimension in follower.dimensions]), -1, -1, now_ns)
        if source == "opening":
            return self._start(follower, now_ns)
        if source == "leader":
            leader = self.leaders[follower.leader] if follower.leader is not None else None
            if leader is None or leader.state is None:
                return None
            return ArmSetpoint(leader.state.position, leader.sequence, -1, leader.captured_at_ns)
        asked = self._asked.get(source)
        if asked is None or asked.setpoint.hold:
            return None
        first = 0
        for arm in self.followers.values():
            if arm is follower:
                break
            first += len(arm.dimensions)
        goal = asked.setpoint.goal[first : first + len(follower.dimensions)]
        return ArmSetpoint(goal, asked.sequence, asked.setpoint.tick, asked.setpoint.at_ns)

    def against(self, source: SourceName, follower: Arm, now_ns: int) -> ArmPilot:
        """The follower against what `source` wants of it: the joint that is farthest off, source minus follower, rad (0 where either is
        not known).
        """
        setpoint, state = self.setpoint(source, follower, now_ns), follower.state
        worst = Difference("", 0.0)
        if (
            setpoint is not None
            and state is not None
            and len(setpoint.goal) == len(state.position) == len(follower.dimensions)
        ):
            worst = worst_difference(follower.dimensions, setpoint.goal, state.position)
        rad = worst.rad if abs(worst.rad) < inf else 0.0
        if state is None:
            return ArmPilot(follower.node, False, worst.joint, rad)
        return ArmPilot(follower.node, state.torque, worst.joint, rad, state.mode, state.why, state.next)

    def _start(self, arm: Arm, now_ns: int) -> ArmSetpoint:
        """The start pose. What is left to the hand is asked to be where it is held already."""
        free = arm.free
        goal = _pose(arm, [None if dimension.name in free else dimension.start for dimension in arm.dimensions])
        return ArmSetpoint(goal, -1, -1, now_ns)

    def opened(self) -> list[Arm]:
        """Who goes to the start pose in the start sequence: the followers that have a leader, then those leaders."""
        followers = self.commanded_by("leader")
        return [*followers, *(self.leaders[arm.leader] for arm in followers if arm.leader is not None)]

    def undrivable(self) -> str:
        """Why the rig's arms cannot go to the start pose; "" if they can, as far as is known."""
        if not self.commanded_by("leader"):
            return "the rig has no leader with a follower"
        for arm in self.opened():
            if not arm.drivable:
                return f"{arm.node} can only be read"
            if arm.dimensions and not has_pose(arm, [dimension.start for dimension in arm.dimensions]):
                return f"{arm.node} describes no start pose"
            if arm.leads and arm.dimensions and not arm.free:
                return f"{arm.node} has no gripper to close"
        return ""

    def heard(self, source: SourceName, followers: Iterable[Arm]) -> dict[str, int]:
        """What those followers' motion hangs on, while `source` commands them: node or source → when it was heard last, ns."""
        heard = {}
        for follower in followers:
            heard[follower.node] = follower.heard_ns
            leader = self.leaders.get(follower.leader or "")
            if source == "leader" and leader is not None:
                heard[leader.node] = leader.heard_ns
        if source in self._asked:
            heard[source] = self._asked[source].heard_ns
        return heard

    def life(self, source: SourceName) -> int:
        """Whose asks a source's are: the start id of its process, 0 if it never asked."""
        asked = self._asked.get(source)
        return asked.life if asked is not None else 0

    def faulty(self, source: SourceName, targets: Iterable[Arm]) -> str:
        """Why those arms must not be engaged with `source`, whatever else is well; "" if nothing says so."""
        for target in targets:
            leader = self.leaders.get(target.leader or "") if source == "leader" else None
            for arm in (target, *((leader,) if leader is not None else ())):
                for fault in arm.faults:
                    return f"{arm.node} is not engaged: {fault.what}. Next: {fault.next}"
            if target.barred:
                return target.barred
        return ""

    def unfit(self, source: SourceName, follower: Arm, now_ns: int, stale_ns: int) -> str:
        """Why `source` cannot command `follower` just now; "" if it can. It must have been heard within `stale_ns`, and a leader must
        have as many dimensions as its follower.
        """
        if source in ("park", "opening"):
            return ""
        if source == "leader":
            leader = self.leaders[follower.leader or ""]
            if len(leader.dimensions) != len(follower.dimensions):
                return (
                    f"{leader.node} has {len(leader.dimensions)} dimensions, {follower.node} {len(follower.dimensions)}"
                )
            if leader.barred and leader.state is not None and leader.state.mode == "stopped":
                return leader.barred  # guided by a hand is how some are led with
            if now_ns - leader.heard_ns > stale_ns:
                return f"{leader.node} has been silent for {(now_ns - leader.heard_ns) / 1e6:.0f} ms"
            return ""
        asked = self._asked.get(source)
        if asked is None:
            return f"{source} asks for nothing: is it running?"
        if asked.setpoint.hold:
            return f"{source} asks to hold" + (f": {asked.setpoint.why}" if asked.setpoint.why else "")
        if now_ns - asked.heard_ns > stale_ns:
            return f"{source} has asked for nothing for {(now_ns - asked.heard_ns) / 1e6:.0f} ms"
        return ""


def has_pose(arm: Arm, pose: list[float | None]) -> bool:
    """Does its driver give that pose, (D,), for every joint? What is compliant need not be told. Raises ValueError if it is not D long."""
    told = zip(arm.dimensions, pose, strict=True)
    return all(value is not None for dimension, value in told if not dimension.compliant)


def _pose(arm: Arm, pose: list[float | None]) -> tuple[float, ...]:
    """The pose as a goal: what is not told stays where it is held, else measured, else in its middle."""
    applied, state = arm.applied, arm.state
    held = applied.goal if applied is not None else ()
    if len(held) != len(arm.dimensions):
        held = state.position if state is not None and len(state.position) == len(arm.dimensions) else ()
    return tuple(
        value if value is not None else held[place] if held else (dimension.lower + dimension.upper) / 2
        for place, (dimension, value) in enumerate(zip(arm.dimensions, pose, strict=True))
    )
