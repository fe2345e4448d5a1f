"""Policy folders and evaluations as they lie beside the staged rig's data folder."""

from pathlib import Path
from typing import Any

from station.console.policies import EVALUATIONS
from station.policy.claims import Vector, rig_vector
from station.policy.evaluation import Trial, Turn, as_csv
from tests.station.console.stage import DESCRIBED, RIG
from tests.station.policy import policies

TRIALS = [
    Trial(Turn(1, 0, 0), True, 4.5, episode="trials/episode_0.hdf5"), Trial(Turn(2, 1, 0), False, 9.0, why="not <b>done</b>"),
    Trial(Turn(3, 1, 1), False, 2.0, True, "somebody took over", "trials/episode_2.hdf5"),
]  # fmt: skip


def vector() -> Vector:
    return rig_vector(RIG, dict.fromkeys(RIG.followers, DESCRIBED))


def own(data: Path, name: str = "my-act", **changes: Any) -> Path:
    """A policy folder for the staged rig, beside its data folder."""
    names = list(vector().names)
    ones = {"mean": [0.1] * 14, "std": [0.2] * 14}
    settings = {
        "state_dim": 14,
        "action_dim": 14,
        "dim_names": names,
        "normalization": {"state": ones, "action": ones},
        "chunk": 50,
    }
    folder = data.with_name("data-policies") / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "policy.onnx").write_bytes(b"")  # nobody opens it here
    return policies.write(folder, False, **(settings | changes))


def evaluated(data: Path, name: str = "first", done: bool = True) -> Path:
    """What `station eval` left."""
    out = data / EVALUATIONS / name
    out.mkdir(parents=True)
    (out / "trials.csv").write_text(as_csv(TRIALS, ["A", "B"]))
    if done:
        (out / "summary.json").write_text("[]")
    return out
