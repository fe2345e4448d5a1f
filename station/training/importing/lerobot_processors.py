"""What LeRobot does before and after its network: `policy_preprocessor.json`, `policy_postprocessor.json`, step by step.

The steps are a whitelist. One that is known and honoured exactly passes; one that is not known, or that is switched on and
changes what the numbers mean, is refused by name: its policy would run, and do something else than it was trained to.
"""

from collections.abc import Callable, Mapping
from math import isfinite
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import msgspec
import numpy as np
from numpy.typing import NDArray

from station.errors import PolicyError
from station.policy.files import refuse_pointer

Numbers = NDArray[np.float64]
ReadTensors = Callable[[Path], Mapping[str, Numbers]]
EPS = 1e-8
"""What LeRobot adds to a std, and takes for a range of nothing."""
_NORMALISERS = ("normalizer_processor", "unnormalizer_processor")
_CLASSES = {
    "RenameProcessor": "rename_observations_processor", "RenameProcessorStep": "rename_observations_processor",
    "RenameObservationsProcessorStep": "rename_observations_processor", "rename_processor": "rename_observations_processor",
    "ToBatchProcessor": "to_batch_processor", "AddBatchDimensionProcessorStep": "to_batch_processor",
    "DeviceProcessor": "device_processor", "DeviceProcessorStep": "device_processor",
    "NormalizerProcessor": "normalizer_processor", "NormalizerProcessorStep": "normalizer_processor",
    "UnnormalizerProcessor": "unnormalizer_processor", "UnnormalizerProcessorStep": "unnormalizer_processor",
    "RelativeActionsProcessorStep": "relative_actions_processor",
    "AbsoluteActionsProcessorStep": "absolute_actions_processor",
}  # fmt: skip
"""What a step was called before it had a name, or had another one."""


class Processors(NamedTuple):
    """Both pipelines, as far as they decide what the numbers mean."""

    modes: Mapping[str, str]
    """STATE, VISUAL (as the normaliser does), ACTION (as the unnormaliser does) → mode; nothing where they do not say."""
    held: Mapping[str, Mapping[str, Numbers]]
    """Feature → statistic → numbers."""
    renamed: Mapping[str, str]
    """The policy's name of a picture → the robot's at training."""
    eps: float


class _Step(msgspec.Struct, frozen=True):
    registry_name: str = ""
    kind: str = msgspec.field(default="", name="class")
    config: dict[str, Any] = {}
    state_file: str | None = None

    @property
    def name(self) -> str:
        """Its registered name, whatever it was saved by."""
        last = self.registry_name or self.kind.rpartition(".")[2]
        return _CLASSES.get(last, last)


class _Pipeline(msgspec.Struct, frozen=True):
    steps: tuple[_Step, ...]


def read_processors(folder: Path, read: ReadTensors) -> Processors | None:
    """None where the folder is from before processors. Raises PolicyError: a step that is not known, or changes the meaning."""
    before, after = (_steps(folder / f"policy_{name}processor.json") for name in ("pre", "post"))
    if not before and not after:
        return None
    renamed: dict[str, str] = {}
    modes: dict[str, str] = {}
    held: dict[str, Mapping[str, Numbers]] = {}
    eps, normalised = EPS, False
    for path, steps in ((folder / "policy_preprocessor.json", before), (folder / "policy_postprocessor.json", after)):
        for place, step in enumerate(steps):
            check = _KNOWN.get(step.name)
            if check is None:
                _refuse(path, place, step, "is not known here: what it does to the numbers would be left out")
            check(path, place, step)
            if step.name == "rename_observations_processor":
                renamed |= _renamed(path, place, step, normalised)
            elif step.name in _NORMALISERS:
                before_network = step.name == _NORMALISERS[0]
                if before_network == normalised:
                    _refuse(
                        path,
                        place,
                        step,
                        "is one too many, or comes before the other: numbers would be normalised twice",
                    )
                kinds = ("STATE", "VISUAL", "ACTION") if before_network else ("ACTION",)
                modes |= _modes(path, place, step, kinds)
                found = _statistics(path, step, read)
                held |= {name: numbers for name, numbers in found.items() if before_network or name == "action"}
                eps, normalised = _eps(path, place, step), before_network
    if not held and not modes:
        path = folder / "policy_preprocessor.json"
        raise PolicyError(
            path, "steps", "has no normalizer_processor", "import the folder that training saved, as it is"
        )
    return Processors(modes, held, renamed, eps)


