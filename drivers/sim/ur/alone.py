"""A UR controller with nothing on its arm but a gripper, for `drivers.sim.network.alone`."""

from drivers.sim.network.joints import FreeArm, FreeFingers
from drivers.sim.ur.stand_in import UR
from station.clock import NS_PER_S, Clock

START_RAD = (0.0, -1.57, 1.57, -1.57, -1.57, 0.0)


def make(address: str, clock: Clock, skew_ppm: float = 0.0, unlock_s: float = 5.0) -> UR:
    """Its clock faster by so much; a protective stop cannot be unlocked sooner than that."""
    return UR(address, FreeArm(START_RAD), FreeFingers(), clock, skew_ppm, round(unlock_s * NS_PER_S))
