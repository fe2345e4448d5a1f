"""One ONNX graph, checked by name, type and shape before it is run. The only file that imports onnxruntime."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from station.errors import BackendFault, PolicyError
from station.policy.files import refuse_pointer
from station.policy.folder import PolicyFile

Shape = tuple[int | None, ...]
"""None where any length will do."""
_PROVIDERS = ("CUDAExecutionProvider", "CPUExecutionProvider")


class Graph:
    """An open graph. Raises PolicyError where it is not what policy.yaml says."""

    def __init__(self, path: Path, inputs: Mapping[str, Shape], outputs: Mapping[str, Shape]) -> None:
        self.path, self._outputs = path, tuple(outputs)
        self._session = _open(path)
        _check(path, "input", self._session.get_inputs(), inputs)
        _check(path, "output", self._session.get_outputs(), outputs)

    def run(self, **inputs: NDArray[Any]) -> tuple[NDArray[np.float32], ...]:
        """The outputs in the order asked for. Raises BackendFault where the runtime fails."""
        try:
            return tuple(self._session.run(self._outputs, inputs))
        except Exception as error:  # onnxruntime's errors share no base class
            raise BackendFault(
                f"{self.path.name}: ONNX Runtime: {' '.join(str(error).split())}. Next: `station policy bench`"
            ) from error


def observation_inputs(policy: PolicyFile) -> dict[str, Shape]:
    """What a graph is given of an observation: `state`, and `images` where it has cameras; no steps axis where
    obs_steps is 1.
    """
    steps = () if policy.obs_steps == 1 else (policy.obs_steps,)
    inputs: dict[str, Shape] = {"state": (1, *steps, policy.state_dim)}
    if policy.image and policy.cameras:
        inputs["images"] = (1, *steps, len(policy.cameras), 3, policy.image.height, policy.image.width)
    return inputs


def _open(path: Path) -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise PolicyError(
            path, "backend", "onnx needs onnxruntime, which is not installed", "pip install 'teleop-station[policy]'"
        ) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = max(1, (os.cpu_count() or 1) // 2)
    # Idle workers that spin would take the cores from the arms' drivers.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    providers = [name for name in _PROVIDERS if name in onnxruntime.get_available_providers()]
    refuse_pointer(path, "weights")
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=providers)
    except Exception as error:  # as above
        _refuse_data(path, str(error))
        raise PolicyError(
            path, "weights", f"not an ONNX graph: {' '.join(str(error).split())[:300]}", "export it again"
        ) from error


def _refuse_data(path: Path, message: str) -> None:
    """Large weights lie in a file beside the graph that the graph names. Raises PolicyError where that file is the trouble."""
    gone = re.search(r'External data path does not exist: "?([^"]+?)"?\s*$', message.strip())
    if gone is not None:
        name = Path(gone[1]).name
        fix = f"put {name} beside {path.name}: the exporter wrote both, and they go together"
        raise PolicyError(path, "weights", f"its data file {name} is missing", fix)
    away = re.search(r'escapes model directory\. External data path: "?([^"]+?)"?\s', message)
    if away is not None:
        fix = "export it again, with its data file beside it"
        raise PolicyError(path, "weights", f"its data file {away[1][:200]!r} is outside the policy's folder", fix)
    if "External initializer" in message and "out of bounds" in message:
        found = "its data file is shorter than the graph says: cut off, or of another graph"
        raise PolicyError(path, "weights", found, "copy the graph and its data file together again")


def _check(path: Path, what: str, nodes: Any, expected: Mapping[str, Shape]) -> None:
    found = {node.name: node for node in nodes}
    for name, shape in expected.items():
        if name not in found:
            raise PolicyError(
                path,
                f"{what} {name}",
                f"missing; the graph has {', '.join(found) or 'none'}",
                f"export it with {what} `{name}`",
            )
        actual = tuple(length if isinstance(length, int) else None for length in found[name].shape)
        if len(actual) != len(shape) or any(
            a != b for a, b in zip(actual, shape, strict=True) if a is not None and b is not None
        ):
            fix = "correct policy.yaml (chunk, dimensions, cameras, image, obs_steps), or export for these shapes"
            raise PolicyError(
                path, f"{what} {name}", f"has shape {_text(actual)}, policy.yaml says {_text(shape)}", fix
            )
        wanted = "tensor(int64)" if name == "timestep" else "tensor(float)"
        if found[name].type != wanted:
            raise PolicyError(
                path, f"{what} {name}", f"is {found[name].type}, not {wanted}", "export it with that type"
            )
    extra = set(found) - set(expected)
    if what == "input" and extra:
        raise PolicyError(
            path, f"{what} {min(extra)}", "nothing is known to feed it", f"export with {', '.join(expected)} alone"
        )


def _text(shape: Shape) -> str:
    return "(" + ", ".join("any" if length is None else str(length) for length in shape) + ")"
