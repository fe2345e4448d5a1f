"""The session node: `python -m station.session.node --rig R --node session`. A thin loop around the state machine."""

import os
from collections.abc import Sequence

import zmq

from station.bus.messages import Description, Health, PilotState, RecorderState, SessionState
from station.bus.requests import ControlRequest, SessionRequest, StillThere
from station.bus.requests.logged import logged
from station.bus.sockets import RequestClient, RequestServer, Subscriber
from station.bus.streams import period_ns
from station.clock import NS_PER_MS
from station.runtime.life import boot_id
from station.runtime.node import Node, run
from station.runtime.processes import STOP_DELAY_S
from station.runtime.realtime import single_threaded_numpy, start_ordinary
from station.runtime.sitting import SittingFile, left_behind
from station.session.builders import Builders
from station.session.core import SessionCore
from station.session.disk import SessionDisk
from station.session.effects import Answer, Ask, Build, Effect, Neighbour

STATE_NS = period_ns("session")
NEIGHBOURS: tuple[Neighbour, ...] = ("pilot", "synchronizer", "policy")


def told(before: SessionState, now: SessionState) -> str:
    """What a log says about a change: phase, cause, what became of an episode; "" where only time went by."""
    what = []
    if (before.phase, before.why) != (now.phase, now.why):
        what.append(f"{now.phase}{f': {now.why}' if now.why else ''}")
    if now.phase == "recording" and before.phase != "recording":
        what.append(f"episode {now.episode} begins")
    if now.episode > before.episode and before.phase in ("recording", "saving", "starting"):
        what.append(f"episode {before.episode} has {now.recorded_ticks} rows")
    what += [f"{name} {count}" for name in ("saved", "discarded", "ended_early")
             if (count := getattr(now, name)) > getattr(before, name)]  # fmt: skip
    if now.saved > before.saved:
        what.append(now.saved_path)
    return ", ".join(what)


class SessionNode:
    """The core's events from the bus and the builders, its effects onto the bus and the disk."""

    def __init__(self, node: Node) -> None:
        rig = node.rig
        self._node = node
        self._builders = Builders(node.log)
        self._disk = SessionDisk(rig, self._builders)
        self._file = SittingFile(rig.name)
        left = left_behind(rig.name, os.getppid(), boot_id())
        self._core = SessionCore(rig, self._disk, left, node.clock() // NS_PER_MS)
        self._clients = {name: RequestClient(rig.name, name, own=node.name) for name in NEIGHBOURS}
        self._numbers: dict[tuple[Neighbour, bytes], int] = {}
        """Of the core's questions that were sent, by the number they travel with."""
        self._request_server: RequestServer[SessionRequest | ControlRequest] = RequestServer(
            rig.name, "session", SessionRequest | ControlRequest
        )
        about = [("description", device.node) for device in rig.devices]
        self._heard = Subscriber(
            rig.name, [("pilot", "pilot"), ("recorder", "synchronizer"), ("health", "policy"), *about]
        )
        self._published: SessionState | None = None
        self._state_due_ns = 0

    def run(self) -> None:
        """Until told to stop; then those who build files are let finish (they are safe to kill, but it is a pity)."""
        try:
            while not self._node.finish.is_set():
                self._poll()
                self._hear()
                self._builders.reap()
                self._do(self._core.time(self._node.clock()))
                self._tell(self._node.clock())
        finally:
            self._request_server.close()
            self._heard.close()
            for client in self._clients.values():
                client.close()

    def _poll(self) -> None:
        poller = zmq.Poller()
        clients = [client.socket for client in self._clients.values()]
        for socket in (self._request_server.socket, self._heard.socket, *clients):
            poller.register(socket, zmq.POLLIN)
        for pidfd in self._builders.pidfds:
            poller.register(pidfd, zmq.POLLIN)
        poller.poll(200)

    def _hear(self) -> None:
        self._answers()  # what a life that is over has answered yet comes before word of the next one
        now_ns = self._node.clock()
        for sample in self._heard.newest().values():
            body, life = sample.body, sample.header.start_id
            if isinstance(body, Description):
                self._disk.devices[sample.node] = body
            elif isinstance(body, PilotState):
                self._do(self._core.heard_pilot(body, life, now_ns))
            elif isinstance(body, Health):
                self._do(self._core.heard_runner(life, now_ns))
            elif isinstance(body, RecorderState):
                self._do(self._core.heard_recorder(body, life, now_ns))
        while (got := self._request_server.receive()) is not None:
            request, answer, who = got
            if not isinstance(request, StillThere):
                self._node.log.info("%s asked: %s", who, logged(request))
            self._do(self._core.request(request, answer, self._node.clock(), who))

    def _answers(self) -> None:
        for name, client in self._clients.items():
            for number, reply in client.replies():
                question = self._numbers.pop((name, number), None)
                if question is not None:
                    self._do(self._core.answered(name, question, reply, self._node.clock()))

    def _do(self, effects: Sequence[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, Ask):
                self._numbers[effect.node, self._clients[effect.node].send(effect.request)] = effect.number
            elif isinstance(effect, Answer):
                effect.asker(effect.reply)
            elif isinstance(effect, Build):
                self._build(effect)
            elif self._node.rig.images == "jpeg":  # raw pictures would take the disk from the journal
                self._builders.build_incrementally(effect.part)

    def _build(self, build: Build) -> None:
        self._builders.finalise(
            build.part, build.discarded, build.ended, build.acknowledged,
            lambda path, error: self._do(self._core.built(build.number, path, error, self._node.clock())),
        )  # fmt: skip

    def _tell(self, now_ns: int) -> None:
        if self._core.knows:
            self._file.keep(self._core.sitting())
            state = self._core.state()
            if line := told(self._published or state, state):
                self._node.log.info("%s", line)
            if state != self._published or now_ns >= self._state_due_ns:
                self._published, self._state_due_ns = state, now_ns + STATE_NS
                self._node.publisher.publish("session", state)
        if self._node.health_due(now_ns):
            self._node.publish_health(Health("session", "ok", ""))


def main(node: Node) -> None:
    """The node."""
    start_ordinary()  # what builds HDF5 files must not be in anybody's way
    single_threaded_numpy()
    SessionNode(node).run()


if __name__ == "__main__":
    run(main, STOP_DELAY_S[0])
