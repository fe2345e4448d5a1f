import numpy as np
import pytest

from station.policy.backends.ddim import Scheduler, betas, timesteps
from station.policy.folder import Diffusion
from tests.station.policy.backends import denoising


@pytest.mark.parametrize("settings", denoising.CASES, ids=denoising.name)
def test_the_same_noise_gives_diffusers_sample(settings: Diffusion) -> None:
    expected = denoising.golden()[denoising.name(settings)]
    np.testing.assert_allclose(denoising.ours(settings).ravel(), expected, atol=1e-5, rtol=0)


def test_the_cosine_schedule_is_capped_and_rises() -> None:
    found = betas(Diffusion("d", 50, 10))
    assert len(found) == 50
    assert found[-1] == np.float32(0.999)
    assert (np.diff(found) > 0).all()


def test_timesteps_go_down_and_stay_in_training() -> None:
    for settings in denoising.CASES:
        found = timesteps(settings)
        assert len(found) == settings.steps
        assert (np.diff(found) < 0).all()
        assert 0 <= found[-1] <= found[0] < settings.train_steps


def test_a_denoiser_that_knows_the_noise_gets_the_clean_sample_back() -> None:
    """ε-prediction: from ᾱ-mixed sample and noise, any number of DDIM steps end in the sample itself."""
    settings = Diffusion("d", 100, 10, clip_sample=False)
    scheduler = Scheduler(settings)
    random = np.random.default_rng(1)
    clean, noise = random.uniform(-1, 1, (2, 3)).astype(np.float32), random.standard_normal((2, 3)).astype(np.float32)
    kept = np.cumprod(1 - betas(settings).astype(float))[scheduler.timesteps[0]]
    sample = (np.sqrt(kept) * clean + np.sqrt(1 - kept) * noise).astype(np.float32)
    for i in range(settings.steps):
        sample = scheduler.step(i, sample, noise)
    np.testing.assert_allclose(sample, clean, atol=1e-3)
