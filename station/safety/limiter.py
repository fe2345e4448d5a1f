"""The limiter: every goal stays within position, velocity and acceleration limits of the one before.

Per dimension, with previous goal g, previous velocity v, step dt and acceleration limit a, the velocity v' of a step is
kept such that the distance d to a position limit still holds the step and a full stop after it,

    v'·dt + v'²/(2a) ≤ d    ⇔    v' ≤ −a·dt + sqrt((a·dt)² + 2·a·d).

If that holds once, braking at a keeps it true for any later steps, however long or short: in a stop by steps
v_{n+1} = v_n − a·dt_n, each travels v_{n+1}·dt_n = v_{n+1}·(v_n − v_{n+1})/a ≤ (v_n² − v_{n+1}²)/(2a).
"""

from collections.abc import Sequence
from math import copysign, inf, isfinite, sqrt
from typing import NamedTuple

from station.bus.messages import Dimension

_REACHED = 1e-9
"""A goal this near its target is put on it (braking room shrinks with the distance and would never quite get there)."""
_SOFT = 0.01
"""Arriving at a standing target: this share of the speed that one step can shed, so that no jitter of dt matters."""


class _Bounds(NamedTuple):
    """The limits of one dimension in its own unit."""

    lower: float
    upper: float
    velocity: float
    acceleration: float
    rad_per_unit: float


class _Aim(NamedTuple):
    """What one dimension is to follow."""

    target: float
    velocity: float
    """The target's own."""
    followed: bool
    """Was the goal on the target before this step?"""
    closing: float
    """How much faster than the target it may be, per second."""


class Limiter:
    """Bounds the goals of one arm. (D,) in the units of its dimensions; velocities in unit/s."""

    def __init__(self, dimensions: Sequence[Dimension], velocity_rad_s: float, acceleration_rad_s2: float) -> None:
        """Limits are at the servo (rad/s, rad/s²); a dimension's own count where they are tighter. Raises ValueError on limits that
        are none.
        """
        self._bounds = tuple(_bounds(dimension, velocity_rad_s, acceleration_rad_s2) for dimension in dimensions)
        self.goal: tuple[float, ...] = ()
        """The last goal that was given out."""
        self.velocity: tuple[float, ...] = ()
        """How fast the goal was moving in the last step."""
        self._target: tuple[float, ...] = ()
        self._target_velocity: tuple[float, ...] = ()
        self._closing = [inf] * len(self._bounds)

    def reset(self, goal: Sequence[float]) -> None:
        """Stand still at `goal`. It may lie outside the position limits: then the way leads inward only.

        Raises ValueError if it is not D finite numbers.
        """
        if len(goal) != len(self._bounds) or not all(isfinite(value) for value in goal):
            raise ValueError(f"a goal to start from is {len(self._bounds)} finite numbers, not {list(goal)}")
        self.goal = self._target = tuple(float(value) for value in goal)
        self.velocity = self._target_velocity = (0.0,) * len(self.goal)

    def catch_up(self, closing_rad_s: float) -> None:
        """From here on until it has met its target, no dimension is more than so much faster than that. inf: no such bound."""
        self._closing = [closing_rad_s / bounds.rad_per_unit for bounds in self._bounds]

    @property
    def catching_up(self) -> bool:
        """Has any dimension still to meet its target?"""
        return any(closing < inf for closing in self._closing)

    def step(self, target: Sequence[float], dt_s: float, speed_rad_s: float = inf) -> tuple[float, ...]:
        """The next goal, (D,): `target` (D,) itself if it can be reached in `dt_s` (> 0) within all limits, else as far as they allow.

        Catching up happens in the target's frame, so that a target that moves within the limits is met, not trailed,
        and one that stands still is not overshot. `speed_rad_s` lowers the velocity limit for this step.
        The formula of the bound is the module's. Raises ValueError if `target` is not D long.
        """
        goals, velocities, targets, target_velocities = [], [], [], []
        for place, (bounds, goal, velocity, wanted, last, last_velocity) in enumerate(
            zip(self._bounds, self.goal, self.velocity, target, self._target, self._target_velocity, strict=True)
        ):
            allowed = min(max(wanted, bounds.lower), bounds.upper)
            moving = (allowed - last) / dt_s
            aim = _Aim(allowed, _steady(moving, last_velocity), goal == last, self._closing[place])
            next_goal = _step(bounds, goal, velocity, aim, dt_s, speed_rad_s)
            if next_goal == allowed:
                self._closing[place] = inf
            goals.append(next_goal)
            velocities.append((next_goal - goal) / dt_s)
            targets.append(allowed)
            target_velocities.append(moving)
        self.goal, self.velocity = tuple(goals), tuple(velocities)
        self._target, self._target_velocity = tuple(targets), tuple(target_velocities)
        return self.goal

    def stop(self, dt_s: float, since_last_s: float) -> tuple[float, ...]:
        """The next goal of a stop, (D,): v' = sign(v) · max(0, |v| − a · `since_last_s`), and the goal moves by v' · `dt_s`.

        A goal that was not renewed for `since_last_s` has stood still that long; it is not set in motion again to stop.
        """
        goals, velocities = [], []
        for bounds, goal, velocity in zip(self._bounds, self.goal, self.velocity, strict=True):
            left = copysign(max(0.0, abs(velocity) - bounds.acceleration * since_last_s), velocity)
            next_goal = _inside(bounds, goal, goal + left * dt_s)
            goals.append(next_goal)
            velocities.append((next_goal - goal) / dt_s)
        self.goal = self._target = tuple(goals)
        self.velocity = tuple(velocities)
        self._target_velocity = (0.0,) * len(goals)
        return self.goal

    @property
    def standing(self) -> bool:
        """Did the last step leave every dimension where it was?"""
        return not any(self.velocity)


