"""The UR5e, as far as a simulated world needs it.

Places of the joints: Universal Robots' DH parameters (a copy of the stand-in's own: the driver has another, so that one wrong number
shows); masses and the offsets of the tubes: its URDF (ur_description), rounded.
"""

from drivers.sim.world.links import BLUE, DARK, Link, Robot, Tube

_UP, _LEFT, _RIGHT = (1.0, 0.0, 0.0, 0.0), (0.70710678, 0.70710678, 0.0, 0.0), (0.70710678, -0.70710678, 0.0, 0.0)
"""As the link before, and turned by a quarter about x, either way."""
_WHOLE, _HALF = 6.2832, 3.1416
_CHAIN = (
    Link("shoulder_pan", (0, 0, 0.1625), _UP, -_WHOLE, _WHOLE, 150, 8000, 400, 3.76, (0, 0, 0),
         (Tube((0, 0, -0.08), (0, 0, 0.0), 0.062), Tube((0, 0.02, 0), (0, -0.075, 0), 0.06))),
    Link("shoulder_lift", (0, 0, 0), _LEFT, -_WHOLE, _WHOLE, 150, 8000, 400, 8.06, (-0.2125, 0, 0.12),
         (Tube((0, 0, 0.09), (0, 0, 0.15), 0.06, BLUE), Tube((0, 0, 0.138), (-0.425, 0, 0.138), 0.05),
          Tube((-0.425, 0, 0.09), (-0.425, 0, 0.15), 0.052, BLUE))),
    Link("elbow", (-0.425, 0, 0), _UP, -_HALF, _HALF, 150, 6000, 300, 2.85, (-0.15, 0, 0.03),
         (Tube((0, 0, 0.007), (0, 0, 0.08), 0.045), Tube((0, 0, 0.007), (-0.392, 0, 0.007), 0.04),
          Tube((-0.3922, 0, 0.007), (-0.3922, 0, 0.06), 0.04, BLUE))),
    Link("wrist_1", (-0.3922, 0, 0.1333), _UP, -_WHOLE, _WHOLE, 28, 1500, 60, 1.37, (0, -0.02, -0.02),
         (Tube((0, 0, -0.06), (0, 0, 0.01), 0.036), Tube((0, 0, 0), (0, -0.055, 0), 0.036, BLUE))),
    Link("wrist_2", (0, -0.0997, 0), _LEFT, -_WHOLE, _WHOLE, 28, 1500, 60, 1.3, (0, 0.02, -0.01),
         (Tube((0, 0, -0.04), (0, 0, 0.01), 0.036), Tube((0, 0, 0), (0, 0.05, 0), 0.036, BLUE))),
    Link("wrist_3", (0, 0.0996, 0), _RIGHT, -_WHOLE, _WHOLE, 28, 1000, 40, 0.37, (0, 0, -0.02),
         (Tube((0, 0, -0.035), (0, 0, -0.01), 0.034),)),
)  # fmt: skip
START_RAD = (0.0, -1.5708, 1.5708, -1.5708, -1.5708, 0.0)
UR5E = Robot("ur5e", _CHAIN, Tube((0, 0, 0.03), (0, 0, 0.06), 0.075, DARK), START_RAD, 3.1416, 0.0)
TWO_UR5E = UR5E._replace(sides=("left", "right"), left_m=(0.55, 1.1, 0.0))
