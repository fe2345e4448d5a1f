"""States and actions of fingertips instead of joints: forward kinematics of what was measured and of what was asked for. Pure.

Of each arm whose geometry the episode keeps, its joints give way to the pose of the point between its fingertips in the rig frame (x
forward, y left, z up): x, y, z in metres, then either the rotation vector in rad (axis times angle, 0 to π; it jumps where the angle
passes π) or the first two rows of the rotation matrix, as UMI and robomimic have their six numbers (the paper they cite has columns).
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from station.datasets.conversion import Space
from station.datasets.frames import Representation
from station.kinematics.chains import fingertips, from_rpy, gripper_rotations
from station.rig.geometry import ArmGeometry

_POSITION = (("x", "m"), ("y", "m"), ("z", "m"))
_ROTATION = {
    "ee": (("rx", "rad"), ("ry", "rad"), ("rz", "rad")),
    "ee-6d": tuple((f"r{row}{column}", "rotation") for row in range(2) for column in range(3)),
}


class _Poses(NamedTuple):
    """Of one arm, N frames, in the rig frame."""

    positions_m: NDArray[np.float64]
    rotations: NDArray[np.float64]


def named(
    dim_names: Sequence[str], units: Sequence[str], geometry: Mapping[str, ArmGeometry], space: Space
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names and units of the exported vector: where an arm's first joint stood, its pose stands."""
    found: list[tuple[str, str]] = []
    for name, unit in zip(dim_names, units, strict=True):
        arm = _arm_of(name, geometry)
        if arm is None:
            found.append((name, unit))
        elif name == _first(dim_names, geometry[arm]):
            side = arm.removeprefix("follower_")
            found += [(f"{side}_{number}", unit) for number, unit in (*_POSITION, *_ROTATION[space])]
    return tuple(name for name, _ in found), tuple(unit for _, unit in found)


def of_end_effectors(
    state: NDArray[np.float32],
    goals: NDArray[np.float32],
    dim_names: Sequence[str],
    geometry: Mapping[str, ArmGeometry],
    space: Space,
    how: Representation,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(N, D) measured and (N or, of step deltas, N + 1, D) goals of joints → state and action, (N, D′) each.

    absolute: the goal's pose. step-delta: p[k + 1] − p[k] and the rotation R[k + 1] R[k]ᵀ, both in the rig frame. relative: the goal
    as seen from the measured pose, T⁻¹ T_goal. Grippers are absolute in each, as of frame k.
    """
    states: list[NDArray[np.float64]] = []
    actions: list[NDArray[np.float64]] = []
    count = len(state)
    for place, name in enumerate(dim_names):
        arm = _arm_of(name, geometry)
        if arm is None:
            states.append(state[:, place, None].astype(np.float64))
            actions.append(goals[:count, place, None].astype(np.float64))
        elif name == _first(dim_names, geometry[arm]):
            is_at = _poses(state, dim_names, geometry[arm])
            goal = _poses(goals, dim_names, geometry[arm])
            states.append(_numbers(is_at, space))
            actions.append(_numbers(_represented(is_at, goal, how), space))
    return np.concatenate(states, axis=1).astype(np.float32), np.concatenate(actions, axis=1).astype(np.float32)


def rotation_vectors(rotations: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N, 3, 3) → (N, 3) axis times angle, the angle from 0 to π: by way of the quaternion's largest part (Shepperd, 1978)."""
    r = rotations
    trace = r[:, 0, 0], r[:, 1, 1], r[:, 2, 2]
    w = 1 + trace[0] + trace[1] + trace[2]
    x, y, z = 1 + trace[0] - trace[1] - trace[2], 1 - trace[0] + trace[1] - trace[2], 1 - trace[0] - trace[1] + trace[2]
    wx, wy, wz = r[:, 2, 1] - r[:, 1, 2], r[:, 0, 2] - r[:, 2, 0], r[:, 1, 0] - r[:, 0, 1]
    xy, xz, yz = r[:, 0, 1] + r[:, 1, 0], r[:, 0, 2] + r[:, 2, 0], r[:, 1, 2] + r[:, 2, 1]
    by_largest = np.stack(
        [np.stack(row, -1) for row in ((w, wx, wy, wz), (wx, x, xy, xz), (wy, xy, y, yz), (wz, xz, yz, z))]
    )
    largest = np.argmax(np.stack([w, x, y, z]), axis=0)
    quaternion = by_largest[largest, np.arange(len(r))]
    quaternion /= np.linalg.norm(quaternion, axis=1, keepdims=True)
    quaternion *= np.where(quaternion[:, :1] < 0, -1.0, 1.0)
    sine = np.linalg.norm(quaternion[:, 1:], axis=1, keepdims=True)
    angle = 2 * np.arctan2(sine, quaternion[:, :1])
    scale = np.where(sine > 1e-12, angle / np.maximum(sine, 1e-12), 2.0)
    return np.asarray(quaternion[:, 1:] * scale)


def _arm_of(name: str, geometry: Mapping[str, ArmGeometry]) -> str | None:
    return next((arm for arm, about in geometry.items() if name in about.joints), None)


def _first(dim_names: Sequence[str], arm: ArmGeometry) -> str:
    return next(name for name in dim_names if name in arm.joints)


def _poses(vectors: NDArray[np.float32], dim_names: Sequence[str], arm: ArmGeometry) -> _Poses:
    places = [list(dim_names).index(joint) for joint in arm.joints]
    joints = vectors[:, places].astype(np.float64)
    base = from_rpy(arm.base.rpy_rad)
    at_m = fingertips(arm.chain, joints) @ base.T + np.array(arm.base.xyz_m)
    return _Poses(at_m, base @ gripper_rotations(arm.chain, joints))


def _represented(is_at: _Poses, goal: _Poses, how: Representation) -> _Poses:
    if how == "absolute":
        return goal
    if how == "step-delta":
        before, after = goal.rotations[:-1], goal.rotations[1:]
        return _Poses(np.diff(goal.positions_m, axis=0), after @ before.transpose(0, 2, 1))
    back = is_at.rotations.transpose(0, 2, 1)
    return _Poses(np.einsum("nij,nj->ni", back, goal.positions_m - is_at.positions_m), back @ goal.rotations)


def _numbers(pose: _Poses, space: Space) -> NDArray[np.float64]:
    rotation = rotation_vectors(pose.rotations) if space == "ee" else pose.rotations[:, :2].reshape(-1, 6)
    return np.concatenate([pose.positions_m, rotation], axis=1)
