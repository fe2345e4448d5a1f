"""Before a policy may start: its backend is warm, answers what policy.yaml promises, and forgets one rollout in the next."""

import numpy as np
from numpy.typing import NDArray

from station.clock import NS_PER_S
from station.errors import BackendFault
from station.policy.backend import Backend, Observation, blank_observation, checked
from station.policy.folder import Policy
from station.policy.observation import PixelMap

WARM_UP = 10
"""Inferences before a policy may start: the first ones allocate, compile and page in (act-plus-plus does as many)."""
_QUESTIONS = 3
"""Of a trial rollout."""
_SAME = 1e-4
"""Of the largest number asked for, or of one radian: two computations of the same answer differ by less, on a GPU too."""


def warm_up(policy: Policy, backend: Backend, inferences: int = WARM_UP) -> None:
    """Infer from nothing until it is warm. Raises BackendFault where an answer is not what policy.yaml promises."""
    blank = blank_observation(policy)
    for _ in range(inferences):
        checked(policy, backend.infer(blank))


def forgets(policy: Policy, backend: Backend) -> str:
    """Are the answers to the same questions the same in two rollouts? Raises BackendFault where they are not: something is
    kept from one episode to the next, and from the warm-up to the first.

    A backend that says `repeats = False` of itself (a server draws its noise where nobody can seed it) is not refused;
    what is to be said of it is returned, "" where there is nothing.
    """
    first, again = _rollout(policy, backend), _rollout(policy, backend)
    backend.begin()
    apart = float(np.abs(first - again).max())
    if apart <= _SAME * max(1.0, float(np.abs(first).max())):
        return ""
    found = f"the same observations were answered otherwise in the next rollout (by up to {apart:.2g})"
    if not getattr(backend, "repeats", True):
        return f"{found}: it draws noise, or keeps something from one episode to the next"
    raise BackendFault(
        f"policy {policy.folder.name}: backend {policy.backend}: {found}: it keeps something from one episode to the next, "
        "or draws noise that `begin` does not seed. Next: export it without state and noise, or reset both in `begin`"
    )


def _rollout(policy: Policy, backend: Backend) -> NDArray[np.float64]:
    """The answers to a few made-up observations, from a beginning on."""
    random, pixels = np.random.default_rng(0), PixelMap(policy.normalization.image)
    blank, answers = blank_observation(policy), []
    backend.begin()
    for tick in range(1, _QUESTIONS + 1):
        images = np.empty_like(blank.images)
        steps, cameras, _, height, width = images.shape
        pixels.normalise(random.integers(0, 256, (steps, cameras, height, width, 3), np.uint8), images)
        state = random.standard_normal(blank.state.shape).astype(np.float32)
        seen = Observation(tick, round(tick * NS_PER_S / 50), state, images)
        answers.append(checked(policy, backend.infer(seen)))
    return np.stack(answers)
