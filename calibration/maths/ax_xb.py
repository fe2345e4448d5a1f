"""AX = XB: a camera's place on a gripper from poses of both, where the board may have stood in several places. Pure."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from calibration.maths import poses
from calibration.maths.poses import Pose

Array = NDArray[np.float64]


class Solved(NamedTuple):
    """The answer."""

    camera: Pose
    """gripper_from_camera"""
    boards: tuple[Pose, ...]
    """base_from_board, of each part of the stops."""
    scale: float
    """The board's true size over what is given; 1 where it was not looked for."""
    scale_deviation: float
    off_mm: Array
    """How far each stop's board is from its part's mean. (N,)"""


def solve(
    grippers: Sequence[Pose], sightings: Sequence[Pose], parts: Sequence[Sequence[int]] = (), scaled: bool = False
) -> Solved:
    """Park and Martin: from every pair of stops within a part.

    `grippers` base_from_gripper, `sightings` camera_from_board. `parts`: numbers of the stops between which the board stood
    still, all in one if left out; a stop in none is not used. `scaled`: find the board's size too, which the arm's own
    translations make known.

    With A = (g_i)⁻¹·g_j and B = c_i·(c_j)⁻¹ for a pair, A·X = X·B; the rotation is (MᵀM)^(−1/2)·Mᵀ with M = Σ β·αᵀ over the
    rotation vectors α of A and β of B, translation t and scale s the least squares of (R_A − I)·t − R·t_B·s = −t_A.
    """
    parts = parts or [range(len(grippers))]
    pairs = [(i, j) for part in parts for i in part for j in part if j < i]
    a = [grippers[i].inverse() @ grippers[j] for i, j in pairs]
    b = [sightings[i] @ sightings[j].inverse() for i, j in pairs]
    moment = np.sum([np.outer(y.rotation_vector(), x.rotation_vector()) for x, y in zip(a, b, strict=True)], axis=0)
    u, _, vt = np.linalg.svd(moment)
    rotation = vt.T @ np.diag([1.0, 1.0, float(np.sign(np.linalg.det(vt.T @ u.T)))]) @ u.T
    turned = np.concatenate([rotation @ y.translation_m for y in b])
    left = np.column_stack([np.concatenate([x.rotation - np.eye(3) for x in a]), -turned])
    right = -np.concatenate([x.translation_m for x in a])
    unknown = left if scaled else left[:, :3]
    known = right if scaled else right + turned
    found = np.linalg.lstsq(unknown, known, rcond=None)[0]
    scale = float(found[3]) if scaled else 1.0
    camera = Pose(rotation, found[:3])
    seen = [g @ camera @ Pose(c.rotation, scale * c.translation_m) for g, c in zip(grippers, sightings, strict=True)]
    boards = tuple(poses.mean([seen[i] for i in part]) for part in parts)
    off = np.zeros(len(grippers))
    for part, board in zip(parts, boards, strict=True):
        off[list(part)] = [poses.distance_mm(seen[i], board) for i in part]
    return Solved(camera, boards, scale, _deviation(unknown, known - unknown @ found, parts), off)


def _deviation(left: Array, left_over: Array, parts: Sequence[Sequence[int]]) -> float:
    """Of the last unknown. Of a part's n·(n − 1)/2 pairs n − 1 are independent."""
    stops = sum(len(part) for part in parts)
    variance = float(np.mean(left_over**2)) * max(1.0, len(left_over) / 3 / max(1, stops - len(parts)))
    return float(np.sqrt(np.linalg.pinv(left.T @ left)[-1, -1] * variance))
