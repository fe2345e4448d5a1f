"""A third party's backend, installed as `tempers` (`install`): it sways the arms, and does what the file
`<folder>.mood` beside its folder says (what lies in it is part of the policy's identity).
"""

import os
import threading
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from station.clock import NS_PER_S
from station.policy.backend import Observation
from station.policy.folder import Policy

PLUGIN = Path(__file__).parent / "plugin"
"""A package's metadata, as pip would leave it: what makes `tempers` an installed entry point."""
SWING_RAD, PERIOD_S = 0.12, 2.5
AWAY_RAD, AWAY_RAD_S = 1.25, 0.5
"""Where the mood `away` takes both waists, and how fast: further than a take-over may find a leader from its follower."""


class Temper:
    """Sways waists and elbows around where the arms were when the rollout began."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._base: np.ndarray | None = None
        self._left_ns: int | None = None

    def begin(self) -> None:
        self._base = self._left_ns = None

    def infer(self, observation: Observation) -> Any:
        mood = (self._policy.folder.parent / f"{self._policy.folder.name}.mood").read_text()
        if mood == "slow":
            threading.Event().wait(0.3)
        elif mood == "hang":
            threading.Event().wait()
        elif mood == "die":
            os._exit(17)
        policy = self._policy
        if self._base is None:
            self._base = observation.state[-1].astype(np.float64)
        t_s = observation.t_ns / NS_PER_S + np.arange(policy.chunk) / policy.rate_hz
        rows = np.tile(self._base, (policy.chunk, 1))
        rows[:, [0, 2, 7, 9]] += SWING_RAD * np.sin(2 * np.pi * t_s / PERIOD_S)[:, None]
        if mood == "away":
            self._left_ns = self._left_ns or observation.t_ns
            rows[:, [0, 7]] += np.clip(AWAY_RAD_S * (t_s - self._left_ns / NS_PER_S), 0.0, AWAY_RAD)[:, None]
        if mood == "nan":
            rows[3, 1] = np.nan
        return rows[1:] if mood == "shape" else rows

    def close(self) -> None:
        pass


def install() -> dict[str, str]:
    """The environment of a station that has this backend."""
    paths = [str(PLUGIN), str(PLUGIN.parents[2]), os.environ.get("PYTHONPATH", "")]
    return {"PYTHONPATH": os.pathsep.join(filter(None, paths))}


def load(policy: Policy) -> Temper:
    """The entry that policy.yaml names."""
    return Temper(policy)


def write(folder: Path, mood: str = "good") -> Path:
    """A policy folder for a rig of two six-joint arms."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = {
        "kind": "other", "backend": "tempers", "weights": "none", "state_dim": 14, "action_dim": 14,
        "chunk": 20, "rate_hz": 50, "execution": {"mode": "ensemble", "k": 0.01}, "newest_dims": [6, 13],
    }  # fmt: skip
    (folder / "policy.yaml").write_text(yaml.safe_dump(settings))
    set_mood(folder, mood)
    return folder


def set_mood(folder: Path, mood: str) -> None:
    """From the next inference on."""
    fresh = folder.parent / f"{folder.name}.mood.new"
    fresh.write_text(mood)
    fresh.replace(folder.parent / f"{folder.name}.mood")
