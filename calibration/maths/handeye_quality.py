"""Is a wrist camera's place to be believed, and if not, why? The board or a stop that moved, a board of another size. Pure.

Each bound was tried on made-up stops of arms that are off by 0.1 to 3 mm and 0.02° to 0.3°.
"""

from collections.abc import Sequence

import numpy as np

from calibration.cameras.board import Board
from calibration.maths import poses
from calibration.maths.ax_xb import Solved, solve
from calibration.maths.poses import Pose
from station.errors import MeasurementPoor

WORST_MM, WORST_DEG = 5.0, 0.7
"""RMS of stops that the fit was not shown. The camera's place is then known to about half of it."""
WORST_PRINT = 0.006
"""A board whose size is off by more: at half a metre that is 3 mm."""
_SURE = 3.0
"""Standard deviations above which a size is believed."""
_LEAST_MM = 3.0
"""A board or a stop that moved less is not told from the arm's own errors."""
_LEAST_DEG = 1.0
_RATIO = 20.0
"""F statistic: how much more of the errors a move explains than chance would."""
_FEWEST_IN_PART = 2
_MOST_LEFT_OUT = 2


def refuse_pushed(grippers: Sequence[Pose], sightings: Sequence[Pose]) -> None:
    """Raises MeasurementPoor if the board (or the camera on its mount) moved between two stops."""
    count = len(grippers)
    still = solve(grippers, sightings, scaled=True)
    splits = range(_FEWEST_IN_PART, count - _FEWEST_IN_PART + 1)
    moved = {split: solve(grippers, sightings, [range(split), range(split, count)], scaled=True) for split in splits}
    split = min(moved, key=lambda number: _squares(moved[number]))
    found = moved[split]
    mm, deg = poses.distance_mm(*found.boards), poses.angle_deg(*found.boards)
    if _explained(still, found, 6, count) > _RATIO and (mm > _LEAST_MM or deg > _LEAST_DEG):
        raise MeasurementPoor(
            f"the board lay still up to stop {split}, and from stop {split + 1} on {mm:.0f} mm and {deg:.1f}° elsewhere: it was "
            "pushed, or the camera on its mount. Next: fix both, and measure again"
        )


def fitting(grippers: Sequence[Pose], sightings: Sequence[Pose]) -> list[int]:
    """Numbers of the stops that fit to each other: at most two are left out, at which the arm still moved or the board was another.

    `grippers` base_from_gripper, `sightings` camera_from_board, one each per stop. A stop is left out where the F statistic
    of the fit without it says that chance hardly explains the difference, and it is farther off than measuring explains.
    """
    used = list(range(len(grippers)))
    for _ in range(_MOST_LEFT_OUT):
        if len(used) < 2 * _FEWEST_IN_PART:
            break
        everyone = solve([grippers[i] for i in used], [sightings[i] for i in used], scaled=True)
        without = {n: _without(n, [grippers[i] for i in used], [sightings[i] for i in used]) for n in range(len(used))}
        worst = min(without, key=lambda number: _squares(without[number]))
        off_mm = _off_mm(without[worst], grippers[used[worst]], sightings[used[worst]])
        if _explained(everyone, without[worst], 3, len(used)) < _RATIO or off_mm < _LEAST_MM:
            break
        del used[worst]
    return used


def refuse_misprint(grippers: Sequence[Pose], sightings: Sequence[Pose], board: Board) -> None:
    """Raises MeasurementPoor if the board is of another size than the rig file says: the arm's own moves tell."""
    found = solve(grippers, sightings, scaled=True)
    off = abs(found.scale - 1)
    if off > WORST_PRINT and off > _SURE * found.scale_deviation:
        square_m = board.square_m * found.scale
        raise MeasurementPoor(
            f"the board is printed at {100 * found.scale:.1f} % (± {100 * found.scale_deviation:.1f} %): by the arm's moves its squares "
            f"measure {1000 * square_m:.2f} mm, the rig file says {1000 * board.square_m:.2f} mm. Next: measure them; print the board "
            f"at 100 %, or correct `square_m` and `marker_m` under `board:`. If they are right, measure the lens anew"
        )


def refuse_residual(held_out_mm: float, held_out_deg: float) -> None:
    """Raises MeasurementPoor if stops that the fit was not shown are too far off."""
    if held_out_mm > WORST_MM or held_out_deg > WORST_DEG:
        raise MeasurementPoor(
            f"stops that the fit was not shown are off by {held_out_mm:.2f} mm, {held_out_deg:.2f}°; at most {WORST_MM:g} mm, "
            f"{WORST_DEG:g}° is believed. Next: hold the arm still at each stop, look that camera and board are tight, zero the arm "
            "(`station calibrate arms`), see that the camera is named with the arm that carries it (--on)"
        )


def _without(number: int, grippers: Sequence[Pose], sightings: Sequence[Pose]) -> Solved:
    return solve(grippers, sightings, [[i for i in range(len(grippers)) if i != number]], scaled=True)


def _off_mm(found: Solved, gripper: Pose, sighting: Pose) -> float:
    seen = gripper @ found.camera @ Pose(sighting.rotation, found.scale * sighting.translation_m)
    return poses.distance_mm(seen, found.boards[0])


def _squares(found: Solved) -> float:
    return float(np.sum(found.off_mm**2))


def _explained(plain: Solved, freed: Solved, freedoms: int, stops: int) -> float:
    """The F statistic of `freed`, which has so many unknowns more. Beside them: four of the camera, three of the board."""
    left = max(1, 3 * stops - 7 - freedoms)
    return (_squares(plain) - _squares(freed)) / freedoms / max(1e-9, _squares(freed) / left)
