"""The pilot's process: `python -m station.control.pilot --rig R --node pilot`. A thin loop around `PilotCore`.

It listens to arms and sources, sends one `command/<follower>` stream per follower from its own endpoint, and answers
requests when they are done, never blocking meanwhile.
"""

from collections.abc import Callable

import zmq

from station.borders.stamps import Stamps
from station.bus.asking import PatientClient
from station.bus.messages import Applied, ArmState, Command, Description, Health, PilotState, Setpoint, SourceName
from station.bus.pending import as_reply
from station.bus.requests import ArmRequest, Disengage, Hold, PilotRequest, Reply
from station.bus.sockets import RequestServer, Subscriber, milliseconds_until
from station.bus.streams import period_ns
from station.bus.wire import Sample
from station.control.core import PilotCore
from station.runtime.node import Node, run
from station.runtime.processes import STOP_DELAY_S

SOURCE_NODES: dict[str, SourceName] = {"policy": "policy", "replay": "replay", "vr_teleop": "vr"}
"""Whose `command` stream is which source's. Leaders ask by their `arm_state`."""
STATE_NS = period_ns("pilot")


class _DriverClient:
    """Asks one arm's driver without waiting. In the poller only while an answer is to come: it costs every turn a look."""

    def __init__(self, rig: str, arm: str, poller: zmq.Poller) -> None:
        self._poller = poller
        self._client = PatientClient(rig, arm, own="pilot")

    def ask(self, request: ArmRequest, then: Callable[[Reply], None], now_ns: int) -> None:
        self._poller.register(self._client.socket, zmq.POLLIN)
        self._client.ask(request, lambda outcome: then(as_reply(outcome)), now_ns)

    def poll(self, now_ns: int) -> None:
        if not self._client.pending:
            return
        self._client.poll(now_ns)
        if not self._client.pending:
            self._poller.unregister(self._client.socket)

    def close(self) -> None:
        self._client.close()


