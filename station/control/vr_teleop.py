"""The VR source: `python -m station.control.vr_teleop --rig R --node vr_teleop`. A thin loop around `VrArms`.

It asks the pilot for all arms at once, at every sample of the hands, and never addresses an arm itself.
"""

from collections.abc import Iterable

from station.borders.stamps import Stamps
from station.bus.messages import (
    Applied,
    ArmState,
    Description,
    Dimension,
    HandPose,
    Health,
    PilotState,
    SessionState,
    Setpoint,
)
from station.bus.requests import Align, Refused
from station.bus.sockets import RequestClient, Subscriber
from station.bus.streams import period_ns
from station.bus.wire import Sample
from station.clock import NS_PER_MS
from station.control.vr_arms import ArmHand, RigSetpoint, VrArms
from station.errors import StationError
from station.kinematics.chains import FRAME
from station.kinematics.models import chain_model
from station.kinematics.reach import Reach, Workspace
from station.rig.rig import Rig, Side
from station.runtime.node import Node, run
from station.runtime.processes import STOP_DELAY_S
from station.safety import velocity_per_s

STATE_NS = period_ns("teleop")
POLL_MS = 20
"""How soon a lost link is noticed after its 100 ms."""
SLOWER_THAN_THE_GATE = 0.95
"""The setpoints stay inside the gate's velocity limit, so that it has nothing to clamp."""


def hand_of(sides: Iterable[Side]) -> dict[str, str]:
    """Which hand moves which follower: the one its side is named after; a lone arm takes the right hand.

    Raises StationError for two arms that hands cannot be told for.
    """
    followers = [(side.name, side.follower) for side in sides if side.follower is not None]
    if len(followers) == 1 and followers[0][0] not in ("left", "right"):
        return {followers[0][1]: "right"}
    strangers = [name for name, _ in followers if name not in ("left", "right")]
    if strangers:
        raise StationError(
            f"no hand for the side {', '.join(strangers)}. Next: name the rig file's sides left and right to use VR"
        )
    return {follower: name for name, follower in followers}


def arm_hand(rig: Rig, side: Side, hand: str, description: Description) -> ArmHand:
    """One arm as its driver describes it, on its base. Raises StationError if its kinematics is not known."""
    assert side.follower is not None
    if description.chain is None:
        raise StationError(
            f"the driver of {side.follower} describes no chain of its {description.model}: where its gripper is cannot be told. "
            "Next: use another arm for VR, or let its driver's description have one"
        )
    dimensions = _dimensions(description)
    joints = [dimension for dimension in dimensions if dimension.unit == "rad"]
    lower, upper = tuple(d.lower for d in joints), tuple(d.upper for d in joints)
    model = chain_model(description.chain, lower, upper, side.base.xyz_m, side.base.rpy_rad)
    velocity = rig.safety.velocity_rad_s * SLOWER_THAN_THE_GATE
    reach = Reach(model, FRAME, [velocity_per_s(d, velocity) for d in joints], _workspace(rig))
    return ArmHand(side.follower, hand, dimensions, reach, velocity, stale_ns(rig))


def _dimensions(description: Description) -> tuple[Dimension, ...]:
    return next((s.dimensions for s in description.streams if s.kind == "arm_state"), ())


def stale_ns(rig: Rig) -> int:
    """How old a hand's pose may be: after a shorter silence the pilot, whose stall it was, goes on by itself."""
    return round(rig.safety.resume_ms * NS_PER_MS)


def _workspace(rig: Rig) -> Workspace:
    return Workspace(rig.teleop.lower_m, rig.teleop.upper_m)


