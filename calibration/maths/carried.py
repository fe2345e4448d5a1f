"""What a camera that an arm carries sees move when nothing else does. Pure.

Between two pictures the gripper turns by w and goes by d, both in its own frame: w = log(R₁ᵀR₂), d = R₁ᵀ(p₂ − p₁). Whatever the place of
the camera on it, a point of the picture moves by a constant weighted sum of w and d (its flow; the camera's place only mixes the six
numbers), where joints' turns would need other weights in each pose. What turns fast also moves by the products of w, to second order:
at ten pictures a second that was worth 1 to 2 ms.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from calibration.maths.poses import quaternions_wxyz

Array = NDArray[np.float64]


class Path(NamedTuple):
    """Where a gripper was, in the frame of its arm's base."""

    at_ms: Array
    """(N,), increasing"""
    quaternion_wxyz: Array
    """(N, 4), neighbours of one sign"""
    position_m: Array
    """(N, 3)"""

    def moved(self, before_ms: Array, after_ms: Array) -> Array:
        """w, d and the six products of w between two times each, (M,) → (M, 12); beyond the path's ends it stands still."""
        q1, q2 = self._quaternions(before_ms), self._quaternions(after_ms)
        way = self._positions(after_ms) - self._positions(before_ms)
        turned, gone = _rotation_vectors(_conjugate_times(q1, q2)), _turned_back(q1, way)
        one, other = np.triu_indices(3)
        return np.concatenate([turned, gone, turned[:, one] * turned[:, other]], axis=1)

    def _quaternions(self, at_ms: Array) -> Array:
        # linear between readings a few milliseconds apart: their chord is the arc
        found = np.stack([np.interp(at_ms, self.at_ms, column) for column in self.quaternion_wxyz.T], axis=1)
        return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True), np.float64)

    def _positions(self, at_ms: Array) -> Array:
        return np.stack([np.interp(at_ms, self.at_ms, column) for column in self.position_m.T], axis=1)


def path(at_ms: Array, rotation: Array, position_m: Array) -> Path:
    """From rotations (N, 3, 3) and positions (N, 3), m, at N times, ms."""
    found = quaternions_wxyz(rotation)
    signs = np.where(np.sum(found[1:] * found[:-1], axis=1) < 0, -1.0, 1.0)
    found[1:] *= np.cumprod(signs)[:, None]
    return Path(at_ms, found, position_m)


def _conjugate_times(a: Array, b: Array) -> Array:
    """a*·b of unit quaternions w, x, y, z, (M, 4) each: the turn from a to b in a's frame."""
    scalar = np.sum(a * b, axis=1)
    vector = a[:, :1] * b[:, 1:] - b[:, :1] * a[:, 1:] - np.cross(a[:, 1:], b[:, 1:])
    return np.concatenate([scalar[:, None], vector], axis=1)


def _rotation_vectors(turn: Array) -> Array:
    """Axis times angle, rad, of unit quaternions. (M, 4) → (M, 3)"""
    sine = np.linalg.norm(turn[:, 1:], axis=1)
    angle = 2 * np.arctan2(sine, turn[:, 0])
    scale = np.where(sine > 1e-12, angle / np.maximum(sine, 1e-12), 2.0)
    return turn[:, 1:] * scale[:, None]


def _turned_back(turn: Array, vector: Array) -> Array:
    """Rᵀv of unit quaternions (M, 4) and vectors (M, 3): v − 2w(u × v) + 2u × (u × v)."""
    cross = np.cross(turn[:, 1:], vector)
    return vector - 2 * turn[:, :1] * cross + 2 * np.cross(turn[:, 1:], cross)
