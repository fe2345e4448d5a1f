"""The xArm 7, as far as a simulated world needs it.

Places of the joints: UFACTORY's URDF (a copy of the stand-in's own: the driver has another, so that one wrong number shows); masses and
tubes: its data sheet, rounded.
"""

import math

from drivers.sim.world.links import DARK, SILVER, Link, Robot, Tube

_UP, _LEFT, _RIGHT = (1.0, 0.0, 0.0, 0.0), (0.70710678, -0.70710678, 0.0, 0.0), (0.70710678, 0.70710678, 0.0, 0.0)
"""As the link before, and turned by a quarter about x, either way."""
_WHOLE = 6.2832
_BASE, _MIDDLE, _END = (70, 6000, 300), (40, 4000, 200), (20, 1500, 60)
"""N·m at most, N·m/rad, N·m·s/rad."""


def _link(number: int, offset_m: tuple[float, float, float], turn: tuple[float, float, float, float], reach: tuple[float, float],
          drive: tuple[float, float, float], mass_kg: float, *tubes: Tube) -> Link:  # fmt: skip
    return Link(f"joint_{number}", offset_m, turn, *reach, *drive, mass_kg, (0, 0, 0), tubes)


_CHAIN = (
    _link(1, (0, 0, 0.267), _UP, (-_WHOLE, _WHOLE), _BASE, 2.5, Tube((0, 0, -0.16), (0, 0, 0.0), 0.055)),
    _link(2, (0, 0, 0), _LEFT, (-2.059, 2.094), _BASE, 1.9, Tube((0, 0, -0.05), (0, 0, 0.05), 0.056, DARK),
          Tube((0, 0, 0), (0, -0.2, 0), 0.048)),
    _link(3, (0, -0.293, 0), _RIGHT, (-_WHOLE, _WHOLE), _BASE, 1.7, Tube((0, 0, -0.1), (0, 0, 0), 0.048),
          Tube((0, 0, 0), (0.0525, 0, 0), 0.045)),
    _link(4, (0.0525, 0, 0), _RIGHT, (-0.192, 3.927), _MIDDLE, 1.8, Tube((0, 0, -0.05), (0, 0, 0.05), 0.05, DARK),
          Tube((0, 0, 0), (0.0775, -0.12, 0), 0.042)),
    _link(5, (0.0775, -0.3425, 0), _RIGHT, (-_WHOLE, _WHOLE), _MIDDLE, 1.4, Tube((0, 0, -0.23), (0, 0, 0), 0.04)),
    _link(6, (0, 0, 0), _RIGHT, (-1.693, 3.1416), _END, 1.3, Tube((0, 0, -0.04), (0, 0, 0.04), 0.042, DARK),
          Tube((0, 0, 0), (0.076, 0.04, 0), 0.036)),
    _link(7, (0.076, 0.097, 0), _LEFT, (-_WHOLE, _WHOLE), _END, 0.5, Tube((0, 0, -0.045), (0, 0, -0.01), 0.034)),
)  # fmt: skip
START_RAD = (0.0, 0.0, 0.0, 1.1, 0.0, 1.1, 0.0)
XARM7 = Robot("xarm7", _CHAIN, Tube((0, 0, 0.02), (0, 0, 0.05), 0.065, SILVER), START_RAD, 0.0, math.pi)
