"""Where an arm's fingertips are, by the chain that its driver describes. Pure; needs nothing but NumPy."""

import numpy as np
from numpy.typing import NDArray

from station.bus.messages.arms import Chain, Hinge

FRAME = "pinch"
"""The site between the fingertips: x out of the gripper, z up when the arm lies level."""


def fingertips(chain: Chain, joints_rad: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N, J) joints → (N, 3) positions of the point between the fingertips in the arm's own base frame, m."""
    tip = np.tile(np.array(chain.tip_xyz_m, np.float64), (len(joints_rad), 1))
    for place in reversed(range(len(chain.hinges))):
        tip = _through(chain.hinges[place], joints_rad[:, place], tip) + np.array(chain.hinges[place].xyz_m)
    return tip


def gripper_rotations(chain: Chain, joints_rad: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N, J) joints → (N, 3, 3) rotations, base from the frame between the fingertips (`FRAME`)."""
    axes = []
    for column in from_rpy(chain.tip_rpy_rad).T:
        axis = np.tile(column, (len(joints_rad), 1))
        for place in reversed(range(len(chain.hinges))):
            axis = _through(chain.hinges[place], joints_rad[:, place], axis)
        axes.append(axis)
    return np.stack(axes, axis=2)


def _through(hinge: Hinge, angle_rad: NDArray[np.float64], vector: NDArray[np.float64]) -> NDArray[np.float64]:
    """From behind a hinge to before it: v ← R(rpy) R(axis, q) v, Rodrigues' formula for the unit axis. (N, 3) by angles (N,)"""
    axis = np.array(hinge.axis, np.float64) / np.linalg.norm(hinge.axis)
    cosine, sine = np.cos(angle_rad[:, None]), np.sin(angle_rad[:, None])
    turned = vector * cosine + np.cross(axis, vector) * sine + (vector @ axis)[:, None] * axis * (1 - cosine)
    return np.asarray(turned @ from_rpy(hinge.rpy_rad).T, np.float64)


def from_rpy(rpy_rad: tuple[float, float, float]) -> NDArray[np.float64]:
    """Roll, pitch, yaw about fixed x, y, z (as URDF has it) as a rotation. (3, 3)"""
    turned = np.eye(3)
    for axis, angle in enumerate(rpy_rad):
        one, other = ((1, 2), (2, 0), (0, 1))[axis]
        turn = np.eye(3)
        turn[one, one] = turn[other, other] = np.cos(angle)
        turn[one, other], turn[other, one] = -np.sin(angle), np.sin(angle)
        turned = turn @ turned
    return turned
