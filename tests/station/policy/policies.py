"""Policy folders and small ONNX graphs for the tests."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import yaml
from onnx import TensorProto, helper, numpy_helper

FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64


def settings(**changes: Any) -> dict[str, Any]:
    """A small valid policy.yaml as a dict: 3 dimensions, chunk 4, one camera of 8 × 6."""
    base = {
        "kind": "act", "backend": "onnx", "weights": "policy.onnx", "cameras": ["cam_high"],
        "image": {"width": 8, "height": 6}, "state_dim": 3, "action_dim": 3, "chunk": 4, "rate_hz": 50,
        "normalization": {
            "state": {"mean": [1.0, 2.0, 3.0], "std": [0.5, 1.0, 2.0]},
            "action": {"mean": [0.1, 0.2, 0.3], "std": [2.0, 4.0, 8.0]},
        },
        "execution": {"mode": "newest"},
    }  # fmt: skip
    return {key: value for key, value in (base | changes).items() if value is not None}


def write(folder: Path, graph: bool = True, **changes: Any) -> Path:
    """A policy folder; with `graph` an ACT graph that fits it."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = settings(**changes)
    (folder / "policy.yaml").write_text(yaml.safe_dump(wanted))
    if graph:
        act(folder / wanted["weights"], wanted)
    return folder


def act(path: Path, wanted: dict[str, Any], batch: int | str = 1) -> None:
    """A graph whose row i is (i + 1) × the newest state, plus the mean of all pixels."""
    steps = [wanted["obs_steps"]] if wanted.get("obs_steps", 1) > 1 else []
    chunk, dims = wanted["chunk"], wanted["state_dim"]
    inputs = [helper.make_tensor_value_info("state", FLOAT, [batch, *steps, dims])]
    nodes = [
        helper.make_node("Reshape", ["state", "flat"], ["rows"]),
        helper.make_node("Gather", ["rows", "last"], ["newest"], axis=1),
        helper.make_node("Mul", ["newest", "ramp"], ["product"]),
    ]
    constants = {
        "flat": np.array([1, -1, dims], np.int64),
        "last": np.array([len(steps) and steps[0] - 1], np.int64),
        "ramp": np.arange(1, chunk + 1, dtype=np.float32).reshape(1, chunk, 1),
    }
    if wanted["cameras"]:
        image = wanted["image"]
        shape = [batch, *steps, len(wanted["cameras"]), 3, image["height"], image["width"]]
        inputs.append(helper.make_tensor_value_info("images", FLOAT, shape))
        nodes.append(helper.make_node("ReduceMean", ["images"], ["light"], keepdims=0))
        nodes.append(helper.make_node("Add", ["product", "light"], ["actions"]))
    else:
        nodes.append(helper.make_node("Identity", ["product"], ["actions"]))
    save(path, nodes, inputs, {"actions": [batch, chunk, dims]}, constants)


def encoder(path: Path, wanted: dict[str, Any]) -> None:
    """condition = state, of a policy without cameras."""
    dims = wanted["state_dim"]
    save(
        path,
        [helper.make_node("Identity", ["state"], ["condition"])],
        [helper.make_tensor_value_info("state", FLOAT, [1, dims])],
        {"condition": [1, dims]},
        {},
    )


def denoiser(path: Path, wanted: dict[str, Any]) -> None:
    """prediction = sample / 2 + timestep / 1000 + mean of condition."""
    shape = [1, wanted["chunk"], wanted["action_dim"]]
    nodes = [
        helper.make_node("Mul", ["sample", "half"], ["halved"]),
        helper.make_node("Cast", ["timestep"], ["t"], to=FLOAT),
        helper.make_node("Mul", ["t", "milli"], ["late"]),
        helper.make_node("ReduceMean", ["condition"], ["level"], keepdims=0),
        helper.make_node("Add", ["halved", "late"], ["sum"]),
        helper.make_node("Add", ["sum", "level"], ["prediction"]),
    ]
    inputs = [
        helper.make_tensor_value_info("sample", FLOAT, shape),
        helper.make_tensor_value_info("timestep", INT64, [1]),
        helper.make_tensor_value_info("condition", FLOAT, [1, wanted["state_dim"]]),
    ]
    save(path, nodes, inputs, {"prediction": shape}, {"half": np.float32(0.5), "milli": np.float32(0.001)})


def save(
    path: Path, nodes: list[Any], inputs: list[Any], outputs: dict[str, list[Any]], constants: dict[str, Any]
) -> None:
    """Write a checked graph."""
    infos = [helper.make_tensor_value_info(name, FLOAT, shape) for name, shape in outputs.items()]
    weights = [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "policy", inputs, infos, weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, path)
