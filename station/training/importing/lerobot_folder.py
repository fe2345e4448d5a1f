"""Which folder is LeRobot's policy, and what its config.json said before 2025."""

import re
from pathlib import Path
from typing import Any

from station.errors import PolicyError

_HUB = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*\Z")
_BELOW = ("pretrained_model", "checkpoints/last/pretrained_model", "last/pretrained_model")
_OLD_NAMES = {"temporal_ensemble_momentum"}
"""Keys of then that have no like of today."""


def policy_folder(path: Path) -> Path:
    """The folder with config.json. Raises PolicyError that says which one is meant, where that can be told."""
    folder = path.expanduser()
    if (folder / "config.json").is_file():
        return folder
    below = [folder / name for name in _BELOW if (folder / name / "config.json").is_file()]
    if below:
        raise PolicyError(folder, "folder", "holds the training run, not the policy", f"name {below[0]}")
    if folder.is_file():
        raise PolicyError(folder, "folder", "is a file", f"name its folder: {folder.parent}")
    if not folder.exists() and _HUB.match(str(path)):
        fix = f"download it first: `hf download {path} --local-dir {path.name}`, then name that folder"
        raise PolicyError(path, "folder", "is no folder here; it looks like a name on the Hugging Face hub", fix)
    what = "has no config.json" if folder.is_dir() else "is not there"
    fix = "name a pretrained_model folder: config.json and model.safetensors of a LeRobot ACT or Diffusion policy"
    raise PolicyError(folder, "folder", what, fix)


def as_written_today(path: Path, raw: dict[str, Any]) -> dict[str, Any]:
    """A config.json without `type` (LeRobot before 2025: input_shapes, input_normalization_modes) in today's keys.

    Raises PolicyError where its kind, or how it normalises, cannot be told.
    """
    kind = "act" if "chunk_size" in raw else "diffusion" if "down_dims" in raw else ""
    fix = "name a LeRobot ACT or Diffusion policy, or save this one again with a newer LeRobot"
    if not kind:
        raise PolicyError(path, "type", "missing, and its keys are neither ACT's nor Diffusion's", fix)
    for name in _OLD_NAMES & set(raw):
        if raw[name] is not None:
            raise PolicyError(path, name, f"is {raw[name]!r}, which LeRobot has no more", fix)
    shapes = {key: raw.get(f"{key}_shapes") for key in ("input", "output")}
    modes = {key: raw.get(f"{key}_normalization_modes") for key in ("input", "output")}
    if not all(isinstance(one, dict) for one in (*shapes.values(), *modes.values())):
        raise PolicyError(path, "input_shapes", "shapes and normalisation modes are not all there", fix)
    mapping: dict[str, str] = {}
    features: dict[str, dict[str, Any]] = {"input": {}, "output": {}}
    for key, named in features.items():
        for name, shape in (shapes[key] or {}).items():
            what = "ACTION" if key == "output" else "VISUAL" if str(name).startswith("observation.image") else "STATE"
            mode = str((modes[key] or {}).get(name) or "identity").upper()
            if mapping.setdefault(what, mode) != mode:
                raise PolicyError(path, f"{key}_normalization_modes", f"{what} is normalised in two ways", fix)
            named[name] = {"type": what, "shape": shape}
    today = {"type": kind, "normalization_mapping": mapping, "input_features": features["input"]}
    gone = {"temporal_ensemble_momentum"}
    return (
        {key: value for key, value in raw.items() if key not in gone} | today | {"output_features": features["output"]}
    )
