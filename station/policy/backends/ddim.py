"""Denoising schedules, pure: DDIM (Song et al. 2021, eq. 12, η = 0) and DDPM (Ho et al. 2020, eqs. 6, 7, 15).

Words, defaults and float32 arithmetic are those of diffusers' `DDIMScheduler` and `DDPMScheduler`, with which
policies are trained; tests/torch compares the two. ᾱ_t is the cumulative product of 1 − β.
"""

import math

import numpy as np
from numpy.typing import NDArray

from station.policy.folder import Diffusion

Array = NDArray[np.float32]
_LARGEST_BETA = 0.999


def betas(settings: Diffusion) -> Array:
    """β of every training step, (train_steps,). squaredcos_cap_v2 is Nichol & Dhariwal 2021, eq. 17."""
    steps = settings.train_steps
    if settings.schedule == "linear":
        return np.linspace(settings.beta_start, settings.beta_end, steps, dtype=np.float32)

    def kept(t: float) -> float:
        return math.cos((t + 0.008) / 1.008 * math.pi / 2) ** 2

    cosine = [min(1 - kept((i + 1) / steps) / kept(i / steps), _LARGEST_BETA) for i in range(steps)]
    return np.array(cosine, dtype=np.float32)


def timesteps(settings: Diffusion) -> NDArray[np.int64]:
    """The training steps that are visited, noisiest first, (steps,): as diffusers' `set_timesteps` spaces them."""
    train, steps = settings.train_steps, settings.steps
    if settings.spacing == "linspace":
        return np.linspace(0, train - 1, steps).round()[::-1].astype(np.int64)
    if settings.spacing == "trailing":
        return np.round(np.arange(train, 0, -train / steps)).astype(np.int64) - 1
    return np.arange(steps, dtype=np.int64)[::-1] * (train // steps)


class Scheduler:
    """One schedule: which steps to visit, and how to go from one to the next."""

    def __init__(self, settings: Diffusion) -> None:
        self.settings = settings
        self.timesteps = timesteps(settings)
        self._kept = np.cumprod(1 - betas(settings), dtype=np.float64).astype(np.float32)  # as torch adds up

    def step(self, i: int, sample: Array, prediction: Array, noise: Array | None = None) -> Array:
        """From the sample at `timesteps[i]` to the next, less noisy one. Shapes: all alike.

        `noise` is standard normal and needed by ddpm, except in its last step.
        """
        return (
            self._ddim(i, sample, prediction)
            if self.settings.sampler == "ddim"
            else self._ddpm(i, sample, prediction, noise)
        )

    def _ddim(self, i: int, sample: Array, prediction: Array) -> Array:
        t = int(self.timesteps[i])
        before = t - self.settings.train_steps // self.settings.steps
        kept, kept_before = self._kept[t], self._kept_at(before)
        clean, epsilon = self._clean(sample, prediction, kept)
        result: Array = np.sqrt(kept_before) * clean + np.sqrt(1 - kept_before) * epsilon
        return result

    def _ddpm(self, i: int, sample: Array, prediction: Array, noise: Array | None) -> Array:
        t = int(self.timesteps[i])
        before = int(self.timesteps[i + 1]) if i + 1 < len(self.timesteps) else -1
        kept, kept_before = self._kept[t], self._kept_at(before)
        alpha = kept / kept_before
        beta = np.float32(1) - alpha
        clean, _ = self._clean(sample, prediction, kept)
        result: Array = (
            np.sqrt(kept_before) * beta / (1 - kept) * clean + np.sqrt(alpha) * (1 - kept_before) / (1 - kept) * sample
        )
        if t > 0 and noise is not None:
            variance = max(np.float32(1e-20), (1 - kept_before) / (1 - kept) * beta)
            result += np.sqrt(variance) * noise
        return result

    def _kept_at(self, t: int) -> np.float32:
        return np.float32(self._kept[t]) if t >= 0 else np.float32(1)

    def _clean(self, sample: Array, prediction: Array, kept: np.float32) -> tuple[Array, Array]:
        """(x0, ε) that the prediction stands for; x0 clipped, ε not re-derived from it (diffusers' default)."""
        if self.settings.prediction == "epsilon":
            clean, epsilon = (sample - np.sqrt(1 - kept) * prediction) / np.sqrt(kept), prediction
        else:
            clean, epsilon = prediction, (sample - np.sqrt(kept) * prediction) / np.sqrt(1 - kept)
        if self.settings.clip_sample:
            clean = np.clip(clean, -self.settings.clip_range, self.settings.clip_range)
        return clean, epsilon
