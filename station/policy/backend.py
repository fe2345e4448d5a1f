"""What runs a policy's weights, named by policy.yaml's `backend:`: an installed entry point in the group `station.policies`.
Nothing else: a policy folder comes from anybody, and a name in it must not choose what is called.

An entry point is a callable that takes the checked Policy and returns a Backend, ready to infer. It raises
PolicyError where the weights do not fit policy.yaml. A backend lives in one thread of the runner's own and may block
there; it must let go of the interpreter's lock while it computes (ONNX Runtime, torch and sockets do), or the arms
would be left without setpoints.
"""

from importlib.metadata import entry_points
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from station.errors import BackendFault, PolicyError
from station.policy.folder import Policy

GROUP = "station.policies"


class Observation(NamedTuple):
    """What a policy sees. S = obs_steps, oldest first; N = cameras in the policy's order."""

    tick: int
    t_ns: int
    """The newest tick's time: chunks count from it."""
    state: NDArray[np.float32]
    """(S, state_dim), normalised."""
    images: NDArray[np.float32]
    """(S, N, 3, height, width), normalised, in the policy's colour order."""


class Backend(Protocol):
    """A loaded policy."""

    def begin(self) -> None:
        """A rollout begins: forget the last one, seed anew."""

    def infer(self, observation: Observation) -> NDArray[np.floating]:
        """The chunk of actions, (chunk, action_dim), in physical units (unnormalised)."""

    def close(self) -> None:
        """Let go of what was opened."""


def open_backend(policy: Policy) -> Backend:
    """The policy's backend, loaded. Raises PolicyError: an unknown backend, or weights that do not fit."""
    points = {point.name: point for point in entry_points(group=GROUP)}
    if policy.backend not in points:
        fix = f"one of {', '.join(sorted(points))}, or install the package that adds it (entry point group {GROUP})"
        raise PolicyError(policy.folder / "policy.yaml", "backend", f"{policy.backend!r} is not installed", fix)
    try:
        load = points[policy.backend].load()
    except (ImportError, AttributeError) as error:
        fix = "install what it needs (`pip install 'teleop-station[policy]'` for onnx), or correct the package"
        raise PolicyError(policy.folder / "policy.yaml", "backend", f"cannot be imported: {error}", fix) from error
    backend: Backend = load(policy)
    return backend


def blank_observation(policy: Policy) -> Observation:
    """An observation of the right shapes with nothing on it: to warm up with, and to measure with."""
    height, width = (policy.image.height, policy.image.width) if policy.image else (0, 0)
    state = np.zeros((policy.obs_steps, policy.state_dim), np.float32)
    return Observation(0, 0, state, np.zeros((policy.obs_steps, len(policy.cameras), 3, height, width), np.float32))


def checked(policy: Policy, actions: NDArray[np.floating]) -> NDArray[np.float64]:
    """What a backend answered, if it is (chunk, action_dim) finite numbers. Raises BackendFault naming what it is
    instead.
    """
    answer, name = np.asarray(actions), policy.folder.name
    expected = (policy.chunk, policy.action_dim)
    if answer.shape != expected or answer.dtype.kind != "f":
        raise BackendFault(
            f"policy {name}: expected actions {expected} of floats; found {answer.shape} of {answer.dtype}. "
            "Next: correct chunk and action_dim in policy.yaml, or export the weights again"
        )
    bad = np.argwhere(~np.isfinite(answer))
    if len(bad):
        row, dimension = bad[0]
        raise BackendFault(
            f"policy {name}: expected finite actions; found {answer[row, dimension]} in row {row}, "
            f"dimension {dimension} ({len(bad)} in all). "
            "Next: look at the observation it was given, and at normalization in policy.yaml"
        )
    return answer.astype(np.float64)
