"""The servo's own goal generator: a velocity-based trapezoid from Profile Velocity and Profile Acceleration.

Source: ROBOTIS e-manual, X series, "Profile Velocity" and "What is the Profile". Units 0.229 rev/min and
214.577 rev/min²; 0 means unlimited. The time-based profile (Drive Mode bit 2) is not emulated.
"""

import math

TICKS_PER_REV = 4096
VELOCITY_TICKS_S = 0.229 * TICKS_PER_REV / 60.0
ACCELERATION_TICKS_S2 = 214.577 * TICKS_PER_REV / 3600.0


class Profile:
    """Where the profiled goal is, ticks."""

    def __init__(self, position_ticks: float) -> None:
        self.position_ticks = position_ticks
        self.velocity_ticks_s = 0.0

    def stop_at(self, position_ticks: float) -> None:
        """Stand still here."""
        self.position_ticks, self.velocity_ticks_s = position_ticks, 0.0

    def step(self, goal_ticks: float, velocity: int, acceleration: int, dt_s: float) -> float:
        """Go on towards the goal for `dt_s`; registers' units. Returns the profiled goal, ticks."""
        rest = goal_ticks - self.position_ticks
        top = velocity * VELOCITY_TICKS_S if velocity else math.inf
        if not acceleration:
            wanted = min(top, abs(rest) / dt_s) if dt_s > 0 else 0.0
        else:
            gain = acceleration * ACCELERATION_TICKS_S2
            braking = min(top, math.sqrt(2.0 * gain * abs(rest)))
            signed = math.copysign(braking, rest)
            change = max(-gain * dt_s, min(gain * dt_s, signed - self.velocity_ticks_s))
            return self._advance(self.velocity_ticks_s + change, rest, goal_ticks, dt_s)
        return self._advance(math.copysign(wanted, rest), rest, goal_ticks, dt_s)

    def _advance(self, velocity_ticks_s: float, rest: float, goal_ticks: float, dt_s: float) -> float:
        move = velocity_ticks_s * dt_s
        if abs(move) >= abs(rest) and move * rest >= 0:
            self.stop_at(goal_ticks)
        else:
            self.velocity_ticks_s = velocity_ticks_s
            self.position_ticks += move
        return self.position_ticks
