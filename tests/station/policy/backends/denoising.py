"""A made-up denoiser, and the schedules on which ours is compared with diffusers'."""

import json
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from station.policy.backends.ddim import Scheduler, betas
from station.policy.folder import Diffusion

GOLDEN = Path(__file__).parent / "golden_schedules.json"
"""What diffusers gives for CASES: `python -m tests.torch.schedules` writes it, tests/torch checks it."""
SHAPE = (1, 8, 3)
Denoise = Callable[[Diffusion], np.ndarray]

CASES = [
    msgspec.convert(
        {
            "denoiser": "d",
            "train_steps": train,
            "steps": steps,
            "sampler": sampler,
            "schedule": schedule,
            "prediction": prediction,
            "clip_sample": clip,
            "spacing": spacing,
        },
        Diffusion,
    )
    for (train, steps), sampler, schedule, prediction, clip, spacing in product(
        [(50, 10), (100, 100), (1000, 7)],
        ["ddim", "ddpm"],
        ["squaredcos_cap_v2", "linear"],
        ["epsilon", "sample"],
        [True, False],
        ["leading", "trailing", "linspace"],
    )
]


def noises(steps: int) -> np.ndarray:
    """The start and the noise of every step, (steps + 1, *SHAPE)."""
    return np.random.default_rng(7).standard_normal((steps + 1, *SHAPE), dtype=np.float32)


def predict(settings: Diffusion, sample: np.ndarray, t: int) -> np.ndarray:
    """A network that takes 1.2·sin(x) for the clean sample (so that clipping bites) says: that, or its ε."""
    clean = 1.2 * np.sin(sample)
    if settings.prediction == "epsilon":
        kept = np.cumprod(1 - betas(settings).astype(float))[t]
        return np.asarray((sample - np.sqrt(kept) * clean) / np.sqrt(1 - kept), np.float32)
    return np.asarray(clean, np.float32)


def ours(settings: Diffusion) -> np.ndarray:
    """The denoised sample by our scheduler."""
    scheduler, noise = Scheduler(settings), noises(settings.steps)
    sample: np.ndarray = noise[0]
    for i, t in enumerate(scheduler.timesteps):
        sample = scheduler.step(i, sample, predict(settings, sample, int(t)), noise[i + 1])
    return sample


def name(settings: Diffusion) -> str:
    """A case's name in the golden file."""
    clip = "clip" if settings.clip_sample else "free"
    parts = (settings.sampler, settings.schedule, settings.prediction, clip, settings.spacing)
    return "-".join([*parts, str(settings.train_steps), str(settings.steps)])


def golden() -> dict[str, Any]:
    """Case name → denoised sample."""
    found: dict[str, Any] = msgspec.json.decode(GOLDEN.read_bytes())
    return found


def write_golden(denoise: Denoise) -> None:
    """Write the golden file with a reference."""
    cases = {name(case): [round(float(x), 7) for x in denoise(case).ravel()] for case in CASES}
    GOLDEN.write_text(json.dumps(cases, indent=0))
