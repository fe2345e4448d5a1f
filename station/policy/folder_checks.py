"""What policy.yaml may not say though every key of it is right: what contradicts itself, leads out of the folder, or takes
all the memory there is.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from station.errors import PolicyError
from station.policy.files import inside
from station.policy.statistics import wrong

if TYPE_CHECKING:
    from station.policy.folder import PolicyFile

UNNORMALISED = ("onnx", "torchscript")
"""Backends that are given a network as it was trained: the station normalises for it."""
_LARGEST_INPUT = 2**28
"""Bytes of one observation's pictures (float32): 256 MiB."""
_LARGEST_PLAN = 2**28
"""Bytes of all the chunks that may be of use at once, were every tick of a 50 Hz rig inferred."""


def check(path: Path, file: "PolicyFile") -> None:
    """Raises PolicyError: `path`, key, what is wrong, the fix."""
    for one in (_vectors, _pictures, _execution, _statistics, _kind, _sizes):
        one(path, file)


def _vectors(path: Path, file: "PolicyFile") -> None:
    for key, what in (("dim_names", "names"), ("units", "units")):
        given = getattr(file, key)
        if given and len(given) != file.action_dim:
            found = f"{len(given)} {what} for {file.action_dim} dimensions"
            raise PolicyError(path, key, found, "one per dimension, or leave them out")
    for i in file.newest_dims:
        if not 0 <= i < file.action_dim:
            raise PolicyError(
                path, "newest_dims", f"{i} is no dimension of {file.action_dim}", f"use 0 to {file.action_dim - 1}"
            )
    if len(set(file.newest_dims)) != len(file.newest_dims):
        raise PolicyError(path, "newest_dims", "a dimension is given twice", "give each once")


def _pictures(path: Path, file: "PolicyFile") -> None:
    if file.cameras and file.image is None:
        raise PolicyError(path, "image", "missing", "give the size of training: image: {width: 640, height: 480}")
    if len(set(file.cameras)) != len(file.cameras):
        raise PolicyError(path, "cameras", "a camera is given twice", "give each once, in the order of training")
    for camera in file.image.crop if file.image is not None else ():
        if camera not in file.cameras:
            raise PolicyError(path, f"image.crop.{camera}", "is none of `cameras`", "name a camera of the policy")
    for camera, size in file.image.sizes.items() if file.image is not None else ():
        if camera not in file.cameras:
            raise PolicyError(path, f"image.sizes.{camera}", "is none of `cameras`", "name a camera of the policy")
        if file.image is not None and (size.width > file.image.width or size.height > file.image.height):
            found = f"{size.width}×{size.height} does not fit into {file.image.width}×{file.image.height}"
            raise PolicyError(path, f"image.sizes.{camera}", found, "give width and height of the largest picture")


def _execution(path: Path, file: "PolicyFile") -> None:
    execution = file.execution
    needed = {"ensemble": "k", "receding": "steps"}.get(execution.mode)
    examples = {"k": "k: 0.01 (ACT's; 0 is the mean)", "steps": "steps: 8"}
    for key in ("k", "steps"):
        given = getattr(execution, key) is not None
        if key == needed and not given:
            raise PolicyError(path, f"execution.{key}", f"missing for mode {execution.mode}", f"add {examples[key]}")
        if key != needed and given:
            raise PolicyError(path, f"execution.{key}", f"has no meaning in mode {execution.mode}", "take it out")
    if execution.steps is not None and execution.steps > file.chunk:
        raise PolicyError(path, "execution.steps", f"{execution.steps} of {file.chunk} rows", f"use 1 to {file.chunk}")


def _statistics(path: Path, file: "PolicyFile") -> None:
    for name, dims in (("state", file.state_dim), ("action", file.action_dim), ("image", 3)):
        statistics = getattr(file.normalization, name)
        if statistics is None:
            if file.backend in UNNORMALISED and name != "image":
                fix = "give the training set's mean and std, or min and max (0 and 1 if the graph normalises)"
                raise PolicyError(path, f"normalization.{name}", "missing", fix)
            continue
        fault = wrong(statistics, dims)
        if fault is not None:
            key = f"normalization.{name}.{fault.key}".rstrip(".")
            raise PolicyError(path, key, fault.found, fault.fix)


def _kind(path: Path, file: "PolicyFile") -> None:
    named = {"weights": file.weights} if file.backend in (*UNNORMALISED, "replay") else {}
    if file.kind == "diffusion" and file.backend == "onnx":
        if file.diffusion is None:
            fix = "give the schedule of training: diffusion: {denoiser: denoiser.onnx, train_steps: 50, steps: 10}"
            raise PolicyError(path, "diffusion", "missing", fix)
        if file.diffusion.steps > file.diffusion.train_steps:
            found = f"{file.diffusion.steps} of {file.diffusion.train_steps} training steps"
            raise PolicyError(path, "diffusion.steps", found, "use at most as many as at training")
        named["diffusion.denoiser"] = file.diffusion.denoiser
    elif file.diffusion is not None:
        found = f"has no meaning for kind {file.kind} with backend {file.backend}"
        raise PolicyError(path, "diffusion", found, "take it out, or correct kind and backend")
    for key, name in _own(file, named).items():
        inside(path.parent, key, name)
    for key, name in named.items():
        if not (path.parent / name).is_file():
            raise PolicyError(
                path, key, f"there is no file {path.parent / name}", "put it beside policy.yaml, or correct the name"
            )


def _own(file: "PolicyFile", named: dict[str, str]) -> dict[str, str]:
    """What must lie in the folder itself. A replayed episode lies in the data folder, a server has an address."""
    own = {key: name for key, name in named.items() if key != "weights"}
    if file.backend != "replay" and "://" not in file.weights:
        own["weights"] = file.weights
    if file.api_key_file:
        own["api_key_file"] = file.api_key_file
    return own


def _sizes(path: Path, file: "PolicyFile") -> None:
    """What would take all the memory there is."""
    if file.image is not None:
        pixels = file.obs_steps * len(file.cameras) * 3 * file.image.width * file.image.height
        if pixels * 4 > _LARGEST_INPUT:
            found = f"an observation's pictures take {pixels * 4 / 2**20:.0f} MiB of {_LARGEST_INPUT / 2**20:.0f}"
            raise PolicyError(path, "image", found, "give the size of training; cameras and obs_steps count too")
    chunks = file.chunk * 50 / file.rate_hz + max(0, file.action_offset_ticks) + 1
    if chunks * file.chunk * file.action_dim * 8 > _LARGEST_PLAN:
        found = f"{file.chunk} rows of {file.action_dim} at {file.rate_hz:g} Hz are more than can be held at once"
        raise PolicyError(path, "chunk", found, "correct chunk, rate_hz or action_offset_ticks")
