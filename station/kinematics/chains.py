"""Where an arm's fingertips are, by the chain that its driver describes. Pure; needs nothing but NumPy."""

import numpy as np
from numpy.typing import NDArray

from station.bus.messages.arms import Chain, Hinge

FRAME = "pinch"
"""The site between the fingertips: x out of the gripper, z up when the arm lies level."""

_TOGETHER = 4096
"""Poses of which all that is computed stays in the processor's cache: of hundreds of thousands at once, most of the time goes by memory."""


def fingertips(chain: Chain, joints_rad: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N, J) joints → (N, 3) positions of the point between the fingertips in the arm's own base frame, m."""
    tips = np.empty((len(joints_rad), 3))
    for first in range(0, len(joints_rad), _TOGETHER):
        tips[first : first + _TOGETHER] = _fingertips(chain, joints_rad[first : first + _TOGETHER])
    return tips


def _fingertips(chain: Chain, joints_rad: NDArray[np.float64]) -> NDArray[np.float64]:
    tip = np.repeat(np.array(chain.tip_xyz_m, np.float64)[:, None], len(joints_rad), axis=1)
    for place in reversed(range(len(chain.hinges))):
        tip = _through(chain.hinges[place], joints_rad[:, place], tip)
        tip += np.array(chain.hinges[place].xyz_m)[:, None]
    return tip.T


def gripper_rotations(chain: Chain, joints_rad: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N, J) joints → (N, 3, 3) rotations, base from the frame between the fingertips (`FRAME`)."""
    axes = []
    for column in from_rpy(chain.tip_rpy_rad).T:
        axis = np.repeat(column[:, None], len(joints_rad), axis=1)
        for place in reversed(range(len(chain.hinges))):
            axis = _through(chain.hinges[place], joints_rad[:, place], axis)
        axes.append(axis.T)
    return np.stack(axes, axis=2)


def _through(hinge: Hinge, angle_rad: NDArray[np.float64], vector: NDArray[np.float64]) -> NDArray[np.float64]:
    """From behind a hinge to before it: v ← R(rpy) R(axis, q) v, Rodrigues' formula for the unit axis. (3, N) by angles (N,)

    With A = a aᵀ it is R (I − A) v cos q + R [a]× v sin q + R A v: one product for all, since ten thousand episodes have many.
    """
    axis = np.array(hinge.axis, np.float64) / np.linalg.norm(hinge.axis)
    along, before = np.outer(axis, axis), from_rpy(hinge.rpy_rad)
    across = np.cross(np.eye(3), axis)  # its rows eᵢ × a: the matrix of a ×
    parts = np.concatenate([before @ (np.eye(3) - along), before @ across, before @ along]) @ vector
    return np.asarray(parts[:3] * np.cos(angle_rad) + parts[3:6] * np.sin(angle_rad) + parts[6:], np.float64)


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
