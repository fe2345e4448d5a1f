"""The last gate of every arm: pure, given the time, trusting nobody. Never called safety-rated.

`Limiter` bounds one goal after another in position, velocity and acceleration; `Gate` decides whether there is a goal
at all: it refuses what is not a sound command, and holds when something is wrong.
"""

from station.safety.gate import Gate
from station.safety.limiter import Limiter, velocity_per_s

__all__ = ["Gate", "Limiter", "velocity_per_s"]