class VrTeleop:
    """The node."""

    def __init__(self, node: Node) -> None:
        rig = node.rig
        self._node, self._rig = node, rig
        self._hands = hand_of(rig.sides)
        self._described: dict[str, Description] = {}
        self._arms: dict[str, ArmHand] = {}
        self._unknown: dict[str, str] = {}
        """Why no hand can move an arm, by its node."""
        self._core = VrArms((), rig.teleop.scale, stale_ns(rig))
        headsets = [device.node for device in rig.devices if device.role == "vr"]
        self._bus = Subscriber(
            rig.name,
            [("hand_pose", name) for name in headsets]
            + [(kind, name) for name in rig.followers for kind in ("arm_state", "applied", "description")]
            + [("pilot", "pilot"), ("session", "session")],
        )
        self._session = RequestClient(rig.name, "session", own=node.name)
        self._asked = b""
        self._seen = 0
        """The sequence of the session's state, as last heard."""
        self._pilot = PilotState("idle", "none", "", ())
        self._state_due_ns = 0
        self._error = ""
        self._stamps = Stamps()

    def run(self) -> None:
        """Until told to stop."""
        try:
            while not self._node.finish.is_set():
                sample = self._bus.receive(POLL_MS)
                while sample is not None:
                    self._hear(sample)
                    sample = self._bus.receive()
                self._publish(self._core.check(self._node.clock()))
                self._answers()
                self._tell(self._node.clock())
        finally:
            self._bus.close()
            self._session.close()

    def _hear(self, sample: Sample) -> None:
        body = sample.body
        captured_at_ns = sample.header.captured_at_ns
        if self._stamps.refuse(f"{sample.kind}/{sample.node}", self._node.clock(), captured_at_ns):
            return
        if isinstance(body, HandPose):
            self._publish(self._core.sample(body, captured_at_ns, self._node.clock()))
            if self._core.wants_to_go_on:
                self._asked = self._session.send(Align(), self._seen)
        elif isinstance(body, Description):
            self._describe(sample.node, body)
        elif isinstance(body, SessionState):
            self._seen = body.sequence
        elif isinstance(body, PilotState):
            self._pilot = body
            self._core.heard_pilot(body)
        elif sample.node in self._arms and isinstance(body, ArmState):
            self._arms[sample.node].heard_state(body)
        elif sample.node in self._arms and isinstance(body, Applied):
            self._arms[sample.node].heard_applied(body)

    def _describe(self, node: str, description: Description) -> None:
        known = self._described.get(node)
        if known is not None and (known.chain, known.streams) == (description.chain, description.streams):
            return
        self._described[node] = description
        self._unknown.pop(node, None)
        side = next(side for side in self._rig.sides if side.follower == node)
        try:
            self._arms[node] = arm_hand(self._rig, side, self._hands[node], description)
        except (
            StationError
        ) as error:  # told in health: the others' hands, and this one once it is mended, still move their arms
            self._arms.pop(node, None)
            self._unknown[node] = f"{node}: {error}"
            self._core = VrArms((), self._rig.teleop.scale, stale_ns(self._rig))
            return
        if len(self._arms) == len(self._rig.followers):
            hands = [self._arms[name] for name in self._rig.followers]
            self._core = VrArms(hands, self._rig.teleop.scale, stale_ns(self._rig))
            self._core.heard_pilot(self._pilot)

    def _publish(self, setpoint: RigSetpoint | None) -> None:
        if setpoint is None:
            return
        told = Setpoint("vr", -1, setpoint.at_ns, setpoint.goal, hold=setpoint.hold, why=setpoint.why)
        self._node.publisher.publish("setpoint", told, setpoint.at_ns)

    def _answers(self) -> None:
        for number, reply in self._session.replies():
            self._error = reply.why if number == self._asked and isinstance(reply, Refused) else ""

    def _tell(self, now_ns: int) -> None:
        if now_ns >= self._state_due_ns:
            self._state_due_ns = now_ns + STATE_NS
            self._node.publisher.publish("teleop", self._core.state())
        if self._node.health_due(now_ns):
            missing = [name for name in self._rig.followers if name not in self._arms]
            error = (
                self._error
                or "; ".join(self._unknown.values())
                or (f"waits for {', '.join(missing)}" if missing else "")
            )
            error = "; ".join((*filter(None, [error]), *self._stamps.warnings(now_ns)))
            readings = {"bad_stamps": float(self._stamps.count)}
            self._node.publish_health(Health(self._node.name, "warn" if error else "ok", error, readings=readings))


def main(node: Node) -> None:
    """The node."""
    VrTeleop(node).run()


if __name__ == "__main__":
    run(main, STOP_DELAY_S[1])
