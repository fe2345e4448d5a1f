"""`dataset_stats.pkl` as ACT's training code leaves it: a pickle, which could run anything. Here it is read as data."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from station.errors import PolicyError
from station.policy.files import refuse_pointer
from station.training.importing.pickled_arrays import LARGEST_BYTES, Refused, read_arrays

_FIX = "name the dataset_stats.pkl that lies beside the checkpoint, as its training wrote it"


def read_statistics(path: Path) -> dict[str, NDArray[np.float64]]:
    """Name → (D,). Raises PolicyError: a pickle that names anything but arrays, or holds anything else."""
    refuse_pointer(path, "statistics")
    try:
        with path.open("rb") as file:
            pickled = file.read(LARGEST_BYTES + 1)
        if len(pickled) > LARGEST_BYTES:
            raise PolicyError(path, "statistics", f"has more than {LARGEST_BYTES} bytes", _FIX)
        return {name: numbers.squeeze() for name, numbers in read_arrays(pickled).items()}
    except OSError as error:
        raise PolicyError(path, "statistics", f"cannot be read: {error.strerror or error}", _FIX) from error
    except Refused as error:
        raise PolicyError(path, "statistics", str(error), _FIX) from error
