"""The gripper's linkage: servo angle ↔ how far each finger stands from the middle.

With horn radius h and connecting rod L (Interbotix, xs_sdk):  a = h·sin θ,  x = a + sqrt(L² − (h² − a²)).
"""

from math import asin, cos, sin, sqrt
from typing import NamedTuple


class Linkage(NamedTuple):
    """One gripper's linkage."""

    horn_m: float
    rod_m: float

    def finger_m(self, angle_rad: float) -> float:
        """Finger position of a servo angle, m from the middle."""
        a = self.horn_m * sin(angle_rad)
        return a + sqrt(self.rod_m**2 - self.horn_m**2 + a * a)

    def angle_rad(self, finger_m: float) -> float:
        """Servo angle of a finger position; beyond the linkage's reach the nearest end, ±π/2."""
        a = (finger_m**2 - self.rod_m**2 + self.horn_m**2) / (2 * finger_m)
        return asin(min(1.0, max(-1.0, a / self.horn_m)))

    def m_per_rad(self, angle_rad: float) -> float:
        """dx/dθ: finger speed per servo speed, and servo torque per force on one finger."""
        a = self.horn_m * sin(angle_rad)
        return self.horn_m * cos(angle_rad) * (1 + a / sqrt(self.rod_m**2 - self.horn_m**2 + a * a))


VX300S = Linkage(0.022, 0.036)
