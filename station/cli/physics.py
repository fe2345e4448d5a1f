"""The world of a simulated rig: puts its scene back, and judges how a rollout goes."""

from station.bus.requests import PrepareScene, ScoreScene
from station.client import Station
from station.clock import NS_PER_S, monotonic_ns

_EVERY_NS = NS_PER_S // 5


def prepare_scene(station: Station, episode: int) -> None:
    """On a simulated rig: put the scene as it is at the start of this episode. Elsewhere people have done it."""
    if station.rig.world is not None:
        station.ask("world", PrepareScene(episode))


class Physics:
    """Judges one rollout after another on a rig that is simulated."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._due_ns = 0
        self.done = False
        """Is what the task wants so, as of the last `over`?"""

    def begin(self) -> None:
        """Another rollout: nothing is done yet."""
        self.done = False

    def look(self) -> bool:
        """Ask the world now: is it done?"""
        self._due_ns = 0
        return self.over()

    def over(self) -> bool:
        """Ask the world, five times a second at most; a rollout ends when it is done."""
        now_ns = monotonic_ns()
        if now_ns >= self._due_ns:
            self._due_ns = now_ns + _EVERY_NS
            self.done = self._station.ask("world", ScoreScene()).detail == "done"
        return self.done
