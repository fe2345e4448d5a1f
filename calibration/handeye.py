"""A wrist camera's place on its arm: AX = XB from arm poses and views of a board that stands still. Pure.

Park and Martin's closed form (F. Park, B. Martin: Robot sensor calibration: solving AX = XB on the Euclidean group, IEEE T-RA
1994): what OpenCV calls CALIB_HAND_EYE_PARK, which OpenCV 5 does not offer in Python. Polishing it on the corners'
reprojection was tried and left out: with an arm that is off by 0.05° and 0.3 mm it is ten times worse, for it blames the
picture for the arm's errors.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from calibration import poses
from calibration.board import Board, View
from calibration.extrinsics import board_pose
from calibration.lens import Lens
from calibration.poses import Pose
from station.errors import MeasurementPoor

Array = NDArray[np.float64]

FEWEST_STATIONS = 8
LEAST_TURN_DEG = 20.0
"""Between some pair of arm poses, about axes that are not parallel: without it the equation has no single answer."""
FOLDS = 4


class Station(NamedTuple):
    """One stop of the arm: where its gripper was, and what the camera saw."""

    base_from_gripper: Pose
    view: View


class HandEye(NamedTuple):
    """The outcome; residuals are of stops that the fit was not shown."""

    gripper_from_camera: Pose
    base_from_board: Pose
    held_out_mm: float
    """RMS over the stops: where the board should be by the arm, against where the camera sees it."""
    held_out_deg: float
    stations: int


def calibrate(stations: Sequence[Station], board: Board, lens: Lens) -> HandEye:
    """Solve on all stops; residuals by leaving a quarter out in turn. Raises MeasurementPoor for too few or too similar stops."""
    if len(stations) < FEWEST_STATIONS:
        raise MeasurementPoor(
            f"{len(stations)} stops, {FEWEST_STATIONS} are needed. Next: move the wrist to more poses that see the board"
        )
    _refuse_parallel(stations)
    sightings = [board_pose(station.view, board, lens).camera_from_board for station in stations]
    errors_mm, errors_deg = _held_out(stations, sightings)
    camera, target = _solve(stations, sightings)
    return HandEye(camera, target, _rms(errors_mm), _rms(errors_deg), len(stations))


def _held_out(stations: Sequence[Station], sightings: list[Pose]) -> tuple[list[float], list[float]]:
    errors_mm, errors_deg = [], []
    for fold in range(FOLDS):
        kept = [i for i in range(len(stations)) if i % FOLDS != fold]
        camera, target = _solve([stations[i] for i in kept], [sightings[i] for i in kept])
        for i in range(fold, len(stations), FOLDS):
            expected = (stations[i].base_from_gripper @ camera).inverse() @ target
            errors_mm.append(poses.distance_mm(expected, sightings[i]))
            errors_deg.append(poses.angle_deg(expected, sightings[i]))
    return errors_mm, errors_deg


def _solve(stations: Sequence[Station], sightings: Sequence[Pose]) -> tuple[Pose, Pose]:
    """(gripper_from_camera, base_from_board)"""
    camera = closed_form([station.base_from_gripper for station in stations], sightings)
    return camera, poses.mean(
        [s.base_from_gripper @ camera @ seen for s, seen in zip(stations, sightings, strict=True)]
    )


def closed_form(base_from_gripper: Sequence[Pose], camera_from_board: Sequence[Pose]) -> Pose:
    """Park and Martin: gripper_from_camera from every pair of stops.

    With A = (g_i)⁻¹·g_j and B = c_i·(c_j)⁻¹ for a pair, A·X = X·B; the rotation is (MᵀM)^(−1/2)·Mᵀ with M = Σ β·αᵀ over the
    rotation vectors α of A and β of B, the translation the least squares of (R_A − I)·t = R·t_B − t_A.
    """
    pairs = [(i, j) for i in range(len(base_from_gripper)) for j in range(i)]
    a = [base_from_gripper[i].inverse() @ base_from_gripper[j] for i, j in pairs]
    b = [camera_from_board[i] @ camera_from_board[j].inverse() for i, j in pairs]
    moment = np.sum([np.outer(y.rotation_vector(), x.rotation_vector()) for x, y in zip(a, b, strict=True)], axis=0)
    u, _, vt = np.linalg.svd(moment)
    rotation = vt.T @ np.diag([1.0, 1.0, float(np.sign(np.linalg.det(vt.T @ u.T)))]) @ u.T
    left = np.concatenate([x.rotation - np.eye(3) for x in a])
    right = np.concatenate([rotation @ y.translation_m - x.translation_m for x, y in zip(a, b, strict=True)])
    return Pose(rotation, np.linalg.lstsq(left, right, rcond=None)[0])


def _refuse_parallel(stations: Sequence[Station]) -> None:
    first = stations[0].base_from_gripper
    turns = np.array(
        [Pose(first.rotation.T @ s.base_from_gripper.rotation, np.zeros(3)).rotation_vector() for s in stations]
    )
    spread = np.degrees(np.linalg.svd(turns, compute_uv=False)[1] / np.sqrt(len(stations)))
    if spread < LEAST_TURN_DEG / 4 or np.degrees(np.max(np.linalg.norm(turns, axis=1))) < LEAST_TURN_DEG:
        raise MeasurementPoor(
            f"the wrist turned too little, or about one axis only (second axis: {spread:.1f}° RMS, {LEAST_TURN_DEG / 4:.0f}° are needed). "
            "Next: turn it about different axes between the stops"
        )


def _rms(errors: list[float]) -> float:
    return float(np.sqrt(np.mean(np.square(errors))))
