"""The simulated world's own verdict on how a rollout goes."""

from station.bus.requests import ScoreScene
from station.bus.sockets import RequestClient
from station.clock import NS_PER_S, monotonic_ns
from station.rig.rig import Rig

_EVERY_NS = NS_PER_S // 5


class Physics:
    """Judges one rollout after another on a rig that is simulated."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self._due_ns = 0
        self.done = False
        """Is what the task wants so, as of the last `over`?"""

    def begin(self) -> None:
        """Another rollout: nothing is done yet."""
        self.done = False

    def over(self) -> bool:
        """Ask the world, five times a second at most; a rollout ends when it is done."""
        now_ns = monotonic_ns()
        if now_ns >= self._due_ns:
            self._due_ns = now_ns + _EVERY_NS
            with RequestClient(self._rig.name, "world") as world:
                self.done = world.ask(ScoreScene()).detail == "done"
        return self.done
