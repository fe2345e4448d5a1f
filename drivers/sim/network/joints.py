"""What a stand-in's controller moves: an arm's joints and two fingers. Without physics here; the world has its own."""

import math
from collections.abc import Sequence
from typing import NamedTuple, Protocol

_FOLLOWING_S = 0.008
"""Time constant with which a joint follows the controller's target."""


class Moved(NamedTuple):
    """How its joints are. (J,) each."""

    position_rad: tuple[float, ...]
    velocity_rad_s: tuple[float, ...]
    effort: tuple[float, ...]
    """In whatever its controller tells."""


class Logged(NamedTuple):
    """One line of what happened to an arm."""

    at_ns: int
    what: str
    numbers: tuple[float, ...] = ()


class Arm(Protocol):
    """Its joints. Called from the controller's thread alone."""

    def joints(self) -> Moved:
        """Just now."""

    def drive(self, target_rad: Sequence[float] | None, dt_s: float) -> None:
        """Follow that for so long; None: the brakes are on."""


class Fingers(Protocol):
    """What a gripper's motor moves. Openings are 0 closed to 1 open."""

    object_opening: float
    """How wide what lies between them is, and no narrower do they go; below 0: nothing does."""

    def opening(self) -> float:
        """Just now."""

    def drive(self, opening: float, speed: float, force: float) -> None:
        """Go there, no faster and no stronger than these shares of what it can."""


class FreeArm:
    """Nothing in its way, nothing on it."""

    def __init__(self, position_rad: Sequence[float]) -> None:
        self._position = list(position_rad)
        self._velocity = [0.0] * len(self._position)

    def joints(self) -> Moved:
        """Just now."""
        return Moved(tuple(self._position), tuple(self._velocity), (0.5,) * len(self._position))

    def drive(self, target_rad: Sequence[float] | None, dt_s: float) -> None:
        """Follow; brakes hold it where it is."""
        share = 1.0 - math.exp(-dt_s / _FOLLOWING_S)
        for joint, here in enumerate(self._position):
            step = 0.0 if target_rad is None else (target_rad[joint] - here) * share
            self._position[joint] += step
            self._velocity[joint] = step / dt_s if dt_s > 0 else 0.0

    def push(self, rad: float) -> None:
        """A hand moves the first joint."""
        self._position[0] += rad


class FreeFingers:
    """Fingers that close on nothing, unless something of some width is between them."""

    def __init__(self) -> None:
        self._opening, self.object_opening = 1.0, -1.0

    def opening(self) -> float:
        """Just now."""
        return self._opening

    def drive(self, opening: float, speed: float, force: float) -> None:  # noqa: ARG002
        """Go there, or as far as what lies between."""
        step = 0.004 * (0.2 + 0.8 * speed)  # 0.5 s from end to end at full speed, 500 steps a second
        there = max(opening, self.object_opening)
        self._opening += max(-step, min(step, there - self._opening))
