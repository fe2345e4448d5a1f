"""Diffusion Policy in two graphs: the encoder runs once per inference, the denoiser once per denoising step.

encoder   state, images (as for ACT)                          → condition (1, …) float32
denoiser  sample (1, chunk, action_dim) float32, timestep (1,) int64, condition
                                                              → prediction (1, chunk, action_dim) float32
"""

import numpy as np
from numpy.typing import NDArray

from station.policy.backend import Observation
from station.policy.backends.ddim import Scheduler
from station.policy.backends.onnx_act import feed
from station.policy.backends.onnx_graph import Graph, observation_inputs
from station.policy.folder import Diffusion, Policy
from station.policy.statistics import affine


class OnnxDiffusion:
    """Encoder, denoiser, schedule. The same seed and observations give the same actions."""

    def __init__(self, policy: Policy, settings: Diffusion) -> None:
        self._shape = (1, policy.chunk, policy.action_dim)
        self._shapes = observation_inputs(policy)
        condition = {"condition": (1, None)}
        self._encoder = Graph(policy.folder / policy.weights, self._shapes, condition)
        self._denoiser = Graph(
            policy.folder / settings.denoiser,
            {"sample": self._shape, "timestep": (1,), **condition},
            {"prediction": self._shape},
        )
        self._scheduler = Scheduler(settings)
        self._action = affine(policy.normalization.action, policy.action_dim)
        self.begin()

    def begin(self) -> None:
        """Seed anew: a rollout can be repeated."""
        self._random = np.random.default_rng(self._scheduler.settings.seed)

    def infer(self, observation: Observation) -> NDArray[np.floating]:
        """(chunk, action_dim), physical units."""
        (condition,) = self._encoder.run(**feed(observation, self._shapes))
        sample = self._noise()
        last = len(self._scheduler.timesteps) - 1
        for i, t in enumerate(self._scheduler.timesteps):
            (prediction,) = self._denoiser.run(sample=sample, timestep=np.array([t], np.int64), condition=condition)
            noise = self._noise() if self._scheduler.settings.sampler == "ddpm" and i < last else None
            sample = self._scheduler.step(i, sample, prediction, noise)
        return self._action.unnormalise(sample[0])

    def close(self) -> None:
        """The sessions go with the object."""

    def _noise(self) -> NDArray[np.float32]:
        return self._random.standard_normal(self._shape, dtype=np.float32)
