"""One graph from observation to chunk: ACT, or anything exported like it.

state  (1, D) [obs_steps 1] or (1, S, D)            float32, normalised
images (1, N, 3, H, W)      or (1, S, N, 3, H, W)   float32, normalised; only where the policy has cameras
→ actions (1, chunk, action_dim)                    float32, normalised
"""

import numpy as np
from numpy.typing import NDArray

from station.policy.backend import Observation
from station.policy.backends.onnx_graph import Graph, observation_inputs
from station.policy.folder import Policy
from station.policy.statistics import affine


class OnnxAct:
    """A policy in one ONNX graph."""

    def __init__(self, policy: Policy) -> None:
        self._shapes = observation_inputs(policy)
        self._graph = Graph(
            policy.folder / policy.weights, self._shapes, {"actions": (1, policy.chunk, policy.action_dim)}
        )
        self._action = affine(policy.normalization.action, policy.action_dim)

    def begin(self) -> None:
        """Nothing is kept between inferences."""

    def infer(self, observation: Observation) -> NDArray[np.floating]:
        """(chunk, action_dim), physical units."""
        (actions,) = self._graph.run(**feed(observation, self._shapes))
        return self._action.unnormalise(actions[0])

    def close(self) -> None:
        """The session goes with the object."""


def feed(observation: Observation, shapes: dict[str, tuple[int | None, ...]]) -> dict[str, NDArray[np.float32]]:
    """The observation as a graph's inputs, by name: a batch of one, in the `shapes` that the graph declares (None: any length)."""
    arrays = {"state": observation.state, "images": observation.images}
    return {name: arrays[name].reshape([length or -1 for length in shape]) for name, shape in shapes.items()}