def _bounds(dimension: Dimension, velocity_rad_s: float, acceleration_rad_s2: float) -> _Bounds:
    scale = abs(dimension.rad_per_unit)
    own = (limit for limit in (dimension.velocity_limit, dimension.acceleration_limit) if limit is not None)
    numbers = (dimension.lower, dimension.upper, velocity_rad_s, acceleration_rad_s2, scale, *own)
    if not all(isfinite(number) for number in numbers) or dimension.lower >= dimension.upper or min(numbers[2:]) <= 0:
        raise ValueError(
            f"{dimension.name}: limits must be finite numbers, lower below upper, rates above 0: {numbers}"
        )
    return _Bounds(
        dimension.lower, dimension.upper, velocity_per_s(dimension, velocity_rad_s),
        _tighter(acceleration_rad_s2 / scale, dimension.acceleration_limit), scale,
    )  # fmt: skip


def velocity_per_s(dimension: Dimension, velocity_rad_s: float) -> float:
    """How fast a goal of this dimension may move, unit/s: the rig's limit at the servo, or the driver's where that is tighter."""
    return _tighter(velocity_rad_s / abs(dimension.rad_per_unit), dimension.velocity_limit)


def _tighter(limit: float, own: float | None) -> float:
    return limit if own is None else min(limit, own)


def _step(bounds: _Bounds, goal: float, velocity: float, aim: _Aim, dt_s: float, speed_rad_s: float) -> float:
    limit = min(bounds.velocity, speed_rad_s / bounds.rad_per_unit)
    change = bounds.acceleration * dt_s
    if _reachable(bounds, goal, velocity, aim, dt_s, limit):
        return aim.target
    low = min(max(velocity - change, -limit), velocity + change)
    high = max(min(velocity + change, limit), velocity - change)
    low = max(low, -_braking(bounds.acceleration, change, goal - bounds.lower))
    high = min(high, _braking(bounds.acceleration, change, bounds.upper - goal))
    steady = min(max(aim.velocity, -limit), limit)
    behind = aim.target - goal - steady * dt_s
    closing = min(_braking(bounds.acceleration, change, abs(behind)), aim.closing)
    wanted = steady + copysign(closing, behind)
    return _inside(bounds, goal, goal + min(max(wanted, low), high) * dt_s)


def _reachable(bounds: _Bounds, goal: float, velocity: float, aim: _Aim, dt_s: float, limit: float) -> bool:
    """Can the goal be on the target after this step, within the limits, and stay with it?

    A goal that was on the target follows it whatever it does. One that catches up must not arrive faster than it could
    shed: on a standing target it would shoot over.
    """
    change = bounds.acceleration * dt_s
    wanted = (aim.target - goal) / dt_s
    if abs(wanted) > limit or abs(wanted - velocity) > change or abs(wanted - aim.velocity) > aim.closing:
        return False
    if not aim.followed and abs(wanted - aim.velocity) > (change if aim.velocity else _SOFT * change):
        return False
    room = bounds.upper - aim.target if wanted > 0 else aim.target - bounds.lower
    return wanted * wanted <= 2 * bounds.acceleration * room or abs(aim.target - goal) <= _REACHED


def _braking(acceleration: float, change: float, distance: float) -> float:
    """The fastest step that leaves room to stop within `distance`; 0 where there is none left."""
    if distance <= 0:
        return 0.0
    # The docstring's formula, written without a difference of near-equal numbers.
    return 2 * acceleration * distance / (sqrt(change * change + 2 * acceleration * distance) + change)


def _steady(now: float, before: float) -> float:
    """A target's velocity as far as two steps agree on it: a jump is no motion."""
    if now * before <= 0:
        return 0.0
    return min(now, before, key=abs)


def _inside(bounds: _Bounds, goal: float, wanted: float) -> float:
    """`wanted` within the limits; from a goal outside them, never farther out."""
    return min(max(wanted, min(bounds.lower, goal)), max(bounds.upper, goal))
