"""The backend `replay`: a recorded episode's `/action` as a policy, the test of everything around one.

Row 0 of the episode belongs to the tick of the rollout's first observation (plus `action_offset_ticks`: an offset
above the inference's delay in ticks keeps the first rows from passing before the first chunk is there). With
execution `newest` at the rig's tick rate, what is asked is `/action` exactly, tick for tick. After its end the last
row is kept.
"""

import numpy as np
from numpy.typing import NDArray

from station.clock import NS_PER_S
from station.errors import EpisodeError, PolicyError
from station.policy.backend import Observation
from station.policy.claims import Claim
from station.policy.folder import Policy
from station.policy.recorded import Recorded, read_recorded


class Replay:
    """An episode that answers like a policy."""

    def __init__(self, policy: Policy, recorded: Recorded) -> None:
        self._chunk, self._rate_hz = policy.chunk, policy.rate_hz
        self._actions = recorded.actions
        self._began_ns: int | None = None
        self.claim: Claim = recorded.claim
        """What the episode says of itself."""

    def begin(self) -> None:
        """Start again from the first row."""
        self._began_ns = None

    def infer(self, observation: Observation) -> NDArray[np.floating]:
        """The rows from the observation's time on, (chunk, action_dim), as recorded."""
        if self._began_ns is None:
            self._began_ns = observation.t_ns
        first = round((observation.t_ns - self._began_ns) * self._rate_hz / NS_PER_S)
        rows = np.clip(np.arange(first, first + self._chunk), 0, len(self._actions) - 1)
        return self._actions[rows]

    def close(self) -> None:
        """Nothing is open."""


def load(policy: Policy) -> Replay:
    """Read the episode that `weights` names. Raises PolicyError where it has no such actions, or was recorded at another rate."""
    path = policy.folder / policy.weights
    try:
        recorded = read_recorded(path)
    except EpisodeError as error:
        raise PolicyError(
            path, "weights", f"not an episode with /action: {error}", "name a recorded episode_<n>.hdf5"
        ) from error
    if recorded.actions.shape[1] != policy.action_dim:
        found = f"/action has shape {recorded.actions.shape}"
        fix = f"name an episode of (T, {policy.action_dim}) actions, or correct action_dim"
        raise PolicyError(path, "weights", found, fix)
    if recorded.tick_hz is not None and abs(recorded.tick_hz - policy.rate_hz) > 1e-3 * policy.rate_hz:
        found = f"{policy.rate_hz:g}, but {path.name} was recorded at {recorded.tick_hz:g} Hz"
        raise PolicyError(policy.folder / "policy.yaml", "rate_hz", found, f"rate_hz: {recorded.tick_hz:g}")
    return Replay(policy, recorded)
