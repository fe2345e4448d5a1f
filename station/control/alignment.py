"""One hand-over on its way: followers are stopped, given torque, resumed and ramped to the source. Pure.

Each follower goes through its own steps, so that a slow one delays none; the hand-over is done when all have arrived.
"""

from typing import Literal

from station.bus.messages import Command, SourceName
from station.bus.requests import Done, Refused, Reply, Resume, TorqueOn
from station.bus.requests.time_outs import HAND_OVER_S
from station.clock import NS_PER_MS, NS_PER_S
from station.control.arms import Answer, Arm, Arms, ArmSetpoint, Ports
from station.control.ramp import Ramp
from station.control.states import HELD_BY_HAND, too_far, worst_difference
from station.rig.file import Safety

READY_NS = 2 * NS_PER_S
"""How long a source and the arms may take to be heard before engaging is refused: descriptions come once a second."""
LONGEST_NS = round(HAND_OVER_S * NS_PER_S)
"""A hand-over that takes longer has failed: the table of time-outs (`station.bus.requests.time_outs`) counts on it."""
RESUME_NS = 2 * NS_PER_S
"""How long an arm's gate may refuse to resume (it still slows down) before that is an answer."""
_AGAIN_NS = 50 * NS_PER_MS
"""How often an arm is told again to hold, or asked again to resume."""


class Approach:
    """One follower on its way. It raises nothing: what goes wrong is said in `failed`."""

    def __init__(self, arm: Arm, source: SourceName, safety: Safety, ports: Ports) -> None:
        self.arm = arm
        self.failed = ""
        """Why it cannot go on, for the operator; "" while it can."""
        self.ramp: Ramp | None = None
        """None until the arm has resumed."""
        self._source, self._safety, self._ports = source, safety, ports
        self._step: Literal["stop", "torque", "resume", "asked", "resumed"] = "stop"
        self._again_ns = 0
        self._resume_by_ns: int | None = None

    def prepare(self, now_ns: int) -> None:
        """Take the next step towards a ramp, if the last one is done: stop, torque, resume, ramp. Called at every sample and timer."""
        if self._step == "stop":
            self._stop(now_ns)
        if self._step == "torque":
            self._torque()
        if self._step == "resume" and now_ns >= self._again_ns:
            self._resume(now_ns)
        if self._step == "resumed":
            self._start(now_ns)

    def _stop(self, now_ns: int) -> None:
        """Only an arm that holds can be resumed; one that still follows is told to hold first."""
        applied = self.arm.applied
        if applied is not None and applied.hold:
            self._step = "torque"
        elif now_ns >= self._again_ns:
            self._again_ns = now_ns + _AGAIN_NS
            self._ports.command(hold_command(self.arm.node, f"hand-over to {self._source}", now_ns))

    def _torque(self) -> None:
        """Asked of an arm with torque too: a single servo may have come back from a reboot without."""
        free = self.arm.free if self._source in ("opening", "policy") else ()
        gentle = self.arm.leads and self._source == "policy"
        self._step = "asked"
        self._ports.ask(self.arm.node, TorqueOn(free, gentle), self._torque_answered)

    def _torque_answered(self, reply: Reply) -> None:
        if isinstance(reply, Refused):
            self.failed = f"{self.arm.node} gives no torque: {reply.why}"
        self._step = "resume"

    def _resume(self, now_ns: int) -> None:
        if self._resume_by_ns is None:
            self._resume_by_ns = now_ns + RESUME_NS
        late = now_ns > self._resume_by_ns
        self._step, self._again_ns = "asked", now_ns + _AGAIN_NS

        def answered(reply: Reply) -> None:
            self._step = "resumed" if isinstance(reply, Done) else "resume"
            if isinstance(reply, Refused) and late:
                self.failed = f"{self.arm.node} does not resume: {reply.why}"

        self._ports.ask(self.arm.node, Resume(), answered)

    def _start(self, now_ns: int) -> None:
        """The arm has resumed; it says so by a goal that it no longer holds: the ramp starts there."""
        applied, state = self.arm.applied, self.arm.state
        torque = state is not None and state.torque
        if torque and applied is not None and not applied.hold and len(applied.goal) == len(self.arm.dimensions):
            self.ramp = Ramp(self.arm.dimensions, applied.goal, self._safety)
        elif self._resume_by_ns is not None and now_ns > self._resume_by_ns:
            why = applied.why if applied is not None and applied.why else "it does not say why"
            self.failed = f"{self.arm.node} did not come out of its hold: {why}"

    def advance(self, setpoint: ArmSetpoint, at_ns: int) -> None:
        """One step of the ramp towards `setpoint` (its goal (D,) in the arm's units), as a setpoint made at `at_ns`, sent to the arm.

        Nothing is sent before there is a ramp, or when `at_ns` is not later than that of the last step.
        """
        goal = self.ramp.step(setpoint.goal, at_ns) if self.ramp is not None else None
        if goal is not None:
            self.arm.last_setpoint_ns = at_ns
            self._ports.command(Command(self.arm.node, self._source, setpoint.tick, setpoint.sequence, at_ns, goal))

    def arrived(self, setpoint: ArmSetpoint) -> bool:
        """Is the arm, as measured, where the source wants it (`Ramp.arrived`)? False before there is a ramp or a reading."""
        return (
            self.ramp is not None
            and self.arm.state is not None
            and self.ramp.arrived(setpoint.goal, self.arm.state.position)
        )


