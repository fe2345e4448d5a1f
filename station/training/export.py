"""From torch modules to a policy folder: ONNX graphs beside policy.yaml, each graph compared with its module.

Needs the extra `torch`, and is no part of the run path. `export_act` is what a training script ends with.
"""

import copy
import logging
import shutil
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import torch
import yaml
from torch import Tensor, nn

from station.errors import PolicyError
from station.policy.backend import blank_observation, checked, open_backend
from station.policy.backends.onnx_graph import Graph, observation_inputs
from station.policy.folder import Policy, PolicyFile, load_policy
from station.training.networks.act import Act

WITHIN = 1e-4
"""The largest difference between a graph and its module, relative to the module's largest output."""
_ROUNDING = 10
"""Times the torch network's own rounding."""
_FARTHEST = 1e-2
"""Whatever a network's own rounding is."""
_OPSET = 20
_TRIALS = 3


class Network(NamedTuple):
    """One module to be written as one graph."""

    file: str
    module: nn.Module
    inputs: Mapping[str, tuple[int, ...]]
    """Name → shape, in the order of the module's arguments; `timestep` is int64, everything else float32."""
    output: str


class Difference(NamedTuple):
    """A graph's largest difference from its module over random inputs, relative to the module's largest output."""

    file: str
    relative: float


def export_act(model: Act, folder: Path, settings: PolicyFile, notes: Sequence[str] = ()) -> Difference:
    """Write a policy folder with one graph. `settings.weights` names the file; its shapes must be the model's.

    Raises PolicyError: the folder is there already, or the graph is not the module.
    """
    network = Network(settings.weights, model, _observation(settings), "actions")
    return write_policy(folder, settings, [network], notes)[0]


def write_policy(
    folder: Path, settings: PolicyFile, networks: Sequence[Network], notes: Sequence[str] = ()
) -> list[Difference]:
    """Write graphs and policy.yaml (`notes` on top of it), compare each graph with its module, load the folder and infer once.

    It is there as a whole or not at all. Raises PolicyError.
    """
    folder = folder.expanduser().absolute()
    if folder.exists():
        raise PolicyError(folder, "folder", "is there already", "name another one, or move it away")
    part = folder.with_name(folder.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        for network in networks:
            _write(network, part / network.file)
        (part / "policy.yaml").write_text(policy_yaml(settings, notes))
        differences = [_compare(network, part / network.file) for network in networks]
        _try(load_policy(part))
        part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return differences


def policy_yaml(settings: PolicyFile, notes: Sequence[str] = ()) -> str:
    """The text of policy.yaml: what is not as the defaults have it, vectors on one line."""
    lines = [f"# {note}" for note in notes]
    for field in msgspec.structs.fields(PolicyFile):
        value = getattr(settings, field.name)
        if field.required or value != field.default:
            lines.append(_line(field.name, _without_nothing(msgspec.to_builtins(value))))
    return "\n".join(lines) + "\n"


def _line(name: str, value: Any) -> str:
    flow = None if isinstance(value, dict | list) else False  # None: the innermost on one line
    text: str = yaml.safe_dump({name: value}, sort_keys=False, default_flow_style=flow, width=10_000)
    return text.rstrip()


def _without_nothing(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nothing(one) for key, one in value.items() if one is not None and one != ()}
    return list(value) if isinstance(value, tuple) else value


def _observation(settings: PolicyFile) -> dict[str, tuple[int, ...]]:
    return {name: tuple(length or 1 for length in shape) for name, shape in observation_inputs(settings).items()}


def _random(network: Network, seed: int) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return {
        name: torch.randint(0, 50, shape, generator=generator)
        if name == "timestep"
        else torch.randn(shape, generator=generator)
        for name, shape in network.inputs.items()
    }


def _write(network: Network, path: Path) -> None:
    network.module.eval()
    logging.getLogger("onnxscript").setLevel(logging.ERROR)  # it tells every constant that it does not fold
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # the exporter's own, about its own future
        torch.onnx.export(
            network.module, tuple(_random(network, 0).values()), str(path), input_names=list(network.inputs),
            output_names=[network.output], opset_version=_OPSET, dynamo=True, external_data=False, verbose=False,
        )  # fmt: skip


def _compare(network: Network, path: Path) -> Difference:
    """Raises PolicyError where the graph's output is another than the module's."""
    graph = Graph(path, network.inputs, {network.output: tuple(network.module(*_random(network, 0).values()).shape)})
    worst = 0.0
    for seed in range(_TRIALS):
        inputs = _random(network, seed)
        with torch.no_grad():
            expected = network.module(*inputs.values()).numpy()
        (found,) = graph.run(**{name: value.numpy() for name, value in inputs.items()})
        worst = max(worst, float(np.abs(found - expected).max() / np.abs(expected).max()))
    if not worst <= WITHIN and not _only_rounding(network, graph):
        found_text = f"differs from the torch network by {worst:.2g} of its largest output; allowed is {WITHIN:g}"
        raise PolicyError(path, "graph", found_text, "report it, with the versions of torch and onnxruntime")
    return Difference(network.file, worst)


def _only_rounding(network: Network, graph: Graph) -> bool:
    """Is the graph as near to the exact answer (in float64) as the torch network itself, give or take?

    Two float32 computations of one network differ by their rounding, and weights that amplify it (sharp attention, small
    variances) carry it past any fixed bound, the one time and not the other: the same good weights were refused as fp16 or
    with other `--heads`, and accepted otherwise. A graph that is another function is off by far more than its twin's rounding.
    """
    exact = copy.deepcopy(network.module).double()
    for seed in range(_TRIALS):
        inputs = _random(network, seed)
        doubles = [value.double() if value.is_floating_point() else value for value in inputs.values()]
        with torch.no_grad():
            truth, twin = exact(*doubles).double().numpy(), network.module(*inputs.values()).numpy()
        (found,) = graph.run(**{name: value.numpy() for name, value in inputs.items()})
        scale = np.abs(truth).max()
        own, theirs = (float(np.abs(one - truth).max() / scale) for one in (twin, found))
        if not theirs <= min(max(WITHIN, _ROUNDING * own), _FARTHEST):
            return False
    return True


def _try(policy: Policy) -> None:
    backend = open_backend(policy)
    try:
        checked(policy, backend.infer(blank_observation(policy)))
    finally:
        backend.close()
