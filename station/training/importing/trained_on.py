"""Which joints a checkpoint's numbers are: no checkpoint says it, the dataset that it was trained on does."""

from pathlib import Path

import msgspec

from station.datasets.record import read_record
from station.episodes.form import by_arm
from station.errors import EpisodeError, PolicyError
from station.policy.folder import PolicyFile


def named_by(settings: PolicyFile, dataset: Path | None) -> tuple[PolicyFile, tuple[str, ...]]:
    """`settings` with names and units of the vector as the dataset (`station dataset export`) has them, and what is to be said of it.

    Raises PolicyError: no such dataset, or one whose vector is not as wide as the checkpoint's.
    """
    if dataset is None:
        return settings, ()
    try:
        plan = read_record(dataset).plan
    except EpisodeError as error:
        why = str(error).removeprefix(f"{dataset}: ")
        raise PolicyError(
            dataset, "--dataset", why.partition(" Next: ")[0], "name the folder that was exported"
        ) from error
    names = plan.dim_names
    for key in ("state_dim", "action_dim"):
        if (has := getattr(settings, key)) != len(names):
            found = f"{len(names)} numbers ({by_arm(names)}), and the checkpoint's {key} is {has}"
            raise PolicyError(dataset, "--dataset", found, "name the dataset that this checkpoint was trained on")
    units = settings.units or plan.units
    return msgspec.structs.replace(settings, dim_names=names, units=units), (
        f"trained on {dataset.name}: {by_arm(names)}",
    )
