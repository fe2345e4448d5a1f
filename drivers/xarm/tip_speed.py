"""How much of a step the fingertips may go. Pure Python: it runs two hundred times a second in a process that imports nothing else."""

import math
from collections.abc import Sequence

from station.bus.messages.arms import Chain


class TipSpeed:
    """The limit of one arm's fingertips."""

    def __init__(self, chain: Chain, most_m_s: float) -> None:
        self._most, self._tip = most_m_s, chain.tip_xyz_m
        self._links = [(_rotation(hinge.rpy_rad), hinge.xyz_m) for hinge in reversed(chain.hinges)]

    def share(self, here_rad: Sequence[float], there_rad: Sequence[float], dt_s: float) -> float:
        """What may be left of the step from here to there in that time, 0 to 1."""
        moved = math.dist(self.tip(here_rad), self.tip(there_rad))
        return 1.0 if moved <= self._most * dt_s else self._most * dt_s / moved

    def tip(self, joints_rad: Sequence[float]) -> tuple[float, float, float]:
        """Where the fingertips are in the arm's base frame, m."""
        x, y, z = self._tip
        for (rows, offset), angle in zip(self._links, reversed(joints_rad), strict=True):
            c, s = math.cos(angle), math.sin(angle)
            x, y = c * x - s * y, s * x + c * y
            x, y, z = (row[0] * x + row[1] * y + row[2] * z + o for row, o in zip(rows, offset, strict=True))
        return x, y, z


def _rotation(rpy_rad: tuple[float, float, float]) -> tuple[tuple[float, float, float], ...]:
    """Roll, pitch, yaw about fixed axes."""
    (cr, cp, cy), (sr, sp, sy) = map(math.cos, rpy_rad), map(math.sin, rpy_rad)
    return (
        (cy * cp, cy * sp * sr - sy * cr, cy * sp * cr + sy * sr),
        (sy * cp, sy * sp * sr + cy * cr, sy * sp * cr - cy * sr),
        (-sp, cp * sr, cp * cr),
    )
