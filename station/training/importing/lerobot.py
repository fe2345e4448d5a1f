"""LeRobot's ACT and Diffusion policies as the station's policy folder: config.json, model.safetensors, normalisation.

Here all decoder layers count (LeRobot's ACT has one by default, which is what ACT's own code amounts to), one backbone
serves all cameras in ACT, and row 0 of ACT's chunk is the action recorded with the observation. Diffusion's horizon begins
at the oldest of its observations.
"""

from pathlib import Path

import msgspec

from station.training.export import write_policy
from station.training.importing.act import Imported
from station.training.importing.lerobot_act import load_act
from station.training.importing.lerobot_config import ActConfig, camera_names, read_config, read_features, split_weights
from station.training.importing.lerobot_diffusion import load_diffusion
from station.training.importing.lerobot_folder import policy_folder
from station.training.importing.lerobot_processors import EPS
from station.training.importing.lerobot_source import Loaded, Source, processors, statistics_held
from station.training.importing.tensors import read_safetensors
from station.training.importing.trained_on import named_by
from station.training.importing.units import in_our_units


def import_lerobot(
    source: Path,
    folder: Path,
    cameras: tuple[str, ...] = (),
    rate_hz: float = 50.0,
    steps: int | None = None,
    units: tuple[str, ...] = (),
    dataset: Path | None = None,
) -> Imported:
    """Write `folder`. `cameras`: the rig's names, in the checkpoint's order; `rate_hz`: the training set's frames a second;
    `steps`: denoising steps, if others than training's; `units`: of state and action at training, if not the station's;
    `dataset`: the exported one that it was trained on, which names its numbers.
    Raises PolicyError.
    """
    loaded = load_lerobot(source, cameras, rate_hz, steps)
    settings, said = in_our_units(loaded.settings, units, source)
    settings, named = named_by(settings, dataset)
    loaded = loaded._replace(settings=settings, notes=(*loaded.notes, *said, *named))
    differences = write_policy(folder, loaded.settings, loaded.networks, loaded.notes)
    return Imported(f"LeRobot {loaded.settings.kind}", loaded.notes, tuple(differences))


def load_lerobot(path: Path, cameras: tuple[str, ...] = (), rate_hz: float = 50.0, steps: int | None = None) -> Loaded:
    """Read and check the folder. Raises PolicyError naming the tensor or the setting that is not as it should be."""
    path = policy_folder(path)
    config = read_config(path)
    told = processors(path)
    if told is not None and told.modes:  # it is these that LeRobot runs
        config = msgspec.structs.replace(config, normalization_mapping={**config.normalization_mapping, **told.modes})
    seen = read_features(path, config)
    tensors, old = split_weights(read_safetensors(path / "model.safetensors"))
    names = camera_names(seen, cameras, told.renamed if told is not None else None)
    eps = told.eps if told is not None else EPS
    source = Source(path, seen, tensors, statistics_held(path, told, old), names, rate_hz, eps)
    return load_act(source, config) if isinstance(config, ActConfig) else load_diffusion(source, config, steps)
