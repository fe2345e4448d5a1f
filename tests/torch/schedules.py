"""diffusers' schedulers on the made-up denoiser. `python -m tests.torch.schedules` writes the golden file."""

import numpy as np
import torch
from diffusers import DDIMScheduler, DDPMScheduler

from station.policy.folder import Diffusion
from tests.station.policy.backends import denoising


def theirs(settings: Diffusion) -> np.ndarray:
    """The denoised sample by diffusers."""
    scheduler = (DDIMScheduler if settings.sampler == "ddim" else DDPMScheduler)(
        num_train_timesteps=settings.train_steps, beta_schedule=settings.schedule,
        beta_start=settings.beta_start, beta_end=settings.beta_end, prediction_type=settings.prediction,
        clip_sample=settings.clip_sample, clip_sample_range=settings.clip_range, timestep_spacing=settings.spacing,
    )  # fmt: skip
    scheduler.set_timesteps(settings.steps)
    noise = denoising.noises(settings.steps)
    sample = torch.from_numpy(noise[0])
    for i, t in enumerate(scheduler.timesteps):
        prediction = torch.from_numpy(denoising.predict(settings, sample.numpy(), int(t)))
        if settings.sampler == "ddim":
            sample = scheduler.step(prediction, t, sample).prev_sample
        else:
            sample = _ddpm_step(scheduler, prediction, t, sample, torch.from_numpy(noise[i + 1]))
    result: np.ndarray = sample.numpy()
    return result


def _ddpm_step(
    scheduler: DDPMScheduler, prediction: torch.Tensor, t: torch.Tensor, sample: torch.Tensor, noise: torch.Tensor
) -> torch.Tensor:
    """DDPMScheduler draws its own noise: it is given ours in place of the random one."""
    drawn = scheduler.step.__func__.__globals__["randn_tensor"]
    scheduler.step.__func__.__globals__["randn_tensor"] = lambda *_args, **_kwargs: noise
    try:
        stepped: torch.Tensor = scheduler.step(prediction, t, sample).prev_sample
        return stepped
    finally:
        scheduler.step.__func__.__globals__["randn_tensor"] = drawn


if __name__ == "__main__":
    denoising.write_golden(theirs)
