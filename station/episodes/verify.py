"""Holds an episode file against the layout's table and its invariants, and says what is wrong."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from station.bus.messages import SOURCES
from station.episodes import layout
from station.episodes.picture_dataset import chunk_places

_JPEG_MAGIC = b"\xff\xd8\xff"
_TYPES = {
    "bool": np.bool_,
    "int8": np.int8,
    "int64": np.int64,
    "float64": np.float64,
    "string": str,
    "strings": np.ndarray,
}


def verify(path: Path) -> list[str]:
    """What is wrong with the file, one sentence each; empty if it is a whole episode."""
    try:
        with h5py.File(path) as file:
            findings = [*_attributes(file), *_shape(file)]
            if not findings:
                findings = [*_numbers(file), *_times(file), *_pictures(file, path)]
    except OSError as error:
        return [f"not a whole HDF5 file: {error}"]
    return findings


def _attributes(file: h5py.File) -> Iterator[str]:
    for attribute in layout.ATTRIBUTES:
        if attribute.since > _version(file):
            continue
        for on in _places(file, attribute.on):
            if attribute.name not in file[on].attrs:
                yield f"{on}: attribute {attribute.name} is missing"
                continue
            value = file[on].attrs[attribute.name]
            if not isinstance(value, _TYPES[attribute.type]):
                yield f"{on}: attribute {attribute.name} is {type(value).__name__}, not {attribute.type}"
    if file.attrs.get("success") not in (-1, 0, 1):
        yield f"/: attribute success is {file.attrs.get('success')}, not −1, 0 or 1"


def _version(file: h5py.File) -> int:
    return int(file.attrs.get("layout", 1))


def _places(file: h5py.File, on: str) -> list[str]:
    """The paths in this file that a path of the table stands for."""
    if on == "/compress_len" and not file.attrs.get("compress", False):
        return []
    if "<stream>" not in on:
        return [on] if on in file else []
    folder = on.removesuffix("/<stream>")
    return [f"{folder}/{name}" for name in file.get(folder, ()) if f"{folder}/{name}" != "/timestamps/tick"]


def plan_of(file: h5py.File) -> layout.Plan:
    """The plan an episode was written to, as the file itself tells it. Raises KeyError where that is missing."""
    cameras = tuple(str(name) for name in file.attrs["camera_names"])
    rows, dimensions = file["/action"].shape
    jpeg = bool(file.attrs["compress"])
    images = {camera: file[f"/observations/images/{camera}"].shape for camera in cameras}
    depths = {name: dataset.shape for name, dataset in file.get("/observations/depth", {}).items()}
    return layout.Plan(
        rows=rows,
        dimensions=dimensions,
        jpeg=jpeg,
        padded=max((shape[1] for shape in images.values()), default=0) if jpeg else 0,
        cameras=cameras,
        pictures={} if jpeg else {camera: shape[1:3] for camera, shape in images.items()},
        depths={name: shape[1:3] for name, shape in depths.items()},
        extras={name: dataset.shape[1] for name, dataset in file.get("/observations/extra", {}).items()},
        streams=tuple(name for name in file["/timestamps"] if name != "tick"),
        version=_version(file),
    )


def _shape(file: h5py.File) -> Iterator[str]:
    try:
        wanted = {entry.path: entry for entry in layout.expected(plan_of(file))}
    except (KeyError, ValueError, IndexError) as error:
        yield f"what the layout demands is missing: {error}"
        return
    present: dict[str, Any] = {}
    file.visititems(lambda name, item: present.update({f"/{name}": item}) if isinstance(item, h5py.Dataset) else None)
    for path, entry in wanted.items():
        if path not in present:
            yield f"{path} is missing"
        elif present[path].dtype != np.dtype(entry.dtype) or present[path].shape != entry.shape:
            found = present[path]
            yield f"{path} is {found.dtype} {found.shape}, not {entry.dtype} {entry.shape}"
    if len(file.attrs["dim_names"]) != file["/action"].shape[1] or len(file.attrs["units"]) != file["/action"].shape[1]:
        yield "dim_names or units do not name every number of /action"
    if file["/action"].shape[0] == 0:
        yield "no rows"
    for path in sorted(present.keys() - wanted.keys()):
        yield f"{path} is not in the layout"


def _numbers(file: h5py.File) -> Iterator[str]:
    for path in ("/observations/qpos", "/observations/qvel", "/observations/effort", "/action", "/action_sent"):
        wrong = np.flatnonzero(~np.isfinite(file[path][:]).all(axis=1))
        if wrong.size:
            yield f"{path}: row {wrong[0]} is not a number throughout ({wrong.size} rows)"
    if (file["/control/source"][:] >= len(SOURCES)).any():
        yield "/control/source has numbers without a name"
    if int(file["/control/late"][:].sum()) != file.attrs["late_ticks"]:
        yield "late_ticks is not the number of rows marked late"
    if "/control/stalled" in file:
        stalled = file["/control/stalled"][:].astype(np.int8)
        if int((np.diff(stalled, prepend=0) == 1).sum()) != file.attrs["stalls"]:
            yield "stalls is not the number of runs of rows marked stalled"


def _times(file: h5py.File) -> Iterator[str]:
    ticks = file["/timestamps/tick"][:]
    period = 1e9 / file.attrs["tick_hz"]
    ideal = ticks[0] + np.rint((ticks - ticks[0]) / period) * period
    if ticks.size > 1 and (np.diff(ticks) <= 0).any():
        yield "/timestamps/tick does not rise"
    if (np.abs(ticks - ideal) > 2).any():
        yield "/timestamps/tick leaves the grid"
    for stream in file["/timestamps"]:
        if stream == "tick":
            continue
        captured, new = file[f"/timestamps/{stream}"][:], file[f"/sync/is_new/{stream}"][:]
        if (captured > ticks).any():
            yield f"/timestamps/{stream}: row {np.flatnonzero(captured > ticks)[0]} is later than its tick"
        if (ticks - captured != file[f"/sync/age/{stream}"][:]).any():
            yield f"/sync/age/{stream} is not the tick's time minus the sample's"
        if (np.diff(captured)[~new[1:]] != 0).any():
            yield f"/sync/is_new/{stream}: a row that repeats a sample has another time than the row before"


def _pictures(file: h5py.File, path: Path) -> Iterator[str]:
    places = {}
    for folder in ("/observations/images", "/observations/depth"):
        for dataset in file.get(folder, {}).values():
            places[dataset.name] = kept = chunk_places(dataset)
            if len(kept) != len(dataset):
                yield f"{dataset.name}: {len(kept)} pictures, not {len(dataset)}"
                return
    if not file.attrs["compress"]:
        return
    lengths = file["/compress_len"][:]
    fd = os.open(path, os.O_RDONLY)
    try:
        for row, camera in enumerate(file["/compress_len"].attrs["camera_names"]):
            name = f"/observations/images/{camera}"
            yield from _jpegs(fd, name, places[name], lengths[row])
    finally:
        os.close(fd)


def _jpegs(fd: int, name: str, places: list[list[tuple[int, int]]], lengths: Any) -> Iterator[str]:
    for row, pieces in enumerate(places):
        size = sum(size for _, size in pieces)
        if not 0 < lengths[row] <= size:
            yield f"{name}: row {row} is {lengths[row]:g} bytes long, what is kept of it {size}"
            return
        if os.pread(fd, len(_JPEG_MAGIC), pieces[0][0]) != _JPEG_MAGIC:
            yield f"{name}: row {row} is no JPEG"
            return
