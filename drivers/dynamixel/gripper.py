"""Grippers: from the servo's angle to 0 closed … 1 open, and to the finger's position. Pure.

ALOHA normalises twice: an *action* gripper is the servo's angle between its closed and open angle, a *qpos* gripper is
the finger's position between its closed and open position; the linkage makes them differ by up to 0.09 in mid-travel.
Nothing is clipped here, as in ALOHA's code. Source of the constants: `constants.py` of tonyzhaozh/aloha,
MarkFzp/mobile-aloha and Interbotix/aloha; of the linkage: `xs_sdk_obj.cpp` of interbotix_ros_core.
"""

import math
from typing import Literal, NamedTuple

Generation = Literal["aloha1", "mobile", "aloha2"]


class Travel(NamedTuple):
    """Where a gripper is open and closed: the servo's angle (rad), the finger's position (m)."""

    open_rad: float
    close_rad: float
    open_m: float
    close_m: float

    def command(self, rad: float) -> float:
        """The servo's angle normalised: (x − close) / (open − close)."""
        return (rad - self.close_rad) / (self.open_rad - self.close_rad)

    def rad(self, command: float) -> float:
        """The inverse of `command`."""
        return self.close_rad + command * (self.open_rad - self.close_rad)

    def rate(self, rad_s: float) -> float:
        """Velocity of `command`, 1/s."""
        return rad_s / (self.open_rad - self.close_rad)


class Linkage(NamedTuple):
    """Horn radius h and arm length L, m: position = h·sin θ + √(L² − h²·cos² θ)."""

    horn_m: float
    arm_m: float

    def position_m(self, rad: float) -> float:
        """The finger's position, m."""
        across = self.horn_m * math.cos(rad)
        return self.horn_m * math.sin(rad) + math.sqrt(self.arm_m**2 - across**2)

    def velocity_m_s(self, rad: float, rad_s: float) -> float:
        """The finger's velocity, m/s."""
        across = self.horn_m * math.cos(rad)
        slope = across + across * self.horn_m * math.sin(rad) / math.sqrt(self.arm_m**2 - across**2)
        return slope * rad_s

    def opening(self, rad: float, travel: Travel) -> float:
        """The finger's position normalised, 0 closed … 1 open."""
        return (self.position_m(rad) - travel.close_m) / (travel.open_m - travel.close_m)

    def opening_velocity(self, rad: float, rad_s: float, travel: Travel) -> float:
        """Velocity of `opening`, 1/s."""
        return self.velocity_m_s(rad, rad_s) / (travel.open_m - travel.close_m)


LEADER: dict[Generation, Travel] = {
    "aloha1": Travel(0.3083, -0.6842, 0.02417, 0.01244),
    "mobile": Travel(-0.8, -1.65, 0.02417, 0.01244),
    "aloha2": Travel(0.8298, -0.0552, 0.0323, 0.0185),
}
FOLLOWER: dict[Generation, Travel] = {
    "aloha1": Travel(1.4910, -0.6213, 0.05800, 0.01844),
    "mobile": Travel(1.4910, -0.6213, 0.05800, 0.01844),
    "aloha2": Travel(1.6214, 0.6197, 0.0579, 0.0440),
}
CURRENT_LIMIT: dict[Generation, int] = {"aloha1": 200, "mobile": 300, "aloha2": 300}
"""Follower grippers' Current Limit, units of 2.69 mA. Source: READMEs of aloha and mobile-aloha, Interbotix' code."""
