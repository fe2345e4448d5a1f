"""A checkpoint's tensors, read without running anything it holds, and checked one by one against what they should be."""

import pickle
import re
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple, TypeGuard

import torch
from torch import Tensor, nn

from station.errors import PolicyError
from station.policy.files import refuse_pointer

_WHOLE = "name the file that the training code saved its policy's state_dict into"


class Expected(NamedTuple):
    """One tensor a checkpoint must hold."""

    shape: tuple[int, ...]
    ours: str
    """Its name in our network; "" where running the policy does not need it."""


def read_checkpoint(path: Path) -> dict[str, Tensor]:
    """The state_dict in a file of torch.save's: tensors alone, or under one key of what a training loop saves beside them.

    Raises PolicyError, naming what else is in it.
    """
    refuse_pointer(path, "checkpoint")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch tells of pickles that are not its own; they are refused below
            found = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        named = re.search(r"(?:GLOBAL|global|function|class) [`']?([\w.]+\.[\w.]+)", str(error))
        what = named[1] if named is not None else " ".join(str(error).split())[:200]
        raise PolicyError(
            path, "checkpoint", f"holds more than tensors: {what}; nothing of it was run", _WHOLE
        ) from error
    except (OSError, RuntimeError, EOFError, ValueError) as error:
        raise PolicyError(
            path, "checkpoint", f"cannot be read: {' '.join(str(error).split())[:200]}", _WHOLE
        ) from error
    return plain_names(path, _tensors_in(path, found))


def _tensors_in(path: Path, found: object) -> dict[str, Tensor]:
    """Raises PolicyError where there are none, or several networks."""
    if _is_state(found):
        return found
    inner = (
        {str(name): value for name, value in found.items() if _is_state(value)} if isinstance(found, Mapping) else {}
    )
    if len(inner) > 1:
        fix = "save the one that is to act by itself: torch.save(policy.state_dict(), FILE)"
        raise PolicyError(path, "checkpoint", f"holds several networks: {', '.join(sorted(inner))[:200]}", fix)
    if not inner:
        kind = type(found).__name__
        raise PolicyError(path, "checkpoint", f"is a {kind} of other things than tensors alone", _WHOLE)
    return next(iter(inner.values()))


def _is_state(found: object) -> TypeGuard[dict[str, Tensor]]:
    return isinstance(found, Mapping) and bool(found) and all(isinstance(value, Tensor) for value in found.values())


def plain_names(path: Path, found: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Without what DistributedDataParallel (`module.` before each) and torch.compile (`_orig_mod.` anywhere) put into names.

    Raises PolicyError where two tensors would have one name.
    """
    wrapped = all(str(name).startswith("module.") for name in found)
    plain: dict[str, Tensor] = {}
    for name, tensor in found.items():
        short = re.sub(r"(^|\.)_orig_mod\.", r"\1", str(name).removeprefix("module.") if wrapped else str(name))
        if short in plain:
            raise PolicyError(path, short, "is there twice, wrapped and unwrapped", _WHOLE)
        plain[short] = tensor
    again = plain and all(name.startswith("module.") for name in plain)
    return plain_names(path, plain) if again else plain


def read_safetensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file. Raises PolicyError."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    refuse_pointer(path, "file")
    try:
        found: dict[str, Tensor] = load_file(path, device="cpu")
    except (OSError, SafetensorError) as error:
        raise PolicyError(path, "file", f"cannot be read: {error}", "name the folder with all its files") from error
    return plain_names(path, found)


def expect(network: nn.Module, theirs: Mapping[str, str], unused: Mapping[str, tuple[int, ...]]) -> dict[str, Expected]:
    """What a checkpoint of `network` holds, by its own names: `theirs` maps prefixes of our names to theirs.

    `unused`: what it holds besides, by its own names. Frozen batch statistics have no counter in any checkpoint.
    """
    wanted = {name: Expected(shape, "") for name, shape in unused.items()}
    counted = {f"{name}.num_batches_tracked" for name, part in network.named_modules() if _is_frozen(part)}
    for ours, tensor in network.state_dict().items():
        if ours not in counted:
            wanted[_renamed(ours, theirs)] = Expected(tuple(tensor.shape), ours)
    return wanted


def _is_frozen(part: nn.Module) -> bool:
    from station.training.networks.resnet import FrozenBatchNorm

    return isinstance(part, FrozenBatchNorm)


def _renamed(ours: str, theirs: Mapping[str, str]) -> str:
    """The longest prefix that is known is exchanged."""
    prefix = max((prefix for prefix in theirs if ours.startswith(prefix)), key=len, default="")
    return theirs[prefix] + ours.removeprefix(prefix) if prefix else ours


def fill(network: nn.Module, path: Path, found: Mapping[str, Tensor], expected: Mapping[str, Expected]) -> None:
    """Load what was found into `network`. Raises PolicyError naming the first tensor that is missing, of another shape, not of
    numbers, or too many.
    """
    for name, (shape, ours) in expected.items():
        if name not in found:
            raise PolicyError(path, name, f"the tensor is missing; expected {_text(shape)}", _likely(found))
        if tuple(found[name].shape) != shape:
            raise PolicyError(
                path, name, f"expected a tensor {_text(shape)}; found {_text(found[name].shape)}", _likely(found)
            )
        if ours and not found[name].is_floating_point() and not ours.endswith("num_batches_tracked"):
            what = f"holds {str(found[name].dtype).removeprefix('torch.')}, no floats: quantised?"
            raise PolicyError(path, name, what, "import the checkpoint as training saved it")
        if not torch.isfinite(found[name]).all():
            raise PolicyError(path, name, "holds NaN or infinity", "import an earlier checkpoint: training diverged")
    extra = sorted(set(found) - set(expected))
    if extra:
        more = f" (and {len(extra) - 1} more)" if len(extra) > 1 else ""
        raise PolicyError(path, extra[0], f"is not a tensor of this network{more}", _likely(found))
    taken = {ours: found[name].float() for name, (_, ours) in expected.items() if ours}
    network.load_state_dict(taken, strict=False, assign=False)
    network.eval()


def _likely(found: Mapping[str, Tensor]) -> str:
    return (
        "import it with the command for the code that trained it, and with that training's settings "
        f"(its tensors are named like {min(found, default='nothing')})"
    )


def _text(shape: Iterable[int]) -> str:
    return "(" + ", ".join(map(str, shape)) + ")"


def layers(found: Mapping[str, Tensor], prefix: str) -> int:
    """How many numbered modules there are below `prefix`."""
    pattern = re.compile(re.escape(prefix) + r"\.(\d+)\.")
    return len({match[1] for name in found if (match := pattern.match(name)) is not None})


def dimension(path: Path, found: Mapping[str, Tensor], name: str, axis: int, rank: int = 2) -> int:
    """The length of an axis of a tensor from which the network's shape is read. Raises PolicyError naming it."""
    if name not in found:
        raise PolicyError(path, name, "the tensor is missing", _likely(found))
    if found[name].dim() != rank:
        raise PolicyError(path, name, f"expected {rank} axes; found {_text(found[name].shape)}", _likely(found))
    return int(found[name].shape[axis])
