"""Rigid transforms: 3 × 3 rotations and translations in metres, their means and differences. Pure.

`a_from_b` takes a point's coordinates in b to those in a: p_a = R·p_b + t.
"""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


class Pose(NamedTuple):
    """One rigid transform."""

    rotation: Array  # (3, 3)
    translation_m: Array  # (3,)

    def __matmul__(self, other: "Pose") -> "Pose":
        return Pose(self.rotation @ other.rotation, self.rotation @ other.translation_m + self.translation_m)

    def inverse(self) -> "Pose":
        """b_from_a of a_from_b."""
        return Pose(self.rotation.T, -self.rotation.T @ self.translation_m)

    def quaternion_wxyz(self) -> tuple[float, float, float, float]:
        """Unit quaternion, w ≥ 0."""
        vector = self.rotation_vector()
        angle = float(np.linalg.norm(vector))
        scale = 0.5 * float(np.sinc(angle / (2 * np.pi)))
        x, y, z = (float(number) for number in vector * scale)
        return float(np.cos(angle / 2)), x, y, z

    def rotation_vector(self) -> Array:
        """Axis times angle, rad. (3,)

        OpenCV takes an angle below 1e-5 for none: small ones come from the antisymmetric part, axis times sine.
        """
        r = self.rotation
        sines = np.array([r[2, 1] - r[1, 2], r[0, 2] - r[2, 0], r[1, 0] - r[0, 1]]) / 2
        sine = float(np.linalg.norm(sines))
        if sine < 1e-3 and np.trace(r) > 1:
            return sines  # the angle and its sine differ by less than 2e-10
        return np.asarray(cv2.Rodrigues(self.rotation)[0], np.float64).ravel()


def from_vectors(rotation_vector: Array, translation_m: Array) -> Pose:
    """From axis times angle (rad) and a translation (m), (3,) each, as OpenCV gives them (Rodrigues' formula)."""
    rotation = np.asarray(cv2.Rodrigues(np.asarray(rotation_vector, np.float64).reshape(3, 1))[0], np.float64)
    return Pose(rotation, np.asarray(translation_m, np.float64).ravel())


def from_quaternion(quaternion_wxyz: ArrayLike, xyz_m: ArrayLike) -> Pose:
    """From a quaternion w, x, y, z (normalised here), (4,), and a translation (m), (3,). Raises ValueError for a zero quaternion."""
    q = np.asarray(quaternion_wxyz, np.float64)
    length = float(np.linalg.norm(q))
    if length < 1e-9:
        raise ValueError("a quaternion of zeros is no rotation")
    q = q / length if q[0] >= 0 else -q / length
    sine = float(np.linalg.norm(q[1:]))
    axis_angle = q[1:] * (2 * np.arctan2(sine, q[0]) / sine) if sine > 1e-12 else 2 * q[1:]
    return from_vectors(axis_angle, np.asarray(xyz_m, np.float64))


def quaternions_wxyz(rotation: Array) -> Array:
    """Unit quaternions w, x, y, z of rotations, (N, 3, 3) → (N, 4): the greatest of the four comes first (Shepperd, 1978)."""
    r = rotation
    diagonal = np.stack([r[:, 0, 0], r[:, 1, 1], r[:, 2, 2]], axis=1)
    trace = diagonal.sum(axis=1)
    products = np.empty((len(r), 4, 4))
    """4·q qᵀ"""
    products[:, 0, 0] = 1 + trace
    for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        products[:, 1 + i, 1 + i] = 1 + 2 * diagonal[:, i] - trace
        products[:, 0, 1 + i] = products[:, 1 + i, 0] = r[:, k, j] - r[:, j, k]
        products[:, 1 + i, 1 + j] = products[:, 1 + j, 1 + i] = r[:, i, j] + r[:, j, i]
    greatest = np.argmax(products[:, range(4), range(4)], axis=1)
    found = products[np.arange(len(r)), greatest]
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True), np.float64)


def mean(poses: Sequence[Pose]) -> Pose:
    """The mean of one pose or more: translations averaged, rotations by the chordal mean.

    That is the rotation nearest to the mean matrix: U·diag(1, 1, det UVᵀ)·Vᵀ of its singular values
    (Hartley et al., Rotation averaging, 2013).
    """
    u, _, vt = np.linalg.svd(np.mean([pose.rotation for pose in poses], axis=0))
    sign = np.diag([1.0, 1.0, float(np.sign(np.linalg.det(u @ vt)))])
    return Pose(u @ sign @ vt, np.mean([pose.translation_m for pose in poses], axis=0))


def angle_deg(a: Pose, b: Pose) -> float:
    """The angle between two orientations, degrees, 0 … 180: that of R_aᵀ·R_b."""
    return float(np.degrees(np.linalg.norm(Pose(a.rotation.T @ b.rotation, np.zeros(3)).rotation_vector())))


def distance_mm(a: Pose, b: Pose) -> float:
    """How far apart two origins are, mm."""
    return float(np.linalg.norm(a.translation_m - b.translation_m)) * 1000.0