class Pilot:
    """The core's ports onto the bus."""

    def __init__(self, node: Node) -> None:
        rig = node.rig
        self._node = node
        self._core = PilotCore(rig, self)
        arms = (*rig.leaders, *rig.followers)
        # what is sent on the moment it comes wakes the loop; the rest, 200 Hz of it per follower, waits for the next tick
        self._urgent = Subscriber(
            rig.name, [("arm_state", arm) for arm in rig.leaders] + [("setpoint", source) for source in SOURCE_NODES]
        )
        self._calm = Subscriber(
            rig.name,
            [("arm_state", arm) for arm in rig.followers]
            + [(kind, arm) for arm in arms for kind in ("description", "applied")],
        )
        self._request_server: RequestServer[PilotRequest] = RequestServer(rig.name, node.name, PilotRequest)
        self._poller = zmq.Poller()
        for socket in (self._urgent.socket, self._request_server.socket):
            self._poller.register(socket, zmq.POLLIN)
        self._neighbours = {arm: _DriverClient(rig.name, arm, self._poller) for arm in arms}
        self._stamps = Stamps()
        self._tick_due_ns = 0
        self._told: PilotState | None = None
        self._tell_due_ns = 0

    def command(self, command: Command) -> None:
        """Port: send one arm its command. A change of state is told first: what an arm does in it is heard later."""
        if self._changed():
            self._tell(self._node.clock())
        self._node.publisher.publish("command", command, node=command.arm)

    def ask(self, arm: str, request: ArmRequest, then: Callable[[Reply], None]) -> None:
        """Port: ask an arm's driver."""
        self._neighbours[arm].ask(request, then, self._node.clock())

    def run(self) -> None:
        """Until told to stop; then the followers are told to hold."""
        try:
            while not self._node.finish.is_set():
                self._turn()
            self._core.request(Disengage(), lambda _: None, self._node.clock())
        finally:
            self.close()

    def close(self) -> None:
        """Let go of the sockets."""
        self._request_server.close()
        self._urgent.close()
        self._calm.close()
        for neighbour in self._neighbours.values():
            neighbour.close()

    def _turn(self) -> None:
        now_ns = self._node.clock()
        due_ns = min(self._tick_due_ns, self._tell_due_ns)
        ready = dict(self._poller.poll(milliseconds_until(due_ns, now_ns) + 1 if due_ns > now_ns else 0))
        while self._request_server.socket in ready and (got := self._request_server.receive()) is not None:
            # before any setpoint: whoever asked to hold while this process stood still has asked first
            request, answer, who = got
            if isinstance(request, Hold):
                self._node.log.info("hold, asked by %s", who)
            self._core.request(request, answer, self._node.clock())
            self._tick_due_ns = now_ns
        if self._urgent.socket in ready:
            for sample in self._urgent.newest().values():
                self._hear(sample, self._node.clock())
        now_ns = self._node.clock()
        for neighbour in self._neighbours.values():
            neighbour.poll(now_ns)
        if now_ns >= self._tick_due_ns:
            for sample in self._calm.newest().values():
                self._hear(sample, now_ns)
            self._core.tick(now_ns)
            self._tick_due_ns = self._core.due_ns(now_ns)
        self._tell(now_ns)

    def _hear(self, sample: Sample, now_ns: int) -> None:
        body, header = sample.body, sample.header
        # a source's setpoint carries a time of its own, which what is sent on to an arm must rise by
        asked_ns = (body.at_ns,) if isinstance(body, Setpoint) else ()
        if self._stamps.refuse(f"{sample.kind}/{sample.node}", self._node.clock(), header.captured_at_ns, *asked_ns):
            return
        if isinstance(body, ArmState):
            self._core.arm_state(sample.node, body, header.captured_at_ns, header.sequence, now_ns, header.start_id)
        elif isinstance(body, Description):
            self._core.described(sample.node, body)
        elif isinstance(body, Applied):
            self._core.applied(sample.node, body, now_ns)
        elif isinstance(body, Setpoint):
            self._core.asked(SOURCE_NODES[sample.node], body, header.sequence, now_ns, header.start_id)

    def _tell(self, now_ns: int) -> None:
        """The state at 10 Hz, and at once when it changes."""
        if now_ns < self._tell_due_ns and not self._changed():
            return
        if self._changed():
            state, source, why = self._core.summary[:3]
            self._node.log.info("%s, %s%s", state, source, f": {why}" if why else "")
        self._told = self._core.state(now_ns)
        self._node.publisher.publish("pilot", self._told)
        self._tell_due_ns = now_ns + STATE_NS
        if self._node.health_due(now_ns):
            lost = sum(self._urgent.lost.values()) + sum(self._calm.lost.values())
            readings, notes = _of_stalls(self._told)
            readings["bad_stamps"] = float(self._stamps.count)
            error = "; ".join((*filter(None, [self._node.error]), *self._stamps.warnings(now_ns)))
            self._node.publish_health(
                Health(self._node.name, "warn" if error else "ok", error, readings=readings, notes=notes, lost=lost)
            )

    def _changed(self) -> bool:
        told = self._told
        return told is None or (told.state, told.source, told.why, told.stalled) != self._core.summary


def _of_stalls(told: PilotState) -> tuple[dict[str, float], tuple[str, ...]]:
    """How often and how long source or arms were silent for a moment, as numbers and for people."""
    readings = {
        "stalls": told.stalls, "stalled_ms": told.stalled_ms, "longest_stall_ms": told.longest_stall_ms, "holds": told.holds,
    }  # fmt: skip
    if not told.stalls:
        return readings, ()
    note = f"{told.stalls} stalls, {told.stalled_ms:.0f} ms in all, the longest {told.longest_stall_ms:.0f} ms"
    return readings, (f"{note}; {told.holds} holds",)


def main(node: Node) -> None:
    """The node's loop."""
    Pilot(node).run()


if __name__ == "__main__":
    run(main, stop_delay_s=STOP_DELAY_S[1])
