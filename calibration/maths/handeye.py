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

from calibration.cameras.board import Board, View
from calibration.maths import handeye_quality, poses
from calibration.maths.ax_xb import solve
from calibration.maths.extrinsics import board_pose
from calibration.maths.lens import Lens
from calibration.maths.poses import Pose
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
    left_out: tuple[int, ...]
    """Stops (from 0) that did not fit to the others."""


def calibrate(stations: Sequence[Station], board: Board, lens: Lens) -> HandEye:
    """Solve on all stops; residuals by leaving a quarter out in turn.

    Raises MeasurementPoor for too few or too similar stops, and with its cause for an answer that is not to be believed.
    """
    _refuse_few(len(stations))
    _refuse_parallel(stations)
    grippers = [station.base_from_gripper for station in stations]
    sightings = [board_pose(station.view, board, lens).camera_from_board for station in stations]
    handeye_quality.refuse_pushed(grippers, sightings)
    used = handeye_quality.fitting(grippers, sightings)
    _refuse_few(len(used))
    grippers, sightings = [grippers[i] for i in used], [sightings[i] for i in used]
    handeye_quality.refuse_misprint(grippers, sightings, board)
    errors_mm, errors_deg = _held_out(grippers, sightings)
    handeye_quality.refuse_residual(_rms(errors_mm), _rms(errors_deg))
    found = solve(grippers, sightings)
    left_out = tuple(number for number in range(len(stations)) if number not in used)
    return HandEye(found.camera, found.boards[0], _rms(errors_mm), _rms(errors_deg), len(used), left_out)


def _held_out(grippers: Sequence[Pose], sightings: Sequence[Pose]) -> tuple[list[float], list[float]]:
    errors_mm, errors_deg = [], []
    for fold in range(FOLDS):
        kept = [i for i in range(len(grippers)) if i % FOLDS != fold]
        found = solve([grippers[i] for i in kept], [sightings[i] for i in kept])
        for i in range(fold, len(grippers), FOLDS):
            expected = (grippers[i] @ found.camera).inverse() @ found.boards[0]
            errors_mm.append(poses.distance_mm(expected, sightings[i]))
            errors_deg.append(poses.angle_deg(expected, sightings[i]))
    return errors_mm, errors_deg


def _refuse_few(count: int) -> None:
    if count < FEWEST_STATIONS:
        raise MeasurementPoor(
            f"{count} stops, {FEWEST_STATIONS} are needed. Next: move the wrist to more poses that see the board"
        )


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
