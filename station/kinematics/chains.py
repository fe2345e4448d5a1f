"""The arms the station knows, as chains of hinges, and where their fingertips are. Pure; needs nothing but NumPy.

A chain is some ten numbers, so it is written here and needs no file; the tests compare it with the full simulation model.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FRAME = "pinch"
"""The site between the fingertips: x out of the gripper, z up when the arm lies level."""


class Hinge(NamedTuple):
    """One joint: where it stands on the link before it, and the axis it turns about."""

    name: str
    offset_m: tuple[float, float, float]
    axis: tuple[int, int, int]


class Chain(NamedTuple):
    """An arm."""

    hinges: tuple[Hinge, ...]
    pinch_m: float
    """From the last hinge to the fingertips, along its x."""


VX300S = Chain(
    (
        Hinge("waist", (0, 0, 0.079), (0, 0, 1)),
        Hinge("shoulder", (0, 0, 0.04805), (0, 1, 0)),
        Hinge("elbow", (0.05955, 0, 0.3), (0, 1, 0)),
        Hinge("forearm_roll", (0.2, 0, 0), (1, 0, 0)),
        Hinge("wrist_angle", (0.1, 0, 0), (0, 1, 0)),
        Hinge("wrist_rotate", (0.069744, 0, 0), (1, 0, 0)),
    ),
    0.138,
)
"""ViperX 300 6DOF: Interbotix's `vx300s.urdf.xacro`; `pinch_m` is where ALOHA's fingers meet."""

CHAINS = {"vx300s": VX300S}


def fingertips(chain: Chain, joints_rad: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N, J) joints → (N, 3) positions of the point between the fingertips in the arm's own base frame, m.

    From the tip inwards: p ← offset_j + R(axis_j, q_j) p, Rodrigues' formula for an axis along x, y or z.
    """
    tip = np.zeros((len(joints_rad), 3))
    tip[:, 0] = chain.pinch_m
    for place in reversed(range(len(chain.hinges))):
        hinge = chain.hinges[place]
        axis = np.array(hinge.axis, np.float64)
        cosine, sine = np.cos(joints_rad[:, place, None]), np.sin(joints_rad[:, place, None])
        tip = tip * cosine + np.cross(axis, tip) * sine + (tip @ axis)[:, None] * axis * (1 - cosine)
        tip = tip + np.array(hinge.offset_m)
    return tip
