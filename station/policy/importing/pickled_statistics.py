"""`dataset_stats.pkl` as ACT's training code leaves it: a pickle, which could run anything. Here it can make NumPy arrays."""

import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from station.errors import PolicyError

_ARRAYS = {
    (module, name)
    for module, name in [
        ("numpy", "ndarray"),
        ("numpy", "dtype"),
        *((f"numpy.{core}.multiarray", maker) for core in ("core", "_core") for maker in ("_reconstruct", "scalar")),
        *((f"numpy.{core}.numeric", "_frombuffer") for core in ("core", "_core")),
    ]
}
"""Everything that a pickled array of numbers names, before NumPy 2 and since."""
_FIX = "name the dataset_stats.pkl that lies beside the checkpoint, as its training wrote it"


class _Forbidden(pickle.UnpicklingError):
    """The pickle names something that makes no array."""


class _ArraysOnly(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        """What the pickle names, if it belongs to an array. _Forbidden for everything else: nothing of it is called."""
        if (module, name) not in _ARRAYS:
            raise _Forbidden(f"{module}.{name}")
        return super().find_class(module.replace("numpy.core", "numpy._core"), name)


def read_statistics(path: Path) -> dict[str, NDArray[np.float64]]:
    """Name → (D,). Raises PolicyError: a pickle that names anything but arrays, or holds anything else."""
    try:
        held = _ArraysOnly(io.BytesIO(path.read_bytes())).load()
    except OSError as error:
        raise PolicyError(path, "statistics", f"cannot be read: {error}", _FIX) from error
    except _Forbidden as error:
        found = f"would call {error}, which is no NumPy array; nothing of it was run"
        raise PolicyError(path, "statistics", found, _FIX) from error
    except Exception as error:  # bytes that are no pickle raise nearly anything
        raise PolicyError(path, "statistics", f"is no pickle of arrays: {error}", _FIX) from error
    if not isinstance(held, dict):
        raise PolicyError(path, "statistics", f"is a {type(held).__name__}, not a dict of arrays", _FIX)
    return {
        str(name): value.astype(np.float64).squeeze()
        for name, value in held.items()
        if isinstance(value, np.ndarray) and value.dtype.kind in "fiu"
    }
