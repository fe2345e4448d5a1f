"""No joint runs into its end: how much of a step is left near it. Pure Python: it runs in a process that imports little else."""

import math
from collections.abc import Sequence

from drivers.franka.models import APPROACH, REACH_RAD


def most_rad_s(joint: int, here_rad: float, upwards: bool) -> float:
    """How fast that joint may go that way from there, rad/s: so that it can stop before its end (libfranka, `rate_limiting.h`)."""
    low, high = REACH_RAD[joint]
    left_rad = max(0.0, high - here_rad if upwards else here_rad - low)
    approach = APPROACH[joint]
    return max(0.0, math.sqrt(approach.brakes_rad_s2 * left_rad) - approach.offset_rad_s)


def share(here_rad: Sequence[float], there_rad: Sequence[float], dt_s: float) -> float:
    """What may be left of the step from here to there in that time, 0 to 1. Within the last centimetres everything goes slowly."""
    least = 1.0
    for joint, (here, there) in enumerate(zip(here_rad, there_rad, strict=True)):
        step = abs(there - here)
        most = max(_CREEP_RAD_S, most_rad_s(joint, here, there > here)) * dt_s
        if step > most:
            least = min(least, most / step)
    return least


_CREEP_RAD_S = 0.05
"""Slower than this nothing has to be: an arm that somebody left at its end has to get away from there, too."""
