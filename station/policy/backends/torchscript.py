"""The backend `torchscript`: a module saved by `torch.jit.save`, with the inputs and outputs of one ONNX graph.

`forward(state, images)` → actions; without `images` where the policy has no cameras. Shapes as `onnx_act` has them. A module
may keep something in its buffers during a rollout; every rollout begins with the buffers as they were saved.
"""

import os

import numpy as np
from numpy.typing import NDArray

from station.errors import BackendFault, PolicyError
from station.policy.backend import Backend, Observation
from station.policy.backends.onnx_act import feed
from station.policy.backends.onnx_graph import observation_inputs
from station.policy.files import refuse_pointer
from station.policy.folder import Policy
from station.policy.statistics import affine


def load(policy: Policy) -> Backend:
    """Open the module. Raises PolicyError where it cannot be."""
    return TorchScript(policy)


class TorchScript:
    """A policy in one scripted or traced module, on the GPU where there is one."""

    def __init__(self, policy: Policy) -> None:
        path = policy.folder / policy.weights
        refuse_pointer(path, "weights")
        try:
            import torch
        except ImportError as error:
            fix = "pip install 'teleop-station[torch]'"
            raise PolicyError(path, "backend", "torchscript needs torch, which is not installed", fix) from error
        self._torch = torch
        self._name, self._shapes = path.name, observation_inputs(policy)
        self._action = affine(policy.normalization.action, policy.action_dim)
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        torch.set_num_threads(max(1, (os.cpu_count() or 1) // 2))
        try:
            self._module = torch.jit.load(str(path), map_location=self._device).eval()
        except (RuntimeError, ValueError, OSError) as error:
            found = f"no TorchScript module: {' '.join(str(error).split())[:200]}"
            raise PolicyError(path, "weights", found, "save it with torch.jit.save") from error
        self._buffers = {name: buffer.clone() for name, buffer in self._module.named_buffers()}

    def begin(self) -> None:
        """Put the buffers back to what they were when the module was saved. Raises BackendFault where one is another by now."""
        with self._torch.inference_mode():
            for name, buffer in self._module.named_buffers():
                saved = self._buffers.get(name)
                if saved is None or saved.shape != buffer.shape or saved.dtype != buffer.dtype:
                    raise BackendFault(
                        f"{self._name}: its buffer {name} has changed its shape. Next: export a module that keeps nothing"
                    )
                buffer.copy_(saved)

    def infer(self, observation: Observation) -> NDArray[np.floating]:
        """(chunk, action_dim), physical units. Raises BackendFault where the module fails."""
        inputs = [self._torch.from_numpy(array).to(self._device) for array in feed(observation, self._shapes).values()]
        try:
            with self._torch.inference_mode():
                found = self._module(*inputs)
                kind = str(getattr(found, "dtype", type(found).__name__)).removeprefix("torch.")
                floats = self._torch.is_tensor(found) and found.is_floating_point()
                actions: NDArray[np.floating] = found[0].float().cpu().numpy() if floats else np.zeros(())
        except (RuntimeError, TypeError, AttributeError, IndexError) as error:
            last = str(error).strip().splitlines()[-1] if str(error).strip() else type(error).__name__
            raise BackendFault(f"{self._name}: TorchScript: {last}. Next: `station policy bench`") from error
        if not floats:  # judged before it is converted: numbers of tokens are no actions
            raise BackendFault(
                f"{self._name}: expected a tensor of floats; found {kind}. Next: export the module's actions"
            )
        if actions.ndim != 2 or actions.shape[1] != len(self._action.scale):
            return actions  # which shape it has instead is told by who asked
        return self._action.unnormalise(actions)

    def close(self) -> None:
        """The module goes with the object."""
