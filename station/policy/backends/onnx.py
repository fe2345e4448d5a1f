"""The backend `onnx`: ONNX Runtime, one graph or, for diffusion, two."""

from station.policy.backend import Backend
from station.policy.backends.onnx_act import OnnxAct
from station.policy.backends.onnx_diffusion import OnnxDiffusion
from station.policy.folder import Policy


def load(policy: Policy) -> Backend:
    """Open and check the graphs. Raises PolicyError where they are not what policy.yaml says."""
    if policy.diffusion is not None:
        return OnnxDiffusion(policy, policy.diffusion)
    return OnnxAct(policy)
