"""ALOHA's and ACT's episodes: `episode_<n>.hdf5` with /observations/{qpos,qvel,effort,images}, /action, as their recorder writes them.

They say neither rate nor names nor times: 50 Hz and the names are ALOHA's convention, and nothing is known of when a picture was taken.
"""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from station.datasets.importing.foreign import Foreign, Pictures, Said, in_units, named, units_of
from station.episodes.reading import reading
from station.errors import EpisodeError, UsageError

_HZ = 50.0
_BLOCK = 1 << 20


def found(folder: Path) -> list[Path]:
    """The episodes in a folder, by number. Raises UsageError where there is none."""
    paths = [folder] if folder.is_file() else sorted(folder.glob("episode_*.hdf5"), key=_number)
    if not paths:
        raise UsageError(f"{folder}: no episode_<n>.hdf5. Next: name a folder of ALOHA's episodes, or one file")
    return paths


def _number(path: Path) -> tuple[int, str]:
    digits = re.search(r"(\d{1,9})\.hdf5$", path.name)
    return (int(digits[1]) if digits else -1), path.name


def read(path: Path, said: Said) -> Foreign:
    """One episode. Raises EpisodeError for a file that is none, UsageError where something has to be said."""
    with reading(path) as file:
        if "tick_hz" in file.attrs:
            raise EpisodeError(
                f"{path}: it was recorded by a station. Next: copy it into a data folder; it needs no import"
            )
        state, action = _table(file, path, "observations/qpos"), _table(file, path, "action")
        if state.shape != action.shape:
            raise EpisodeError(
                f"{path}: /observations/qpos is {state.shape}, /action {action.shape}. Next: leave this file out"
            )
        names = named((), state.shape[1], said, path)
        units = units_of(names, said, "rad")
        images = file.get("observations/images", {})
        cameras = {name: len(images[name].shape) == 2 for name in images}
        if len(set(cameras.values())) > 1:
            raise EpisodeError(f"{path}: some cameras are compressed and some are not. Next: leave this file out")
        return Foreign(
            f"aloha {path.name}", _sha256(path), said.rate_hz or _HZ, names, tuple("rad" if unit == "deg" else unit for unit in units),
            in_units(state, units), in_units(action, units), _rated(file, path, "observations/qvel", units),
            _optional(file, path, "observations/effort"), {name: _pictures(path, place, name) for place, name in enumerate(cameras)},
            any(cameras.values()), simulated=bool(np.ravel(file.attrs.get("sim", False))[0]),
        )  # fmt: skip


def _rated(file: h5py.File, path: Path, name: str, units: tuple[str, ...]) -> NDArray[np.float32] | None:
    found = _optional(file, path, name)
    return in_units(found, units) if found is not None else None


def _optional(file: h5py.File, path: Path, name: str) -> NDArray[np.float32] | None:
    return _table(file, path, name) if name in file else None


def _table(file: h5py.File, path: Path, name: str) -> NDArray[np.float32]:
    dataset = file.get(name)
    if not isinstance(dataset, h5py.Dataset) or dataset.ndim != 2 or dataset.dtype.kind != "f" or not len(dataset):
        raise EpisodeError(f"{path}: /{name} is no table of numbers. Next: leave this file out")
    values = np.asarray(dataset[()], np.float32)
    if not np.isfinite(values).all():
        raise EpisodeError(f"{path}: /{name} has values that are no number. Next: leave this file out")
    return values


def _pictures(path: Path, place: int, camera: str) -> Pictures:
    def each() -> Iterator[bytes | NDArray[np.uint8]]:
        with reading(path) as file:
            rows: Any = file["observations/images"][camera]
            lengths = file["compress_len"][place] if rows.ndim == 2 and "compress_len" in file else None
            for row in range(len(rows)):
                data = rows[row]
                if rows.ndim == 4:
                    yield np.asarray(data, np.uint8)
                else:  # padded with zeros behind the end of the JPEG
                    kept = bytes(data.tobytes())
                    yield kept[: int(lengths[row])] if lengths is not None else kept.rstrip(b"\0")

    return each


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while data := file.read(_BLOCK):
            digest.update(data)
    return digest.hexdigest()
