"""Hands that put a simulated rig's scene back between two rollouts, while the panel goes on."""

import threading
from collections.abc import Callable

from station.errors import StationError

WORKS = "The simulated hands put the scene back: wait a moment."


class SceneHands:
    """In a thread of their own: it takes seconds, and a panel waits for nobody.."""

    def __init__(self, arrange: Callable[[int], None]) -> None:
        """`arrange` makes the scene of an episode; it raises StationError where it cannot."""
        self._arrange = arrange
        self._thread: threading.Thread | None = None
        self._episode = -1
        """Whose scene was put in place last."""
        self._failed = ""

    @property
    def busy(self) -> bool:
        """Are they at it?"""
        return self._thread is not None and self._thread.is_alive()

    def between(self, rests: bool, episode: int) -> str:
        """Called again and again. `rests`: nothing is recorded, so that the scene of `episode`, the next, may be made.

        What to tell the operator; "" if the scene is in its place.
        """
        if self.busy:
            return WORKS
        if rests and episode != self._episode:
            self._episode, self._failed = episode, ""
            self._thread = threading.Thread(target=self._work, args=(episode,), name="scene hands", daemon=True)
            self._thread.start()
            return WORKS
        return self._failed if rests else ""

    def _work(self, episode: int) -> None:
        try:
            self._arrange(episode)
        except StationError as error:
            self._failed = f"the scene could not be put back: {error}"

    def wait(self) -> None:
        """Until they are done."""
        if self._thread is not None:
            self._thread.join()
