"""What the check says of a camera that moved, by its reference picture alone: `python -m tests.calibration.no_board`.

Prints the table of docs/calibration.md: on rendered pictures, the smallest and largest answer over eight moves of each size in random
directions, in random light.
"""

import numpy as np

from calibration.maths import poses
from calibration.maths import registration as r
from tests.calibration.rendering import LENS, looking_at, table_picture

DEPTH_M = 0.8
FOCAL_PX, CENTRE_PX = float(LENS.matrix[0, 0]), (float(LENS.matrix[0, 2]), float(LENS.matrix[1, 2]))
HERE = looking_at((0.1, 0.0), DEPTH_M, tilt_deg=(-35, 5))
AHEAD = "5 mm ahead or back"
"""Straight along its line of sight: what changes a picture least."""
MOVES = (
    ("not at all", 0.0, 0.0),
    ("3 mm", 3.0, 0.0),
    ("5 mm", 5.0, 0.0),
    ("20 mm", 20.0, 0.0),
    (AHEAD, 5.0, 0.0),
    ("0.5°", 0.0, 0.5),
    ("2°", 0.0, 2.0),
)
TIMES = 8


def answers(name: str, mm: float, deg: float) -> np.ndarray:
    """mm and degrees reported, a row per move."""
    reference, found = table_picture(HERE, seed=1), []
    for seed in range(TIMES):
        random = np.random.default_rng(seed)
        shift, turn = (vector / np.linalg.norm(vector) for vector in random.normal(0, 1, (2, 3)))
        if name == AHEAD:
            shift = np.array([0.0, 0.0, 1.0 if seed % 2 else -1.0])
        moved = poses.from_vectors(np.radians(deg) * turn, mm / 1000 * shift).inverse() @ HERE
        seen = r.register(reference, table_picture(moved, seed=seed + 2, gain=random.uniform(0.75, 1.2)))
        assert seen.outcome == "matched", seen.outcome
        found.append((r.moved_mm(seen, DEPTH_M, FOCAL_PX, CENTRE_PX), r.turned_deg(seen, FOCAL_PX, CENTRE_PX)))
    return np.array(found)


def main() -> None:
    """Print it."""
    print("| moved | reported, mm, if it shifted | reported, degrees, if it turned |\n|---|---|---|")
    for name, mm, deg in MOVES:
        found = answers(name, mm, deg)
        low, high = found.min(axis=0), found.max(axis=0)
        print(f"| {name} | {low[0]:.2g} to {high[0]:.2g} | {low[1]:.2g} to {high[1]:.2g} |", flush=True)


if __name__ == "__main__":
    main()
