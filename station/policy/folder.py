"""A policy is a folder: `policy.yaml` and weights. Everything that can be known before something moves is checked
here.
"""

import difflib
import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal, NoReturn

import msgspec
import yaml
from msgspec import Meta

from station.clock import NS_PER_S
from station.errors import PolicyError
from station.policy.statistics import Statistics, wrong
from station.strict_yaml import UniqueKeys

_UNNORMALISED = ("onnx", "torchscript")
"""Backends that are given a network as it was trained: the station normalises for it."""
Positive = Annotated[int, Meta(ge=1, le=10_000)]
SHIPPED = Path(__file__).parent.parent / "policies"


class Image(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How pictures go in. `stretch` ignores the aspect ratio, `pad` keeps it and centres on black."""

    width: Positive
    height: Positive
    color: Literal["rgb", "bgr"] = "rgb"
    resize: Literal["stretch", "pad"] = "stretch"


class Normalization(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The training set's statistics.

    `image` is per channel of pictures scaled to 0…1; without it they go in as that.
    """

    state: Statistics | None = None
    action: Statistics | None = None
    image: Statistics | None = None


class Execution(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How overlapping chunks become one action per tick (`station.policy.chunks` has the formulas)."""

    mode: Literal["ensemble", "receding", "newest"]
    k: Annotated[float, Meta(ge=-10, le=10)] | None = None
    """ensemble: w_i = exp(−k·i), i = 0 the OLDEST. Above 0 favours old chunks, 0 is the mean, below 0 favours new
    ones.
    """
    steps: Positive | None = None
    """receding: rows of a chunk executed before the newest one takes over."""
    every_ticks: Positive = 1
    """An inference begins so many ticks after the last one did, at the earliest. 1 is ACT's own way; more leaves a small
    computer to its cameras.
    """


class Diffusion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The noise schedule and sampler of a diffusion policy, in diffusers' words; they must be those of training."""

    denoiser: str
    """The denoiser's graph; `weights` is the encoder's."""
    train_steps: Positive
    steps: Positive
    """Denoising steps per inference."""
    sampler: Literal["ddim", "ddpm"] = "ddim"
    schedule: Literal["squaredcos_cap_v2", "linear"] = "squaredcos_cap_v2"
    beta_start: float = 0.0001
    beta_end: float = 0.02
    prediction: Literal["epsilon", "sample"] = "epsilon"
    clip_sample: bool = True
    clip_range: Annotated[float, Meta(gt=0)] = 1.0
    spacing: Literal["leading", "trailing", "linspace"] = "leading"
    seed: int = 0


class PolicyFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """policy.yaml (docs/reference/policy-folder.md)."""

    kind: Literal["act", "diffusion", "vla", "other"]
    backend: str
    """`onnx`, `openpi`, `torchscript`, `replay`, another entry point in the group `station.policies`, or a callable:
    `package.module:name`.
    """
    weights: str
    """A file beside policy.yaml, or whatever the backend takes."""
    cameras: tuple[str, ...] = ()
    """In the order of training."""
    image: Image | None = None
    state_dim: Positive
    action_dim: Positive
    dim_names: tuple[str, ...] = ()
    """The vector's names at training, where known: lets a rig with another order be refused."""
    chunk: Positive
    rate_hz: Annotated[float, Meta(gt=0, le=1000)]
    """Row i of a chunk belongs to t_obs + i / rate_hz."""
    obs_steps: Annotated[int, Meta(ge=1, le=64)] = 1
    """Observations in the input, taken at rate_hz, oldest first."""
    action_offset_ticks: Annotated[int, Meta(ge=-1000, le=1000)] = 0
    """Row 0 belongs to the observation's tick plus this many: −1 for stock ACT trained on real data."""
    normalization: Normalization = Normalization()
    execution: Execution
    newest_dims: tuple[int, ...] = ()
    """Dimensions that take the newest chunk's row as it is (grippers): nothing is averaged or interpolated."""
    diffusion: Diffusion | None = None
    instruction: str = ""
    """What a language-conditioned policy is told, unless `station run --instruction` says something else."""
    api_key_file: str = ""
    """openpi: a file beside policy.yaml with the server's key."""


class Policy(PolicyFile, frozen=True, kw_only=True):
    """A checked policy folder."""

    folder: Path
    sha256: str
    """Of policy.yaml."""


def find_policy(name_or_path: str) -> Path:
    """The folder behind `--policy`: a shipped policy's name, as with `--rig`, or a path (`./handover` is one)."""
    shipped = SHIPPED / name_or_path
    return shipped if (shipped / "policy.yaml").is_file() and "/" not in name_or_path else Path(name_or_path)


def load_policy(folder: Path, instruction: str = "") -> Policy:
    """Read and check `folder`/policy.yaml. Raises PolicyError: file, key, what is wrong, the fix. Weights are not
    opened. `instruction` takes the place of policy.yaml's.
    """
    path = folder.expanduser().resolve() / "policy.yaml"
    try:
        text = path.read_text()
        raw = yaml.load(text, Loader=_PolicyLoader)
    except (OSError, UnicodeDecodeError) as error:
        shipped = ", ".join(sorted(found.parent.name for found in SHIPPED.glob("*/policy.yaml")))
        fix = f"name the folder that holds policy.yaml and the weights, or a shipped policy: {shipped}"
        raise PolicyError(path, "file", f"cannot be read: {error}", fix) from error
    except yaml.YAMLError as error:
        raise PolicyError(path, "file", " ".join(str(error).split()), "correct that line; the file is YAML") from error
    try:
        file = msgspec.convert(raw, PolicyFile)
    except msgspec.ValidationError as error:
        _refuse_values(path, str(error))
    for check in (_check_vectors, _check_pictures, _check_execution, _check_statistics, _check_kind):
        check(path, file)
    fields = {name: getattr(file, name) for name in PolicyFile.__struct_fields__}
    fields["instruction"] = instruction or file.instruction
    return Policy(**fields, folder=path.parent, sha256=hashlib.sha256(text.encode()).hexdigest())


def identity(policy: Policy) -> str:
    """Which policy this is, for people and for the episodes it makes: kind, folder, sha256 of policy.yaml and weights.

    Raises PolicyError where a weights file cannot be read.
    """
    parts = [f"{policy.kind} {policy.folder}", f"policy.yaml sha256:{policy.sha256}"]
    for name in (policy.weights, policy.diffusion.denoiser if policy.diffusion is not None else ""):
        path = policy.folder / name
        if name and path.is_file():
            parts.append(f"{name} sha256:{_sha256(path)}")
    return ", ".join(parts)


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise PolicyError(path, "weights", f"cannot be read: {error}", "look at the file's permissions") from error


def check_against_rig(
    policy: Policy, rig: str, cameras: Sequence[str], dim_names: Sequence[str], tick_hz: float
) -> None:
    """Does the policy fit this rig? Raises PolicyError with the first thing that does not.

    `dim_names` are those of the rig's vector, in its order.
    """
    path = policy.folder / "policy.yaml"
    for camera in policy.cameras:
        if camera not in cameras:
            found = (
                f"the policy sees {camera}, which rig {rig} does not have (it has {', '.join(cameras) or 'no camera'})"
            )
            raise PolicyError(
                path, "cameras", found, "run it on the rig it was trained on, or name the camera alike in the rig file"
            )
    dims = len(dim_names)
    for key, count in (("state_dim", policy.state_dim), ("action_dim", policy.action_dim)):
        if count != dims:
            fix = f"run it on a rig of {count} dimensions, or train it on this rig's episodes"
            raise PolicyError(path, key, f"{count}, but the vector of rig {rig} has {dims} dimensions", fix)
    for i, (ours, theirs) in enumerate(zip(policy.dim_names, dim_names, strict=False)):
        if ours != theirs:
            fix = "put the rig file's sides in the order of training"
            raise PolicyError(path, f"dim_names[{i}]", f"{ours} at training, {theirs} on rig {rig}", fix)
    lasts_ticks = policy.chunk / policy.rate_hz * tick_hz + policy.action_offset_ticks
    if not lasts_ticks > 1:
        found = f"{policy.chunk} rows at {policy.rate_hz:g} Hz are over before an answer can reach the next tick"
        raise PolicyError(path, "chunk", found, "export a policy that predicts further ahead")


def chunk_ns(policy: PolicyFile) -> int:
    """How long a chunk lasts, ns."""
    return round(policy.chunk / policy.rate_hz * NS_PER_S)


def _check_vectors(path: Path, file: PolicyFile) -> None:
    if file.dim_names and len(file.dim_names) != file.action_dim:
        found = f"{len(file.dim_names)} names for {file.action_dim} dimensions"
        raise PolicyError(path, "dim_names", found, "one name per dimension, or leave them out")
    for i in file.newest_dims:
        if not 0 <= i < file.action_dim:
            raise PolicyError(
                path, "newest_dims", f"{i} is no dimension of {file.action_dim}", f"use 0 to {file.action_dim - 1}"
            )
    if len(set(file.newest_dims)) != len(file.newest_dims):
        raise PolicyError(path, "newest_dims", "a dimension is given twice", "give each once")


def _check_pictures(path: Path, file: PolicyFile) -> None:
    if file.cameras and file.image is None:
        raise PolicyError(path, "image", "missing", "give the size of training: image: {width: 640, height: 480}")
    if len(set(file.cameras)) != len(file.cameras):
        raise PolicyError(path, "cameras", "a camera is given twice", "give each once, in the order of training")


def _check_execution(path: Path, file: PolicyFile) -> None:
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


def _check_statistics(path: Path, file: PolicyFile) -> None:
    for name, dims in (("state", file.state_dim), ("action", file.action_dim), ("image", 3)):
        statistics = getattr(file.normalization, name)
        if statistics is None:
            if file.backend in _UNNORMALISED and name != "image":
                fix = "give the training set's mean and std, or min and max (0 and 1 if the graph normalises)"
                raise PolicyError(path, f"normalization.{name}", "missing", fix)
            continue
        fault = wrong(statistics, dims)
        if fault is not None:
            key = f"normalization.{name}.{fault.key}".rstrip(".")
            raise PolicyError(path, key, fault.found, fault.fix)


def _check_kind(path: Path, file: PolicyFile) -> None:
    files = {"weights": file.weights} if file.backend in (*_UNNORMALISED, "replay") else {}
    if file.kind == "diffusion" and file.backend == "onnx":
        if file.diffusion is None:
            fix = "give the schedule of training: diffusion: {denoiser: denoiser.onnx, train_steps: 50, steps: 10}"
            raise PolicyError(path, "diffusion", "missing", fix)
        if file.diffusion.steps > file.diffusion.train_steps:
            found = f"{file.diffusion.steps} of {file.diffusion.train_steps} training steps"
            raise PolicyError(path, "diffusion.steps", found, "use at most as many as at training")
        files["diffusion.denoiser"] = file.diffusion.denoiser
    elif file.diffusion is not None:
        found = f"has no meaning for kind {file.kind} with backend {file.backend}"
        raise PolicyError(path, "diffusion", found, "take it out, or correct kind and backend")
    for key, name in files.items():
        if not (path.parent / name).is_file():
            raise PolicyError(
                path, key, f"there is no file {path.parent / name}", "put it beside policy.yaml, or correct the name"
            )


def _refuse_values(path: Path, message: str) -> NoReturn:
    found, _, where = message.partition(" - at `$")
    where = where.rstrip("`").lstrip(".")
    fix = "correct the value (docs/reference/policy-folder.md lists the keys and their types)"
    unknown = re.search(r"unknown field `(.+?)`", found)
    if unknown is not None:
        keys = _fields(where)
        near = difflib.get_close_matches(unknown[1], keys, 1)
        fix = f"did you mean `{near[0]}`?" if near else f"take it out; the keys are {', '.join(keys)}"
    missing = re.search(r"missing required field `(.+?)`", found)
    if missing is not None:
        fix = f"add `{missing[1]}` as the policy was trained"
    raise PolicyError(path, where or "policy", found, fix)


def _fields(where: str) -> tuple[str, ...]:
    sections: dict[str, type[msgspec.Struct]] = {
        "": PolicyFile, "image": Image, "normalization": Normalization, "execution": Execution, "diffusion": Diffusion,
    }  # fmt: skip
    return sections.get(where, Statistics).__struct_fields__


class _PolicyLoader(UniqueKeys):
    """YAML that reads 1e-2 as a number, as YAML 1.2 does and every trainer writes it (PyYAML alone makes it text)."""


_PolicyLoader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+\Z"), list("-+0123456789")
)