def _steps(path: Path) -> tuple[_Step, ...]:
    if not path.is_file():
        return ()
    refuse_pointer(path, "file")
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Pipeline).steps
    except (OSError, msgspec.DecodeError, RecursionError) as error:
        raise PolicyError(path, "file", f"is no pipeline of processors: {error}", "save the policy again") from error


def _refuse(path: Path, place: int, step: _Step, found: str) -> NoReturn:
    name = step.name[:80] or "a step without a name"
    fix = "train or save the policy without that step; what can be imported is in docs/guide/policies.md"
    raise PolicyError(path, f"steps[{place}] {name}", found, fix)


def _passes(path: Path, place: int, step: _Step) -> None:
    """A step that changes no number."""


def _off(path: Path, place: int, step: _Step) -> None:
    """A step that is in every pipeline and does nothing unless it is switched on."""
    if step.config.get("enabled", False) is not False:
        what = "is switched on: the network's actions are offsets from the state, and would be taken for poses"
        _refuse(path, place, step, what)


def _device(path: Path, place: int, step: _Step) -> None:
    kind = step.config.get("float_dtype")
    if kind not in (None, "float32"):
        _refuse(path, place, step, f"computes in {kind}; the station's networks compute in float32")


def _normaliser(path: Path, place: int, step: _Step) -> None:
    if step.config.get("normalize_observation_keys") is not None:
        _refuse(path, place, step, "normalises some observations and not others (normalize_observation_keys)")
    if step.config.get("stats"):
        _refuse(path, place, step, "has statistics of its own in its config, besides those in its file")


_KNOWN: dict[str, Callable[[Path, int, _Step], None]] = {
    "rename_observations_processor": _passes,
    "to_batch_processor": _passes,
    "device_processor": _device,
    "normalizer_processor": _normaliser,
    "unnormalizer_processor": _normaliser,
    "relative_actions_processor": _off,
    "absolute_actions_processor": _off,
}


def _renamed(path: Path, place: int, step: _Step, normalised: bool) -> dict[str, str]:
    """The policy's name → the robot's, of pictures; renaming anything else changes what goes in."""
    renames = step.config.get("rename_map") or {}
    if not isinstance(renames, dict):
        _refuse(path, place, step, "has a rename_map that is none")
    found: dict[str, str] = {}
    for theirs, ours in renames.items():
        if theirs == ours:
            continue
        if not all(isinstance(one, str) and one.startswith("observation.image") for one in (theirs, ours)):
            _refuse(
                path,
                place,
                step,
                f"renames {str(theirs)[:80]} to {str(ours)[:80]}: only pictures can be told apart by name",
            )
        if normalised:
            _refuse(path, place, step, "renames after the normaliser, whose statistics go by the other name")
        if ours in found:
            _refuse(path, place, step, f"makes {ours} of two pictures")
        found[ours] = theirs
    return found


def _modes(path: Path, place: int, step: _Step, kinds: tuple[str, ...]) -> dict[str, str]:
    modes = step.config.get("norm_map")
    if "norm_map" not in step.config:
        return {}
    if not isinstance(modes, dict) or not all(isinstance(mode, str) for mode in modes.values()):
        _refuse(path, place, step, "does not say how it normalises (norm_map)")
    return {kind: str(modes.get(kind, "IDENTITY")) for kind in kinds}  # LeRobot's default


def _eps(path: Path, place: int, step: _Step) -> float:
    eps = step.config.get("eps", EPS)
    if not isinstance(eps, int | float) or not isfinite(eps) or not 0 < eps <= 1e-2:
        _refuse(path, place, step, f"has eps {eps!r}, which is no small number")
    return float(eps)


def _statistics(path: Path, step: _Step, read: ReadTensors) -> dict[str, dict[str, Numbers]]:
    if not step.state_file:
        return {}
    if Path(step.state_file).name != step.state_file:
        raise PolicyError(path, "state_file", f"{step.state_file!r} is not a file beside it", "save the policy again")
    found: dict[str, dict[str, Numbers]] = {}
    features = step.config.get("features")
    for key, numbers in read(path.with_name(step.state_file)).items():
        feature, _, statistic = key.rpartition(".")
        if not isinstance(features, dict) or feature in features:  # LeRobot leaves alone what is not in it
            found.setdefault(feature, {})[statistic] = numbers
    return found
