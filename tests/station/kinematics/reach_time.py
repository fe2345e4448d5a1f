"""How long one step of `Reach` takes and how near it comes: `python -m tests.station.kinematics.reach_time`.

The path is a random one through the ViperX's workspace, sampled as a headset does.
"""

import json
import statistics
import time

import numpy as np

from drivers.dynamixel.models import VX300S_CHAIN
from station.kinematics.chains import FRAME
from station.kinematics.models import chain_model
from station.kinematics.reach import Reach, Workspace

LOWER = (-3.14158, -1.85005, -1.76278, -3.14158, -1.8675, -3.14158)
UPPER = (3.14158, 1.25664, 1.6057, 3.14158, 2.23402, 3.14158)
"""The ViperX 300's joint limits, rad."""
RATE_HZ = 72
PATHS = 40


def measure(paths: int = PATHS) -> dict[str, float]:
    """Follow that many random paths. Returns p50 and p99 of a step (ms), the worst errors (mm, degrees), and how many steps it took."""
    reach = Reach(chain_model(VX300S_CHAIN, LOWER, UPPER), FRAME, [3.14] * 6, Workspace((-2, -2, -2), (2, 2, 2)))
    random = np.random.default_rng(0)
    times, positions, angles = [], [], []
    for _ in range(paths):
        begin, end = random.uniform(np.array(LOWER) * 0.9, np.array(UPPER) * 0.9, (2, 6))
        joints = begin
        for t in np.linspace(0, 1, int(np.abs(end - begin).max() * RATE_HZ)):
            target = reach.kinematics.forward(begin + t**3 * (10 - 15 * t + 6 * t * t) * (end - begin))
            start = time.perf_counter()
            reached = reach.step(target, joints, 1 / RATE_HZ)
            times.append((time.perf_counter() - start) * 1e3)
            joints = reached.joints_rad
            positions.append(reached.position_error_m * 1e3)
            angles.append(float(np.degrees(reached.rotation_error_rad)))
    cuts = statistics.quantiles(times, n=100)
    return {
        "steps": float(len(times)), "p50_ms": cuts[49], "p99_ms": cuts[98],
        "worst_position_mm": max(positions), "worst_rotation_deg": max(angles),
    }  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
