"""The backend `replay`: a recorded episode's `/action` as a policy, the test of everything around one.

Row 0 of the episode belongs to the tick of the rollout's first observation (plus `action_offset_ticks`: an offset
above the inference's delay in ticks keeps the first rows from passing before the first chunk is there). With
execution `newest` at the rig's tick rate, what is asked is `/action` exactly, tick for tick. After its end the last
row is kept.
"""

from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from station.clock import NS_PER_S
from station.errors import PolicyError
from station.policy.backend import Observation
from station.policy.folder import Policy


class Replay:
    """An episode that answers like a policy."""

    def __init__(self, policy: Policy, actions: NDArray[np.floating]) -> None:
        self._chunk, self._rate_hz = policy.chunk, policy.rate_hz
        self._actions = actions
        self._began_ns: int | None = None

    def begin(self) -> None:
        """Start again from the first row."""
        self._began_ns = None

    def infer(self, observation: Observation) -> NDArray[np.floating]:
        """The rows from the observation's time on, (chunk, action_dim), as recorded."""
        if self._began_ns is None:
            self._began_ns = observation.t_ns
        first = round((observation.t_ns - self._began_ns) * self._rate_hz / NS_PER_S)
        rows = np.minimum(np.arange(first, first + self._chunk), len(self._actions) - 1)
        return self._actions[rows]

    def close(self) -> None:
        """Nothing is open."""


def load(policy: Policy) -> Replay:
    """Read the episode that `weights` names. Raises PolicyError where it has no such actions."""
    path = policy.folder / policy.weights
    actions = _actions(path)
    if actions.ndim != 2 or actions.shape[1] != policy.action_dim or not len(actions):
        found = f"/action has shape {actions.shape}"
        raise PolicyError(
            path, "weights", found, f"name an episode of (T, {policy.action_dim}) actions, or correct action_dim"
        )
    return Replay(policy, actions)


def _actions(path: Path) -> NDArray[np.floating]:
    try:
        with h5py.File(path, "r") as file:
            actions: NDArray[np.floating] = file["action"][()]
            return actions
    except (OSError, KeyError) as error:
        raise PolicyError(
            path, "weights", f"not an episode with /action: {error}", "name a recorded episode_<n>.hdf5"
        ) from error
