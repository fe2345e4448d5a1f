"""Where an arm's fingertips are, by the chain that its driver describes. Pure; needs nothing but NumPy."""

import numpy as np
from numpy.typing import NDArray

from station.bus.messages.arms import Chain

FRAME = "pinch"
"""The site between the fingertips: x out of the gripper, z up when the arm lies level."""


def fingertips(chain: Chain, joints_rad: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N, J) joints → (N, 3) positions of the point between the fingertips in the arm's own base frame, m.

    From the tip inwards: p ← xyz_j + R(rpy_j) R(axis_j, q_j) p, Rodrigues' formula for the unit axis.
    """
    tip = np.tile(np.array(chain.tip_xyz_m, np.float64), (len(joints_rad), 1))
    for place in reversed(range(len(chain.hinges))):
        hinge = chain.hinges[place]
        axis = np.array(hinge.axis, np.float64) / np.linalg.norm(hinge.axis)
        cosine, sine = np.cos(joints_rad[:, place, None]), np.sin(joints_rad[:, place, None])
        tip = tip * cosine + np.cross(axis, tip) * sine + (tip @ axis)[:, None] * axis * (1 - cosine)
        tip = tip @ _turned(hinge.rpy_rad).T + np.array(hinge.xyz_m)
    return tip


def _turned(rpy_rad: tuple[float, float, float]) -> NDArray[np.float64]:
    """Roll, pitch, yaw about fixed x, y, z (as URDF has it) as a rotation. (3, 3)"""
    turned = np.eye(3)
    for axis, angle in enumerate(rpy_rad):
        one, other = ((1, 2), (2, 0), (0, 1))[axis]
        turn = np.eye(3)
        turn[one, one] = turn[other, other] = np.cos(angle)
        turn[one, other], turn[other, one] = -np.sin(angle), np.sin(angle)
        turned = turn @ turned
    return turned
