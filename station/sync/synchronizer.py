"""The synchronizer: `python -m station.sync.synchronizer --rig R --node synchronizer`. A thin loop around `SynchronizerCore`.

Wakes once per tick at t_k + settle, drains the bus, lets the core choose and publish. The grid is CLOCK_MONOTONIC itself
(t_k = k·20 ms since the clock's zero), so tick numbers go on rising over a restart of this node.
"""

import time
from collections.abc import Sequence

from station.bus.requests import SyncRequest
from station.bus.sockets import RequestServer, Subscriber, milliseconds_until
from station.bus.streams import DEVICE_KINDS
from station.clock import NS_PER_MS, NS_PER_S, Grid
from station.runtime.node import Node, run
from station.runtime.processes import STOP_DELAY_S
from station.sync.core import ASKING_NODES, SynchronizerCore
from station.sync.effects import Answer, Effect, Now, Publish, Tell
from station.sync.journaling import Journaling
from station.version import station_version

_CLOSING_LOOK_S = 0.01


class Synchronizer:
    """The core's events from the bus, its effects onto the bus and the disk."""

    def __init__(self, node: Node) -> None:
        rig = node.rig
        self._node = node
        self._grid = Grid(0, rig.tick_hz)
        self._settle_ns = int(rig.settle_ms * NS_PER_MS)
        self._core = SynchronizerCore(rig, node.start_id, node.clock())
        self._journaling = Journaling(node.clock)
        self._request_server: RequestServer[SyncRequest] = RequestServer(rig.name, "synchronizer", SyncRequest)
        devices = [device.node for device in rig.devices]
        self._bus = Subscriber(
            rig.name,
            [(kind, name) for name in devices for kind in (*DEVICE_KINDS, "description", "health")]
            + [("applied", name) for name in rig.followers]
            + [("command", name) for name in rig.followers]
            + [("setpoint", name) for name in ASKING_NODES]
            + [("pilot", "pilot"), ("health", "policy")],
            publishers=[*devices, "pilot", *ASKING_NODES],
        )

    def run(self) -> None:
        """Tick until told to stop; then end the episode where it stands."""
        k = self._grid.index_at(self._node.clock()) + 1
        try:
            while not self._node.finish.is_set():
                # twice, so that little is left to do between what settles last and the tick
                self._wait(self._grid.time_ns(k))
                self._drain()
                self._wait(self._grid.time_ns(k) + self._settle_ns)
                self._drain()
                self._do(self._core.tick(k, self._node.clock()))
                self._hear_journal()
                self._receive_requests(0)
                self._do(self._core.turn(self._now(), sum(self._bus.lost.values())))
                if self._node.health_due(self._node.clock()):
                    self._node.publish_health(self._core.health(self._node.clock()))
                k += 1
        finally:
            self._stop()

    def _now(self) -> Now:
        return Now(self._node.clock(), time.time_ns())

    def _wait(self, until_ns: int) -> None:
        while (wait_ms := milliseconds_until(until_ns, self._node.clock())) > 0:
            self._receive_requests(wait_ms)
        time.sleep(max(0, until_ns - self._node.clock()) / NS_PER_S)

    def _drain(self) -> None:
        while (sample := self._bus.receive()) is not None:
            # now is when it came: on a busy computer a drain takes longer than a stamp may be ahead
            self._do(self._core.sample(sample, self._node.clock()))

    def _hear_journal(self) -> None:
        for news in self._journaling.news():
            self._do(self._core.journal(news))

    def _receive_requests(self, timeout_ms: int) -> None:
        while (got := self._request_server.receive(timeout_ms)) is not None:
            timeout_ms = 0
            request, answer, _ = got
            self._do(self._core.request(request, answer, self._now()))

    def _do(self, effects: Sequence[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, Publish):
                self._node.publisher.publish(effect.kind, effect.body, effect.captured_at_ns)
            elif isinstance(effect, Answer):
                effect.asker(effect.reply)
            elif isinstance(effect, Tell):
                log = self._node.log.warning if effect.level == "warning" else self._node.log.info
                log("%s", effect.words)
            else:
                self._journaling.do(effect)

    def _stop(self) -> None:
        self._do(self._core.stop())
        while self._core.recording.state != "idle":
            self._hear_journal()
            time.sleep(_CLOSING_LOOK_S)
        self._request_server.close()
        self._bus.close()


def main(node: Node) -> None:
    """The node."""
    station_version()  # every journal says it; git is asked here, where no tick waits for the answer
    Synchronizer(node).run()


if __name__ == "__main__":
    run(main, STOP_DELAY_S[0])
