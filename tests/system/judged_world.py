"""A bench world with a verdict: `python -m tests.system.judged_world --rig R --node world`. Rollouts get labels without physics' load.

Scenes with an even number are done `DONE_S` after they were prepared, the others never: which label an episode ought to have is plain.
"""

import sys

from drivers.sim.bench.bench_world import STOP_DELAY_S, BenchWorld
from drivers.sim.servos.buses import SWITCH_S
from drivers.sim.world.requests import WorldRequest
from station.bus.requests import Done, PrepareScene, Reply, ScoreScene
from station.clock import NS_PER_S, monotonic_ns
from station.runtime.node import Node, run

DONE_S = 3.0


class JudgedWorld(BenchWorld):
    """Its hands put nothing anywhere, and its verdict is the clock's."""

    def __init__(self, node: Node) -> None:
        super().__init__(node)
        self._scene, self._since_ns = 1, 0

    def _answer(self, request: WorldRequest) -> Reply:
        if isinstance(request, PrepareScene):
            self._scene, self._since_ns = request.episode, monotonic_ns()
        if isinstance(request, ScoreScene):
            done = self._scene % 2 == 0 and monotonic_ns() - self._since_ns > DONE_S * NS_PER_S
            return Done("done" if done else "not done")
        return super()._answer(request)


def main(node: Node) -> None:
    """The node's loop."""
    sys.setswitchinterval(SWITCH_S)
    JudgedWorld(node).run()


if __name__ == "__main__":
    run(main, STOP_DELAY_S)
