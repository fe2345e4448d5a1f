"""The Franka Research 3, as far as a simulated world needs to show it and to lift a cube with it.

Places of the joints: Franka Robotics' Denavit-Hartenberg parameters (a copy of the world's own: the driver has another, so that one wrong
number shows); masses and tubes: its data sheet, rounded. How it moves is franky-sim's doing: this arm goes where that one is.
"""

import math

from drivers.sim.world.links import DARK, SILVER, Link, Robot, Tube

_UP, _LEFT, _RIGHT = (1.0, 0.0, 0.0, 0.0), (0.70710678, -0.70710678, 0.0, 0.0), (0.70710678, 0.70710678, 0.0, 0.0)
"""As the link before, and turned by a quarter about x, either way."""
_WHITE = (0.92, 0.92, 0.93, 1)
_BASE, _END = (87, 6000, 300), (40, 2000, 80)
"""N·m at most, N·m/rad, N·m·s/rad; its last three joints are shown stronger than they are."""


def _link(number: int, offset_m: tuple[float, float, float], turn: tuple[float, float, float, float], reach: tuple[float, float],
          drive: tuple[float, float, float], mass_kg: float, *tubes: Tube) -> Link:  # fmt: skip
    return Link(f"joint_{number}", offset_m, turn, *reach, *drive, mass_kg, (0, 0, 0), tubes)


_CHAIN = (
    _link(1, (0, 0, 0.333), _UP, (-2.7437, 2.7437), _BASE, 2.9, Tube((0, 0, -0.19), (0, 0, -0.02), 0.06, _WHITE)),
    _link(2, (0, 0, 0), _LEFT, (-1.7837, 1.7837), _BASE, 2.9, Tube((0, 0, -0.06), (0, 0, 0.06), 0.06, SILVER),
          Tube((0, 0, 0), (0, -0.19, 0), 0.055, _WHITE)),
    _link(3, (0, -0.316, 0), _RIGHT, (-2.9007, 2.9007), _BASE, 2.2, Tube((0, 0, -0.1), (0, 0, 0), 0.055, _WHITE),
          Tube((0, 0, 0), (0.0825, 0, 0), 0.05, _WHITE)),
    _link(4, (0.0825, 0, 0), _RIGHT, (-3.0421, -0.1518), _BASE, 2.6, Tube((0, 0, -0.06), (0, 0, 0.06), 0.055, SILVER),
          Tube((0, 0, 0), (-0.0825, 0.12, 0), 0.045, _WHITE)),
    _link(5, (-0.0825, 0.384, 0), _LEFT, (-2.8065, 2.8065), _END, 2.3, Tube((0, 0, -0.25), (0, 0, -0.02), 0.048, _WHITE)),
    _link(6, (0, 0, 0), _RIGHT, (0.5445, 4.5169), _END, 1.8, Tube((0, 0, -0.05), (0, 0, 0.05), 0.048, SILVER),
          Tube((0, 0, 0), (0.088, 0, 0), 0.042, _WHITE)),
    _link(7, (0.088, 0, 0), _RIGHT, (-3.0159, 3.0159), _END, 0.7, Tube((0, 0, 0.02), (0, 0, 0.09), 0.042, DARK)),
)  # fmt: skip
START_RAD = (0.0, 0.0, 0.0, -1.5708, 0.0, 1.5708, 0.0)
FR3 = Robot(
    "fr3", _CHAIN, Tube((0, 0, 0.03), (0, 0, 0.1), 0.08, _WHITE), START_RAD, 0.0, math.pi, flange_m=0.107,
    sides=("left", "right"),
)  # fmt: skip
