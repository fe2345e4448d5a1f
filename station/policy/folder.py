"""A policy is a folder: `policy.yaml` and weights. Everything that can be known before something moves is checked
here.
"""

import difflib
import hashlib
import re
from pathlib import Path
from typing import Annotated, Literal, NoReturn

import msgspec
import yaml
from msgspec import Meta

from station.borders.strict_yaml import UniqueKeys
from station.clock import NS_PER_S
from station.errors import PolicyError
from station.policy.files import inside
from station.policy.folder_checks import check
from station.policy.statistics import Statistics

Positive = Annotated[int, Meta(ge=1, le=10_000)]
Pixels = Annotated[int, Meta(ge=1, le=4096)]
Text = Annotated[str, Meta(max_length=4096)]
Name = Annotated[str, Meta(max_length=200)]
_LARGEST_FILE = 2**20
"""Bytes of policy.yaml: statistics of a hundred dimensions take some kilobytes."""
SHIPPED = Path(__file__).parent.parent / "policies"


class Size(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Of pictures."""

    width: Pixels
    height: Pixels


class Crop(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of a camera's pictures, pixels as they are shot."""

    width: Pixels
    height: Pixels
    left: Annotated[int, Meta(ge=0, le=8192)]
    top: Annotated[int, Meta(ge=0, le=8192)]


class Image(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How pictures go in. `stretch` ignores the aspect ratio, `pad` keeps it and centres on black."""

    width: Pixels
    height: Pixels
    color: Literal["rgb", "bgr"] = "rgb"
    resize: Literal["stretch", "pad"] = "stretch"
    crop: dict[Name, Crop] = {}
    """Cameras of whose pictures a part goes in, cropped before it is resized, as `station dataset export --crop` did at training."""
    sizes: dict[Name, Size] = {}
    """Cameras whose pictures are smaller: each lies at the top left of the `width` × `height` that all are given in."""

    def of(self, camera: str) -> Size:
        """The size of a camera's pictures."""
        return self.sizes.get(camera) or Size(self.width, self.height)


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

    denoiser: Name
    """The denoiser's graph; `weights` is the encoder's."""
    train_steps: Positive
    steps: Positive
    """Denoising steps per inference."""
    sampler: Literal["ddim", "ddpm"] = "ddim"
    schedule: Literal["squaredcos_cap_v2", "linear"] = "squaredcos_cap_v2"
    beta_start: Annotated[float, Meta(gt=0, lt=1)] = 0.0001
    beta_end: Annotated[float, Meta(gt=0, lt=1)] = 0.02
    prediction: Literal["epsilon", "sample"] = "epsilon"
    clip_sample: bool = True
    clip_range: Annotated[float, Meta(gt=0, le=1e6)] = 1.0
    spacing: Literal["leading", "trailing", "linspace"] = "leading"
    seed: Annotated[int, Meta(ge=0, le=2**62)] = 0


class PolicyFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """policy.yaml (docs/reference/policy-folder.md)."""

    kind: Literal["act", "diffusion", "vla", "other"]
    backend: Name
    """`onnx`, `openpi`, `torchscript`, `replay`, or another installed entry point in the group `station.policies`."""
    weights: Annotated[str, Meta(max_length=1000)]
    """A file of the folder; openpi: the server's address; replay: an episode, which may lie anywhere."""
    cameras: tuple[Name, ...] = ()
    """In the order of training."""
    image: Image | None = None
    state_dim: Positive
    action_dim: Positive
    dim_names: tuple[Name, ...] = ()
    """The vector's names at training, where known: lets a rig with another order be refused."""
    units: tuple[Name, ...] = ()
    """Its numbers' units at training, where known: `rad`, a gripper's `1`. Lets one in degrees be refused."""
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
    instruction: Text = ""
    """What a language-conditioned policy is told, unless `station run --instruction` says something else."""
    api_key_file: Name = ""
    """openpi: a file beside policy.yaml with the server's key."""


class Policy(PolicyFile, frozen=True, kw_only=True):
    """A checked policy folder."""

    folder: Path
    sha256: str
    """Of policy.yaml."""
    told: str = ""
    """The instruction that took the place of the folder's own, if one did."""


def find_policy(name_or_path: str) -> Path:
    """The folder behind `--policy`: a shipped policy's name, as with `--rig`, or a path (`./handover` is one)."""
    shipped = SHIPPED / name_or_path
    return shipped if (shipped / "policy.yaml").is_file() and "/" not in name_or_path else Path(name_or_path)


def load_policy(folder: Path, instruction: str = "") -> Policy:
    """Read and check `folder`/policy.yaml. Raises PolicyError: file, key, what is wrong, the fix. Weights are not
    opened. `instruction` takes the place of policy.yaml's.
    """
    path = inside(folder.expanduser().resolve(), "file", "policy.yaml")
    try:
        with path.open("rb") as opened:
            text = opened.read(_LARGEST_FILE + 1).decode()
        if len(text) > _LARGEST_FILE:
            raise PolicyError(
                path, "file", f"has more than {_LARGEST_FILE} bytes", "keep weights in files of their own"
            )
        raw = yaml.load(text, Loader=_PolicyLoader)
    except (OSError, UnicodeDecodeError) as error:
        shipped = ", ".join(sorted(found.parent.name for found in SHIPPED.glob("*/policy.yaml")))
        fix = f"name the folder that holds policy.yaml and the weights, or a shipped policy: {shipped}"
        raise PolicyError(path, "file", f"cannot be read: {error}", fix) from error
    except yaml.YAMLError as error:
        found = " ".join(str(error).split())[:500]
        raise PolicyError(path, "file", found, "correct that line; the file is YAML") from error
    try:
        file = msgspec.convert(raw, PolicyFile)
    except msgspec.ValidationError as error:
        _refuse_values(path, str(error))
    check(path, file)
    fields = {name: getattr(file, name) for name in PolicyFile.__struct_fields__}
    fields["instruction"] = instruction or file.instruction
    told = instruction if instruction != file.instruction else ""
    return Policy(**fields, folder=path.parent, sha256=hashlib.sha256(text.encode()).hexdigest(), told=told)


def chunk_ns(policy: PolicyFile) -> int:
    """How long a chunk lasts, ns."""
    return round(policy.chunk / policy.rate_hz * NS_PER_S)


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