class Alignment:
    """A whole hand-over to `source`, asked for by somebody who waits for `answer`."""

    def __init__(
        self,
        source: SourceName,
        targets: list[Arm],
        arms: Arms,
        safety: Safety,
        ports: Ports,
        answer: Answer,
        now_ns: int,
    ) -> None:
        self.source, self.answer = source, answer
        self.apart = ""
        """The leader that was found too far from its follower."""
        self.started = False
        """Have the arms been touched? Before that, whoever commands goes on."""
        self._arms, self._safety = arms, safety
        self._approaches = {arm.node: Approach(arm, source, safety, ports) for arm in targets}
        self._asked_ns = now_ns

    @property
    def targets(self) -> list[Arm]:
        """The followers that take part."""
        return [approach.arm for approach in self._approaches.values()]

    def ready(self, now_ns: int) -> str | None:
        """None while something is still to be heard; "" when all is known and near enough; else why it is refused."""
        missing = self._missing(now_ns)
        if missing:
            return missing if now_ns - self._asked_ns > READY_NS else None
        if self.source in HELD_BY_HAND:
            return self._too_far(now_ns)
        return ""

    def _missing(self, now_ns: int) -> str:
        if faulty := self._arms.faulty(self.source, self.targets):
            return faulty
        stale_ns = round(self._safety.stale_ms * NS_PER_MS)
        for arm in self.targets:
            leader = self._arms.leaders.get(arm.leader or "") if self.source == "leader" else None
            why = (
                arm.missing(now_ns)
                or (leader.missing(now_ns) if leader is not None else "")
                or self._arms.unfit(self.source, arm, now_ns, stale_ns)
            )
            if why:
                return why
            if arm.applied is None:
                return f"{arm.node} has not said which goal it holds: is its driver running, do all its servos answer (`station status`)?"
        return ""

    def _too_far(self, now_ns: int) -> str:
        for arm in self.targets:
            setpoint = self._arms.setpoint(self.source, arm, now_ns)
            if setpoint is not None and arm.state is not None:
                name = arm.leader if self.source == "leader" and arm.leader is not None else self.source
                why = too_far(name, arm.node, worst_difference(arm.dimensions, setpoint.goal, arm.state.position))
                if why:
                    self.apart = name if name in self._arms.leaders else ""
                    return why
        return ""

    def advance(self, now_ns: int, node: str = "") -> str:
        """Go on; `node` is the leader whose sample has just come, "" for the timer. Returns why it failed, or "".

        Followers of a leader take a step for each of its samples, those of any other source for each call.
        """
        for approach in self._approaches.values():
            if approach.ramp is None:
                approach.prepare(now_ns)
            if approach.failed:
                return approach.failed
            setpoint = self._arms.setpoint(self.source, approach.arm, now_ns)
            if setpoint is not None and self.source != "leader":
                approach.advance(setpoint, now_ns)
            elif setpoint is not None and approach.arm.leader == node:
                approach.advance(setpoint, setpoint.at_ns)
        if now_ns - self._asked_ns > LONGEST_NS:
            return f"{self._slowest(now_ns)} did not arrive within {LONGEST_NS // NS_PER_S} s: is it blocked?"
        return ""

    def stay(self, arms: list[Arm], now_ns: int) -> None:
        """Arrived long ago: keep those arms, who must take part in it, where the source wants them."""
        for arm in arms:
            setpoint = self._arms.setpoint(self.source, arm, now_ns)
            if setpoint is not None:
                self._approaches[arm.node].advance(setpoint, now_ns)

    def arrived(self, now_ns: int) -> bool:
        """Have all arrived?"""
        return not self._slowest(now_ns)

    def ramping(self, arm: Arm) -> bool:
        """Does that arm follow the ramp already?"""
        approach = self._approaches.get(arm.node)
        return approach is not None and approach.ramp is not None

    def _slowest(self, now_ns: int) -> str:
        for approach in self._approaches.values():
            setpoint = self._arms.setpoint(self.source, approach.arm, now_ns)
            if setpoint is None or not approach.arrived(setpoint):
                return approach.arm.node
        return ""


def hold_command(arm: str, why: str, now_ns: int) -> Command:
    """The command to decelerate and hold; `why` is what the operator is shown."""
    return Command(arm, "hold", -1, -1, now_ns, (), hold=True, why=why)


def stall_command(arm: str, source: SourceName, why: str, now_ns: int) -> Command:
    """The command to decelerate and be ready to follow `source` again by itself; `why` is what the operator is shown."""
    return Command(arm, source, -1, -1, now_ns, (), stalled=True, why=why)
