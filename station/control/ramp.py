"""The hand-over ramp: from the goal an arm holds to a target that may move, at a bounded speed. Pure."""

from collections.abc import Sequence

from station.bus.messages import Dimension
from station.clock import NS_PER_MS, NS_PER_S
from station.rig.file import Safety
from station.safety import Limiter

SPEED_RAD_S = 0.7
"""How fast the fastest joint moves, at the servo: slow enough to step back from. A choice of this station's, as is
the acceleration."""
ACCELERATION_RAD_S2 = 3.0
"""At the servo: the ramp is at full speed after `SPEED_RAD_S` / 3 ≈ 0.23 s."""
ON_TARGET_RAD = 0.03
"""The ramp is at its target this near; the rest is within a few steps of the arm's own limits."""
ARRIVED_RAD = 0.12
"""The arm has arrived this near its goal: above the sag of a stretched arm, whose servos have no integral part."""
_FIRST_STEP_NS = 5 * NS_PER_MS
_LONGEST_STEP_NS = 25 * NS_PER_MS


class Ramp:
    """One arm's ramp. Positions (D,) in the arm's units."""

    def __init__(self, dimensions: Sequence[Dimension], start: Sequence[float], safety: Safety) -> None:
        """`start` is the goal the arm holds. Raises ValueError if it is not D finite numbers."""
        self._dimensions = tuple(dimensions)
        self._limiter = Limiter(
            dimensions,
            min(SPEED_RAD_S, safety.velocity_rad_s),
            min(ACCELERATION_RAD_S2, safety.acceleration_rad_s2),
        )
        self._limiter.reset(start)
        self._last_ns: int | None = None

    @property
    def goal(self) -> tuple[float, ...]:
        """Where the ramp is."""
        return self._limiter.goal

    def step(self, target: Sequence[float], at_ns: int) -> tuple[float, ...] | None:
        """The next goal (D,) on the way to `target` (D,), for a setpoint at `at_ns`; None if time has not moved on.

        Longer steps than 25 ms count as that long. Raises ValueError if `target` is not D long.
        """
        dt_ns = _FIRST_STEP_NS if self._last_ns is None else at_ns - self._last_ns
        if dt_ns <= 0:
            return None
        self._last_ns = at_ns
        return self._limiter.step(target, min(dt_ns, _LONGEST_STEP_NS) / NS_PER_S)

    def arrived(self, target: Sequence[float], measured: Sequence[float]) -> bool:
        """Is the ramp at its target and the arm, as measured, at the ramp? (D,) each; compliant dimensions need not be.

        What is NaN has not arrived. Raises ValueError if one of them is not D long.
        """
        for dimension, goal, wanted, found in zip(self._dimensions, self.goal, target, measured, strict=True):
            scale = abs(dimension.rad_per_unit)
            allowed = min(max(wanted, dimension.lower), dimension.upper)
            if not abs(goal - allowed) * scale <= ON_TARGET_RAD:
                return False
            if not dimension.compliant and not abs(found - goal) * scale <= ARRIVED_RAD:
                return False
        return True
